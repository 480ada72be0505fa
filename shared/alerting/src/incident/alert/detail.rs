//! One episode of an alert as people see it, and how messages change it in any order.
//!
//! Several evaluators may change one alert at the same time, each with a message of its own, and each may be slower
//! than the others. So every change here commutes: the texts are those of the newest trigger, a closed alert stays
//! closed, and known spaces stay. A worker that loses a write applies its change again to what is stored then.
//!
//! A close can come before the trigger that it closes was carried out. It then leaves a closed alert without spaces:
//! only the trigger knows the routes. The trigger gives the alert its texts and its spaces, and the worker that carries
//! out an opening that finds the alert closed carries out the closing as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{AlertEvent, AlertKey, EventKind};
use super::state::Status;
use crate::base::ids::{AlertId, IntegrationId, SpaceId, Stamp};
use crate::base::limits;
use crate::base::moment::Moment;
use crate::base::severity::Severity;

/// One episode of an alert: the detail item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub integration: IntegrationId,
    /// `None` in the mode "each message": there the alert is its own key.
    pub alert_key: Option<String>,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub status: Status,
    /// Messages that triggered or updated it. While a keyed alert is open, the count of its state is newer.
    pub count: u64,
    pub labels: BTreeMap<String, String>,
    /// The message that opened it.
    pub opened_by: Stamp,
    /// The newest message that changed it.
    pub shown: Stamp,
    /// The trigger whose title, description, severity and labels it shows; without it, `shown` (see [`Alert::texts`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Stamp>,
    pub updated_at: Moment,
    pub closed_at: Option<Moment>,
    /// The message that closed it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<ClosingMessage>,
    /// Where it was routed when it was triggered; updates and recovery follow.
    pub spaces: Vec<SpaceId>,
    /// Grows with every write after the first.
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
    /// The alert of the episode `opened_by`, as `event` finds it: opened by a trigger, or closed by a close that came
    /// first.
    pub fn new(integration: &IntegrationId, event: &AlertEvent, opened_by: Stamp, now: Moment) -> Self {
        let alert_key = match &event.key {
            AlertKey::Unique => None,
            AlertKey::Named(key) => Some(key.clone()),
        };
        let texts = match event.kind {
            EventKind::Trigger => event.stamp,
            // Older than every trigger: the first trigger replaces the texts.
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

    /// The trigger whose title, description, severity and labels it shows.
    pub fn texts(&self) -> Stamp {
        self.texts.unwrap_or(self.shown)
    }

    /// Takes the texts of a trigger, unless a newer one is shown, and its spaces if there are none. Returns the names
    /// of labels that no longer fit.
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

    /// Closes it: the status changes and nothing else. The message is kept beside it.
    pub fn close(&mut self, event: &AlertEvent, count: u64, now: Moment) {
        self.count = self.count.max(count);
        if self.status == Status::Closed && self.closed_at.is_some() {
            return;
        }
        // In a row of an older version the texts are those of the newest message.
        self.texts = Some(self.texts());
        self.shown = self.shown.max(event.stamp);
        self.status = Status::Closed;
        self.closed_at = Some(now);
        self.updated_at = now;
        // An event without a title stands for a message that is not available.
        self.closing = (!event.title.is_empty()).then(|| ClosingMessage {
            stamp: event.stamp,
            title: event.title.clone(),
            text: event.description.clone(),
        });
    }

    /// The trigger's labels win; as many others are kept as fit. Returns the names of those that were cut.
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
