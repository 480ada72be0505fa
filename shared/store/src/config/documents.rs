//! Reads and saves of configuration records, one kind at a time.

use std::sync::Arc;

use alerting::base::ids::{AccountId, DestinationId, MemberId, ScheduleId, SpaceId, TeamId};
use alerting::base::moment::Moment;
use alerting::incident::space::Space;
use alerting::people::destination::{AppAccount, ChannelName, Destination, Provider};
use alerting::people::schedule::Schedule;
use alerting::people::{Member, Team};
use alerting::rules::integration::MappingTable;

use crate::cache::Cache;
use crate::concurrently::concurrently;
use crate::config::{Expect, Record, decode, encode};
use crate::connection::Store;
use crate::errors::{ReadError, SaveError, WriteError};
use crate::item::{Item, Reader};
use crate::keys::{self, Key};
use crate::page::Page;
use crate::table::{Part, Reading, Table, Write};

/// The records of one kind.
#[derive(Debug)]
pub struct Documents<'a, R: Record> {
    store: &'a Store,
    cache: &'a Cache<R::Id, Option<Arc<R>>>,
    /// The cache of the whole list, which is invalidated with every record.
    all: Option<&'a Cache<(), Arc<Vec<R>>>>,
}

impl<'a, R: Record> Documents<'a, R> {
    pub(crate) fn new(store: &'a Store, cache: &'a Cache<R::Id, Option<Arc<R>>>) -> Self {
        Self { store, cache, all: None }
    }

    /// The current record, read consistently: a caller that has just saved a record reads what it saved.
    pub async fn get(&self, id: &R::Id) -> Result<Option<R>, ReadError> {
        self.read(id, Reading::Latest).await
    }

    /// The current records of those `ids` that exist, in the order of `ids`.
    pub async fn get_all(&self, ids: Vec<R::Id>) -> Result<Vec<R>, ReadError> {
        let read = |id: R::Id| {
            let store = self.store.clone();
            async move {
                let item = store.get(Table::Config, &Key::new(R::KIND, &id), Reading::Latest).await?;
                item.as_ref().map(decode::<R>).transpose()
            }
        };
        Ok(concurrently(ids, read).await?.into_iter().flatten().collect())
    }

    /// All records, unordered: to find what uses a record that is about to be deleted.
    pub async fn all(&self) -> Result<Vec<R>, ReadError> {
        self.store.query_all(Table::Config, &Part::all(R::KIND).latest(), decode).await
    }

    /// The records, newest first. `after` is the `next` of the previous page.
    pub async fn list(&self, limit: usize, after: Option<&str>) -> Result<Page<R>, ReadError> {
        let part = Part::all(R::KIND).only(&["created_at"]);
        let mut entries = self.store.query_all(Table::Config, &part, |item| Ok(Entry::read(item))).await?;
        entries.retain(|entry| after.is_none_or(|after| entry.cursor.as_str() < after));
        entries.sort_by(|one, other| other.cursor.cmp(&one.cursor));
        let next = entries.get(limit).and_then(|_| entries.get(limit.checked_sub(1)?)).map(|last| last.cursor.clone());
        entries.truncate(limit);
        let keys: Vec<Key> = entries.iter().map(|entry| Key::new(R::KIND, &entry.id)).collect();
        let items = self.store.get_many(Table::Config, &keys).await?;
        let mut records = items
            .iter()
            .map(|item| Ok((Entry::read(item).cursor, decode(item)?)))
            .collect::<Result<Vec<(String, R)>, ReadError>>()?;
        records.sort_by(|one, other| other.0.cmp(&one.0));
        Ok(Page { items: records.into_iter().map(|(_, record)| record).collect(), next })
    }

    /// Saves and returns the record with its new version. Saving the same again after a lost answer succeeds.
    pub async fn put(&self, record: &R, expect: Expect) -> Result<R, SaveError> {
        let (record, key, item) = encode(record, expect)?;
        self.point_at(&record).await?;
        let written = self.store.put(Table::Config, &key, item.clone(), Some(expect.condition())).await;
        self.changed(record.id());
        match written? {
            Write::Done(_) => Ok(record),
            Write::Refused(Some(stored)) if stored == item => Ok(record),
            Write::Refused(_) => Err(SaveError::Conflict { item: key.to_string() }),
        }
    }

