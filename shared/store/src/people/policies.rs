//! The compiled rules of spaces, kept between calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use alerting::base::ids::SpaceId;
use alerting::incident::assignment::SpacePolicy;
use alerting::incident::space::Space;

/// Number of spaces with compiled rules in the cache; beyond it, the cache is emptied.
const KEPT: usize = 64;

/// Compiled rules of spaces, by the version that they were made of.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    kept: Mutex<BTreeMap<SpaceId, (u64, Arc<SpacePolicy>)>>,
}

impl Policies {
    pub(crate) fn of(&self, space: &Space) -> Arc<SpacePolicy> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((version, policy)) = kept.get(&space.id)
            && *version == space.version
        {
            return Arc::clone(policy);
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let policy = Arc::new(SpacePolicy::new(space));
        kept.insert(space.id.clone(), (space.version, Arc::clone(&policy)));
        policy
    }
}
