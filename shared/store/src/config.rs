//! Spaces, destinations and the providers they leave by, members, teams, schedules, mapping tables: one document store
//! with optimistic versions.
//!
//! A record is one JSON document beside its `version`, which the store counts: a save names the version that it
//! replaces and is refused if that is not what is stored. Listings and [`Documents::get`] are for the API;
//! the functions that messages pass through use the `cached_` reads, which cost one read per process and
//! [`crate::cache::TTL`].

use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use alerting::base::ids::{DestinationId, IntegrationId, MappingTableId, MemberId, ScheduleId, SpaceId, TeamId};
use alerting::base::moment::Moment;
use alerting::incident::space::Space;
use alerting::people::destination::{ChannelName, Destination, Provider};
use alerting::people::schedule::Schedule;
use alerting::people::{Member, Team};
use alerting::rules::integration::MappingTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::accounts;
use crate::cache::{CAPACITY, Cache};
use crate::concurrently::concurrently;
use crate::errors::{ReadError, SaveError, WriteError};
use crate::guesses::Guesses;
use crate::integrations::StoredIntegration;
use crate::item::{DOCUMENT_BYTES, Item, Reader, item, json, number};
use crate::keys::{self, Key};
use crate::table::{Condition, Part, Reading, Table, Write};
use crate::{Page, Store};

/// What a save replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the record is new.
    New,
    /// The record in this version.
    Version(u64),
}

/// One kind of configuration.
pub trait Record: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    type Id: Clone + Eq + Hash + Display + Send + Sync + 'static;
    /// The partition that holds all records of this kind.
    const KIND: &'static str;

    fn id(&self) -> &Self::Id;
    fn version(&self) -> u64;
    fn set_version(&mut self, version: u64);
    fn created_at(&self) -> Moment;

    /// Partitions that name the record by its id beside its own, so that it is found by more than that. They keep what
    /// it was found by once: who follows such a pointer looks whether the record still has it.
    fn found_in(&self) -> Vec<String> {
        Vec::new()
    }
}

macro_rules! records {
    ($($record:ident, $id:ident, $kind:ident $(, $found_in:path)?;)+) => {$(
        impl Record for $record {
            type Id = $id;
            const KIND: &'static str = keys::$kind;

            fn id(&self) -> &$id {
                &self.id
            }

            fn version(&self) -> u64 {
                self.version
            }

            fn set_version(&mut self, version: u64) {
                self.version = version;
            }

            fn created_at(&self) -> Moment {
                self.created_at
            }
            $(
                fn found_in(&self) -> Vec<String> {
                    $found_in(self)
                }
            )?
        }
    )+};
}

records! {
    Space, SpaceId, SPACE;
    Destination, DestinationId, DESTINATION;
    Provider, ChannelName, PROVIDER;
    Member, MemberId, MEMBER, accounts::found_in;
    Team, TeamId, TEAM;
    Schedule, ScheduleId, SCHEDULE;
    MappingTable, MappingTableId, MAPPING;
}

/// What this process remembers; `None` for an id that does not exist.
#[derive(Debug)]
pub(crate) struct Caches {
    spaces: Cache<SpaceId, Option<Arc<Space>>>,
    destinations: Cache<DestinationId, Option<Arc<Destination>>>,
    providers: Cache<ChannelName, Option<Arc<Provider>>>,
    members: Cache<MemberId, Option<Arc<Member>>>,
    teams: Cache<TeamId, Option<Arc<Team>>>,
    schedules: Cache<ScheduleId, Option<Arc<Schedule>>>,
    pub(crate) integrations: Cache<IntegrationId, Option<Arc<StoredIntegration>>>,
    mapping_tables: Cache<MappingTableId, Option<Arc<MappingTable>>>,
    all_mapping_tables: Cache<(), Arc<Vec<MappingTable>>>,
    /// Hash of an intake key that exists → what it opens.
    pub(crate) intake_keys: Cache<String, IntegrationId>,
    /// Hashes of keys that do not: apart, so that a flood of them evicts no key that does.
    pub(crate) unknown_keys: Cache<String, ()>,
    /// Hashes of API keys that this process has found before. Only of their being keys: each is read anew every time.
    pub(crate) api_keys: Cache<String, ()>,
    pub(crate) unknown_api_keys: Cache<String, ()>,
    /// Of keys of either kind.
    pub(crate) guesses: Guesses,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            spaces: Cache::new(CAPACITY),
            destinations: Cache::new(CAPACITY),
            providers: Cache::new(CAPACITY),
            members: Cache::new(CAPACITY),
            teams: Cache::new(CAPACITY),
            schedules: Cache::new(CAPACITY),
            integrations: Cache::new(CAPACITY),
            mapping_tables: Cache::new(CAPACITY),
            all_mapping_tables: Cache::new(1),
            intake_keys: Cache::new(CAPACITY),
            unknown_keys: Cache::new(CAPACITY),
            api_keys: Cache::new(CAPACITY),
            unknown_api_keys: Cache::new(CAPACITY),
            guesses: Guesses::default(),
        }
    }
}

