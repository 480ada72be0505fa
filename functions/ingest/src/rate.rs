//! How many messages an integration may send: counted per process, approximately, in whole seconds and whole minutes.
//!
//! This protects against a sender out of control, and is not exact: each process has the limit for itself, and at the turn of a
//! window up to twice the limit may pass. Refused messages do not count, so the sender is accepted again as soon as the flood ends.

use std::collections::HashMap;
use std::sync::Mutex;

use alerting::base::ids::IntegrationId;
use alerting::base::moment::Moment;
use alerting::rules::integration::IntakeLimits;

/// Integrations that are counted at once; one counter is some 100 bytes.
const COUNTERS: usize = 10_000;

#[derive(Debug, Default)]
pub struct Rates {
    counters: Mutex<HashMap<IntegrationId, Counter>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    second: i64,
    in_second: u32,
    minute: i64,
    in_minute: u32,
}

impl Rates {
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether one more message is within the limits; if so it is counted.
    pub fn take(&self, integration: &IntegrationId, limits: &IntakeLimits, now: Moment) -> bool {
        let mut counters = self.counters.lock().expect("nothing panics while it holds the counters");
        if let Some(counter) = counters.get_mut(integration) {
            return counter.take(limits, now);
        }
        make_room(&mut counters, now);
        counters.entry(integration.clone()).or_default().take(limits, now)
    }
}

impl Counter {
    fn take(&mut self, limits: &IntakeLimits, now: Moment) -> bool {
        let (second, minute) = (now.secs(), now.secs().div_euclid(60));
        if second != self.second {
            (self.second, self.in_second) = (second, 0);
        }
        if minute != self.minute {
            (self.minute, self.in_minute) = (minute, 0);
        }
        if self.in_second >= limits.per_second || self.in_minute >= limits.per_minute {
            return false;
        }
        self.in_second += 1;
        self.in_minute += 1;
        true
    }
}

/// Removes the counters of past minutes if there are too many, and all counters if none of them is past.
fn make_room(counters: &mut HashMap<IntegrationId, Counter>, now: Moment) {
    if counters.len() < COUNTERS {
        return;
    }
    let minute = now.secs().div_euclid(60);
    counters.retain(|_, counter| counter.minute == minute);
    if counters.len() >= COUNTERS {
        counters.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integration(n: usize) -> IntegrationId {
        IntegrationId::from_suffix(&format!("i{n}")).expect("valid")
    }

    /// How many of `tries` at each of the moments (in ms) pass.
    fn passed(limits: IntakeLimits, tries: usize, at: &[i64]) -> Vec<usize> {
        let rates = Rates::new();
        let passes =
            |ms: &i64| (0..tries).filter(|_| rates.take(&integration(0), &limits, Moment::from_millis(*ms))).count();
        at.iter().map(passes).collect()
    }

    #[test]
    fn a_second_and_a_minute_have_their_limits_and_end() {
        let limits = IntakeLimits { per_second: 3, per_minute: 7, ..IntakeLimits::default() };
        assert_eq!(passed(limits, 5, &[60_000, 60_999, 61_000, 62_000, 63_000, 120_000]), [3, 0, 3, 1, 0, 3]);
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let limits = IntakeLimits { per_second: 1, ..IntakeLimits::default() };
        assert_eq!(passed(limits, 2, &[5_000, 4_000, 5_000]), [1, 1, 1]);
    }

    #[test]
    fn one_integration_does_not_count_for_another_and_the_map_stays_bounded() {
        let rates = Rates::new();
        let limits = IntakeLimits { per_second: 1, ..IntakeLimits::default() };
        for n in 0..2 * COUNTERS + 1 {
            assert!(rates.take(&integration(n), &limits, Moment::from_secs(n as i64 / 5000)));
        }
        assert!(rates.counters.lock().expect("not poisoned").len() <= COUNTERS);
    }
}
