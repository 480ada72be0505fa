//! Timers: work that is due at a moment. Also decides which timers a change of an incident sets.
//!
//! A timer's id consists of its moment and its work, so writing the timer again changes nothing. A second execution has
//! no effect, because its round is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::actor::{Actor, NamedActor};
use crate::base::ids::{AlertId, DestinationId, IncidentId, IntegrationId, SpaceId, Stamp};
use crate::base::moment::Moment;
use crate::incident::escalation::Unless;
use crate::incident::notice::Notice;
use crate::incident::refresh::Refresh;
use crate::incident::timeline::{Audience, Entry, EntryKind};
use crate::incident::{Incident, Progress};

/// Alerts that are opened within one window share one auto-close timer.
pub const WINDOW: Duration = Duration::from_secs(10);

/// One piece of due work; also the body of a message of the queue "due".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub due: Moment,
    /// The id, which is the same for every copy.
    pub id: String,
    pub work: Work,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Closes an alert that no message closes.
    AutoClose { alert: AlertId },
    /// Closes all such alerts of the integration that were opened in this window.
    AutoCloseWindow { integration: IntegrationId, window: Moment },
    /// Sends the notices that wait in the destination's digest.
    FlushDigest { destination: DestinationId },
    /// Ends the snooze that lasts until this moment.
    SnoozeEnd { incident: IncidentId, until: Moment },
    /// Ends the silence or mute that lasts until this moment.
    HoldEnd { incident: IncidentId, until: Moment },
    /// Assigns this level of the escalation rule, if the round that set the timer is still the current one.
    Escalate { incident: IncidentId, round: u32, level: u32 },
    /// Notifies the current level again, for the `time`th time.
    Repeat { incident: IncidentId, round: u32, time: u32 },
    /// Handles that a person could not be notified of change `n` at this destination.
    ContactFailed { incident: IncidentId, n: u64, destination: DestinationId, reason: String },
    /// Retries a postponed notice.
    Notify {
        notice: Box<Notice>,
        /// When a person requested to send the notice again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Moment>,
        /// Whether the notice was given up and reported as failed. Such a notice is sent only if it still matches the
        /// incident's state.
        #[serde(default)]
        given_up: bool,
    },
    /// Also notifies the next contact of a person, because change `n` was not delivered to them within a minute. Has no
    /// effect if it was delivered meanwhile.
    ContactLate { incident: IncidentId, n: u64, destination: DestinationId, reason: String },
    /// Updates all cards of an incident.
    RefreshCards { incident: IncidentId },
    /// Retries the update of the cards of one destination.
    Refresh(Refresh),
    /// Closes an incident after the auto-close time of its space.
    CloseIncident { incident: IncidentId },
    /// Carries out the follow-up of a person's action, if the action was written; see [`Timer::follow_up`].
    FollowUp { incidents: Vec<IncidentId>, action: String },
    /// Closes the alerts of an incident that a person closed with change `n`, and their incidents in other spaces.
    CloseAlerts { incident: IncidentId, n: u64, by: NamedActor },
    /// Checks whether a silence still holds the incident.
    ReviewHold { incident: IncidentId },
    /// Checks all held incidents of the space, newest first, after this position in their list.
    ReviewHolds {
        space: SpaceId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<String>,
    },
}

/// How long after an action its follow-up is due. The timer is more than a minute ahead, so that it waits in the table,
/// where the request deletes it again. The time is less than two minutes, within which a crash is repaired. The request
/// writes the action in less time.
pub const FOLLOW_UP_AFTER: Duration = Duration::from_secs(75);

