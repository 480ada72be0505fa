//! How fast a destination may be sent to: the generic cell rate algorithm over several windows at once.
//!
//! Plain GCRA with a burst of N and a rate of N per window lets almost 2 N through in one window. A vendor counts
//! sliding windows and blocks the bot, so the limit is split: a fifth of it may come at once, the rest is the steady
//! rate, with [`MARGIN`] for what the network shifts. In no window do more than N leave.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::moment::Moment;

/// The steady interval is this many percent longer than the limit demands: requests do not arrive evenly spaced.
pub const MARGIN: u32 = 5;

/// A vendor's limit: `burst` requests in any window of `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub per: Duration,
}

impl Rate {
    /// What may come at once after a pause.
    const fn at_once(self) -> u32 {
        if self.burst < 5 { 1 } else { self.burst / 5 }
    }

    /// Time between two requests in the long run.
    fn interval(self) -> Duration {
        let steady = (self.burst - self.at_once()).max(1);
        self.per * (100 + MARGIN) / (100 * steady)
    }
}

/// What is remembered of a destination between two requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// Per rate, in its order: when the next request would be on time if none came at once.
    pub arrivals: Vec<Moment>,
    /// The vendor's own block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_until: Option<Moment>,
}

impl Bucket {
    /// Takes one request's worth of every rate, or says how long to wait until all of them have it.
    pub fn take(&self, rates: &[Rate], now: Moment) -> Result<Bucket, Duration> {
        let mut wait = self.blocked_until.map_or(Duration::ZERO, |until| until.since(now));
        let mut arrivals = Vec::with_capacity(rates.len());
        for (index, rate) in rates.iter().enumerate() {
            let due = self.arrivals.get(index).copied().unwrap_or(now).max(now);
            let tolerance = rate.interval() * (rate.at_once() - 1);
            wait = wait.max(due.since(now + tolerance));
            arrivals.push(due + rate.interval());
        }
        if wait.is_zero() { Ok(Bucket { arrivals, blocked_until: None }) } else { Err(wait) }
    }

    /// The bucket after the vendor said to stay away until `until`.
    pub fn blocked(&self, until: Moment) -> Bucket {
        Bucket { arrivals: self.arrivals.clone(), blocked_until: self.blocked_until.max(Some(until)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEISHU: [Rate; 2] =
        [Rate { burst: 5, per: Duration::from_secs(1) }, Rate { burst: 100, per: Duration::from_secs(60) }];

    /// Sends as often as the bucket lets it for `secs` seconds; the moments at which it did, in milliseconds.
    fn send_all(rates: &[Rate], secs: i64) -> Vec<i64> {
        let mut bucket = Bucket::default();
        let mut sent = Vec::new();
        for ms in 0..secs * 1000 {
            if let Ok(next) = bucket.take(rates, Moment::from_millis(ms)) {
                bucket = next;
                sent.push(ms);
            }
        }
        sent
    }

    fn most_in_any(window_ms: i64, sent: &[i64]) -> usize {
        sent.iter()
            .map(|start| sent.iter().filter(|at| (*start..start + window_ms).contains(*at)).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn no_window_holds_more_than_the_limit() {
        let sent = send_all(&FEISHU, 180);
        assert!(most_in_any(1_000, &sent) <= 5, "{sent:?}");
        assert!(most_in_any(60_000, &sent) <= 100);
        let sent = send_all(&[Rate { burst: 1, per: Duration::from_secs(1) }], 30);
        assert_eq!(most_in_any(1_000, &sent), 1);
    }

    #[test]
    fn the_long_run_uses_at_least_two_thirds_of_the_limit() {
        assert!(send_all(&FEISHU, 600).len() >= 667, "{}", send_all(&FEISHU, 600).len());
    }

    #[test]
    fn a_refusal_names_the_wait_after_which_it_is_granted() {
        let now = Moment::from_secs(1000);
        let mut bucket = Bucket::default();
        let wait = loop {
            match bucket.take(&FEISHU, now) {
                Ok(next) => bucket = next,
                Err(wait) => break wait,
            }
        };
        assert!(bucket.take(&FEISHU, now + wait).is_ok());
        assert!(bucket.take(&FEISHU, now + wait - Duration::from_millis(1)).is_err());
    }

    #[test]
    fn a_block_by_the_vendor_is_waited_out() {
        let now = Moment::from_secs(1000);
        let bucket = Bucket::default().blocked(now + Duration::from_secs(600));
        assert_eq!(bucket.take(&FEISHU, now), Err(Duration::from_secs(600)));
        assert!(bucket.take(&FEISHU, now + Duration::from_secs(600)).is_ok());
    }
}
