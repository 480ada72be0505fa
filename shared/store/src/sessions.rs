//! Sessions of signed-in members. Only the browser has the token; the store finds a session by the token's hash.

use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Reader, expiry, item, json};
use crate::keys::{self, Key};
use crate::table::{Condition, Part, Reading, Table};

/// An unused session ends after this time. It is long enough for a calm day on call.
pub const IDLE: Duration = Duration::from_secs(48 * 3600);
/// The precision of `seen_at`: at most one write per session and hour.
const SEEN_EVERY: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub member: MemberId,
    /// The member's [`crate::accounts::Account::epoch`] when the session began. The session ends when it changes.
    #[serde(default)]
    pub epoch: u64,
    pub created_at: Moment,
    /// From then on the session is invalid; the table's TTL removes it some time later.
    pub expires_at: Moment,
    /// When the member last confirmed their identity in this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Moment>,
    /// When it was last used, to the hour; `None`: not since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Moment>,
    /// The name that the browser gives, for the member's list of sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
}

impl Session {
    pub fn new(member: MemberId, epoch: u64, now: Moment, life: Duration) -> Self {
        let (confirmed_at, seen_at, browser) = (None, None, None);
        Self { member, epoch, created_at: now, expires_at: now + life, confirmed_at, seen_at, browser }
    }

    /// When it ends if nobody uses it from now on.
    pub fn ends_at(&self) -> Moment {
        self.expires_at.min(self.seen_at.unwrap_or(self.created_at) + IDLE)
    }

    /// The session as used now, or `None` if that is not worth a write.
    pub fn seen(&self, now: Moment) -> Option<Self> {
        let is_due = now.since(self.seen_at.unwrap_or(self.created_at)) >= SEEN_EVERY;
        is_due.then(|| Self { seen_at: Some(now), ..self.clone() })
    }
}

impl Store {
    /// `hash` is [`keys::secret_hash`] of the token.
    pub async fn begin_session(&self, hash: &str, session: &Session) -> Result<(), WriteError> {
        self.put_session(hash, session, None).await
    }

    /// Saves the use of a session, unless it has ended meanwhile: an ended session must stay ended.
    pub async fn touch_session(&self, hash: &str, session: &Session) -> Result<(), WriteError> {
        self.put_session(hash, session, Some(Condition::exists())).await
    }

    async fn put_session(&self, hash: &str, session: &Session, only: Option<Condition>) -> Result<(), WriteError> {
        let key = Key::new(keys::SESSION, hash);
        let attributes = [("doc", json(&key, session)?), ("expires_at", expiry(session.expires_at))];
        self.put(Table::Config, &key, item(&key, attributes), only).await?;
        Ok(())
    }

    /// The current session, unless it was ended or has expired.
    pub async fn session(&self, hash: &str, now: Moment) -> Result<Option<Session>, ReadError> {
        let item = self.get(Table::Config, &Key::new(keys::SESSION, hash), Reading::Latest).await?;
        let session = item.as_ref().map(|item| Reader::new(item).json::<Session>("doc")).transpose()?;
        Ok(session.filter(|session| now < session.ends_at()))
    }

    /// A member's sessions, each with its hash, newest first. This reads the sessions of all members, about one per
    /// browser.
    pub async fn sessions_of(&self, member: &MemberId, now: Moment) -> Result<Vec<(String, Session)>, ReadError> {
        let read = |item: &_| {
            let reader = Reader::new(item);
            Ok((reader.name().sk, reader.json::<Session>("doc")?))
        };
        let mut found = self.query_all(Table::Config, &Part::all(keys::SESSION).latest(), read).await?;
        found.retain(|(_, session)| session.member == *member && now < session.ends_at());
        found.sort_by(|(one, a), (other, b)| (b.created_at, other).cmp(&(a.created_at, one)));
        Ok(found)
    }

    pub async fn end_session(&self, hash: &str) -> Result<(), WriteError> {
        self.delete(Table::Config, &Key::new(keys::SESSION, hash)).await?;
        Ok(())
    }
}