impl Timer {
    pub fn new(due: Moment, work: Work) -> Self {
        let id = match &work {
            Work::AutoClose { alert } => format!("auto_close.{alert}"),
            Work::AutoCloseWindow { integration, window } => format!("auto_close.{integration}.{}", window.millis()),
            Work::FlushDigest { destination } => format!("flush_digest.{destination}"),
            Work::SnoozeEnd { incident, until } => format!("snooze_end.{incident}.{}", until.millis()),
            Work::HoldEnd { incident, until } => format!("hold_end.{incident}.{}", until.millis()),
            Work::Escalate { incident, round, level } => format!("escalate.{incident}.{round}.{level}"),
            Work::Repeat { incident, round, time } => format!("repeat.{incident}.{round}.{time}"),
            Work::ContactFailed { incident, n, destination, .. } => {
                format!("contact_failed.{incident}.{n}.{destination}")
            }
            Work::Notify { notice, .. } => format!("notify.{}.{}.{}", notice.incident, notice.n, notice.destination),
            Work::ContactLate { incident, n, destination, .. } => format!("contact_late.{incident}.{n}.{destination}"),
            Work::RefreshCards { incident } => format!("refresh_cards.{incident}"),
            Work::Refresh(refresh) => format!("refresh.{}", refresh.id()),
            Work::CloseIncident { incident } => format!("close_incident.{incident}"),
            Work::FollowUp { action, .. } => format!("follow_up.{action}"),
            Work::CloseAlerts { incident, n, .. } => format!("close_alerts.{incident}.{n}"),
            Work::ReviewHold { incident } => format!("review_hold.{incident}"),
            Work::ReviewHolds { space, below: None } => format!("review_holds.{space}"),
            Work::ReviewHolds { space, below: Some(below) } => format!("review_holds.{space}.{below}"),
        };
        Self { due, id, work }
    }

    /// The timer that is written before a person's action. After a crash it carries out the follow-up of the action.
    pub fn follow_up(incidents: Vec<IncidentId>, action: String, now: Moment) -> Self {
        Self::new(now + FOLLOW_UP_AFTER, Work::FollowUp { incidents, action })
    }

    /// The action name of the timer's changes. It is the same for every copy, and different for the same work at
    /// another time.
    pub fn action(&self) -> String {
        format!("{}@{}", self.id, self.due.millis())
    }

    /// The auto-close timer of the alert that this message opens. All alerts of a window share the timer, which is at
    /// most [`WINDOW`] late. One timer per alert would cost as much as writing the alert.
    pub fn auto_close(integration: &IntegrationId, opened_by: Stamp, after: Duration) -> Self {
        let length = WINDOW.as_millis() as i64;
        let window = Moment::from_millis(opened_by.received_at().millis().div_euclid(length) * length);
        Self::new(window + WINDOW + after, Work::AutoCloseWindow { integration: integration.clone(), window })
    }
}

/// The timers that the change of `entry` sets.
pub fn timers(incident: &Incident, entry: &Entry) -> Vec<Timer> {
    let id = || incident.id.clone();
    if entry.kind == EntryKind::Closed {
        // The alerts are closed even if the incident was reopened since. An earlier version did not store who closed
        // it.
        let by = NamedActor { actor: entry.by.clone().unwrap_or(Actor::Rule), name: entry.actor.clone() };
        return vec![Timer::new(entry.at, Work::CloseAlerts { incident: id(), n: entry.n, by })];
    }
    if incident.progress == Progress::Closed {
        return Vec::new();
    }
    match entry.kind {
        EntryKind::Snoozed => {
            let end = |until| Timer::new(until, Work::SnoozeEnd { incident: id(), until });
            incident.snoozed_until.map(end).into_iter().collect()
        }
        EntryKind::Triggered if incident.held.is_some() => hold_end(incident),
        EntryKind::SilenceChanged => hold_end(incident),
        // The silence may match only the former severity.
        EntryKind::SeverityRaised if incident.held.is_some() => {
            vec![Timer::new(entry.at, Work::ReviewHold { incident: id() })]
        }
        EntryKind::SeverityRaised if starts_level(entry) => level_timers(incident, entry),
        EntryKind::Triggered
        | EntryKind::Reopened
        | EntryKind::SnoozeEnded
        | EntryKind::SilenceEnded
        | EntryKind::Escalated
        | EntryKind::Repeated
        | EntryKind::Reassigned
        | EntryKind::Unacknowledged => level_timers(incident, entry),
        EntryKind::ContactFailed => nobody_left(incident, entry.at).into_iter().collect(),
        EntryKind::SeverityRaised
        | EntryKind::Recovered
        | EntryKind::Acknowledged
        | EntryKind::Closed
        | EntryKind::AutoClosed
        | EntryKind::AlertJoined
        | EntryKind::AlertRecovered
        | EntryKind::StormWarning
        | EntryKind::ResponderAdded
        | EntryKind::Commented
        | EntryKind::Merged
        | EntryKind::MergedAway
        | EntryKind::Edited
        | EntryKind::NobodyReached => Vec::new(),
    }
}

