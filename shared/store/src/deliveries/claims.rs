//! Claims and marks: the reads and conditional writes of deliveries.

use std::time::Duration;

use alerting::base::ids::{DestinationId, IncidentId};
use alerting::base::moment::Moment;

use super::cards::SentCard;
use super::{Attempt, ChangeState, Claim, Delivery, Mark, Marked, decode, updates};
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader};
use crate::keys;
use crate::table::{Part, Reading, Table, Write};

impl Store {
    /// Takes the lease for sending change `n` and everything older. `owner` is different for each try of each
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

    /// The same for a person's request at `asked` to send again. It is granted unless something newer was delivered, or
    /// this request was carried out before.
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

    /// Records the result of change `n` and releases the lease. `sent` rises only with a delivery.
    pub async fn mark(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
        n: u64,
        owner: &str,
        mark: Mark,
    ) -> Result<Marked, WriteError> {
        let key = keys::delivery(incident, destination);
        let Mark { at, state, outcome, reason, template, together, asked, cards } = mark;
        let change = ChangeState { n, state };
        let attempt = outcome.map(|outcome| Attempt { n, at, outcome, reason, template, together });
        let done = updates::Done { at, change, asked, cards };
        let append = updates::append(&key, owner, &done, attempt.as_ref())?;
        let refused = match self.update(Table::Alerts, append).await? {
            Write::Done(_) => return Ok(Marked::Recorded),
            Write::Refused(stored) => stored.as_ref().map(decode).transpose()?.unwrap_or_default(),
        };
        if refused.owner.as_deref() != Some(owner) {
            let own = refused.owner.is_none() && refused.changes.last() == Some(&change);
            let own = own && attempt.as_ref().is_none_or(|attempt| refused.attempts.last() == Some(attempt));
            return Ok(if own { Marked::Recorded } else { Marked::NotOurs });
        }
        match self.update(Table::Alerts, updates::rewrite(&key, owner, &done, refused, attempt)?).await? {
            Write::Done(_) => Ok(Marked::Recorded),
            Write::Refused(_) => Ok(Marked::NotOurs),
        }
    }

    /// Replaces the cards `known` of a delivery. `false`: other cards are stored by now.
    pub async fn replace_cards(
        &self,
        incident: &IncidentId,
        destination: &DestinationId,
        known: &[SentCard],
        cards: &[SentCard],
    ) -> Result<bool, WriteError> {
        let update = updates::replace_cards(keys::delivery(incident, destination), known, cards)?;
        Ok(match self.update(Table::Alerts, update).await? {
            Write::Done(_) => true,
            // The answer to the first attempt was lost.
            Write::Refused(Some(stored)) => decode(&stored)?.cards == cards,
            Write::Refused(None) => false,
        })
    }

    /// The delivery of the incident's notices at one destination.
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

/// The result of a refused claim. `wanted`: whether the claim would have been granted if nobody held the lease.
fn refused(stored: Option<Item>, wanted: impl Fn(&Delivery) -> bool) -> Result<Claim, WriteError> {
    let stored = stored.as_ref().map(decode).transpose()?.unwrap_or_default();
    match stored.lease_until {
        Some(until) if wanted(&stored) => Ok(Claim::Busy { until }),
        _ => Ok(Claim::AlreadySent),
    }
}

fn destination(item: &Item) -> Result<DestinationId, ReadError> {
    let name = Reader::new(item).name();
    name.sk.parse().map_err(|_| ReadError::missing(&name, "the destination's id"))
}
