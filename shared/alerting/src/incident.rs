//! Incidents, the objects that people work on. An incident holds one or more alerts of one space, and is open from the
//! first trigger until all alerts recover or someone closes it.
//!
//! [`apply`](apply::apply) decides one change. Every change that takes effect gets the incident's next number `n`,
//! which orders its notices: a destination that was notified of change `n` is never notified of an older change. A
//! change by an alert carries the number of the alert's transition. If it is applied a second time (a copy, a retry, a
//! crash), the entry of the first time is found and nothing changes. A change by a timer names the round that set the
//! timer, so a timer that is written, swept or delivered twice takes effect once.

pub mod action;
pub mod alert;
pub mod apply;
pub mod assignment;
pub mod card;
pub mod change;
pub mod change_result;
pub mod detail;
pub(crate) mod due;
mod entry_draft;
pub mod escalation;
pub mod grouping;
pub mod link;
pub mod merge;
pub mod notice;
pub mod notified;
pub mod press;
mod raise;
pub mod refresh;
pub mod shown;
pub mod silence;
pub mod source;
pub mod space;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod timer;
pub mod warning;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::ids::{AlertId, DestinationId, EscalationRuleId, IncidentId, MemberId, SpaceId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::detail::{Detail, FLAPPING, HeldBy, Time};
use crate::incident::escalation::{Next, Repeat};
use crate::incident::timeline::{Audience, Entry};

/// The longest time for which an incident can be snoozed.
pub const SNOOZE_MAX: Duration = Duration::from_secs(24 * 3600);
/// The most alerts of one incident. The next alert of its group makes a new incident.
pub const ALERTS: usize = 5000;
/// The most entries in the incident's own item. Older entries move to items of their own, so a timeline has no limit
/// and every change stays cheap to write.
pub const TIMELINE_INLINE: usize = 100;
/// How many entries move at a time.
pub const TIMELINE_SPILL: usize = 50;
/// The most bytes of entries in the incident's own item, roughly as stored. 5,000 alerts take 270 KB, and an item has
/// at most 400 KB.
pub const TIMELINE_BYTES: usize = 64 * 1024;
/// The most characters of a comment.
pub const COMMENT_CHARS: usize = 4000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Triggered,
    Processing,
    Closed,
}

impl Progress {
    pub const fn as_str(self) -> &'static str {
        match self {
            Progress::Triggered => "triggered",
            Progress::Processing => "processing",
            Progress::Closed => "closed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub space: SpaceId,
    pub num: String,
    pub title: String,
    pub severity: Severity,
    pub progress: Progress,
    /// The alerts of the incident. The first alert made the incident.
    pub alerts: Vec<Linked>,
    /// The number of the newest change.
    pub n: u64,
    /// The number of the alert's newest transition. Only incidents that an earlier version stored have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_n: Option<u64>,
    pub triggered_at: Moment,
    pub acknowledged_at: Option<Moment>,
    pub closed_at: Option<Moment>,
    pub snoozed_until: Option<Moment>,
    /// The people assigned: members by id. An API key without a member that acknowledged the incident is listed by
    /// name.
    pub assignees: Vec<String>,
    /// The assignees who acknowledged the incident. Empty: the incident is not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledged_by: Vec<String>,
    /// The destinations that were notified of the incident. They are also notified of later changes.
    pub destinations: Vec<DestinationId>,
    /// The round of the escalation, which grows with every notified level and every restart. Timers of an earlier round
    /// have no effect.
    #[serde(default, skip_serializing_if = "is_default")]
    pub round: u32,
    /// How often the incident was reopened. Links and buttons of an earlier episode have no effect.
    #[serde(default, skip_serializing_if = "is_default")]
    pub episode: u32,
    /// The position in the escalation rule. `None`: only the space's own destinations are notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// When the last alert joined. `None`: no alert joined the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_joined_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<IncidentId>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub fixed: Fixed,
    #[serde(default, skip_serializing_if = "is_default")]
    pub flapping: bool,
    /// How many entries are stored as items of their own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spilled: u64,
    /// The newest entries of the timeline.
    pub timeline: Vec<Entry>,
}

/// An alert of an incident. It is stored as a row without field names, because an incident may have 5,000 of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "LinkedRow", into = "LinkedRow")]
pub struct Linked {
    pub alert: AlertId,
    /// The number of the alert's newest transition that took effect in this incident.
    pub n: u64,
    pub is_open: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum LinkedRow {
    Row(AlertId, u64, bool),
    /// The form that an earlier version stored.
    Bare(AlertId),
}

impl From<LinkedRow> for Linked {
    fn from(row: LinkedRow) -> Self {
        match row {
            LinkedRow::Row(alert, n, is_open) => Self { alert, n, is_open },
            LinkedRow::Bare(alert) => Self { alert, n: 0, is_open: true },
        }
    }
}

impl From<Linked> for LinkedRow {
    fn from(linked: Linked) -> Self {
        LinkedRow::Row(linked.alert, linked.n, linked.is_open)
    }
}

/// The fields that a person has set. Alerts no longer change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fixed {
    pub title: bool,
    pub severity: bool,
}

/// A silence, or the mute of a flapping alert, that keeps an incident from notifying anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The end of the hold. `None`: it has no end.
    pub until: Option<Moment>,
    /// The cause: the silence by name and id, or `flapping`.
    pub by: String,
}

impl Hold {
    /// The value of `by` for an alert that opens and closes repeatedly.
    pub const FLAPPING: &'static str = FLAPPING;

