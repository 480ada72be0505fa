//! How much is kept of refused requests.
//!
//! Anyone who knows a URL can send any number of requests of any size that are refused. A request that is refused because of a
//! setting that an operator may change (the type, a keyword, the shape) is kept whole, within `DAY_BYTES` per integration and day.
//! Of those that are refused for their sender, their rate or their size, `SAMPLES` per reason and minute are kept, cut, within
//! `GUARDED_DAY_BYTES`. All others are counted: a count is queued as one record that represents many messages, so the ledger still
//! balances.
//!
//! Counts are sent after [`FLUSH`]. A process that ends before that loses its count of refusals, and the ledger does not expect
//! them; it loses no message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::base::ids::IntegrationId;
use alerting::base::moment::Moment;
use alerting::rules::message::RefusalReason;

/// Requests of one reason, integration and minute that are kept as samples.
const SAMPLES: u32 = 5;
/// Bytes that are kept of a sample's body: enough to recognise the sender.
pub const SAMPLE_BYTES: usize = 4 * 1024;
/// Bytes of whole refused bodies per integration and day: some thousand of the usual cards.
const DAY_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of samples per integration and day.
const GUARDED_DAY_BYTES: usize = 1024 * 1024;
/// How long refusals are counted before the count is sent.
pub const FLUSH: Duration = Duration::from_secs(5);
/// Integrations with a budget or a count in memory, some 200 bytes each.
const INTEGRATIONS: usize = 10_000;
const DAY: i64 = 24 * 3600;

/// How one refused request is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Whole,
    /// The first bytes of its body.
    Cut,
    /// Without its body.
    Bare,
    /// Only counted. `first`: no other count was waiting to be sent.
    Counted {
        first: bool,
    },
}

/// Refusals of one integration and reason that are not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub integration: IntegrationId,
    pub reason: RefusalReason,
    pub times: u64,
}

#[derive(Debug, Default)]
pub struct Refusals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    budgets: HashMap<IntegrationId, Budget>,
    counts: HashMap<(IntegrationId, RefusalReason), Counting>,
}

#[derive(Debug, Default)]
struct Budget {
    day: i64,
    bytes: usize,
    guarded_bytes: usize,
    minute: i64,
    samples: HashMap<RefusalReason, u32>,
}

#[derive(Debug)]
struct Counting {
    times: u64,
    since: Moment,
}

/// Whether it was refused for its sender, its rate or its size. An operator would not replay such a request.
const fn is_guarded(reason: RefusalReason) -> bool {
    match reason {
        RefusalReason::Signature | RefusalReason::Source | RefusalReason::TooLarge | RefusalReason::RateLimited => true,
        RefusalReason::Keyword | RefusalReason::Malformed | RefusalReason::MessageType => false,
    }
}

impl Refusals {
    /// Decides how a refused request with a body of `bytes` bytes is recorded, and counts it if it is not recorded
    /// itself.
    pub fn keep(&self, integration: &IntegrationId, reason: RefusalReason, bytes: usize, now: Moment) -> Kept {
        let mut state = self.lock();
        state.make_room();
        let kept = state.budgets.entry(integration.clone()).or_default().keep(reason, bytes, now);
        let Some(kept) = kept else { return state.count(integration, reason, 1, now) };
        kept
    }

    /// The counts that have waited for [`FLUSH`]. They are considered as sent from now on.
    pub fn due(&self, now: Moment) -> Vec<Count> {
        self.take(|counting| now.since(counting.since) >= FLUSH || now < counting.since)
    }

    /// All counts, even if they have waited for less than [`FLUSH`].
    pub fn all(&self) -> Vec<Count> {
        self.take(|_| true)
    }

    /// Adds a count again whose record could not be sent.
    pub fn give_back(&self, count: &Count, now: Moment) {
        self.lock().count(&count.integration, count.reason, count.times, now);
    }

