//! Limits how fast messages are sent to a destination: the generic cell rate algorithm (GCRA) over several windows at
//! once.
//!
//! Plain GCRA with a burst of N and a rate of N per window allows almost 2 N requests in one window. A vendor counts
//! sliding windows and blocks the bot, so the limit is split: a fifth of it may be sent at once, and the rest is the
//! steady rate, reduced by [`MARGIN`] for network delays. No window has more than N requests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::moment::Moment;

/// How many percent the steady interval is longer than the limit requires, because requests do not arrive evenly
/// spaced.
pub const MARGIN: u32 = 5;

/// A vendor's limit: `burst` requests in any window of `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub per: Duration,
}

impl Rate {
    /// The number of requests that may be sent at once after a pause.
    const fn at_once(self) -> u32 {
        if self.burst < 5 { 1 } else { self.burst / 5 }
    }

    /// The average time between two requests.
    fn interval(self) -> Duration {
        let steady = (self.burst - self.at_once()).max(1);
        self.per * (100 + MARGIN) / (100 * steady)
    }
}

/// The percentage of a window that may pass between taking a permit of a shared bucket and the request's arrival at the
/// vendor. One half is for spending the permit, the other half for the network.
const LATE_PERCENT: u32 = 10;
/// The longest time in which a permit of a shared bucket may be spent, for windows of any length.
const SPEND_WITHIN: Duration = Duration::from_secs(2);

/// Limits of a bucket that many processes share at a high rate. Each takes a slice of permits at once and spends it
/// from memory.
///
/// A permit that is spent late moves its request into a later window. So the steady rate is computed for a window that
/// is longer by `LATE_PERCENT`, and a permit that is not spent in time is lost. Requests are a little slower than the
/// vendor allows and never faster.
impl Rate {
    /// The number of permits of one slice.
    fn slice(self) -> u32 {
        (self.burst / 16).max(1)
    }

    /// Permits that may be taken at once after a pause: one slice, and a reserve for processes that ask a little late.
    fn shared_at_once(self) -> u32 {
        self.slice() + self.burst / 32
    }

    /// The average time between two permits.
    fn shared_interval(self) -> Duration {
        let steady = self.burst.saturating_sub(self.shared_at_once()).max(1);
        self.per * (100 + LATE_PERCENT) / (100 * steady)
    }

    fn spend_within(self) -> Duration {
        self.per * LATE_PERCENT / 200
    }
}

/// The number of permits of a slice that keeps all the rates.
pub fn slice(rates: &[Rate]) -> u32 {
    rates.iter().map(|rate| rate.slice()).min().unwrap_or(1)
}

/// How long the permits of a slice may be spent after they were taken.
pub fn spend_within(rates: &[Rate]) -> Duration {
    rates.iter().map(|rate| rate.spend_within()).fold(SPEND_WITHIN, Duration::min)
}

/// The state of a bucket between two requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// The theoretical arrival time of the next request (GCRA) for each rate, in the order of the rates.
    pub arrivals: Vec<Moment>,
    /// The end of the vendor's own block, if it blocked the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_until: Option<Moment>,
}

impl Bucket {
    /// Takes one request from every rate, or returns the time to wait until all rates have one.
    pub fn take(&self, rates: &[Rate], now: Moment) -> Result<Bucket, Duration> {
        let mut wait = self.blocked_until.map_or(Duration::ZERO, |until| until.since(now));
        let mut arrivals = Vec::with_capacity(rates.len());
        for (index, rate) in rates.iter().enumerate() {
            let due = self.arrivals.get(index).copied().unwrap_or(now).max(now);
            let tolerance = rate.interval() * (rate.at_once() - 1);
            wait = wait.max(due.since(now + tolerance));
            arrivals.push(due + rate.interval());
        }
        granted(arrivals, wait)
    }

    /// Takes `permits` requests, at most a [`slice()`], from every rate of a shared bucket, or returns the time to
    /// wait.
    pub fn take_slice(&self, rates: &[Rate], permits: u32, now: Moment) -> Result<Bucket, Duration> {
        let mut wait = self.blocked_until.map_or(Duration::ZERO, |until| until.since(now));
        let mut arrivals = Vec::with_capacity(rates.len());
        for (index, rate) in rates.iter().enumerate() {
            let interval = rate.shared_interval();
            let due = self.arrivals.get(index).copied().unwrap_or(now).max(now);
            let next = due + whole_millis(interval * permits);
            wait = wait.max(next.since(now + whole_millis(interval * rate.shared_at_once())));
            arrivals.push(next);
        }
        granted(arrivals, wait)
    }

