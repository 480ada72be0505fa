//! One episode of an alert as people see it. Messages may change it in any order.
//!
//! Several evaluators may change one alert at the same time, each with its own message and at its own speed. So all
//! changes here commute: the texts are those of the newest trigger, a closed alert stays closed, and known spaces stay.
//! A worker that loses a write race applies its change again to the newly stored alert.
//!
//! A close may be carried out before the trigger of its episode. It then stores a closed alert without spaces, because
//! only the trigger knows the routes. The trigger adds the texts and the spaces. A worker that carries out an opening
//! and finds the alert closed carries out the closing as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{AlertEvent, AlertKey, EventKind};
use super::state::Status;
use crate::base::ids::{AlertId, IntegrationId, SpaceId, Stamp};
use crate::base::limits;
use crate::base::moment::Moment;
use crate::base::severity::Severity;

/// One episode of an alert, stored as the detail item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub integration: IntegrationId,
    /// The key of the alert. `None` in the mode "each message", in which every alert is its own key.
    pub alert_key: Option<String>,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub status: Status,
    /// The number of messages that triggered or updated the alert. While a keyed alert is open, the count of its state
    /// is newer.
    pub count: u64,
    pub labels: BTreeMap<String, String>,
    /// The message that opened the alert.
    pub opened_by: Stamp,
    /// The newest message that changed the alert.
    pub shown: Stamp,
    /// The trigger whose title, description, severity and labels are shown. `None`: it is `shown` (see
    /// [`Alert::texts`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Stamp>,
    pub updated_at: Moment,
    pub closed_at: Option<Moment>,
    /// The message that closed the alert, if a message closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<ClosingMessage>,
    /// The spaces to which the alert was routed when it was triggered. Updates and recovery go to the same spaces.
    pub spaces: Vec<SpaceId>,
    /// The revision, which grows with every write after the first.
    #[serde(default)]
    pub revision: u64,
}

/// The message that closed an alert, as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingMessage {
    pub stamp: Stamp,
    pub title: String,
    pub text: String,
}

impl Alert {
    /// Makes the alert of the episode `opened_by`. If `event` is a trigger, the alert is open; if `event` is a close
    /// that came first, the caller closes it.
    pub fn new(integration: &IntegrationId, event: &AlertEvent, opened_by: Stamp, now: Moment) -> Self {
        let alert_key = match &event.key {
            AlertKey::Unique => None,
            AlertKey::Named(key) => Some(key.clone()),
        };
        let texts = match event.kind {
            EventKind::Trigger => event.stamp,
            // This stamp is older than every trigger, so the first trigger replaces the texts.
            EventKind::Close => Stamp::from_parts(Moment::default(), 0),
        };
        Self {
            id: AlertId::of(integration, opened_by),
            integration: integration.clone(),
            alert_key,
            title: event.title.clone(),
            description: event.description.clone(),
            severity: event.severity,
            status: Status::Open,
            count: 1,
            labels: event.labels.clone(),
            opened_by,
            shown: event.stamp,
            texts: Some(texts),
            updated_at: now,
            closed_at: None,
            closing: None,
            spaces: if event.kind == EventKind::Trigger { event.spaces.clone() } else { Vec::new() },
            revision: 0,
        }
    }

    /// The trigger whose title, description, severity and labels are shown.
    pub fn texts(&self) -> Stamp {
        self.texts.unwrap_or(self.shown)
    }

    /// Sets the texts of a trigger, unless a newer trigger is shown, and its spaces, if there are none. Returns the
    /// names of the labels that are removed because of the limit.
    pub fn show(&mut self, event: &AlertEvent, count: u64, now: Moment) -> Vec<String> {
        debug_assert_eq!(event.kind, EventKind::Trigger, "a close changes the status and nothing else");
        if self.spaces.is_empty() {
            self.spaces.clone_from(&event.spaces);
        }
        self.count = self.count.max(count);
        self.shown = self.shown.max(event.stamp);
        if event.stamp <= self.texts() {
            return Vec::new();
        }
        self.title.clone_from(&event.title);
        self.description.clone_from(&event.description);
        self.severity = event.severity;
        self.texts = Some(event.stamp);
        self.updated_at = now;
        self.merge_labels(event)
    }