    fn take(&self, is_due: impl Fn(&Counting) -> bool) -> Vec<Count> {
        let mut state = self.lock();
        if state.counts.is_empty() {
            return Vec::new();
        }
        let due = state.counts.extract_if(|_, counting| is_due(counting));
        let count = |((integration, reason), counting): ((IntegrationId, RefusalReason), Counting)| Count {
            integration,
            reason,
            times: counting.times,
        };
        due.map(count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, integration: &IntegrationId, reason: RefusalReason, times: u64, now: Moment) -> Kept {
        let first = self.counts.is_empty();
        let counting = self.counts.entry((integration.clone(), reason)).or_insert(Counting { times: 0, since: now });
        counting.times += times;
        Kept::Counted { first }
    }

    /// Removes all budgets if there are too many. Their integrations start with new budgets, so a little more is kept.
    fn make_room(&mut self) {
        if self.budgets.len() >= INTEGRATIONS {
            self.budgets.clear();
        }
    }
}

impl Budget {
    fn keep(&mut self, reason: RefusalReason, bytes: usize, now: Moment) -> Option<Kept> {
        let (day, minute) = (now.secs().div_euclid(DAY), now.secs().div_euclid(60));
        if day != self.day {
            (self.day, self.bytes, self.guarded_bytes) = (day, 0, 0);
        }
        if minute != self.minute {
            self.minute = minute;
            self.samples.clear();
        }
        if !is_guarded(reason) && self.bytes + bytes <= DAY_BYTES {
            self.bytes += bytes;
            return Some(Kept::Whole);
        }
        let samples = self.samples.entry(reason).or_default();
        if *samples >= SAMPLES {
            return None;
        }
        *samples += 1;
        let cut = bytes.min(SAMPLE_BYTES);
        if self.guarded_bytes + cut > GUARDED_DAY_BYTES {
            return Some(Kept::Bare);
        }
        self.guarded_bytes += cut;
        Some(Kept::Cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_767_607_200);

    fn integration() -> IntegrationId {
        "int_4fJk2LmNpQ".parse().expect("an id")
    }

    // Proves: finding C2
    #[test]
    fn a_flood_of_unsigned_requests_is_five_samples_a_minute_and_a_count() {
        let refusals = Refusals::default();
        let keep = |now| refusals.keep(&integration(), RefusalReason::Signature, 256 * 1024, now);
        let kept: Vec<Kept> = (0..400).map(|_| keep(NOW)).collect();
        assert_eq!(kept[..5], [Kept::Cut; 5]);
        assert_eq!((kept[5], kept[6]), (Kept::Counted { first: true }, Kept::Counted { first: false }));
        assert!(refusals.due(NOW + Duration::from_secs(4)).is_empty());
        let count = Count { integration: integration(), reason: RefusalReason::Signature, times: 395 };
        assert_eq!(refusals.due(NOW + FLUSH), std::slice::from_ref(&count));
        assert!(refusals.all().is_empty());
        refusals.give_back(&count, NOW);
        assert_eq!(refusals.all(), [count]);
        assert_eq!(keep(NOW + Duration::from_secs(60)), Kept::Cut);
    }

    // Proves: finding C2
    #[test]
    fn a_day_keeps_so_many_bytes_and_then_only_samples_without_bodies() {
        let refusals = Refusals::default();
        let keep = |reason, bytes, now| refusals.keep(&integration(), reason, bytes, now);
        for _ in 0..64 {
            assert_eq!(keep(RefusalReason::MessageType, 256 * 1024, NOW), Kept::Whole);
        }
        assert_eq!(keep(RefusalReason::MessageType, 256 * 1024, NOW), Kept::Cut);
        let minutes = |n: u32| NOW + Duration::from_secs(60) * n;
        let kept: Vec<Kept> = (1..=260).map(|n| keep(RefusalReason::Source, 1 << 20, minutes(n))).collect();
        assert_eq!(kept.iter().filter(|kept| **kept == Kept::Cut).count(), 255);
        assert_eq!(kept.last(), Some(&Kept::Bare));
        assert_eq!(keep(RefusalReason::MessageType, 256 * 1024, NOW + Duration::from_secs(24 * 3600)), Kept::Whole);
    }
}
