//! How long a notice waits before the next try. A schedule, not a formula, so that it can be read.

use std::time::Duration;

/// After the last wait the notice is given up: it goes to the dead-letter queue, and an alarm rings.
const SCHEDULE: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
];

/// The wait after `failures` tries that failed (at least one), or `None` if there are no more.
///
/// `asked` is the provider's own word, which wins if it is longer. `draw` (0–255) spreads the waits by up to a fifth, so
/// that what failed together does not come back together.
pub(crate) fn wait(failures: usize, asked: Option<Duration>, draw: u8) -> Option<Duration> {
    let scheduled = SCHEDULE.get(failures.checked_sub(1)?)?;
    let spread = scheduled.mul_f64(f64::from(draw) / 255.0 / 5.0);
    Some((*scheduled + spread).max(asked.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_waits_and_then_it_is_given_up() {
        let waits: Vec<Option<u64>> = (1..=7).map(|n| wait(n, None, 0).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(5), Some(30), Some(120), Some(300), Some(900), None]);
    }

    #[test]
    fn the_providers_word_wins_if_it_is_longer() {
        assert_eq!(wait(1, Some(Duration::from_secs(17)), 0), Some(Duration::from_secs(17)));
        assert_eq!(wait(3, Some(Duration::from_secs(17)), 0), Some(Duration::from_secs(30)));
    }

    #[test]
    fn the_spread_is_a_fifth_at_most() {
        assert_eq!(wait(2, None, 255), Some(Duration::from_secs(6)));
    }
}
