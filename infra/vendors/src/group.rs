//! One group: its rules, what it has seen, and how fast it may be sent to.

use std::collections::VecDeque;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use alerting::base::secret::Secret;

use crate::reply::Reply;
use crate::seen::Seen;

/// Messages that a group keeps.
pub const KEPT: usize = 500;
/// Attempts that are remembered: more than any test sends to one group.
const ATTEMPTS: usize = 10_000;

/// What a group's owner set up with the vendor.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Feishu, DingTalk: the signing secret. Zoom: the verification token. Telegram: the bot's token.
    pub secret: Option<Secret>,
    /// Feishu, DingTalk: one of these must be in the text.
    pub keywords: Vec<String>,
    /// Rates that replace the documented ones of the vendor.
    pub rates: Option<Vec<Rate>>,
}

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Nothing happens for this long.
    pub wait: Duration,
    /// Whether the message reaches the group nevertheless.
    pub show: bool,
    /// The answer that replaces the vendor's own.
    pub reply: Option<Reply>,
}

impl Fault {
    pub(crate) const fn none() -> Self {
        Self { wait: Duration::ZERO, show: true, reply: None }
    }

    /// Answers this and shows nothing.
    pub const fn reply(reply: Reply) -> Self {
        Self { wait: Duration::ZERO, show: false, reply: Some(reply) }
    }

    /// Shows the message but gives this answer, so that the sender cannot know that it was shown.
    pub const fn shown_but(reply: Reply) -> Self {
        Self { wait: Duration::ZERO, show: true, reply: Some(reply) }
    }

    /// Waits, then does as usual.
    pub const fn slow(wait: Duration) -> Self {
        Self { wait, show: true, reply: None }
    }
}

/// One request to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub at: Moment,
    pub result: AttemptResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    Shown,
    /// Too fast.
    Throttled,
    /// Signature, keyword, size, form.
    Refused,
    /// A scripted fault kept it from the group.
    Scripted,
}

#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) rules: Rules,
    pub(crate) faults: VecDeque<Fault>,
    /// A word that it refuses, and its answer.
    pub(crate) refused: Option<(String, Reply)>,
    messages: VecDeque<Seen>,
    seen: u64,
    attempts: VecDeque<Attempt>,
    /// When the last requests were admitted, as many as the largest window counts.
    admitted: VecDeque<Moment>,
    blocked_until: Option<Moment>,
}

impl Group {
    /// Counts one request against the rates, or returns the time until one fits.
    pub(crate) fn admit(&mut self, rates: &[Rate], block: Duration, now: Moment) -> Result<(), Duration> {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Err(until.since(now));
        }
        let widest = rates.iter().map(|rate| rate.per).max().unwrap_or_default();
        while self.admitted.front().is_some_and(|at| now.since(*at) >= widest) {
            self.admitted.pop_front();
        }
        let wait = rates.iter().filter_map(|rate| self.full(*rate, now)).max();
        match wait {
            None => {
                self.admitted.push_back(now);
                Ok(())
            }
            Some(wait) if block.is_zero() => Err(wait),
            Some(_) => {
                self.blocked_until = Some(now + block);
                Err(block)
            }
        }
    }

    /// How long a full window stays full.
    fn full(&self, rate: Rate, now: Moment) -> Option<Duration> {
        let nth_last = self.admitted.len().checked_sub(rate.burst as usize)?;
        let oldest = *self.admitted.get(nth_last)?;
        let left = (oldest + rate.per).since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Shows a message to the members; its number.
    pub(crate) fn show(&mut self, mut seen: Seen) -> u64 {
        if self.messages.len() == KEPT {
            self.messages.pop_front();
        }
        self.seen += 1;
        seen.n = self.seen;
        self.messages.push_back(seen);
        self.seen
    }

    /// Shows something else in the place of a message. `false`: there is no such message.
    pub(crate) fn change(&mut self, n: u64, seen: Seen) -> bool {
        let Some(message) = self.messages.iter_mut().find(|message| message.n == n) else { return false };
        *message = Seen { n, ..seen };
        true
    }

    pub(crate) fn note(&mut self, at: Moment, result: AttemptResult) {
        if self.attempts.len() == ATTEMPTS {
            self.attempts.pop_front();
        }
        self.attempts.push_back(Attempt { at, result });
    }

    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = &Seen> {
        self.messages.iter()
    }

    pub(crate) fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter()
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_A_SECOND: [Rate; 1] = [Rate { burst: 5, per: Duration::from_secs(1) }];

    fn admitted(group: &mut Group, block: Duration, at_ms: i64) -> Result<(), Duration> {
        group.admit(&FIVE_A_SECOND, block, Moment::from_millis(at_ms))
    }

    #[test]
    fn a_window_slides() {
        let mut group = Group::default();
        for ms in [0, 100, 200, 300, 400] {
            assert_eq!(admitted(&mut group, Duration::ZERO, ms), Ok(()));
        }
        assert_eq!(admitted(&mut group, Duration::ZERO, 900), Err(Duration::from_millis(100)));
        assert_eq!(admitted(&mut group, Duration::ZERO, 1_000), Ok(()));
        assert_eq!(admitted(&mut group, Duration::ZERO, 1_050), Err(Duration::from_millis(50)));
    }

    #[test]
    fn a_vendor_that_blocks_takes_nothing_until_the_block_ends() {
        let mut group = Group::default();
        let block = Duration::from_secs(600);
        for _ in 0..5 {
            assert_eq!(admitted(&mut group, block, 0), Ok(()));
        }
        assert_eq!(admitted(&mut group, block, 10), Err(block));
        assert_eq!(admitted(&mut group, block, 300_010), Err(Duration::from_secs(300)));
        assert_eq!(admitted(&mut group, block, 600_010), Ok(()));
    }
}
