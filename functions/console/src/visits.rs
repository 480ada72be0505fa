//! Limits how often one address may start or finish a sign-in by the provider, because each may cause a request to it.
//!
//! Counted per process, approximately, in whole minutes, like the guesses of keys.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use alerting::base::moment::Moment;

/// The limit per minute. An office that signs in together stays below it.
const OF_A_SOURCE: u32 = 60;
/// Sources that are counted at once.
const SOURCES: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

#[derive(Debug, Default)]
pub struct Visits {
    /// The minute that is counted, and the visits in it.
    counted: Mutex<(i64, HashMap<String, u32>)>,
}

impl Visits {
    /// Counts one more visit. Returns the time to wait if the limit is exceeded.
    pub(crate) fn count(&self, source: &str, now: Moment) -> Option<Duration> {
        let minute = now.millis().div_euclid(MINUTE_MS);
        // No code that can panic runs under the lock.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != minute || counted.1.len() >= SOURCES {
            *counted = (minute, HashMap::new());
        }
        let count = counted.1.entry(source.to_owned()).or_default();
        *count = count.saturating_add(1);
        (*count > OF_A_SOURCE).then(|| Moment::from_millis((minute + 1) * MINUTE_MS).since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_waits_for_the_next_minute_and_no_other_source_does() {
        let (visits, now) = (Visits::default(), Moment::from_secs(645));
        (0..OF_A_SOURCE).for_each(|_| assert_eq!(visits.count("203.0.113.7", now), None));
        assert_eq!(visits.count("203.0.113.7", now), Some(Duration::from_secs(15)));
        assert_eq!(visits.count("203.0.113.8", now), None);
        assert_eq!(visits.count("203.0.113.7", now + Duration::from_secs(15)), None);
    }
}
