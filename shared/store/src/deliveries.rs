//! What was delivered where: one item per (incident, destination).
//!
//! `claim` (a lease) → the caller sends → `mark`. Once change `n` of an incident was delivered to a destination, `sent`
//! is at least `n`, and neither `n` nor anything older is sent there again. Without a crash nothing is sent twice; after
//! a crash between sending and marking the lease runs out and it is sent once more. A change that was given up does not
//! raise `sent`, so a notice that comes back from a dead-letter queue is sent.
//!
//! [`Store::claim_again`] is for a notice that a person asked for again: it is sent although it was delivered before,
//! once for each time that it was asked for.
//!
//! `mark` takes effect only for the owner of the lease, so a worker that lost it cannot turn anything back. Both writes
//! recognise themselves when their first answer was lost: an owner may claim again, and a mark finds itself in `told`.

mod updates;

use std::time::Duration;

use alerting::base::ids::{DestinationId, IncidentId};
use alerting::base::moment::Moment;
use alerting::incident::notified::Sent;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader};
use crate::keys;
use crate::table::{Part, Reading, Table, Write};

/// Attempts that a delivery keeps: the first one and the newest.
pub const ATTEMPTS: usize = 50;
/// The journey of one incident to one destination.
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
    /// What became of each change that was marked, in the order of the marks; a later one replaces an earlier one of
    /// the same change.
    pub told: Vec<Told>,
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
    Retry,
    Rejected,
    /// It was sent and no answer came.
    Unknown,
}

impl AttemptOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            AttemptOutcome::Delivered => "delivered",
            AttemptOutcome::Retry => "retry",
            AttemptOutcome::Rejected => "rejected",
            AttemptOutcome::Unknown => "unknown",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
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
    /// to the same destination, and its message shows the incident as it stood after both. Nothing else counts as
    /// folded: a change that was given up stays failed, whatever is delivered after it.
    Folded,
    Failed,
}

impl DeliveryState {
    pub const fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Folded => "folded",
            DeliveryState::Failed => "failed",
        }
    }

    /// Whether the destination has it.
    pub const fn is_delivered(self) -> bool {
        match self {
            DeliveryState::Pending | DeliveryState::Failed => false,
            DeliveryState::Delivered | DeliveryState::Folded => true,
        }
    }

    /// Whether it stays so by itself. What failed may still be sent again.
    pub const fn is_final(self) -> bool {
        match self {
            DeliveryState::Pending => false,
            DeliveryState::Delivered | DeliveryState::Folded | DeliveryState::Failed => true,
        }
    }
}

impl Delivery {
    /// What became of the newest change that was taken up.
    pub fn state(&self) -> DeliveryState {
        self.told.iter().map(|told| told.n).max().map_or(DeliveryState::Pending, |n| self.state_of(n))
    }

    /// The result of all changes together: whether this destination was ever notified of the incident.
    pub fn sent(&self) -> Sent {
        let is_delivered = |attempt: &Attempt| attempt.outcome == AttemptOutcome::Delivered;
        if self.told.iter().any(|told| told.state.is_delivered()) || self.attempts.iter().any(is_delivered) {
            return Sent::Arrived;
        }
        if self.state() == DeliveryState::Failed { Sent::Failed } else { Sent::Pending }
    }

    /// What became of change `n`. One that was never marked, or still waits, shares the result of the next newer one
    /// that is final: it was folded into that one, or superseded by it.
    pub fn state_of(&self, n: u64) -> DeliveryState {
        if let Some(told) = self.told.iter().rev().find(|told| told.n == n)
            && (told.state.is_final() || n > self.sent)
        {
            return told.state;
        }
        let newer = self.told.iter().rev().filter(|told| told.n > n && told.state.is_final());
        match newer.min_by_key(|told| told.n).map(|told| told.state) {
            Some(DeliveryState::Failed) => DeliveryState::Failed,
            Some(DeliveryState::Delivered | DeliveryState::Folded) => DeliveryState::Folded,
            Some(DeliveryState::Pending) | None => DeliveryState::Pending,
        }
    }

    /// How often change `n` was tried in vain.
    pub fn failures(&self, n: u64) -> usize {
        self.attempts.iter().filter(|attempt| attempt.n == n && attempt.outcome != AttemptOutcome::Delivered).count()
    }
}

/// What [`Store::claim`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Send it now, and mark it before the lease ends.
    Claimed(Delivery),
    AlreadySent,
    /// Someone else is sending.
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
}

/// What became of [`Store::mark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    Recorded,
    /// The lease ran out and belongs, or belonged, to someone else, perhaps for an older change: claim again.
    NotOurs,
}

impl Store {
    /// Takes the lease for telling change `n`, and with it everything older. `owner` is different for each try of each
    /// worker, and the same when this very call is repeated.
    pub async fn claim(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
        n: u64,
        owner: &str,
        now: Moment,
        lease: Duration,
    ) -> Result<Claim, WriteError> {
        let key = keys::delivery(incident, destination);
        let update = updates::claim(key, n, owner, now, lease);
        match self.update(Table::Alerts, update).await? {
            Write::Done(item) => Ok(Claim::Claimed(decode(&item)?)),
            Write::Refused(stored) => refused(stored, |stored| stored.sent < n),
        }
    }

