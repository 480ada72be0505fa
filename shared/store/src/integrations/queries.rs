//! Reads and saves of integrations, and which integration a key opens.

use std::sync::Arc;

use alerting::base::ids::IntegrationId;
use alerting::base::limits;
use alerting::base::moment::Moment;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use crate::config::documents::Documents;
use crate::config::{Expect, encode};
use crate::connection::Store;
use crate::errors::{ReadError, SaveError, WriteError};
use crate::guesses::Asked;
use crate::integrations::{StoredIntegration, integration_named};
use crate::item::{Item, Reader, expiry, item, number, text};
use crate::keys::{self, Key};
use crate::page::Page;
use crate::table::{Part, Reading, Table};

/// The integrations.
#[derive(Debug)]
pub struct Integrations<'a> {
    store: &'a Store,
    documents: Documents<'a, StoredIntegration>,
}

impl Integrations<'_> {
    pub async fn get(&self, id: &IntegrationId) -> Result<Option<StoredIntegration>, ReadError> {
        self.documents.get(id).await
    }

    pub async fn list(&self, limit: usize, after: Option<&str>) -> Result<Page<StoredIntegration>, ReadError> {
        self.documents.list(limit, after).await
    }

    /// Saves the integration and the pointers of its keys, all or nothing, and returns it with its new version.
    pub async fn put(&self, stored: &StoredIntegration, expect: Expect) -> Result<StoredIntegration, SaveError> {
        let (stored, key, record) = encode(stored, expect)?;
        let mut puts = vec![self.put_of(record.clone(), Some(expect))];
        puts.extend(pointers(&stored).into_iter().map(|pointer| self.put_of(pointer, None)));
        let written = self.store.client().transact_write_items().set_transact_items(Some(puts)).send().await;
        self.forget(&stored);
        let Err(error) = written else { return Ok(stored) };
        let canceled = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled.cancellation_reasons(),
            _ => return Err(WriteError::aws(&key, error).into()),
        };
        match canceled.first() {
            // The answer to this save was lost, and the SDK's retry came too late for its token.
            Some(first) if first.item() == Some(&record) => Ok(stored),
            Some(first) if first.code() == Some("ConditionalCheckFailed") => {
                Err(SaveError::Conflict { item: key.to_string() })
            }
            _ => Err(WriteError::aws(&key, error).into()),
        }
    }

    /// Deletes the integration and closes its URL. Returns whether there was one. Its message log stays, and is still
    /// counted.
    pub async fn delete(&self, id: &IntegrationId, now: Moment) -> Result<bool, WriteError> {
        let Some(stored) = self.get(id).await? else { return Ok(false) };
        let key = Key::new(keys::DELETED_INTEGRATION, id);
        // It does not expire: its open alerts stay listed.
        let logs_until = (now + 2 * limits::MESSAGE_LOG).millis();
        let gone = item(&key, [("logs_until", number(logs_until))]);
        self.store.put(Table::Config, &key, gone, None).await?;
        for hash in hashes(&stored) {
            self.store.delete(Table::Config, &keys::intake_key(hash)).await?;
        }
        let deleted = self.documents.delete(id).await;
        self.forget(&stored);
        deleted
    }

    fn put_of(&self, item: Item, expect: Option<Expect>) -> TransactWriteItem {
        let put = Put::builder().table_name(self.store.table_name(Table::Config)).set_item(Some(item));
        let put = match expect {
            Some(expect) => expect.condition().guard(put),
            None => put,
        };
        TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
    }

    fn forget(&self, stored: &StoredIntegration) {
        let caches = &self.store.inner.config;
        self.documents.changed(&stored.integration.id);
        for hash in hashes(stored) {
            caches.intake_keys.invalidate(&hash.to_owned());
            caches.unknown_keys.invalidate(&hash.to_owned());
        }
    }
}

