//! The configuration that this process remembers.

use std::sync::Arc;

use alerting::base::ids::{
    AccountId, DestinationId, IntegrationId, MappingTableId, MemberId, ScheduleId, SpaceId, TeamId,
};
use alerting::incident::space::Space;
use alerting::people::destination::{AppAccount, ChannelName, Destination, Provider};
use alerting::people::schedule::Schedule;
use alerting::people::{Member, Team};
use alerting::rules::integration::MappingTable;

use crate::cache::{CAPACITY, Cache};
use crate::guesses::Guesses;
use crate::integrations::StoredIntegration;

/// What this process remembers; `None` for an id that does not exist.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) spaces: Cache<SpaceId, Option<Arc<Space>>>,
    pub(crate) destinations: Cache<DestinationId, Option<Arc<Destination>>>,
    pub(crate) providers: Cache<ChannelName, Option<Arc<Provider>>>,
    pub(crate) app_accounts: Cache<AccountId, Option<Arc<AppAccount>>>,
    pub(crate) members: Cache<MemberId, Option<Arc<Member>>>,
    pub(crate) teams: Cache<TeamId, Option<Arc<Team>>>,
    pub(crate) schedules: Cache<ScheduleId, Option<Arc<Schedule>>>,
    pub(crate) integrations: Cache<IntegrationId, Option<Arc<StoredIntegration>>>,
    pub(crate) mapping_tables: Cache<MappingTableId, Option<Arc<MappingTable>>>,
    pub(crate) all_mapping_tables: Cache<(), Arc<Vec<MappingTable>>>,
    /// Hashes of intake keys that exist, with the integration that each opens.
    pub(crate) intake_keys: Cache<String, IntegrationId>,
    /// Hashes of intake keys that do not exist. They are kept apart, so that a flood of them evicts no key that exists.
    pub(crate) unknown_keys: Cache<String, ()>,
    /// Hashes of API keys that this process has found before. Only their existence is cached: each key's record is read
    /// every time.
    pub(crate) api_keys: Cache<String, ()>,
    pub(crate) unknown_api_keys: Cache<String, ()>,
    /// Counts the lookups of keys that do not exist, of either kind.
    pub(crate) guesses: Guesses,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            spaces: Cache::new(CAPACITY),
            destinations: Cache::new(CAPACITY),
            providers: Cache::new(CAPACITY),
            app_accounts: Cache::new(CAPACITY),
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
