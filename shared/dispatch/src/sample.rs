//! The content that a destination is sent about an incident without a change: a preview, a retry, a card that is drawn
//! again.

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::notice::{self, Notice};
use alerting::incident::timeline::{Audience, Entry, EntryKind};
use store::Store;
use store::errors::ReadError;

use crate::queues::Dispatch;
use crate::subject::subject;

impl Dispatch {
    /// The notice that `destination` would be sent about the newest change that notifies. Nothing is sent.
    pub async fn sample(&self, incident: &Incident, destination: &DestinationId) -> Result<Notice, ReadError> {
        newest_notice(&self.store, incident, destination, self.clock.now()).await
    }

    /// The notice for `destination` about this entry, with the incident as it is now.
    pub async fn notice(
        &self,
        incident: &Incident,
        entry: &Entry,
        destination: &DestinationId,
    ) -> Result<Notice, ReadError> {
        notice_of(&self.store, incident, entry, destination, self.clock.now()).await
    }
}

/// The notice for `destination` about the newest change that notifies, with the incident as it is now.
pub async fn newest_notice(
    store: &Store,
    incident: &Incident,
    destination: &DestinationId,
    now: Moment,
) -> Result<Notice, ReadError> {
    let newest = incident.timeline.iter().rev().find(|entry| entry.kind.notifies());
    let (kind, at) = newest.map_or((EntryKind::Triggered, incident.triggered_at), |entry| (entry.kind, entry.at));
    let entry = Entry {
        n: incident.n,
        at,
        kind,
        actor: newest.map_or_else(String::new, |entry| entry.actor.clone()),
        by: newest.and_then(|entry| entry.by.clone()),
        action: None,
        detail: None,
        alert_n: None,
        alert: None,
        audience: Audience::Everyone,
    };
    notice_of(store, incident, &entry, destination, now).await
}

async fn notice_of(
    store: &Store,
    incident: &Incident,
    entry: &Entry,
    destination: &DestinationId,
    now: Moment,
) -> Result<Notice, ReadError> {
    let subject = subject(store, incident, None, now).await?;
    Ok(notice::to_one(incident, entry, destination, &subject))
}
