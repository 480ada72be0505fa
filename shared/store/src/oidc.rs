//! The sign-in provider of the deployment: at most one.

use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use serde::{Deserialize, Serialize};

use crate::config::Expect;
use crate::connection::Store;
use crate::errors::{ReadError, SaveError, WriteError};
use crate::item::{Reader, item, json, number};
use crate::keys;
use crate::table::{Reading, Table, Write};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    pub version: u64,
    /// The name shown to people, on the sign-in button.
    pub name: String,
    /// The issuer of its tokens, under which its metadata is found.
    pub issuer: String,
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Sealed>,
    /// The secret as a listing may show it.
    pub secret_hint: Option<String>,
    /// Whether to accept an address that the provider does not mark as verified.
    pub trust_email: bool,
    pub created_at: Moment,
}

impl Store {
    /// The current provider.
    pub async fn oidc_provider(&self) -> Result<Option<OidcProvider>, ReadError> {
        let item = self.get(Table::Config, &keys::oidc(), Reading::Latest).await?;
        item.as_ref().map(|item| Reader::new(item).json("doc")).transpose()
    }

    pub async fn save_oidc_provider(&self, provider: &OidcProvider, expect: Expect) -> Result<OidcProvider, SaveError> {
        let key = keys::oidc();
        let provider = OidcProvider { version: provider.version + 1, ..provider.clone() };
        let item = item(&key, [("doc", json(&key, &provider)?), ("version", number(provider.version))]);
        match self.put(Table::Config, &key, item.clone(), Some(expect.condition())).await? {
            Write::Done(_) => Ok(provider),
            Write::Refused(Some(stored)) if stored == item => Ok(provider),
            Write::Refused(_) => Err(SaveError::Conflict { item: key.to_string() }),
        }
    }

    /// Deletes the provider. Returns whether there was one.
    pub async fn delete_oidc_provider(&self) -> Result<bool, WriteError> {
        self.delete(Table::Config, &keys::oidc()).await
    }
}
