//! How long a notice waits before the next try, and when it is given up. The waits are listed in a schedule, because a
//! formula would be harder to read.
//!
//! A notice that is given up is reported as failed at once: the next contact or level, a dead letter, an alarm. It is
//! still tried slowly for a day, because its incident may be open when the provider recovers.

use std::time::Duration;

use alerting::base::limits::TRIED_AFTER_FAILURE;
use channels::outcome::Reason;

/// After the last wait the notice is given up.
const SCHEDULE: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
];
/// Waits that are used for an invalid certificate: either it is replaced soon, or a person has to act.
const WAITS_UNTRUSTED: usize = 4;
/// A notice is given up after this time at the latest, also if the provider asks for long waits.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
const PATIENCE_UNTRUSTED: Duration = Duration::from_secs(5 * 60);
/// The wait between the tries of a notice that was given up.
const SLOW: Duration = Duration::from_secs(15 * 60);

/// The tries of one notice so far, the newest among them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tries {
    /// At least one.
    pub(crate) failures: usize,
    pub(crate) since_first: Duration,
    /// The reason of the newest failure.
    pub(crate) reason: Reason,
}

/// What follows a try that failed and may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Again(Duration),
    /// Reported as failed. The notice is tried once more after this time; `None`: not tried again.
    GivenUp(Option<Duration>),
}

/// The next step after a failed try. `asked` is the wait that the provider asks for; it is used if it is longer than
/// the schedule's. `draw` (0–255) lengthens waits by up to a fifth, so that notices that failed together are not
/// retried together.
///
/// Notices of one digest are tried together, so one that joined early may have more tries than its schedule has waits.
/// It is therefore given up only when the schedule's time is over as well.
pub(crate) fn next(tries: Tries, asked: Option<Duration>, draw: u8) -> Next {
    let (waits, patience) = match tries.reason {
        Reason::Untrusted => (&SCHEDULE[..WAITS_UNTRUSTED], PATIENCE_UNTRUSTED),
        _ => (&SCHEDULE[..], PATIENCE),
    };
    let whole: Duration = waits.iter().sum();
    let spread = |wait: Duration| wait + wait.mul_f64(f64::from(draw) / 255.0 / 5.0);
    // A timer may fire a second early.
    let is_over = tries.failures > waits.len() && tries.since_first >= whole * 9 / 10;
    if is_over || tries.since_first >= patience {
        let again = tries.since_first < TRIED_AFTER_FAILURE;
        return Next::GivenUp(again.then(|| spread(SLOW).max(asked.unwrap_or_default())));
    }
    let scheduled = waits[tries.failures.clamp(1, waits.len()) - 1];
    Next::Again(spread(scheduled).max(asked.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waits of a notice that fails each time for this reason, until it is given up.
    fn waits(reason: Reason, asked: Option<u64>) -> Vec<u64> {
        let mut since_first = Duration::ZERO;
        let mut waits = Vec::new();
        for failures in 1.. {
            match next(Tries { failures, since_first, reason }, asked.map(Duration::from_secs), 0) {
                Next::Again(wait) => {
                    waits.push(wait.as_secs());
                    since_first += wait;
                }
                Next::GivenUp(_) => break,
            }
        }
        waits
    }

    #[test]
    fn six_waits_and_then_it_is_given_up_whether_the_provider_is_down_or_throttles() {
        for reason in [Reason::ProviderDown, Reason::RateLimited, Reason::TimedOut, Reason::Unreadable] {
            assert_eq!(waits(reason, None), [1, 5, 30, 120, 300, 900], "{reason:?}");
        }
    }

    // Proves: fault 58, finding A4, finding F10
    #[test]
    fn a_certificate_that_is_not_valid_is_given_up_after_less_than_three_minutes() {
        assert_eq!(waits(Reason::Untrusted, None), [1, 5, 30, 120]);
    }

    #[test]
    fn the_providers_word_wins_if_it_is_longer_and_never_adds_up_to_more_than_half_an_hour() {
        assert_eq!(waits(Reason::RateLimited, Some(17)), [17, 17, 30, 120, 300, 900]);
        assert_eq!(waits(Reason::RateLimited, Some(900)), [900, 900]);
    }

    #[test]
    fn tries_of_others_in_the_same_digest_do_not_end_the_schedule_early() {
        let tries = Tries { failures: 20, since_first: Duration::from_secs(600), reason: Reason::RateLimited };
        assert_eq!(next(tries, None, 0), Next::Again(Duration::from_secs(900)));
    }

    #[test]
    fn what_was_given_up_is_tried_slowly_for_a_day() {
        let next = |hours: u64| {
            let since_first = Duration::from_secs(hours * 3600);
            next(Tries { failures: 30, since_first, reason: Reason::RateLimited }, None, 0)
        };
        assert_eq!([next(1), next(23)], [Next::GivenUp(Some(Duration::from_secs(900))); 2]);
        assert_eq!(next(24), Next::GivenUp(None));
    }

    #[test]
    fn the_spread_is_a_fifth_at_most() {
        let tries = Tries { failures: 2, since_first: Duration::ZERO, reason: Reason::ProviderDown };
        assert_eq!(next(tries, None, 255), Next::Again(Duration::from_secs(6)));
    }
}
