//! Sessions of signed-in members. The token itself is kept nowhere but in the browser: a session is found by its hash.

use alerting::ids::MemberId;
use alerting::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Reader, expiry, item, json};
use crate::keys::{self, Key};
use crate::table::{Reading, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub member: MemberId,
    /// The member's [`crate::accounts::Account::epoch`] when the session began: it ends with that.
    #[serde(default)]
    pub epoch: u64,
    pub created_at: Moment,
    /// From then on it opens nothing; the table's TTL removes it some time later.
    pub expires_at: Moment,
}

impl Store {
    /// `hash` is [`keys::secret_hash`] of the token.
    pub async fn begin_session(&self, hash: &str, session: &Session) -> Result<(), WriteError> {
        let key = Key::new(keys::SESSION, hash);
        let attributes = [("doc", json(&key, session)?), ("expires_at", expiry(session.expires_at))];
        self.put(Table::Config, &key, item(&key, attributes), None).await?;
        Ok(())
    }

    /// The session as it is now, unless it has expired: one that was ended opens nothing any more.
    pub async fn session(&self, hash: &str, now: Moment) -> Result<Option<Session>, ReadError> {
        let item = self.get(Table::Config, &Key::new(keys::SESSION, hash), Reading::Latest).await?;
        let session = item.as_ref().map(|item| Reader::new(item).json::<Session>("doc")).transpose()?;
        Ok(session.filter(|session| now < session.expires_at))
    }

    pub async fn end_session(&self, hash: &str) -> Result<(), WriteError> {
        self.delete(Table::Config, &Key::new(keys::SESSION, hash)).await?;
        Ok(())
    }
}
