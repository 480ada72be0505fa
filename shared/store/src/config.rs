//! Spaces, destinations, providers, accounts of apps, members, teams, schedules, mapping tables: one document store
//! with optimistic versions.
//!
//! A record is one JSON document with its `version`, which the store counts. A save names the version that it replaces
//! and is refused if another one is stored. Listings and [`get`](documents::Documents::get) are for the API; the
//! functions that process messages use the `cached_` reads, which cost one read per process and [`crate::cache::TTL`].

pub(crate) mod caches;
pub mod documents;

use std::fmt::Display;
use std::hash::Hash;

use alerting::base::ids::{AccountId, DestinationId, MappingTableId, MemberId, ScheduleId, SpaceId, TeamId};
use alerting::base::moment::Moment;
use alerting::incident::space::Space;
use alerting::people::destination::{AppAccount, ChannelName, Destination, Provider};
use alerting::people::schedule::Schedule;
use alerting::people::{Member, Team};
use alerting::rules::integration::MappingTable;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::{DOCUMENT_BYTES, ReadError, SaveError};
use crate::item::{Item, Reader, item, json, number};
use crate::keys::{self, Key};
use crate::member_pointers;
use crate::table::Condition;

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

    /// Further partitions that name the record by its id, so that it is found by other values too. They keep outdated
    /// values: a reader that follows such a pointer checks that the record still has the value.
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
    AppAccount, AccountId, APP_ACCOUNT;
    Member, MemberId, MEMBER, member_pointers::found_in;
    Team, TeamId, TEAM;
    Schedule, ScheduleId, SCHEDULE;
    MappingTable, MappingTableId, MAPPING;
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

pub(crate) fn decode<R: Record>(item: &Item) -> Result<R, ReadError> {
    Reader::new(item).json("doc")
}
