//! Timelines as people see them: actors are stored by id, and shown by the name that they have now.

use std::collections::BTreeSet;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::timeline::Entry;
use store::Store;
use store::errors::ReadError;

/// All entries of an incident, oldest first.
pub async fn timeline(store: &Store, incident: &Incident, now: Moment) -> Result<Vec<Entry>, ReadError> {
    let entries = store.timeline(incident).await?;
    named(store, entries, now).await
}

/// These entries with the current names. A member who does not exist any more keeps the stored name. An API key cannot
/// be renamed, so its stored name is current.
pub async fn named(store: &Store, mut entries: Vec<Entry>, now: Moment) -> Result<Vec<Entry>, ReadError> {
    let member = |entry: &Entry| entry.by.as_ref().and_then(|by| by.member()).cloned();
    let members: BTreeSet<MemberId> = entries.iter().filter_map(member).collect();
    let known = store.members_by_id(members, now).await?;
    for entry in &mut entries {
        if let Some(member) = member(entry).and_then(|id| known.get(&id)) {
            entry.actor.clone_from(&member.name);
        }
    }
    Ok(entries)
}
