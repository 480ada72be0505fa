//! One-time codes by which a member links a chat user: the member proves who they are by having the code, the chat user
//! by the vendor's signature on the message that holds it.

use alerting::base::ids::{AccountId, MemberId};
use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Reader, expiry, item, json};
use crate::keys;
use crate::table::{Reading, Table};

/// What a code links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCode {
    pub account: AccountId,
    pub member: MemberId,
    pub until: Moment,
}

impl Store {
    /// Stores a code by its [`keys::secret_hash`].
    pub async fn keep_link_code(&self, hash: &str, code: &LinkCode) -> Result<(), WriteError> {
        let key = keys::link_code(hash);
        let attributes = [("doc", json(&key, code)?), ("expires_at", expiry(code.until))];
        self.put(Table::Config, &key, item(&key, attributes), None).await?;
        Ok(())
    }

    /// What the code links, unless it has expired. It stays until [`Store::use_link_code`].
    pub async fn link_code(&self, hash: &str, now: Moment) -> Result<Option<LinkCode>, ReadError> {
        let item = self.get(Table::Config, &keys::link_code(hash), Reading::Latest).await?;
        let code = item.as_ref().map(|item| Reader::new(item).json::<LinkCode>("doc")).transpose()?;
        Ok(code.filter(|code| now < code.until))
    }

    /// Deletes the code. `false`: another request has used it.
    pub async fn use_link_code(&self, hash: &str) -> Result<bool, WriteError> {
        self.delete(Table::Config, &keys::link_code(hash)).await
    }
}