    /// The bucket after the vendor blocked it until `until`.
    pub fn blocked(&self, until: Moment) -> Bucket {
        Bucket { arrivals: self.arrivals.clone(), blocked_until: self.blocked_until.max(Some(until)) }
    }
}

fn granted(arrivals: Vec<Moment>, wait: Duration) -> Result<Bucket, Duration> {
    if wait.is_zero() { Ok(Bucket { arrivals, blocked_until: None }) } else { Err(wait) }
}

/// Rounds up to whole milliseconds, the unit of a moment. Rounding down would raise the rate.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEISHU: [Rate; 2] =
        [Rate { burst: 5, per: Duration::from_secs(1) }, Rate { burst: 100, per: Duration::from_secs(60) }];

    /// Sends as often as the bucket allows for `secs` seconds. Returns the times of the requests, in milliseconds.
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

    /// The highest number of requests in any window. `sent` is in chronological order.
    fn most_in_any(window_ms: i64, sent: &[i64]) -> usize {
        let mut first = 0;
        let mut most = 0;
        for (index, at) in sent.iter().enumerate() {
            while sent[first] <= at - window_ms {
                first += 1;
            }
            most = most.max(index + 1 - first);
        }
        most
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

    const FIFTY_A_SECOND: Rate = Rate { burst: 50, per: Duration::from_secs(1) };

    /// Takes a slice of `permits` as often as the bucket allows. Returns when each permit was taken, in milliseconds.
    fn take_all(rates: &[Rate], permits: u32, secs: i64) -> Vec<i64> {
        let mut bucket = Bucket::default();
        let mut taken = Vec::new();
        for ms in 0..secs * 1000 {
            while let Ok(next) = bucket.take_slice(rates, permits, Moment::from_millis(ms)) {
                bucket = next;
                taken.extend((0..permits).map(|_| ms));
            }
        }
        taken
    }

    #[test]
    fn permits_spent_as_late_as_allowed_exceed_no_window() {
        let slack = [Rate { burst: 50, per: Duration::from_secs(60) }];
        let feishu_app = [FIFTY_A_SECOND, Rate { burst: 1000, per: Duration::from_secs(60) }];
        let teams = [Rate { burst: 7, per: Duration::from_secs(1) }, Rate { burst: 60, per: Duration::from_secs(30) }];
        let once = [Rate { burst: 1, per: Duration::from_secs(1) }];
        let large = [Rate { burst: 1000, per: Duration::from_secs(1) }];
        for rates in [&[FIFTY_A_SECOND][..], &slack, &feishu_app, &teams, &once, &large] {
            for permits in 1..=slice(rates) {
                let taken = take_all(rates, permits, 130);
                for rate in rates {
                    // A request arrives up to `late` after its permit was taken. So a window holds at most the requests
                    // of a permit window that begins earlier by `late`.
                    let late = rate.per * LATE_PERCENT / 100;
                    let window = i64::try_from((rate.per + late).as_millis()).expect("short");
                    let most = most_in_any(window, &taken);
                    assert!(most <= rate.burst as usize, "{most} in {window} ms by slices of {permits}: {rate:?}");
                }
            }
        }
    }

    #[test]
    fn a_shared_bucket_gives_at_least_four_fifths_of_fifty_a_second() {
        assert_eq!(slice(&[FIFTY_A_SECOND]), 3);
        assert_eq!(spend_within(&[FIFTY_A_SECOND]), Duration::from_millis(50));
        for permits in 1..=3 {
            let taken = take_all(&[FIFTY_A_SECOND], permits, 60);
            assert!(taken.len() >= 60 * 40, "{} by slices of {permits}", taken.len());
        }
    }

    #[test]
    fn a_long_window_lets_a_slice_be_spent_for_two_seconds() {
        assert_eq!(spend_within(&[Rate { burst: 50, per: Duration::from_secs(60) }]), Duration::from_secs(2));
    }

    #[test]
    fn a_shared_bucket_waits_out_a_block_and_names_the_wait() {
        let now = Moment::from_secs(1000);
        let rates = [FIFTY_A_SECOND];
        let blocked = Bucket::default().blocked(now + Duration::from_secs(30));
        assert_eq!(blocked.take_slice(&rates, 3, now), Err(Duration::from_secs(30)));
        let mut bucket = Bucket::default();
        let wait = loop {
            match bucket.take_slice(&rates, 3, now) {
                Ok(next) => bucket = next,
                Err(wait) => break wait,
            }
        };
        assert!(bucket.take_slice(&rates, 3, now + wait).is_ok());
        assert!(bucket.take_slice(&rates, 3, now + wait - Duration::from_millis(1)).is_err());
    }
}
