//! "Tell this destination about this change of that incident": the body of the FIFO queue "notices".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{DestinationId, IncidentId, SpaceId, hash128};
use crate::incident::{Entry, EntryKind, Incident, Progress};
use crate::limits;
use crate::moment::Moment;
use crate::severity::Severity;

/// One record of the queue. Its group is the destination, so one sender works on a destination at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
pub enum NoticeRecord {
    Tell(Notice),
    /// Send what waits in the destination's digest.
    Flush {
        destination: DestinationId,
        due: Moment,
    },
}

impl NoticeRecord {
    pub fn destination(&self) -> &DestinationId {
        match self {
            NoticeRecord::Tell(notice) => &notice.destination,
            NoticeRecord::Flush { destination, .. } => destination,
        }
    }

    /// What the queue removes duplicates by, within its five minutes; beyond them `notify`'s own record does.
    pub fn deduplication_id(&self) -> String {
        match self {
            NoticeRecord::Tell(notice) => notice.id(),
            NoticeRecord::Flush { destination, due } => {
                hash128(&["flush", destination.as_str(), &due.millis().to_string()])
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub destination: DestinationId,
    /// The change's number in its incident: a destination told `n` is never told anything older.
    pub n: u64,
    pub kind: EntryKind,
    pub at: Moment,
    /// Who did it; a member or API key by name, `source`, or `timer`.
    pub actor: String,
    pub incident: IncidentId,
    pub num: String,
    pub space: SpaceId,
    pub space_name: String,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub progress: Progress,
    pub triggered_at: Moment,
    pub closed_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Name of the integration that the alert came from.
    pub integration_name: String,
}

/// What a notice says beside its incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    pub space_name: &'a str,
    pub integration_name: &'a str,
    pub description: &'a str,
    pub labels: &'a BTreeMap<String, String>,
}

impl Notice {
    /// The same for every copy of the same change to the same destination.
    pub fn id(&self) -> String {
        hash128(&["notice", self.incident.as_str(), self.destination.as_str(), &self.n.to_string()])
    }
}

/// The notices of one change: one per destination of the incident, none if such a change is not told.
pub fn plan(incident: &Incident, entry: &Entry, subject: &Subject<'_>) -> Vec<Notice> {
    if !entry.kind.is_told() {
        return Vec::new();
    }
    let notice = |destination: &DestinationId| Notice {
        destination: destination.clone(),
        n: entry.n,
        kind: entry.kind,
        at: entry.at,
        actor: entry.actor.clone(),
        incident: incident.id.clone(),
        num: incident.num.clone(),
        space: incident.space.clone(),
        space_name: subject.space_name.to_owned(),
        title: incident.title.clone(),
        description: limits::cut_bytes(subject.description, limits::DESCRIPTION_BYTES),
        severity: incident.severity,
        progress: incident.progress,
        triggered_at: incident.triggered_at,
        closed_at: incident.closed_at,
        labels: subject.labels.clone(),
        integration_name: subject.integration_name.to_owned(),
    };
    incident.destinations.iter().map(notice).collect()
}