    /// Writes the record's pointers before the record is saved. A pointer to a record that does not exist yet does no
    /// harm; a missing one would hide the record.
    pub(crate) async fn point_at(&self, record: &R) -> Result<(), WriteError> {
        for partition in record.found_in() {
            let key = Key::new(partition, record.id());
            self.store.put(Table::Config, &key, key.attributes(), None).await?;
        }
        Ok(())
    }

    /// Deletes the record. Returns whether there was one.
    pub async fn delete(&self, id: &R::Id) -> Result<bool, WriteError> {
        let deleted = self.store.delete(Table::Config, &Key::new(R::KIND, id)).await;
        self.changed(id);
        deleted
    }

    pub(crate) fn changed(&self, id: &R::Id) {
        self.cache.invalidate(id);
        if let Some(all) = self.all {
            all.invalidate(&());
        }
    }

    /// The record as it was at most [`crate::cache::TTL`] ago, or older if it cannot be read.
    pub(crate) async fn cached(&self, id: &R::Id, now: Moment) -> Result<Option<Arc<R>>, ReadError> {
        if let Some(known) = self.cache.fresh(id, now) {
            return Ok(known);
        }
        let ticket = self.cache.ticket();
        match self.read(id, Reading::Eventual).await {
            Ok(record) => {
                let record = record.map(Arc::new);
                self.cache.insert(ticket, id.clone(), record.clone(), now);
                Ok(record)
            }
            Err(error) => self.cache.stale(id).ok_or(error),
        }
    }

    async fn read(&self, id: &R::Id, reading: Reading) -> Result<Option<R>, ReadError> {
        let item = self.store.get(Table::Config, &Key::new(R::KIND, id), reading).await?;
        item.as_ref().map(decode).transpose()
    }
}

/// Per kind: its records, and one of them as this process remembers it.
macro_rules! documents {
    ($($record:ident, $id:ident, $all:ident, $cached:ident;)+) => {
        impl Store {$(
            pub fn $all(&self) -> Documents<'_, $record> {
                Documents::new(self, &self.inner.config.$all)
            }

            pub async fn $cached(&self, id: &$id, now: Moment) -> Result<Option<Arc<$record>>, ReadError> {
                self.$all().cached(id, now).await
            }
        )+}
    };
}

documents! {
    Space, SpaceId, spaces, cached_space;
    Destination, DestinationId, destinations, cached_destination;
    Provider, ChannelName, providers, cached_provider;
    AppAccount, AccountId, app_accounts, cached_app_account;
    Member, MemberId, members, cached_member;
    Team, TeamId, teams, cached_team;
    Schedule, ScheduleId, schedules, cached_schedule;
}

impl Store {
    pub fn mapping_tables(&self) -> Documents<'_, MappingTable> {
        let caches = &self.inner.config;
        Documents { store: self, cache: &caches.mapping_tables, all: Some(&caches.all_mapping_tables) }
    }

    /// All mapping tables. A pipeline names its tables, and there are few.
    pub async fn cached_mapping_tables(&self, now: Moment) -> Result<Arc<Vec<MappingTable>>, ReadError> {
        let cache = &self.inner.config.all_mapping_tables;
        if let Some(known) = cache.fresh(&(), now) {
            return Ok(known);
        }
        let ticket = cache.ticket();
        match self.query_all(Table::Config, &Part::all(keys::MAPPING), decode).await {
            Ok(tables) => {
                let tables = Arc::new(tables);
                cache.insert(ticket, (), tables.clone(), now);
                Ok(tables)
            }
            Err(error) => cache.stale(&()).ok_or(error),
        }
    }
}

/// A record's place in a listing.
struct Entry {
    id: String,
    cursor: String,
}

impl Entry {
    fn read(item: &Item) -> Self {
        let reader = Reader::new(item);
        let id = reader.name().sk;
        let created_at = Moment::from_millis(reader.optional_number("created_at").unwrap_or_default());
        Self { cursor: format!("{}.{id}", keys::sortable(created_at)), id }
    }
}