    /// The hold as detail of a timeline entry.
    pub fn detail(&self) -> Detail {
        Detail::Held { until: self.until.map(Time), by: HeldBy::of(&self.by) }
    }
}

/// The position of an incident in its escalation rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The escalation rule. `None`: people were chosen by hand.
    pub rule: Option<EscalationRuleId>,
    pub rule_name: String,
    /// The current level, counted from zero.
    pub level: u32,
    /// Whether the level waits for its delay and has notified nobody yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_waiting: bool,
    /// When the level was notified. For a waiting level: when it will be notified.
    pub since: Moment,
    /// How often the level was notified again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub repeated: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The time of the next level and its condition. `None`: there is no next level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Reach>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<DestinationId>,
    /// The groups whose notification failed permanently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_groups: Vec<DestinationId>,
}

/// How one person of a level is reached: the contacts in order, and the current one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    pub member: MemberId,
    pub contacts: Vec<DestinationId>,
    /// The index of the current contact. If it equals the number of contacts, all contacts failed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at: u32,
    /// Whether a person added this responder, who is not named by a rule.
    #[serde(default, skip_serializing_if = "is_default")]
    pub added: bool,
}

impl Reach {
    /// The contact that is notified now.
    pub fn contact(&self) -> Option<&DestinationId> {
        self.contacts.get(usize::try_from(self.at).ok()?)
    }
}

impl Escalation {
    /// Whether every group and every contact of every person failed permanently.
    pub fn is_exhausted(&self) -> bool {
        let has_failed = |group| self.failed_groups.contains(group);
        self.groups.iter().all(has_failed) && self.people.iter().all(|reach| reach.contact().is_none())
    }

    /// The destinations that the level notifies.
    pub fn audience(&self) -> Vec<DestinationId> {
        let mut audience = self.groups.clone();
        for contact in self.people.iter().filter_map(Reach::contact) {
            if !audience.contains(contact) {
                audience.push(contact.clone());
            }
        }
        audience
    }
}

impl Incident {
    /// The alert that made the incident, whose text and labels the incident shows.
    pub fn first_alert(&self) -> Option<&AlertId> {
        self.alerts.first().map(|linked| &linked.alert)
    }

    pub fn linked(&self, alert: &AlertId) -> Option<&Linked> {
        self.alerts.iter().find(|linked| linked.alert == *alert)
    }

    /// Whether this destination of the incident is notified of the entry.
    pub fn notifies(&self, destination: &DestinationId, entry: &Entry) -> bool {
        let audience = match &entry.audience {
            Audience::Everyone => &self.destinations,
            Audience::Only(destinations) => destinations,
        };
        entry.kind.notifies() && audience.contains(destination)
    }

    pub(crate) fn close(&mut self, now: Moment) {
        self.progress = Progress::Closed;
        self.closed_at = Some(now);
        self.snoozed_until = None;
        self.held = None;
    }

    /// Resets the incident to triggered, without assignees.
    pub(crate) fn reset(&mut self) {
        self.progress = Progress::Triggered;
        self.acknowledged_at = None;
        self.acknowledged_by.clear();
        self.closed_at = None;
        self.snoozed_until = None;
        self.held = None;
        self.assignees.clear();
    }

    /// Whether a silence, the mute of a flapping alert or a snooze currently keeps the incident from notifying anyone.
    pub fn is_quiet(&self) -> bool {
        self.held.is_some() || self.snoozed_until.is_some()
    }

    /// Converts an incident that an earlier version stored to the current form.
    pub fn upgraded(mut self) -> Self {
        let is_open = self.progress != Progress::Closed;
        if let (Some(n), Some(first)) = (self.alert_n.take(), self.alerts.first_mut()) {
            (first.n, first.is_open) = (n, is_open);
        }
        if self.progress == Progress::Processing && self.acknowledged_by.is_empty() {
            self.acknowledged_by.clone_from(&self.assignees);
        }
        self
    }

    /// Removes and returns the entries that become items of their own: first the oldest entries that notify nobody,
    /// then the oldest others. Entries that notify stay longer, because a retried notice looks for its entry in the
    /// incident.
    pub fn spill(&mut self) -> Vec<Entry> {
        let bytes: usize = self.timeline.iter().map(Entry::weight).sum();
        if self.timeline.len() <= TIMELINE_INLINE && bytes <= TIMELINE_BYTES {
            return Vec::new();
        }
        let start = newest(&self.timeline, TIMELINE_INLINE - TIMELINE_SPILL, TIMELINE_BYTES / 2);
        // The newest entry is the change that is being written.
        let newest_entries = self.timeline.split_off(start.min(self.timeline.len() - 1));
        let (notifying, mut spilled): (Vec<Entry>, Vec<Entry>) =
            std::mem::take(&mut self.timeline).into_iter().partition(|entry| entry.kind.notifies());
        let (old, kept) = notifying.split_at(newest(&notifying, TIMELINE_SPILL / 2, TIMELINE_BYTES / 4));
        spilled.extend_from_slice(old);
        spilled.sort_by_key(|entry| entry.n);
        self.timeline = kept.to_vec();
        self.timeline.extend(newest_entries);
        self.spilled += spilled.len() as u64;
        spilled
    }
}

/// The index of the first of the newest entries. Their number and size are limited by `count` and `bytes`.
fn newest(entries: &[Entry], count: usize, bytes: usize) -> usize {
    let mut left = bytes;
    let fits = |entry: &&Entry| {
        let rest = left.checked_sub(entry.weight());
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    entries.len() - entries.iter().rev().take(count).take_while(fits).count()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