fn hold_end(incident: &Incident) -> Vec<Timer> {
    let until = incident.held.as_ref().and_then(|held| held.until);
    let work = |until| Work::HoldEnd { incident: incident.id.clone(), until };
    until.map(|until| Timer::new(until, work(until))).into_iter().collect()
}

/// Whether the change starts or restarts a level, so that the timers of the level count from this change. A severity
/// rise does so only if another rule took over the incident. Its entry then names the notified destinations; any other
/// rise notifies everyone who was notified before.
fn starts_level(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::SeverityRaised => entry.audience != Audience::Everyone,
        kind => kind_starts_level(kind),
    }
}

const fn kind_starts_level(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::Triggered
            | EntryKind::Reopened
            | EntryKind::SnoozeEnded
            | EntryKind::SilenceEnded
            | EntryKind::Escalated
            | EntryKind::Repeated
            | EntryKind::Reassigned
            | EntryKind::Unacknowledged
    )
}

/// The timers of the incident's current level: its start if it waits for its delay, otherwise its next repetition and
/// its end.
fn level_timers(incident: &Incident, entry: &Entry) -> Vec<Timer> {
    let notified_at = entry.at;
    // An older change that is carried out again after a crash must not set the timers of a level that a newer change
    // has started, because they would be due too early.
    if incident.timeline.iter().any(|later| later.n > entry.n && starts_level(later)) {
        return Vec::new();
    }
    let Some(escalation) = incident.escalation.as_ref().filter(|_| !incident.is_quiet()) else { return Vec::new() };
    let (id, round, level) = (&incident.id, incident.round, escalation.level);
    if escalation.is_waiting {
        return vec![Timer::new(escalation.since, Work::Escalate { incident: id.clone(), round, level })];
    }
    let repeat = escalation.repeat.filter(|repeat| escalation.repeated < repeat.times).map(|repeat| {
        // The time counts from the last repetition, not from the first. So after an outage nobody is notified five
        // times at once.
        let due = notified_at + Duration::from_secs(u64::from(repeat.every_seconds));
        Timer::new(due, Work::Repeat { incident: id.clone(), round, time: escalation.repeated + 1 })
    });
    let next = escalation.next.map(|next| {
        let due = escalation.since + Duration::from_secs(u64::from(next.after_minutes) * 60);
        Timer::new(due, Work::Escalate { incident: id.clone(), round, level: level + 1 })
    });
    // The timer of the next level is set once, at the start of this level.
    let next = if escalation.repeated == 0 { next } else { None };
    repeat.into_iter().chain(next).collect()
}

/// A timer for the next level that is due now, if every group and every contact of every person failed.
fn nobody_left(incident: &Incident, now: Moment) -> Option<Timer> {
    let escalation = incident.escalation.as_ref().filter(|_| !incident.is_quiet())?;
    let next = escalation.next?;
    let is_wanted = next.unless == Unless::Closed || incident.progress == Progress::Triggered;
    let work = Work::Escalate { incident: incident.id.clone(), round: incident.round, level: escalation.level + 1 };
    (is_wanted && escalation.is_exhausted()).then(|| Timer::new(now, work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_one_window_share_the_timer_that_closes_them() {
        let integration = "int_a".parse().expect("valid");
        let after = Duration::from_secs(3600);
        let timer = |millis| {
            let opened_by = Stamp::from_parts(Moment::from_millis(millis), 7);
            Timer::auto_close(&integration, opened_by, after)
        };
        assert_eq!(timer(1_767_607_200_000), timer(1_767_607_209_999));
        assert_ne!(timer(1_767_607_200_000).id, timer(1_767_607_210_000).id);
        for millis in [1_767_607_200_000, 1_767_607_209_999] {
            let late = timer(millis).due.millis() - millis - 3_600_000;
            assert!((1..=10_000).contains(&late), "never before its time, and soon after: {late} ms");
        }
    }
}
