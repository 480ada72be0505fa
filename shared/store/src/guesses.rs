//! Limits how many keys that do not exist one source may look up. Counts are per process, approximate, in whole
//! minutes.
//!
//! Keys have more than 100 random bits, so no number of guesses finds one. The limit bounds the cost of guesses: each
//! is a read of the table. A key that does not exist is remembered for a while, and only lookups that needed a read
//! count, so a sender that repeats one old key locks no other sender out. For a source over its limit, only keys that
//! this process already knows are looked up.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::base::moment::Moment;

/// The most keys that do not exist per source and minute; an office with a few mistyped keys stays far below.
pub const OF_A_SOURCE: u32 = 60;
/// Sources that are counted at once; one counter is some 100 bytes.
const SOURCES: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

/// The result of looking up a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked<T> {
    Known(T),
    Unknown,
    /// Not looked up: this source asked for too many keys that do not exist. It may retry after this time.
    TooOften(Duration),
}

impl<T> Asked<T> {
    pub fn known(self) -> Option<T> {
        match self {
            Asked::Known(known) => Some(known),
            Asked::Unknown | Asked::TooOften(_) => None,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Guesses {
    counters: Mutex<HashMap<String, Counter>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    minute: i64,
    count: u32,
}

impl Guesses {
    /// How long this source has to wait; `None`: it may ask.
    pub(crate) fn wait(&self, source: &str, now: Moment) -> Option<Duration> {
        let counters = self.lock();
        // Usually nobody guesses, and this check is the whole cost.
        if counters.is_empty() {
            return None;
        }
        let counter = counters.get(&network(source))?;
        let is_over = counter.minute == minute(now) && counter.count >= OF_A_SOURCE;
        is_over.then(|| Moment::from_millis((counter.minute + 1) * MINUTE_MS).since(now))
    }

    /// Counts one more key that did not exist.
    pub(crate) fn count(&self, source: &str, now: Moment) {
        let (source, minute) = (network(source), minute(now));
        let mut counters = self.lock();
        if counters.len() >= SOURCES && !counters.contains_key(&source) {
            counters.retain(|_, counter| counter.minute == minute);
            if counters.len() >= SOURCES {
                counters.clear();
            }
        }
        let counter = counters.entry(source).or_default();
        if counter.minute != minute {
            *counter = Counter { minute, count: 0 };
        }
        counter.count += 1;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Counter>> {
        // No code that can panic runs under the lock.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn minute(now: Moment) -> i64 {
    now.millis().div_euclid(MINUTE_MS)
}

/// The owner of one IPv6 address usually has all 2⁶⁴ addresses of its network.
fn network(source: &str) -> String {
    match source.parse() {
        Ok(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
        _ => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_secs(600);

    fn over(guesses: &Guesses, source: &str, now: Moment) {
        (0..OF_A_SOURCE).for_each(|_| guesses.count(source, now));
    }

    #[test]
    fn a_source_that_guesses_waits_for_the_next_minute_and_nobody_else_does() {
        let guesses = Guesses::default();
        let late = START + Duration::from_secs(45);
        over(&guesses, "203.0.113.7", late);
        assert_eq!(guesses.wait("203.0.113.7", late), Some(Duration::from_secs(15)));
        assert_eq!(guesses.wait("203.0.113.8", late), None);
        assert_eq!(guesses.wait("203.0.113.7", START + Duration::from_secs(60)), None);
    }

    #[test]
    fn one_less_than_the_limit_is_within_it() {
        let guesses = Guesses::default();
        (1..OF_A_SOURCE).for_each(|_| guesses.count("203.0.113.7", START));
        assert_eq!(guesses.wait("203.0.113.7", START), None);
        guesses.count("203.0.113.7", START);
        assert!(guesses.wait("203.0.113.7", START).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let guesses = Guesses::default();
        for host in 0..OF_A_SOURCE {
            guesses.count(&format!("2001:db8:1:2::{host:x}"), START);
        }
        assert!(guesses.wait("2001:db8:1:2:ffff::1", START).is_some());
        assert_eq!(guesses.wait("2001:db8:1:3::1", START), None);
    }

    #[test]
    fn however_many_sources_guess_the_counters_stay_bounded() {
        let guesses = Guesses::default();
        (0..3 * SOURCES).for_each(|n| guesses.count(&format!("source {n}"), START));
        assert!(guesses.lock().len() <= SOURCES);
    }
}
