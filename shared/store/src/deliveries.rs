//! Who has been told what: one item per (incident, destination).
//!
//! `claim` (a lease) → the caller sends → `mark`. A destination that has been told change `n` of an incident, or has
//! finally failed to be, has `sent ≥ n` and is never told `n` or anything older again. Without a crash nothing is sent
//! twice; after a crash between sending and marking the lease runs out and it is sent once more.
//!
//! `mark` takes effect only for the owner of the lease, so a worker that lost it cannot turn anything back. Both writes
//! recognise themselves when their first answer was lost: an owner may claim again, and a mark finds itself in `told`.

use std::time::Duration;

use alerting::ids::{DestinationId, IncidentId};
use alerting::limits;
use alerting::moment::Moment;
use alerting::notified::Sent;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, json, number, text};
use crate::keys::{self, Key};
use crate::table::{Part, Table, Terms, Update, Write};

/// Attempts that a delivery keeps: the first one and the newest.
pub const ATTEMPTS: usize = 50;
/// A list this long is rewritten by a mark; a shorter one is appended to, which needs no read.
const LIST: usize = 50;

const CLAIM: &str = "SET #owner = :owner, #lease = :until, #expires = :expires, #sent = if_not_exists(#sent, :zero), \
                     #attempts = if_not_exists(#attempts, :none), #told = if_not_exists(#told, :none)";
/// Not told yet, and nobody else is telling it.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR (#sent < :n AND \
                         (attribute_not_exists(#lease) OR #lease <= :now OR #owner = :owner))";

/// The journey of one incident to one destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// The newest change that needs no more sending.
    pub sent: u64,
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
    /// As a line of a message that told several changes, or overtaken by a newer change that was told.
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

    /// Whether it stays so.
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
        let arrived = |told: &Told| matches!(told.state, DeliveryState::Delivered | DeliveryState::Folded);
        let is_delivered = |attempt: &Attempt| attempt.outcome == AttemptOutcome::Delivered;
        if self.told.iter().any(arrived) || self.attempts.iter().any(is_delivered) {
            return Sent::Arrived;
        }
        if self.state() == DeliveryState::Failed { Sent::Failed } else { Sent::Pending }
    }

    /// What became of change `n`. One that was never marked shares the lot of the next newer one that is final.
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
        let update = Update {
            key: keys::delivery(incident, destination),
            expression: CLAIM.to_owned(),
            condition: Some(CLAIMABLE.to_owned()),
            terms: names()
                .name("#sent", "sent")
                .name("#expires", "expires_at")
                .value(":owner", text(owner))
                .value(":until", number((now + lease).millis()))
                .value(":expires", expiry(now + limits::ALERT_AFTERLIFE))
                .value(":zero", number(0))
                .value(":none", AttributeValue::L(Vec::new()))
                .value(":n", number(n))
                .value(":now", number(now.millis())),
        };
        match self.update(Table::Alerts, update).await? {
            Write::Done(item) => Ok(Claim::Claimed(decode(&item)?)),
            Write::Refused(stored) => {
                let stored = stored.as_ref().map(decode).transpose()?.unwrap_or_default();
                match stored.lease_until {
                    Some(until) if stored.sent < n => Ok(Claim::Busy { until }),
                    _ => Ok(Claim::AlreadySent),
                }
            }
        }
    }

    /// Records what became of change `n` and gives the lease back. `sent` rises only with a final state.
    pub async fn mark(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
        n: u64,
        owner: &str,
        mark: Mark,
    ) -> Result<Marked, WriteError> {
        let key = keys::delivery(incident, destination);
        let Mark { at, state, outcome, reason, template } = mark;
        let told = Told { n, state };
        let attempt = outcome.map(|outcome| Attempt { n, at, outcome, reason, template });
        let append = append(&key, owner, at, &told, attempt.as_ref())?;
        let refused = match self.update(Table::Alerts, append).await? {
            Write::Done(_) => return Ok(Marked::Recorded),
            Write::Refused(stored) => stored.as_ref().map(decode).transpose()?.unwrap_or_default(),
        };
        if refused.owner.as_deref() != Some(owner) {
            let own = refused.owner.is_none() && refused.told.last() == Some(&told);
            let own = own && attempt.as_ref().is_none_or(|attempt| refused.attempts.last() == Some(attempt));
            return Ok(if own { Marked::Recorded } else { Marked::NotOurs });
        }
        match self.update(Table::Alerts, rewrite(&key, owner, at, refused, told, attempt)?).await? {
            Write::Done(_) => Ok(Marked::Recorded),
            Write::Refused(_) => Ok(Marked::NotOurs),
        }
    }

    /// Everyone whom the incident was, or is being, told to.
    pub async fn deliveries(&self, incident: &IncidentId) -> Result<Vec<(DestinationId, Delivery)>, ReadError> {
        let part = Part::all(keys::deliveries_of(incident));
        self.query_all(Table::Alerts, &part, |item| Ok((destination(item)?, decode(item)?))).await
    }
}

