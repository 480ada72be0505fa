//! What operators' own subscribers are told on the SNS topic "changes": every change of an alert or incident.

use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::ids::{IncidentId, hash128};
use crate::incident::Incident;
use crate::moment::Moment;
use crate::timeline::{Entry, EntryKind};

/// One message of the topic, as JSON. `id` is the same for every copy: the topic delivers at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeEvent {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: ChangeKind,
    pub at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentSummary>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChangeKind {
    #[serde(rename = "alert.triggered")]
    AlertTriggered,
    #[serde(rename = "alert.updated")]
    AlertUpdated,
    #[serde(rename = "alert.severity_raised")]
    AlertSeverityRaised,
    #[serde(rename = "alert.recovered")]
    AlertRecovered,
    #[serde(rename = "alert.closed")]
    AlertClosed,
    #[serde(rename = "incident.changed")]
    IncidentChanged,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSummary {
    pub id: IncidentId,
    pub num: String,
    pub title: String,
    pub progress: String,
    pub change: EntryKind,
    pub actor: String,
}

impl ChangeEvent {
    /// `n` is the number of the transition, or the stamp of the update.
    pub fn of_alert(kind: ChangeKind, alert: &Alert, n: &str, at: Moment) -> Self {
        Self {
            id: hash128(&["alert", alert.id.as_str(), n]),
            kind,
            at: at.rfc3339(),
            alert: Some(alert.clone()),
            incident: None,
        }
    }

    pub fn of_incident(incident: &Incident, entry: &Entry) -> Self {
        Self {
            id: hash128(&["incident", incident.id.as_str(), &entry.n.to_string()]),
            kind: ChangeKind::IncidentChanged,
            at: entry.at.rfc3339(),
            alert: None,
            incident: Some(IncidentSummary {
                id: incident.id.clone(),
                num: incident.num.clone(),
                title: incident.title.clone(),
                progress: incident.progress.as_str().to_owned(),
                change: entry.kind,
                actor: entry.actor.clone(),
            }),
        }
    }
}
