//! The links by which one person acknowledges without signing in. A link is stored by its hash, and works once.

use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Reader, expiry, item, json};
use crate::keys;
use crate::table::{Condition, Reading, Table};

/// The stored state of one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalLink {
    pub expires_at: Moment,
    pub used_at: Option<Moment>,
}

impl Store {
    /// Stores a link, which works once. `hash` is [`keys::secret_hash`] of its token. A link that is stored already
    /// stays as it is.
    pub async fn keep_personal_link(&self, hash: &str, expires_at: Moment) -> Result<(), WriteError> {
        self.write_personal_link(hash, PersonalLink { expires_at, used_at: None }, Some(Condition::absent())).await
    }

    /// The link as it is now, unless it has expired.
    pub async fn personal_link(&self, hash: &str, now: Moment) -> Result<Option<PersonalLink>, ReadError> {
        let item = self.get(Table::Alerts, &keys::personal_link(hash), Reading::Latest).await?;
        let link = item.as_ref().map(|item| Reader::new(item).json::<PersonalLink>("doc")).transpose()?;
        Ok(link.filter(|link| now < link.expires_at))
    }

    pub async fn use_personal_link(&self, hash: &str, expires_at: Moment, now: Moment) -> Result<(), WriteError> {
        self.write_personal_link(hash, PersonalLink { expires_at, used_at: Some(now) }, None).await
    }

    async fn write_personal_link(
        &self,
        hash: &str,
        link: PersonalLink,
        only_if: Option<Condition>,
    ) -> Result<(), WriteError> {
        let key = keys::personal_link(hash);
        let attributes = [("doc", json(&key, &link)?), ("expires_at", expiry(link.expires_at))];
        self.put(Table::Alerts, &key, item(&key, attributes), only_if).await?;
        Ok(())
    }
}