impl Store {
    pub fn integrations(&self) -> Integrations<'_> {
        let documents = Documents::new(self, &self.inner.config.integrations);
        Integrations { store: self, documents }
    }

    pub async fn cached_integration(
        &self,
        id: &IntegrationId,
        now: Moment,
    ) -> Result<Option<Arc<StoredIntegration>>, ReadError> {
        self.integrations().documents.cached(id, now).await
    }

    /// The integration that an intake key opens, if the key is neither unknown nor retired. Either result is remembered
    /// for [`crate::cache::TTL`]. `source`: the address of the sender.
    pub async fn intake(
        &self,
        key: &str,
        source: &str,
        now: Moment,
    ) -> Result<Asked<Arc<StoredIntegration>>, ReadError> {
        self.opened(key, Some(source), now).await
    }

    /// The same for a key that has the checksum of this deployment: not limited by address.
    pub async fn intake_of_ours(&self, key: &str, now: Moment) -> Result<Asked<Arc<StoredIntegration>>, ReadError> {
        self.opened(key, None, now).await
    }

    /// The deleted integrations whose alerts may still be there.
    pub async fn deleted_integrations(&self) -> Result<Vec<IntegrationId>, ReadError> {
        self.query_all(Table::Config, &Part::all(keys::DELETED_INTEGRATION), integration_named).await
    }

    async fn opened(
        &self,
        key: &str,
        source: Option<&str>,
        now: Moment,
    ) -> Result<Asked<Arc<StoredIntegration>>, ReadError> {
        let hash = keys::secret_hash(key);
        let id = match self.opened_by(&hash, source, now).await? {
            Asked::Known(id) => id,
            Asked::Unknown => return Ok(Asked::Unknown),
            Asked::TooOften(wait) => return Ok(Asked::TooOften(wait)),
        };
        let integration = self.cached_integration(&id, now).await?;
        let opened = integration.filter(|stored| stored.is_opened_by(&hash, now));
        Ok(opened.map_or(Asked::Unknown, Asked::Known))
    }

    /// The cached result of an intake key, of any age: used when the table does not answer in time.
    pub fn remembered_intake(&self, key: &str, now: Moment) -> Option<Arc<StoredIntegration>> {
        let caches = &self.inner.config;
        let hash = keys::secret_hash(key);
        let stored = caches.integrations.stale(&caches.intake_keys.stale(&hash)?)??;
        stored.is_opened_by(&hash, now).then_some(stored)
    }

    async fn opened_by(
        &self,
        hash: &str,
        source: Option<&str>,
        now: Moment,
    ) -> Result<Asked<IntegrationId>, ReadError> {
        let caches = &self.inner.config;
        let hash = hash.to_owned();
        if let Some(id) = caches.intake_keys.fresh(&hash, now) {
            return Ok(Asked::Known(id));
        }
        if caches.unknown_keys.fresh(&hash, now).is_some() {
            return Ok(Asked::Unknown);
        }
        // A known key is read again for every source, so that a flood from a shared address locks no sender out.
        if let Some(wait) = source.and_then(|source| caches.guesses.wait(source, now))
            && caches.intake_keys.stale(&hash).is_none()
        {
            return Ok(Asked::TooOften(wait));
        }
        let (known, unknown) = (caches.intake_keys.ticket(), caches.unknown_keys.ticket());
        match self.get(Table::Config, &keys::intake_key(&hash), Reading::Eventual).await {
            Ok(Some(pointer)) => {
                let id = pointed_at(&pointer)?;
                caches.intake_keys.insert(known, hash, id.clone(), now);
                Ok(Asked::Known(id))
            }
            Ok(None) => {
                caches.unknown_keys.insert(unknown, hash, (), now);
                source.iter().for_each(|source| caches.guesses.count(source, now));
                Ok(Asked::Unknown)
            }
            Err(error) => caches.intake_keys.stale(&hash).map(Asked::Known).ok_or(error),
        }
    }
}

fn hashes(stored: &StoredIntegration) -> impl Iterator<Item = &str> {
    let old = stored.all_old_keys().map(|old| old.hash.as_str());
    std::iter::once(stored.key_hash.as_str()).chain(old)
}

/// The pointers to an integration. The pointer of an old key expires after the key's end.
fn pointers(stored: &StoredIntegration) -> Vec<Item> {
    let id = text(stored.integration.id.as_str());
    let key = keys::intake_key(&stored.key_hash);
    let mut pointers = vec![item(&key, [("integration", id.clone()), ("last4", text(&stored.key_hint))])];
    for old in stored.all_old_keys() {
        let until = [("until", number(old.until.millis())), ("expires_at", expiry(old.until))];
        let mut pointer = item(&keys::intake_key(&old.hash), until);
        pointer.insert("integration".to_owned(), id.clone());
        pointers.push(pointer);
    }
    pointers
}

fn pointed_at(pointer: &Item) -> Result<IntegrationId, ReadError> {
    let reader = Reader::new(pointer);
    reader.text("integration")?.parse().map_err(|_| ReadError::missing(reader.name(), "integration"))
}
