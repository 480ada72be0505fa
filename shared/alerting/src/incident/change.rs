//! The messages of the SNS topic "changes", to which operators subscribe: one for every change of an alert or incident.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::ids::{AlertId, IncidentId, IntegrationId, SpaceId, hash128};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::Incident;
use crate::incident::alert::{Alert, Status};
use crate::incident::timeline::{Entry, EntryKind};

/// The most bytes of one SNS message (SNS API reference, `Publish`, read 2026-11).
pub const MESSAGE_BYTES: usize = 262_144;
/// The bytes to which a label's value is cut in a message that is too long. Fifty values of this size leave room for
/// the other fields.
const CUT_LABEL_BYTES: usize = 2048;

/// One message of the topic, as JSON. `id` is the same for every copy, because the topic delivers at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeEvent {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: ChangeKind,
    pub at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentSummary>,
    /// The names of the labels whose values are cut because a message of the topic has a maximum size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels_cut: Vec<String>,
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

/// An alert, with the field names of the API. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSummary {
    pub id: AlertId,
    pub integration: IntegrationId,
    pub alert_key: Option<String>,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub status: Status,
    pub count: u64,
    pub labels: BTreeMap<String, String>,
    pub triggered_at: String,
    pub updated_at: String,
    pub closed_at: Option<String>,
    pub spaces: Vec<SpaceId>,
    pub incidents: Vec<IncidentId>,
}

impl AlertSummary {
    fn of(alert: &Alert) -> Self {
        Self {
            id: alert.id.clone(),
            integration: alert.integration.clone(),
            alert_key: alert.alert_key.clone(),
            title: alert.title.clone(),
            description: alert.description.clone(),
            severity: alert.severity,
            status: alert.status,
            count: alert.count,
            labels: alert.labels.clone(),
            triggered_at: alert.opened_by.received_at().rfc3339(),
            updated_at: alert.updated_at.rfc3339(),
            closed_at: alert.closed_at.map(Moment::rfc3339),
            spaces: alert.spaces.clone(),
            incidents: alert.spaces.iter().map(|space| IncidentId::of(space, alert.opened_by)).collect(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSummary {
    pub id: IncidentId,
    pub num: String,
    pub space: SpaceId,
    pub title: String,
    pub severity: Severity,
    pub progress: String,
    pub change: EntryKind,
    pub actor: String,
}

impl ChangeEvent {
    /// The change of an alert. `n` is the number of the transition, or the stamp of the update.
    pub fn of_alert(kind: ChangeKind, alert: &Alert, n: &str, at: Moment) -> Self {
        Self {
            id: hash128(&["alert", alert.id.as_str(), n]),
            kind,
            at: at.rfc3339(),
            alert: Some(AlertSummary::of(alert)),
            incident: None,
            labels_cut: Vec::new(),
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
                space: incident.space.clone(),
                title: incident.title.clone(),
                severity: incident.severity,
                progress: incident.progress.as_str().to_owned(),
                change: entry.kind,
                actor: entry.actor.clone(),
            }),
            labels_cut: Vec::new(),
        }
    }

    /// The message as JSON of at most [`MESSAGE_BYTES`]. If labels make it longer, the longest values are cut, and
    /// `labels_cut` names them.
    pub fn message(&self) -> String {
        let whole = json(self);
        if whole.len() <= MESSAGE_BYTES {
            return whole;
        }
        let mut cut = self.clone();
        let labels = cut.alert.iter_mut().flat_map(|alert| alert.labels.iter_mut());
        for (name, value) in labels.filter(|(_, value)| json(value).len() > CUT_LABEL_BYTES) {
            while json(value).len() > CUT_LABEL_BYTES {
                let keep = value.chars().count() / 2;
                *value = value.chars().take(keep).collect();
            }
            value.push('…');
            cut.labels_cut.push(name.clone());
        }
        json(&cut)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a change is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::Stamp;
    use crate::base::limits;

    fn change(value: &str) -> ChangeEvent {
        let name = |n: usize| format!("{n:0width$}", width = limits::LABEL_NAME_CHARS);
        let (integration, stamp) =
            (IntegrationId::from_suffix("a").expect("valid"), Stamp::from_parts(Moment::default(), 0));
        let alert = Alert {
            id: AlertId::of(&integration, stamp),
            integration,
            alert_key: Some("db-1".to_owned()),
            title: "disk full".to_owned(),
            description: "x".repeat(limits::DESCRIPTION_BYTES),
            severity: Severity::Warning,
            status: Status::Open,
            count: 1,
            labels: (0..limits::LABELS).map(|n| (name(n), value.to_owned())).collect(),
            opened_by: stamp,
            shown: stamp,
            texts: None,
            closing: None,
            revision: 0,
            updated_at: Moment::default(),
            closed_at: None,
            spaces: Vec::new(),
        };
        ChangeEvent::of_alert(ChangeKind::AlertTriggered, &alert, "1", Moment::from_millis(0))
    }

    // Proves: finding F14
    #[test]
    fn an_alert_is_published_with_the_api_s_names_and_times_and_nothing_internal() {
        let message: serde_json::Value = serde_json::from_str(&change("v").message()).expect("JSON");
        let alert = message["alert"].as_object().expect("an alert");
        assert_eq!(alert["updated_at"], "1970-01-01T00:00:00Z");
        assert_eq!(alert["triggered_at"], "1970-01-01T00:00:00Z");
        assert!(alert.contains_key("closed_at") && alert.contains_key("incidents"));
        assert!(!alert.contains_key("opened_by") && !alert.contains_key("shown"), "{alert:?}");
    }

    // Proves: finding A9
    #[test]
    fn a_change_that_is_too_long_for_the_topic_has_its_labels_cut_and_names_them() {
        for character in ["😀", "\u{1}", "\""] {
            let whole = change(&character.repeat(limits::LABEL_VALUE_CHARS));
            let message = whole.message();
            assert!(message.len() <= MESSAGE_BYTES, "{character:?}: {} bytes", message.len());
            let read: ChangeEvent = serde_json::from_str(&message).expect("still JSON");
            let cut = json(&whole).len() > MESSAGE_BYTES;
            assert_eq!(read.labels_cut.len(), if cut { limits::LABELS } else { 0 }, "{character:?}");
            let alert = read.alert.expect("an alert");
            assert!(alert.labels.values().all(|value| value.ends_with('…') == cut), "{character:?}");
        }
        assert_eq!(change("short").message(), json(&change("short")));
    }
}
