//! Decides which alerts of a space join one incident, and which alerts flap.

use std::time::Duration;

use crate::base::ids::{Stamp, hash128};
use crate::base::moment::Moment;
use crate::incident::alert::{Alert, Transition, TransitionKind};
use crate::incident::space::{EmptyValues, Flapping, FlappingMode, Grouping};
use crate::incident::{ALERTS, Hold, Incident, Progress};

/// The key of the alert's group. Alerts with an equal key join one incident. `None`: the alert makes its own incident.
///
/// Held alerts (silenced or muted) form a separate group until the hold ends. In a shared group, an alert that is not
/// held would notify people of a held one, or a held alert would keep the others from notifying.
pub fn group_key(grouping: &Grouping, alert: &Alert, hold: Option<&Hold>) -> Option<String> {
    let mut parts = Vec::with_capacity(2 * grouping.by.len());
    for (field, value) in group_values(grouping, alert) {
        if value.is_none() && grouping.empty_values == EmptyValues::Strict {
            return None;
        }
        parts.extend([field, value.unwrap_or_default()]);
    }
    let until = hold.and_then(|hold| hold.until).map_or(String::new(), |until| until.millis().to_string());
    if let Some(hold) = hold {
        parts.extend(["", hold.by.as_str(), until.as_str()]);
    }
    // The names of the fields are part of the key, so that alerts do not join older groups after a change of the
    // grouping.
    Some(hash128(&parts))
}

/// The alert's value of each field of the grouping. `None`: the value is missing or empty.
pub fn group_values<'a>(grouping: &'a Grouping, alert: &'a Alert) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    let value = |field: &'a String| (field.as_str(), value_of(field, alert).filter(|value| !value.is_empty()));
    grouping.by.iter().map(value)
}

fn value_of<'a>(field: &str, alert: &'a Alert) -> Option<&'a str> {
    match field {
        "title" => Some(&alert.title),
        "severity" => Some(alert.severity.as_str()),
        "integration" => Some(alert.integration.as_str()),
        "alert_key" => alert.alert_key.as_deref(),
        _ => alert.labels.get(field.strip_prefix("labels.")?).map(String::as_str),
    }
}

/// Whether an alert that was triggered at `at` may join: the incident is open and not full, and its last alert is
/// within the window.
pub fn takes(incident: &Incident, grouping: &Grouping, at: Moment) -> bool {
    let window = Duration::from_secs(u64::from(grouping.window_minutes) * 60);
    let last = incident.last_joined_at.unwrap_or(incident.triggered_at);
    let is_open = incident.progress != Progress::Closed && incident.merged_into.is_none();
    is_open && incident.alerts.len() < ALERTS && at.since(last) <= window
}

/// Whether the alert flaps with the transition of this `stamp`: the ring has enough transitions within the time.
pub fn flaps(flapping: &Flapping, ring: &[Transition], stamp: Stamp) -> bool {
    if flapping.mode == FlappingMode::Off {
        return false;
    }
    let at = stamp.received_at();
    let within = Duration::from_secs(u64::from(flapping.within_minutes) * 60);
    let counts = |transition: &&Transition| {
        let is_change = matches!(transition.kind, TransitionKind::Open | TransitionKind::Close);
        is_change && transition.stamp <= stamp && at.since(transition.stamp.received_at()) <= within
    };
    let changes = ring.iter().filter(counts).count();
    u32::try_from(changes).is_ok_and(|changes| changes >= flapping.changes)
}

#[cfg(test)]
mod tests;
