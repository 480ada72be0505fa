//! Caches configuration in the process for a few seconds.
//!
//! Bounded: beyond [`CAPACITY`] entries the oldest one is removed, so a flood of unknown keys costs memory for
//! [`CAPACITY`] of them and no more. An entry that is past its time is read again, but kept: if that read fails, the
//! old value is still used. A write through the same store invalidates the entry at once, and also discards the result
//! of a read that began before the write.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::base::moment::Moment;

/// How long a change by another process may go unseen, and how long an unknown intake key is not looked up again.
pub const TTL: Duration = Duration::from_secs(10);
/// The most entries of one cache.
pub const CAPACITY: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    entries: Mutex<Entries<K, V>>,
    capacity: usize,
}

#[derive(Debug)]
struct Entries<K, V> {
    map: HashMap<K, Entry<V>>,
    /// Every key of the map once, in the order of insertion.
    order: VecDeque<K>,
    invalidations: u64,
}

#[derive(Debug)]
struct Entry<V> {
    /// `None` after an invalidation.
    value: Option<V>,
    until: Moment,
}

/// Taken before a read, and given back with its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let entries = Entries { map: HashMap::new(), order: VecDeque::new(), invalidations: 0 };
        Self { entries: Mutex::new(entries), capacity }
    }

    pub(crate) fn fresh(&self, key: &K, now: Moment) -> Option<V> {
        let entries = self.lock();
        entries.map.get(key).filter(|entry| now < entry.until).and_then(|entry| entry.value.clone())
    }

    /// The cached value, however old.
    pub(crate) fn stale(&self, key: &K) -> Option<V> {
        self.lock().map.get(key).and_then(|entry| entry.value.clone())
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.lock().invalidations)
    }

    /// Remembers what a read found, unless something was invalidated since the ticket was taken.
    pub(crate) fn insert(&self, ticket: Ticket, key: K, value: V, now: Moment) {
        let mut entries = self.lock();
        if entries.invalidations != ticket.0 {
            return;
        }
        let entry = Entry { value: Some(value), until: now + TTL };
        if entries.map.insert(key.clone(), entry).is_none() {
            entries.order.push_back(key);
        }
        while entries.map.len() > self.capacity {
            let Some(oldest) = entries.order.pop_front() else { break };
            entries.map.remove(&oldest);
        }
    }

    pub(crate) fn invalidate(&self, key: &K) {
        let mut entries = self.lock();
        entries.invalidations += 1;
        if let Some(entry) = entries.map.get_mut(key) {
            entry.value = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        // No code that can panic runs under the lock.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_secs(1000);

    fn insert(cache: &Cache<u32, u32>, key: u32, value: u32, now: Moment) {
        cache.insert(cache.ticket(), key, value, now);
    }

    #[test]
    fn an_entry_is_fresh_for_its_time_and_stale_but_there_afterwards() {
        let cache = Cache::new(2);
        insert(&cache, 1, 10, START);
        assert_eq!(cache.fresh(&1, START + TTL - Duration::from_millis(1)), Some(10));
        assert_eq!(cache.fresh(&1, START + TTL), None);
        assert_eq!(cache.stale(&1), Some(10));
    }

    #[test]
    fn however_many_keys_come_no_more_than_the_capacity_stay() {
        let cache = Cache::new(100);
        for key in 0..100_000 {
            insert(&cache, key, key, START);
            insert(&cache, key, key, START + TTL);
        }
        let entries = cache.lock();
        assert_eq!((entries.map.len(), entries.order.len()), (100, 100));
        assert!(entries.map.contains_key(&99_999) && !entries.map.contains_key(&0));
    }

    #[test]
    fn invalidating_and_inserting_in_turn_takes_no_more_memory() {
        let cache = Cache::new(100);
        for _ in 0..1000 {
            insert(&cache, 1, 1, START);
            cache.invalidate(&1);
        }
        assert_eq!(cache.lock().order.len(), 1);
        assert_eq!(cache.stale(&1), None);
    }

    #[test]
    fn what_was_read_before_a_write_is_not_remembered_after_it() {
        let cache = Cache::new(2);
        let ticket = cache.ticket();
        cache.invalidate(&1);
        cache.insert(ticket, 1, 10, START);
        assert_eq!(cache.fresh(&1, START), None);
    }
}
