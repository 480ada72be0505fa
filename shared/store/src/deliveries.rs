//! Deliveries: what was sent to which destination, with one item per incident and destination.
//!
//! `claim` (a lease) → the caller sends → `mark`. Once change `n` of an incident was delivered to a destination, `sent`
//! is at least `n`, and neither `n` nor anything older is sent there again. Without a crash nothing is sent twice; after
//! a crash between sending and marking the lease runs out and it is sent once more. A change that was given up does not
//! raise `sent`, so a notice that is redriven from a dead-letter queue is sent.
//!
//! [`claim_again`](crate::connection::Store::claim_again) is for a notice that a person asked to send again. It is sent
//! although it was delivered before, once for each request.
//!
//! `mark` takes effect only for the owner of the lease, so a worker that lost it cannot turn anything back. Both writes
//! recognise their own write when its answer was lost: an owner may claim again, and a mark finds itself in
//! [`Delivery::changes`] (stored as `told`).

pub mod cards;
mod claims;
mod updates;

use alerting::base::moment::Moment;
use alerting::incident::notified::Sent;
use serde::{Deserialize, Serialize};

use crate::deliveries::cards::SentCard;
use crate::errors::ReadError;
use crate::item::{Item, Reader};

/// Attempts that a delivery keeps: the first one and the newest.
pub const ATTEMPTS: usize = 50;
/// The state of one incident's notices at one destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// The newest change that was delivered. In items of earlier versions: or given up.
    pub sent: u64,
    /// The newest request of a person to send again that was carried out.
    pub asked: Option<Moment>,
    pub owner: Option<String>,
    pub lease_until: Option<Moment>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// The result of each change that was marked, in the order of the marks. A later result of the same change replaces
    /// the earlier one.
    pub changes: Vec<ChangeState>,
    /// The messages that show the incident there, newest first. Items of earlier versions have none.
    pub cards: Vec<SentCard>,
}

/// One try to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub n: u64,
    pub at: Moment,
    pub outcome: AttemptOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the escalation rule's template was not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How many notices the message was made of.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub together: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(n: &u32) -> bool {
    *n == 1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Delivered,
    /// The provider accepted it and reports later whether it was delivered.
    Accepted,
    Retry,
    Rejected,
    /// The request was sent and no reply came.
    Unknown,
}

impl AttemptOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            AttemptOutcome::Delivered => "delivered",
            AttemptOutcome::Accepted => "accepted",
            AttemptOutcome::Retry => "retry",
            AttemptOutcome::Rejected => "rejected",
            AttemptOutcome::Unknown => "unknown",
        }
    }

    /// Whether the provider is not known to have taken it.
    pub const fn is_failure(self) -> bool {
        match self {
            AttemptOutcome::Delivered | AttemptOutcome::Accepted => false,
            AttemptOutcome::Retry | AttemptOutcome::Rejected | AttemptOutcome::Unknown => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeState {
    pub n: u64,
    pub state: DeliveryState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Pending,
    /// In a message of its own.
    Delivered,
    /// As a line of a message about several incidents. Or superseded: a newer change of the same incident was delivered
    /// to the same destination, and its message shows the incident after both changes. A change that was given up stays
    /// failed, even if a later one is delivered.
    Folded,
    /// Accepted by a provider that reports later whether it was delivered. It is not sent again, and is not known to be
    /// delivered.
    Accepted,
    Failed,
}

impl DeliveryState {
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Folded => "folded",
            DeliveryState::Accepted => "accepted",
            DeliveryState::Failed => "failed",
        }
    }

    /// Whether the destination has it.
    pub const fn is_delivered(self) -> bool {
        match self {
            DeliveryState::Pending | DeliveryState::Accepted | DeliveryState::Failed => false,
            DeliveryState::Delivered | DeliveryState::Folded => true,
        }
    }

    /// Whether the provider has it, so that it is not sent again.
    pub const fn is_sent(self) -> bool {
        match self {
            DeliveryState::Pending | DeliveryState::Failed => false,
            DeliveryState::Delivered | DeliveryState::Folded | DeliveryState::Accepted => true,
        }
    }

    /// Whether no attempt is pending. A failed change may still be sent again.
    pub const fn is_final(self) -> bool {
        match self {
            DeliveryState::Pending => false,
            DeliveryState::Delivered | DeliveryState::Folded | DeliveryState::Accepted | DeliveryState::Failed => true,
        }
    }
}

impl Delivery {
    /// The result of the newest change that was taken up.
    pub fn state(&self) -> DeliveryState {
        self.changes.iter().map(|change| change.n).max().map_or(DeliveryState::Pending, |n| self.state_of(n))
    }