    /// Closes the alert: only the status changes. The message is kept separately.
    pub fn close(&mut self, event: &AlertEvent, count: u64, now: Moment) {
        self.count = self.count.max(count);
        if self.status == Status::Closed && self.closed_at.is_some() {
            return;
        }
        // In a row of an older version the shown texts are those of the newest message.
        self.texts = Some(self.texts());
        self.shown = self.shown.max(event.stamp);
        self.status = Status::Closed;
        self.closed_at = Some(now);
        self.updated_at = now;
        // An event without a title represents a message that is not available.
        self.closing = (!event.title.is_empty()).then(|| ClosingMessage {
            stamp: event.stamp,
            title: event.title.clone(),
            text: event.description.clone(),
        });
    }

    /// Sets the trigger's labels and keeps as many others as the limit allows. Returns the names of the removed labels.
    fn merge_labels(&mut self, event: &AlertEvent) -> Vec<String> {
        let older = std::mem::replace(&mut self.labels, event.labels.clone());
        let mut cut = Vec::new();
        for (name, value) in older {
            if self.labels.contains_key(&name) {
                continue;
            }
            if self.labels.len() < limits::LABELS {
                self.labels.insert(name, value);
            } else {
                cut.push(name);
            }
        }
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_767_607_200);

    fn stamp(n: i64) -> Stamp {
        Stamp::from_parts(Moment::from_millis(n), 0)
    }

    fn event(n: i64, kind: EventKind, labels: &[&str]) -> AlertEvent {
        AlertEvent {
            stamp: stamp(n),
            kind,
            key: AlertKey::Named("disk".to_owned()),
            title: format!("title {n}"),
            description: format!("text {n}"),
            severity: Severity::Warning,
            labels: labels.iter().map(|name| ((*name).to_owned(), n.to_string())).collect(),
            spaces: vec!["spc_a".parse().expect("an id")],
        }
    }

    fn integration() -> IntegrationId {
        "int_4fJk2LmNpQ".parse().expect("an id")
    }

    // Proves: finding C13
    #[test]
    fn a_close_changes_the_status_and_nothing_else_and_its_message_is_kept() {
        let mut alert = Alert::new(&integration(), &event(1, EventKind::Trigger, &["host"]), stamp(1), NOW);
        alert.close(&event(2, EventKind::Close, &["other"]), 1, NOW);
        assert_eq!((alert.title.as_str(), alert.description.as_str()), ("title 1", "text 1"));
        assert_eq!(alert.labels.keys().collect::<Vec<_>>(), ["host"]);
        let closing = alert.closing.clone().expect("the message that closed it");
        assert_eq!((closing.stamp, closing.title.as_str(), closing.text.as_str()), (stamp(2), "title 2", "text 2"));
        assert_eq!((alert.status, alert.closed_at), (Status::Closed, Some(NOW)));
    }

    #[test]
    fn changes_in_any_order_leave_the_newest_triggers_texts_a_closed_alert_and_its_spaces() {
        let (first, second, close) = (1, 2, 3);
        for order in [[first, second, close], [first, close, second], [close, first, second], [close, second, first]] {
            let of = |n: i64| event(n, if n == close { EventKind::Close } else { EventKind::Trigger }, &[]);
            let mut alert = Alert::new(&integration(), &of(order[0]), stamp(1), NOW);
            for n in order {
                match n == close {
                    true => alert.close(&of(n), 2, NOW),
                    false => drop(alert.show(&of(n), 2, NOW)),
                }
            }
            assert_eq!((alert.title.as_str(), alert.status), ("title 2", Status::Closed), "{order:?}");
            assert_eq!((alert.spaces.len(), alert.count), (1, 2), "{order:?}");
        }
    }

    // Proves: finding C8
    #[test]
    fn over_the_limit_newer_labels_win_and_the_cut_ones_are_named() {
        let names = |from: usize, until: usize| (from..until).map(|n| format!("n{n:02}")).collect::<Vec<_>>();
        let labels = |names: &[String]| names.iter().map(|name| (name.clone(), "v".to_owned())).collect();
        let mut alert = Alert::new(&integration(), &event(1, EventKind::Trigger, &[]), stamp(1), NOW);
        alert.labels = labels(&names(0, 45));
        let newer = AlertEvent { labels: labels(&names(40, 60)), ..event(2, EventKind::Trigger, &[]) };
        assert_eq!(alert.show(&newer, 2, NOW), names(30, 40));
        assert_eq!(alert.labels.keys().cloned().collect::<Vec<_>>(), [names(0, 30), names(40, 60)].concat());
    }
}