/// The attributes of the lease and the lists, which every write here touches.
fn names() -> Terms {
    [("#owner", "owner"), ("#lease", "lease_until"), ("#attempts", "attempts"), ("#told", "told")]
        .into_iter()
        .fold(Terms::default(), |terms, (placeholder, attribute)| terms.name(placeholder, attribute))
}

/// The usual mark: blind, as the lists are short.
fn append(key: &Key, owner: &str, at: Moment, told: &Told, attempt: Option<&Attempt>) -> Result<Update, WriteError> {
    let attempts = attempt.map(|attempt| json(key, attempt)).transpose()?.into_iter().collect();
    let mut update = mark_update(key, owner, at, *told);
    update.expression.push_str(", #told = list_append(#told, :told), #attempts = list_append(#attempts, :attempts)");
    update.expression.push_str(" REMOVE #owner, #lease");
    update.condition = Some("#owner = :owner AND size(#told) < :list AND size(#attempts) < :list".to_owned());
    update.terms = update
        .terms
        .value(":told", AttributeValue::L(vec![json(key, told)?]))
        .value(":attempts", AttributeValue::L(attempts))
        .value(":list", number(LIST));
    Ok(update)
}

/// The mark of a delivery with long lists: what is known of it, shortened, with the news.
fn rewrite(
    key: &Key,
    owner: &str,
    at: Moment,
    known: Delivery,
    told: Told,
    attempt: Option<Attempt>,
) -> Result<Update, WriteError> {
    let Delivery { mut attempts, told: mut all_told, .. } = known;
    attempts.extend(attempt);
    while attempts.len() > ATTEMPTS {
        attempts.remove(1);
    }
    all_told.retain(|earlier| earlier.n != told.n);
    all_told.push(told);
    let list = |values: Result<Vec<_>, _>| values.map(AttributeValue::L);
    let mut update = mark_update(key, owner, at, told);
    update.expression.push_str(", #told = :told, #attempts = :attempts REMOVE #owner, #lease");
    update.condition = Some("#owner = :owner".to_owned());
    update.terms = update
        .terms
        .value(":told", list(all_told.iter().map(|told| json(key, told)).collect())?)
        .value(":attempts", list(attempts.iter().map(|attempt| json(key, attempt)).collect())?);
    Ok(update)
}

/// What every mark sets. Whoever holds the lease for `n` holds it because `sent < n`, so `n` is the maximum.
fn mark_update(key: &Key, owner: &str, at: Moment, told: Told) -> Update {
    let mut expression = "SET #expires = :expires".to_owned();
    let mut terms = names()
        .name("#expires", "expires_at")
        .value(":expires", expiry(at + limits::ALERT_AFTERLIFE))
        .value(":owner", text(owner));
    if told.state.is_final() {
        expression.push_str(", #sent = :n");
        terms = terms.name("#sent", "sent").value(":n", number(told.n));
    }
    Update { key: key.clone(), expression, condition: None, terms }
}

pub(crate) fn decode(item: &Item) -> Result<Delivery, ReadError> {
    let reader = Reader::new(item);
    Ok(Delivery {
        sent: reader.number("sent")?,
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
