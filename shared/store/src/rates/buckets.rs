//! The buckets that a process saw last, and the permits that it holds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Bucket;

use crate::bucket_key::BucketKey;

/// Buckets that a process remembers. Beyond that it forgets all of them, which costs one refused write each.
const REMEMBERED: usize = 1000;

/// The longest additional wait after other processes took the requested slice.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// The buckets that this process saw last, and the slices that it holds.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    seen: Mutex<HashMap<BucketKey, Seen>>,
    /// An asynchronous lock each: while one task takes a slice, the others of the process wait for it.
    slices: Mutex<HashMap<BucketKey, Arc<tokio::sync::Mutex<Slice>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) bucket: Bucket,
    pub(crate) version: u64,
    /// A random value, by which a write whose answer was lost recognises itself.
    pub(crate) writer: String,
}

/// The permits of an account that this process may still spend.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    left: u32,
    until: Moment,
    /// How many permits the slice had.
    taken: u32,
    /// Whether one more could have been spent in time.
    was_short: bool,
    /// Refused writes since the slice was taken.
    refusals: u32,
}

impl Slice {
    /// A slice of which one permit is spent at once.
    pub(crate) fn of(permits: u32, until: Moment) -> Self {
        Self { left: permits - 1, until, taken: permits, was_short: false, refusals: 0 }
    }

    pub(crate) fn lose(&mut self) {
        self.left = 0;
    }

    /// Spends one permit, if one is left.
    pub(crate) fn spend(&mut self, now: Moment) -> bool {
        let in_time = now < self.until;
        let has_one = in_time && self.left > 0;
        if has_one {
            self.left -= 1;
        }
        self.was_short |= in_time && !has_one;
        has_one
    }

    /// The bound of the additional random wait after a refused write. It doubles with each refusal.
    pub(crate) fn backoff(&mut self, spend_within: Duration) -> Duration {
        self.refusals = self.refusals.saturating_add(1);
        spend_within.saturating_mul(1 << self.refusals.min(20)).min(MAX_BACKOFF)
    }

    /// How many permits to take next: at first as many as allowed, then as many as this process could spend in time
    /// before.
    pub(crate) fn next_size(&self, most: u32) -> u32 {
        match self.taken {
            0 => most,
            taken if self.was_short => (taken + 1).min(most),
            taken => (taken - self.left).clamp(1, most),
        }
    }
}

impl Buckets {
    pub(crate) fn get(&self, key: &BucketKey) -> Option<Seen> {
        lock(&self.seen).get(key).cloned()
    }

    pub(crate) fn set(&self, key: &BucketKey, bucket: Option<Seen>) {
        let mut seen = bounded(&self.seen);
        match bucket {
            Some(bucket) => drop(seen.insert(key.clone(), bucket)),
            None => drop(seen.remove(key)),
        }
    }

    pub(crate) fn slice(&self, key: &BucketKey) -> Arc<tokio::sync::Mutex<Slice>> {
        Arc::clone(bounded(&self.slices).entry(key.clone()).or_default())
    }
}

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code that can panic runs under the lock.
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets everything when there is too much of it.
fn bounded<K: Eq + Hash, V>(map: &Mutex<HashMap<K, V>>) -> MutexGuard<'_, HashMap<K, V>> {
    let mut map = lock(map);
    if map.len() >= REMEMBERED {
        map.clear();
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_spent_in_time_or_lost() {
        let until = Moment::from_millis(50);
        let mut slice = Slice::of(3, until);
        assert!(slice.spend(Moment::from_millis(49)));
        assert!(!slice.spend(until), "too late");
        assert_eq!((slice.left, slice.was_short), (1, false));
    }

    #[test]
    fn each_refusal_doubles_the_time_to_spread_over_until_a_slice_is_taken() {
        let within = Duration::from_millis(50);
        let mut slice = Slice::default();
        for (refusal, expected_ms) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (6, 1000)] {
            assert_eq!(slice.backoff(within), Duration::from_millis(expected_ms), "refusal {refusal}");
        }
        slice.refusals = u32::MAX;
        assert_eq!(slice.backoff(within), MAX_BACKOFF, "it does not overflow");
        assert_eq!(Slice::of(3, Moment::from_millis(50)).backoff(within), Duration::from_millis(100), "a new slice");
    }

    #[test]
    fn the_next_slice_is_what_the_process_can_spend_in_time() {
        let second = Moment::from_secs(1);
        for (what, asked_ms, expected) in [
            ("nothing more is sent in time", &[1000_i64][..], 1),
            ("one more of three is sent in time", &[10, 1000], 2),
            ("the whole slice is sent in time", &[10, 20, 1000], 3),
            ("more than the slice could be sent in time", &[10, 20, 30], 4),
        ] {
            let mut slice = Slice::of(3, second);
            for ms in asked_ms {
                slice.spend(Moment::from_millis(*ms));
            }
            assert_eq!(slice.next_size(16), expected, "{what}");
            assert_eq!(slice.next_size(2), expected.min(2), "{what}, and no more than allowed");
        }
        assert_eq!(Slice::default().next_size(3), 3, "at first as many as allowed");
    }
}
