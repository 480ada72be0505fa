//! Compiled rules, kept between batches: one regex costs about 170 µs to compile, a batch has a hundred messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use alerting::base::ids::{IntegrationId, MappingTableId};
use alerting::rules::integration::{Integration, MappingTable};
use alerting::rules::policy::Policy;

/// Integrations whose rules are kept. Each policy limits its own bytes. Above this number, the one unused for longest is removed.
const KEPT: usize = 64;

#[derive(Default)]
pub(crate) struct Policies {
    kept: Mutex<HashMap<IntegrationId, Kept>>,
}

struct Kept {
    version: Version,
    used: u64,
    policy: Arc<Policy>,
}

/// What a policy is compiled from: the integration's version and that of every mapping table.
#[derive(PartialEq, Eq)]
struct Version(u64, Vec<(MappingTableId, u64)>);

impl Policies {
    /// The policy of `integration`, compiled if it has changed since the last time.
    pub(crate) fn of(&self, integration: &Integration, tables: &[MappingTable]) -> Arc<Policy> {
        let version =
            Version(integration.version, tables.iter().map(|table| (table.id.clone(), table.version)).collect());
        let mut kept = self.kept.lock().expect("nothing panics while it holds the policies");
        let clock = kept.values().map(|entry| entry.used).max().unwrap_or(0) + 1;
        if let Some(entry) = kept.get_mut(&integration.id)
            && entry.version == version
        {
            entry.used = clock;
            return Arc::clone(&entry.policy);
        }
        let policy = Arc::new(Policy::lenient(integration, tables));
        if kept.len() >= KEPT
            && let Some(oldest) = kept.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| id.clone())
        {
            kept.remove(&oldest);
        }
        kept.insert(integration.id.clone(), Kept { version, used: clock, policy: Arc::clone(&policy) });
        policy
    }
}
