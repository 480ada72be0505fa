//! Merges of incidents: written in one transaction, and followed wherever an incident is looked for.
//!
//! A transaction costs twice the write units of two writes, for something that people do now and then. In return no other
//! change can come between the two halves.

use alerting::base::actor::NamedActor;
use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::apply::left_by;
use alerting::incident::merge::{Merge, merge};
use alerting::incident::timeline::Entry;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use crate::Store;
use crate::changes::{ChangeError, RACES, pause};
use crate::errors::{ReadError, WriteError};
use crate::incidents::{Place, Replaces};
use crate::keys::Key;
use crate::table::Table;

/// How many merges are followed. Incidents that were merged one into the next are no circle, however many they are; this
/// only bounds the work.
const MERGES: usize = 100;

impl Store {
    /// Merges `source` into `target`. The changes that were made, now or by an earlier call of the same name; none: it was
    /// so already.
    pub async fn merge_incidents(
        &self,
        source: &IncidentId,
        target: &IncidentId,
        actor: &NamedActor,
        action: &str,
        now: Moment,
    ) -> Result<Vec<(Incident, Entry)>, ChangeError> {
        for races in 1..=RACES {
            let (from, into) = (self.mergeable(source).await?, self.mergeable(target).await?);
            if let Some(entry) = left_by(&into, action) {
                // By this very call, whose answer was lost.
                let left = left_by(&from, action).cloned().map(|entry| (from.clone(), entry));
                return Ok(left.into_iter().chain([(into.clone(), entry.clone())]).collect());
            }
            let Some(Merge { source: left, target: joined }) = merge(&from, &into, actor, action, now)? else {
                return Ok(Vec::new());
            };
            let before: Vec<u64> = left.iter().map(|_| from.n).chain([into.n]).collect();
            let changed: Vec<(Incident, Entry)> = left.into_iter().chain([joined]).collect();
            let mut writes = Vec::with_capacity(changed.len());
            for ((incident, _), n) in changed.iter().zip(before) {
                writes.push(self.incident_put(incident, n).await?);
            }
            if self.write_all(source, writes).await? {
                return Ok(changed);
            }
            pause(races).await;
        }
        Err(WriteError::Read(ReadError::throttled(source)).into())
    }

    /// An incident that takes part in a merge; one that stands for a circle is as if it had not been merged.
    async fn mergeable(&self, id: &IncidentId) -> Result<Incident, WriteError> {
        let Some(incident) = self.incident(id).await? else {
            return Err(ReadError::missing(id, "the incident").into());
        };
        if incident.merged_into.is_some() && self.stands_for_circle(id).await?.as_ref() == Some(id) {
            return Ok(incident.out_of_circle());
        }
        Ok(incident)
    }

    async fn incident_put(&self, incident: &Incident, before: u64) -> Result<TransactWriteItem, WriteError> {
        let (_, item) = self.incident_item(incident).await?;
        let put = Put::builder().table_name(self.table_name(Table::Alerts)).set_item(Some(item));
        let put = Replaces::Incident(before).condition().guard(put);
        Ok(TransactWriteItem::builder().put(put.build().expect("table and item are set")).build())
    }

    /// Whether all was written; `false`: one of the items was changed since, or is being changed, and nothing was.
    async fn write_all(&self, id: &IncidentId, writes: Vec<TransactWriteItem>) -> Result<bool, WriteError> {
        let Err(error) = self.client().transact_write_items().set_transact_items(Some(writes)).send().await else {
            return Ok(true);
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() {
            let lost = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
            let mut codes = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            if codes.any(lost) {
                return Ok(false);
            }
        }
        Err(WriteError::aws(Key::new("INCIDENT", id), error))
    }

    /// What stands where a note or a merge leads. In a circle of merges, which an earlier version could leave behind, one
    /// incident stands for all of them and takes the change.
    pub(crate) async fn follow(&self, path: &mut Path, target: IncidentId) -> Result<Option<Place>, ReadError> {
        let is_circle = path.go(target)?;
        let place = self.place(path.at()).await?;
        Ok(if is_circle { place.map(out_of_circle) } else { place })
    }

    /// The incident that stands for the circle of merges that `id` is in; `None`: it is in none.
    pub(crate) async fn stands_for_circle(&self, id: &IncidentId) -> Result<Option<IncidentId>, ReadError> {
        let mut path = Path::from(id);
        while let Some(Place::Incident(Incident { merged_into: Some(target), .. })) = self.place(path.at()).await? {
            if path.go(target)? {
                return Ok(path.circle_holds(id).then(|| path.at().clone()));
            }
        }
        Ok(None)
    }

    /// What stands at `id` once all notes and merges are followed: an incident, a note that there is none, or nothing.
    pub async fn standing(&self, id: &IncidentId) -> Result<Option<Place>, ReadError> {
        let mut path = Path::from(id);
        let mut place = self.place(id).await?;
        loop {
            place = match place {
                Some(Place::Joined(other)) => self.follow(&mut path, other).await?,
                Some(Place::Incident(Incident { merged_into: Some(other), .. })) => {
                    self.follow(&mut path, other).await?
                }
                place => return Ok(place),
            }
        }
    }
}

/// The incidents that notes and merges have led through.
pub(crate) struct Path(Vec<IncidentId>);

impl Path {
    pub(crate) fn from(id: &IncidentId) -> Self {
        Self(vec![id.clone()])
    }

    pub(crate) fn at(&self) -> &IncidentId {
        self.0.last().expect("a path begins somewhere")
    }

    /// Goes on to `target`. If it was there before, this is a circle: then it goes to the one with the smallest id, which
    /// stands for all of them from wherever one comes.
    fn go(&mut self, target: IncidentId) -> Result<bool, ReadError> {
        if self.0.len() > MERGES {
            return Err(ReadError::throttled(&target));
        }
        let Some(start) = self.0.iter().position(|id| *id == target) else {
            self.0.push(target);
            return Ok(false);
        };
        self.0.drain(..start);
        let stand = self.0.iter().min().cloned().unwrap_or(target);
        self.0.push(stand);
        Ok(true)
    }

    fn circle_holds(&self, id: &IncidentId) -> bool {
        self.0.contains(id)
    }
}

pub(crate) fn out_of_circle(place: Place) -> Place {
    match place {
        Place::Incident(incident) => Place::Incident(incident.out_of_circle()),
        note => note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(letter: char) -> IncidentId {
        format!("inc_01ARZ3NDEKTSV4RRFFQ69G5F{letter}Va").parse().expect("valid")
    }

    #[test]
    fn whoever_walks_a_circle_of_merges_arrives_at_the_same_incident() {
        for (walk, circle) in [("ABA", "AB"), ("BAB", "AB"), ("CBAB", "AB"), ("BCAB", "ABC"), ("CABC", "ABC")] {
            let mut steps = walk.chars().map(id);
            let mut path = Path::from(&steps.next().expect("a start"));
            let arrived: Vec<bool> = steps.map(|next| path.go(next).expect("short")).collect();
            assert_eq!(arrived.iter().filter(|circle| **circle).count(), 1, "{walk}");
            assert_eq!(*path.at(), id('A'), "{walk}");
            let held: String = "ABC".chars().filter(|letter| path.circle_holds(&id(*letter))).collect();
            assert_eq!(held, circle, "{walk}");
        }
    }
}