    /// The same for what a person asked for at `asked`: it is sent unless something newer was delivered, or this very
    /// request was carried out before.
    #[expect(clippy::too_many_arguments, reason = "those of a claim, and the request")]
    pub async fn claim_again(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
        n: u64,
        asked: Moment,
        owner: &str,
        now: Moment,
        lease: Duration,
    ) -> Result<Claim, WriteError> {
        let key = keys::delivery(incident, destination);
        let update = updates::claim_again(updates::claim(key, n, owner, now, lease), asked);
        match self.update(Table::Alerts, update).await? {
            Write::Done(item) => Ok(Claim::Claimed(decode(&item)?)),
            Write::Refused(stored) => refused(stored, |stored| stored.sent <= n && stored.asked < Some(asked)),
        }
    }

    /// Records what became of change `n` and gives the lease back. `sent` rises only with a delivery.
    pub async fn mark(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
        n: u64,
        owner: &str,
        mark: Mark,
    ) -> Result<Marked, WriteError> {
        let key = keys::delivery(incident, destination);
        let Mark { at, state, outcome, reason, template, together, asked } = mark;
        let told = Told { n, state };
        let attempt = outcome.map(|outcome| Attempt { n, at, outcome, reason, template, together });
        let done = updates::Done { at, told, asked };
        let append = updates::append(&key, owner, &done, attempt.as_ref())?;
        let refused = match self.update(Table::Alerts, append).await? {
            Write::Done(_) => return Ok(Marked::Recorded),
            Write::Refused(stored) => stored.as_ref().map(decode).transpose()?.unwrap_or_default(),
        };
        if refused.owner.as_deref() != Some(owner) {
            let own = refused.owner.is_none() && refused.told.last() == Some(&told);
            let own = own && attempt.as_ref().is_none_or(|attempt| refused.attempts.last() == Some(attempt));
            return Ok(if own { Marked::Recorded } else { Marked::NotOurs });
        }
        match self.update(Table::Alerts, updates::rewrite(&key, owner, &done, refused, attempt)?).await? {
            Write::Done(_) => Ok(Marked::Recorded),
            Write::Refused(_) => Ok(Marked::NotOurs),
        }
    }

    /// What became of the incident's notices at one destination.
    pub async fn delivery(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
    ) -> Result<Option<Delivery>, ReadError> {
        let item = self.get(Table::Alerts, &keys::delivery(incident, destination), Reading::Latest).await?;
        item.as_ref().map(decode).transpose()
    }

    /// Every destination that the incident's notices were, or are being, sent to.
    pub async fn deliveries(&self, incident: &IncidentId) -> Result<Vec<(DestinationId, Delivery)>, ReadError> {
        let part = Part::all(keys::deliveries_of(incident));
        self.query_all(Table::Alerts, &part, |item| Ok((destination(item)?, decode(item)?))).await
    }
}

/// What a refused claim means. `wanted`: whether it would have been granted but for the lease.
fn refused(stored: Option<Item>, wanted: impl Fn(&Delivery) -> bool) -> Result<Claim, WriteError> {
    let stored = stored.as_ref().map(decode).transpose()?.unwrap_or_default();
    match stored.lease_until {
        Some(until) if wanted(&stored) => Ok(Claim::Busy { until }),
        _ => Ok(Claim::AlreadySent),
    }
}

pub(crate) fn decode(item: &Item) -> Result<Delivery, ReadError> {
    let reader = Reader::new(item);
    Ok(Delivery {
        sent: reader.number("sent")?,
        asked: reader.optional_number("asked").map(Moment::from_millis),
        owner: reader.optional_text("owner").map(str::to_owned),
        lease_until: reader.optional_number("lease_until").map(Moment::from_millis),
        attempts: reader.json_list("attempts")?,
        told: reader.json_list("told")?,
    })
}

fn destination(item: &Item) -> Result<DestinationId, ReadError> {
    let name = Reader::new(item).name();
    name.sk.parse().map_err(|_| ReadError::missing(&name, "the destination's id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(told: &[(u64, DeliveryState)], sent: u64, n: u64, expected: DeliveryState) {
        let told = told.iter().map(|(n, state)| Told { n: *n, state: *state }).collect();
        assert_eq!(Delivery { sent, told, ..Delivery::default() }.state_of(n), expected);
    }

    #[test]
    fn a_change_overtaken_by_one_that_was_told_is_folded() {
        check(&[(2, DeliveryState::Delivered)], 2, 1, DeliveryState::Folded);
        check(&[(1, DeliveryState::Pending), (2, DeliveryState::Delivered)], 2, 1, DeliveryState::Folded);
    }

    #[test]
    fn a_change_overtaken_by_one_that_failed_has_failed() {
        check(&[(2, DeliveryState::Failed), (3, DeliveryState::Delivered)], 3, 1, DeliveryState::Failed);
    }

    #[test]
    fn the_last_mark_of_a_change_counts() {
        check(&[(1, DeliveryState::Pending), (1, DeliveryState::Delivered)], 1, 1, DeliveryState::Delivered);
        check(&[(1, DeliveryState::Pending)], 0, 1, DeliveryState::Pending);
        check(&[], 0, 1, DeliveryState::Pending);
    }
}
