//! Timelines as people see them: who acted is stored by id, and shown by the name that they have now.

use std::collections::BTreeSet;

use alerting::base::ids::MemberId;
use alerting::incident::Incident;
use alerting::incident::timeline::Entry;
use store::errors::ReadError;

use crate::app::App;

/// All entries of an incident, oldest first.
pub(crate) async fn timeline(app: &App, incident: &Incident) -> Result<Vec<Entry>, ReadError> {
    let entries = app.store.timeline(incident).await?;
    named(app, entries).await
}

/// These entries with the names of now. A member who does not exist any more keeps the name that was stored.
pub(crate) async fn named(app: &App, mut entries: Vec<Entry>) -> Result<Vec<Entry>, ReadError> {
    let member = |entry: &Entry| entry.by.as_ref().and_then(|by| by.member()).cloned();
    let members: BTreeSet<MemberId> = entries.iter().filter_map(member).collect();
    let known = app.store.members_by_id(members, app.clock.now()).await?;
    for entry in &mut entries {
        if let Some(member) = member(entry).and_then(|id| known.get(&id)) {
            entry.actor.clone_from(&member.name);
        }
    }
    Ok(entries)
}