/// The records of one kind.
#[derive(Debug)]
pub struct Documents<'a, R: Record> {
    store: &'a Store,
    cache: &'a Cache<R::Id, Option<Arc<R>>>,
    /// What is invalidated with every record.
    all: Option<&'a Cache<(), Arc<Vec<R>>>>,
}

impl<'a, R: Record> Documents<'a, R> {
    pub(crate) fn new(store: &'a Store, cache: &'a Cache<R::Id, Option<Arc<R>>>) -> Self {
        Self { store, cache, all: None }
    }

    /// As it is now: who has just saved a record reads what was saved.
    pub async fn get(&self, id: &R::Id) -> Result<Option<R>, ReadError> {
        self.read(id, Reading::Latest).await
    }

    /// Those of `ids` that exist, as they are now, in the order of `ids`.
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

    /// Every record there is, in no particular order: to find out who uses what is about to be deleted.
    pub async fn all(&self) -> Result<Vec<R>, ReadError> {
        self.store.query_all(Table::Config, &Part::all(R::KIND).latest(), decode).await
    }

    /// Newest first. `after` is the `next` of the page before.
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

    /// Before the record is saved: a pointer to what is not there yet misleads nobody, a missing one would.
    pub(crate) async fn point_at(&self, record: &R) -> Result<(), WriteError> {
        for partition in record.found_in() {
            let key = Key::new(partition, record.id());
            self.store.put(Table::Config, &key, key.attributes(), None).await?;
        }
        Ok(())
    }

    /// Whether there was such a record.
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

    /// As it was at most [`crate::cache::TTL`] ago; older if it cannot be read.
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
    Member, MemberId, members, cached_member;
    Team, TeamId, teams, cached_team;
    Schedule, ScheduleId, schedules, cached_schedule;
}

impl Store {
    pub fn mapping_tables(&self) -> Documents<'_, MappingTable> {
        let caches = &self.inner.config;
        Documents { store: self, cache: &caches.mapping_tables, all: Some(&caches.all_mapping_tables) }
    }

    /// All of them: a pipeline names its tables, and there are few.
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

impl Expect {
    pub(crate) fn condition(self) -> Condition {
        match self {
            Expect::New => Condition::absent(),
            Expect::Version(version) => Condition::unchanged("version", Some(version)),
        }
    }

    fn next_version(self) -> u64 {
        match self {
            Expect::New => 1,
            Expect::Version(version) => version + 1,
        }
    }
}

/// The record in its next version, and the item that stores it.
pub(crate) fn encode<R: Record>(record: &R, expect: Expect) -> Result<(R, Key, Item), SaveError> {
    let mut record = record.clone();
    record.set_version(expect.next_version());
    let key = Key::new(R::KIND, record.id());
    let document = json(&key, &record)?;
    let bytes = document.as_s().map_or(0, String::len);
    if bytes > DOCUMENT_BYTES {
        return Err(SaveError::TooLarge { item: key.to_string(), bytes });
    }
    let version = number(record.version());
    let created_at = number(record.created_at().millis());
    let item = item(&key, [("doc", document), ("version", version), ("created_at", created_at)]);
    Ok((record, key, item))
}

fn decode<R: Record>(item: &Item) -> Result<R, ReadError> {
    Reader::new(item).json("doc")
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
