//! API keys. The key itself is not stored: it is shown once, and found by its hash.

use std::time::Duration;

use alerting::base::ids::{ApiKeyId, MemberId};
use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::guesses::Asked;
use crate::item::{Reader, item, json};
use crate::keys::{self, Key};
use crate::table::{Condition, Part, Reading, Table};

/// The precision of `used_at`: at most one write per key and hour.
const USED_EVERY: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_at: Moment,
    /// The end of the key, which a listing may show.
    pub last4: String,
    /// From then on the key is invalid; `None`: it is valid until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// When the key was last used, to the hour; `None`: never, or before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Moment>,
    /// The key that created this one; `None`: a member or the deployment created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<ApiKeyId>,
    /// The signed-in member who created this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_member: Option<MemberId>,
}

impl ApiKey {
    pub fn has_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// The key as used now, or `None` if that is not worth a write.
    pub fn used(&self, now: Moment) -> Option<Self> {
        let is_due = self.used_at.is_none_or(|at| now.since(at) >= USED_EVERY);
        is_due.then(|| Self { used_at: Some(now), ..self.clone() })
    }
}

/// The API keys of this deployment.
#[derive(Debug)]
pub struct ApiKeys<'a> {
    store: &'a Store,
}

impl Store {
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys { store: self }
    }
}

impl ApiKeys<'_> {
    /// `hash` is [`keys::secret_hash`] of the key.
    pub async fn put(&self, hash: &str, api_key: &ApiKey) -> Result<(), WriteError> {
        let key = Key::new(keys::API_KEY, hash);
        let item = item(&key, [("doc", json(&key, api_key)?)]);
        let written = self.store.put(Table::Config, &key, item, None).await;
        self.store.inner.config.unknown_api_keys.invalidate(&hash.to_owned());
        written?;
        Ok(())
    }

    /// Saves the use of a key, unless the key was revoked meanwhile: a revoked key must stay revoked.
    pub async fn touch(&self, hash: &str, api_key: &ApiKey) -> Result<(), WriteError> {
        let key = Key::new(keys::API_KEY, hash);
        let item = item(&key, [("doc", json(&key, api_key)?)]);
        self.store.put(Table::Config, &key, item, Some(Condition::exists())).await?;
        Ok(())
    }

    /// The current record of the key; a deleted key is invalid at once. A key that does not exist is remembered for
    /// [`crate::cache::TTL`]. This blocks no valid key, because no key is made twice. `source`: the address of the
    /// client.
    pub async fn find(&self, hash: &str, source: &str, now: Moment) -> Result<Asked<ApiKey>, ReadError> {
        self.found(hash, Some(source), now).await
    }

    /// The same for a key that has the checksum of this deployment: not limited by address.
    pub async fn find_ours(&self, hash: &str, now: Moment) -> Result<Asked<ApiKey>, ReadError> {
        self.found(hash, None, now).await
    }

    async fn found(&self, hash: &str, source: Option<&str>, now: Moment) -> Result<Asked<ApiKey>, ReadError> {
        let (caches, name) = (&self.store.inner.config, hash.to_owned());
        if caches.unknown_api_keys.fresh(&name, now).is_some() {
            return Ok(Asked::Unknown);
        }
        // A key that has worked is read for every source, so that a flood from a shared address locks no client out.
        if let Some(wait) = source.and_then(|source| caches.guesses.wait(source, now))
            && caches.api_keys.stale(&name).is_none()
        {
            return Ok(Asked::TooOften(wait));
        }
        let (known, unknown) = (caches.api_keys.ticket(), caches.unknown_api_keys.ticket());
        let item = self.store.get(Table::Config, &Key::new(keys::API_KEY, hash), Reading::Latest).await?;
        let Some(item) = item else {
            caches.unknown_api_keys.insert(unknown, name, (), now);
            source.iter().for_each(|source| caches.guesses.count(source, now));
            return Ok(Asked::Unknown);
        };
        caches.api_keys.insert(known, name, (), now);
        Reader::new(&item).json("doc").map(Asked::Known)
    }

    /// All keys, newest first. People make them by hand, so there are few.
    pub async fn list(&self) -> Result<Vec<ApiKey>, ReadError> {
        let mut found: Vec<ApiKey> = self.all().await?.into_iter().map(|(_, api_key)| api_key).collect();
        found.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        Ok(found)
    }

    /// Deletes the key. Returns whether there was one.
    pub async fn delete(&self, id: &ApiKeyId) -> Result<bool, WriteError> {
        let found = self.all().await?.into_iter().find(|(_, api_key)| api_key.id == *id);
        match found {
            Some((key, _)) => self.store.delete(Table::Config, &key).await,
            None => Ok(false),
        }
    }

    /// Whether there is any key. The first one is made when there is none.
    pub async fn any(&self) -> Result<bool, ReadError> {
        let first = self.store.query(Table::Config, &Part::all(keys::API_KEY).limit(1), None).await?;
        Ok(!first.items.is_empty())
    }

    async fn all(&self) -> Result<Vec<(Key, ApiKey)>, ReadError> {
        let read = |item: &_| {
            let reader = Reader::new(item);
            Ok((reader.name(), reader.json("doc")?))
        };
        self.store.query_all(Table::Config, &Part::all(keys::API_KEY), read).await
    }
}
