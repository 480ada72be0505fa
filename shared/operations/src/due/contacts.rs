//! Notifies the next contact of a person who was not reached at a contact.

use alerting::base::ids::{DestinationId, IncidentId, MemberId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::apply::Change;
use store::Store;
use store::errors::ReadError;

use super::{DueError, DueWork};

/// Records that a contact failed for this reason, and notifies the next contact of its owner.
pub async fn failed(
    work: DueWork<'_>,
    id: &IncidentId,
    destination: &DestinationId,
    reason: &str,
) -> Result<(), DueError> {
    let store = &work.dispatch.store;
    let Some(incident) = store.incident(id).await? else { return Ok(()) };
    let name = owner(store, &incident, destination, work.now).await?;
    work.change(id, &Change::ContactFailed { destination: destination.clone(), name, reason: reason.to_owned() }).await
}

/// The same for a contact to which a notice is still being tried, unless change `n` was delivered to it meanwhile.
pub async fn late(
    work: DueWork<'_>,
    id: &IncidentId,
    n: u64,
    destination: &DestinationId,
    reason: &str,
) -> Result<(), DueError> {
    let delivery = work.dispatch.store.delivery(id, destination).await?.unwrap_or_default();
    if delivery.state_of(n).is_delivered() {
        return Ok(());
    }
    failed(work, id, destination, &format!("{reason}; it is still tried")).await
}

/// The people whom the destination reaches for this incident, by name; a group by its own name.
async fn owner(
    store: &Store,
    incident: &Incident,
    destination: &DestinationId,
    now: Moment,
) -> Result<String, ReadError> {
    let members = members_at(incident, destination);
    if members.is_empty() {
        let group = store.cached_destination(destination, now).await?;
        return Ok(group.map_or_else(|| destination.to_string(), |group| group.name.clone()));
    }
    let known = store.members_by_id(members.iter().cloned(), now).await?;
    let name = |id: &MemberId| known.get(id).map_or_else(|| id.to_string(), |member| member.name.clone());
    Ok(members.iter().map(name).collect::<Vec<_>>().join(", "))
}

/// The members who are notified at this contact now.
fn members_at(incident: &Incident, destination: &DestinationId) -> Vec<MemberId> {
    let people = incident.escalation.iter().flat_map(|escalation| &escalation.people);
    people.filter(|reach| reach.contact() == Some(destination)).map(|reach| reach.member.clone()).collect()
}
