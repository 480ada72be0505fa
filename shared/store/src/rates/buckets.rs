//! The buckets that this process saw last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use alerting::base::ids::DestinationId;
use alerting::base::rate::Bucket;

/// Buckets that a process remembers; beyond, it forgets all of them, which costs one refused write each.
const REMEMBERED: usize = 1000;

/// The buckets that this process saw last.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    seen: Mutex<HashMap<DestinationId, Seen>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) bucket: Bucket,
    pub(crate) version: u64,
    /// Random: identifies a write when its answer was lost.
    pub(crate) writer: String,
}

impl Buckets {
    pub(crate) fn get(&self, destination: &DestinationId) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(destination).cloned()
    }

    pub(crate) fn set(&self, destination: &DestinationId, bucket: Option<Seen>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        match bucket {
            Some(bucket) => drop(seen.insert(destination.clone(), bucket)),
            None => drop(seen.remove(destination)),
        }
    }
}