    /// The result of all changes together: whether this destination was ever notified of the incident.
    pub fn sent(&self) -> Sent {
        let is_delivered = |attempt: &Attempt| attempt.outcome == AttemptOutcome::Delivered;
        if self.changes.iter().any(|change| change.state.is_delivered()) || self.attempts.iter().any(is_delivered) {
            return Sent::Arrived;
        }
        if self.state() == DeliveryState::Failed { Sent::Failed } else { Sent::Pending }
    }

    /// The result of change `n`. A change that was never marked, or still waits, has the result of the next newer one
    /// that is final: it was folded into that one, or superseded by it.
    pub fn state_of(&self, n: u64) -> DeliveryState {
        if let Some(change) = self.changes.iter().rev().find(|change| change.n == n)
            && (change.state.is_final() || n > self.sent)
        {
            return change.state;
        }
        let newer = self.changes.iter().rev().filter(|change| change.n > n && change.state.is_final());
        match newer.min_by_key(|change| change.n).map(|change| change.state) {
            Some(DeliveryState::Failed) => DeliveryState::Failed,
            Some(DeliveryState::Delivered | DeliveryState::Folded) => DeliveryState::Folded,
            Some(DeliveryState::Accepted) => DeliveryState::Accepted,
            Some(DeliveryState::Pending) | None => DeliveryState::Pending,
        }
    }

    /// How many attempts to send change `n` failed.
    pub fn failures(&self, n: u64) -> usize {
        self.attempts.iter().filter(|attempt| attempt.n == n && attempt.outcome.is_failure()).count()
    }
}

/// The result of [`claim`](crate::connection::Store::claim).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Send it now, and mark it before the lease ends.
    Claimed(Delivery),
    AlreadySent,
    /// Another worker is sending.
    Busy {
        until: Moment,
    },
}

/// What is recorded of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub at: Moment,
    pub state: DeliveryState,
    /// `None`: nothing was tried.
    pub outcome: Option<AttemptOutcome>,
    pub reason: Option<String>,
    pub template: Option<String>,
    /// How many notices the message was made of.
    pub together: u32,
    /// The request of a person that this carried out.
    pub asked: Option<Moment>,
    /// The cards from now on; `None`: as before.
    pub cards: Option<Vec<SentCard>>,
}

/// The result of [`mark`](crate::connection::Store::mark).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    Recorded,
    /// The lease expired, and another worker has taken it, perhaps for an older change: claim again.
    NotOurs,
}

pub(crate) fn decode(item: &Item) -> Result<Delivery, ReadError> {
    let reader = Reader::new(item);
    Ok(Delivery {
        sent: reader.number("sent")?,
        asked: reader.optional_number("asked").map(Moment::from_millis),
        owner: reader.optional_text("owner").map(str::to_owned),
        lease_until: reader.optional_number("lease_until").map(Moment::from_millis),
        attempts: reader.json_list("attempts")?,
        changes: reader.json_list("told")?,
        cards: reader.json_list("cards")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(changes: &[(u64, DeliveryState)], sent: u64, n: u64, expected: DeliveryState) {
        let changes = changes.iter().map(|(n, state)| ChangeState { n: *n, state: *state }).collect();
        assert_eq!(Delivery { sent, changes, ..Delivery::default() }.state_of(n), expected);
    }

    #[test]
    fn a_change_overtaken_by_one_that_was_delivered_is_folded() {
        check(&[(2, DeliveryState::Delivered)], 2, 1, DeliveryState::Folded);
        check(&[(1, DeliveryState::Pending), (2, DeliveryState::Delivered)], 2, 1, DeliveryState::Folded);
    }

    #[test]
    fn a_change_overtaken_by_one_that_failed_has_failed() {
        check(&[(2, DeliveryState::Failed), (3, DeliveryState::Delivered)], 3, 1, DeliveryState::Failed);
    }

    #[test]
    fn a_change_that_a_provider_accepted_is_neither_delivered_nor_failed_nor_sent_again() {
        check(&[(1, DeliveryState::Accepted)], 1, 1, DeliveryState::Accepted);
        check(&[(2, DeliveryState::Accepted)], 2, 1, DeliveryState::Accepted);
        check(&[(1, DeliveryState::Accepted), (1, DeliveryState::Delivered)], 1, 1, DeliveryState::Delivered);
        let changes = vec![ChangeState { n: 1, state: DeliveryState::Accepted }];
        assert_eq!(Delivery { sent: 1, changes, ..Delivery::default() }.sent(), Sent::Pending);
        assert!(DeliveryState::Accepted.is_sent() && !DeliveryState::Accepted.is_delivered());
    }

    #[test]
    fn the_last_mark_of_a_change_counts() {
        check(&[(1, DeliveryState::Pending), (1, DeliveryState::Delivered)], 1, 1, DeliveryState::Delivered);
        check(&[(1, DeliveryState::Pending)], 0, 1, DeliveryState::Pending);
        check(&[], 0, 1, DeliveryState::Pending);
    }
}
