//! What a change does to an incident.

use crate::base::actor::NamedActor;
use crate::base::ids::{AlertId, DestinationId, EscalationRuleId, IncidentId, SpaceId, Stamp};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::assignment::Assigned;
use crate::incident::detail::{Detail, Unreached};
use crate::incident::timeline::{Audience, Entry, EntryKind};
use crate::incident::{ALERTS, Hold, Incident, Progress, Reach, due, person, raise, source};

/// What happens to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An alert's own: a transition that evaluate committed.
    Source(SourceChange),
    /// One of its alerts was closed: after its integration's `auto_close_hours`, or with another incident of the alert.
    AlertClosed { alert: AlertId, by: NamedActor },
    /// A person's.
    Person {
        actor: NamedActor,
        action: Action,
        /// The episode that the person saw; `None`: whichever it is.
        episode: Option<u32>,
    },
    /// Its space lets incidents close by themselves.
    AutoClose,
    /// The snooze that ends at this moment ran out.
    SnoozeEnd { until: Moment },
    /// What holds it now: silences were looked at again. `None`: nothing does.
    HoldReviewed { hold: Option<Hold> },
    /// A level of its escalation rule is due.
    Escalate { round: u32, level: u32 },
    /// The current level is to be told again.
    Repeat { round: u32, time: u32 },
    /// A person could not be notified at this destination, or several; `name` is theirs.
    ContactFailed { destination: DestinationId, name: String, reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The incident that the alert belongs to: its own, or the one that it joins.
    pub incident: IncidentId,
    pub alert: AlertId,
    /// The message that opened the episode.
    pub opened_by: Stamp,
    pub space: SpaceId,
    pub alert_n: u64,
    pub kind: SourceKind,
    pub title: String,
    pub severity: Severity,
    /// Nobody is told if it makes an incident.
    pub hold: Option<Hold>,
    pub flapping: bool,
    /// Numbers of alerts at which the incident warns.
    pub storm_thresholds: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    Trigger,
    RaiseSeverity,
    Recover,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Acknowledge,
    Unacknowledge,
    Snooze {
        until: Moment,
    },
    Close,
    Reopen,
    /// To this level, counted from zero; `None`: the next one.
    Escalate {
        level: Option<u32>,
    },
    Reassign {
        people: Vec<Reach>,
    },
    AddResponders {
        people: Vec<Reach>,
    },
    Comment {
        text: String,
    },
    Edit {
        title: Option<String>,
        severity: Option<Severity>,
    },
}

/// What [`apply`] decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart at once; a box would cost more than it saves"
)]
pub enum Applied {
    /// Write this incident. The entry is the change.
    Changed(Incident, Entry),
    /// This very change took effect before; the entry it left then. Tell it again, under the same number.
    Already(Entry),
    /// It has no effect, and nothing is told.
    Nothing,
    /// The incident was merged into this one: the change belongs there.
    Moved(IncidentId),
    /// The alert cannot join: the incident is closed, or full.
    CannotJoin,
}

/// Why a person's action is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    #[error("the incident is closed; reopen it first")]
    Closed,
    #[error("the incident is not closed")]
    NotClosed,
    #[error("the incident was reopened since")]
    Reopened,
    #[error("nobody has acknowledged the incident")]
    NotAcknowledged,
    #[error("the incident was merged into {0}; act on that one")]
    Merged(IncidentId),
    #[error("the incident has no escalation rule; reassign it to someone instead")]
    NoRule,
    #[error("the escalation rule has {levels} levels, and no level {level}")]
    NoLevel { levels: u32, level: u32 },
    /// The catalogue of texts says why.
    #[error("the level reaches nobody")]
    NobodyThere(Unreached),
    #[error("together the incidents have more than {ALERTS} alerts")]
    TooManyAlerts,
}

/// What has to be found out before a change can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Which rule of the space takes the incident, from its first level on.
    Rule,
    /// Whom this level of this rule reaches, or the first one behind it that reaches anyone. If the rule was deleted, the
    /// one that takes the incident now, from its first level on.
    Level { rule: EscalationRuleId, level: u32 },
    /// Which rule takes the incident now that it is more severe. If it is still this one: from this level on.
    Raised { rule: EscalationRuleId, level: u32 },
}

/// What [`apply`] has to be told of this change: whom the incident is to be assigned to.
pub fn wanted(current: Option<&Incident>, change: &Change) -> Option<Wanted> {
    match (current, change) {
        (None, Change::Source(source)) => {
            (source.kind != SourceKind::Recover && source.hold.is_none()).then_some(Wanted::Rule)
        }
        (None, _) => None,
        (Some(incident), Change::Source(source)) => source::rises(incident, source).then(|| raise::wanted(incident))?,
        (Some(incident), Change::SnoozeEnd { until }) => {
            (due::ends_snooze(incident, *until) && incident.held.is_none()).then_some(Wanted::Rule)
        }
        (Some(incident), Change::HoldReviewed { hold: None }) => due::is_held(incident).then_some(Wanted::Rule),
        (Some(incident), Change::Escalate { round, level }) => {
            let rule = due::escalates(incident, *round, *level)?.rule.clone()?;
            Some(Wanted::Level { rule, level: *level })
        }
        (Some(incident), Change::Repeat { round, time }) => {
            let escalation = due::repeats(incident, *round, *time)?;
            Some(Wanted::Level { rule: escalation.rule.clone()?, level: escalation.level })
        }
        (Some(incident), Change::Person { action: Action::Edit { severity, .. }, .. }) => {
            person::raises(incident, *severity).then(|| raise::wanted(incident))?
        }
        (Some(incident), Change::Person { action: Action::Reopen, .. }) => {
            (incident.progress == Progress::Closed).then_some(Wanted::Rule)
        }
        (Some(incident), Change::Person { action: Action::Escalate { level }, .. }) => {
            let escalation = incident.escalation.as_ref()?;
            let next = if escalation.is_waiting { escalation.level } else { escalation.level + 1 };
            Some(Wanted::Level { rule: escalation.rule.clone()?, level: level.unwrap_or(next) })
        }
        (Some(_), _) => None,
    }
}

impl Change {
    /// The severity that the change brings.
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Change::Source(source) => Some(source.severity),
            Change::Person { action: Action::Edit { severity, .. }, .. } => *severity,
            _ => None,
        }
    }
}

/// Applies a change to an incident as it stands (`None`: there is none yet). `assigned` is what [`wanted`] asked for.
pub fn apply(
    current: Option<&Incident>,
    change: &Change,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Result<Applied, ActionError> {
    let Some(incident) = current else {
        return Ok(match change {
            Change::Source(source) => source::create(source, assigned, now),
            _ => Applied::Nothing,
        });
    };
    Ok(match change {
        Change::Source(source) => source::follow(incident, source, assigned, now),
        Change::AlertClosed { alert, by } => source::close_alert(incident, alert, by, now),
        Change::Person { actor, action, episode } => {
            return person::act_in(incident, *episode, actor, action, assigned, now);
        }
        Change::AutoClose => due::auto_close(incident, now),
        Change::SnoozeEnd { until } => due::end_snooze(incident, *until, assigned, now),
        Change::HoldReviewed { hold } => due::review_hold(incident, hold.as_ref(), assigned, now),
        Change::Escalate { round, level } => due::escalate(incident, *round, *level, assigned, now),
        Change::Repeat { round, time } => due::repeat(incident, *round, *time, assigned, now),
        Change::ContactFailed { destination, name, reason } => {
            due::contact_failed(incident, destination, name, reason, now)
        }
    })
}

/// The entry that the action or timer of this name has left, if it has.
pub fn left_by<'i>(incident: &'i Incident, action: &str) -> Option<&'i Entry> {
    incident.timeline.iter().rev().find(|entry| entry.action.as_deref() == Some(action))
}

impl Applied {
    /// Gives the change the name of the action or timer that makes it.
    pub fn named(self, action: Option<&str>) -> Self {
        match (self, action) {
            (Applied::Changed(mut incident, mut entry), Some(action)) => {
                entry.action = Some(action.to_owned());
                if let Some(last) = incident.timeline.last_mut() {
                    last.action.clone_from(&entry.action);
                }
                Applied::Changed(incident, entry)
            }
            (other, _) => other,
        }
    }
}

impl SourceKind {
    pub const fn entry(self) -> EntryKind {
        match self {
            SourceKind::Trigger => EntryKind::Triggered,
            SourceKind::RaiseSeverity => EntryKind::SeverityRaised,
            SourceKind::Recover => EntryKind::Recovered,
        }
    }
}

/// An entry that is about to be written down.
pub(super) struct Draft {
    pub(super) kind: EntryKind,
    pub(super) by: NamedActor,
    /// Names the action that makes the change, where that is known already.
    pub(super) action: Option<String>,
    pub(super) detail: Option<Detail>,
    pub(super) told: Audience,
}

impl Draft {
    pub(super) const fn new(kind: EntryKind, by: NamedActor) -> Self {
        Self { kind, by, action: None, detail: None, told: Audience::Everyone }
    }

    pub(super) fn by_timer(kind: EntryKind) -> Self {
        Self::new(kind, NamedActor::timer())
    }

    pub(super) fn by_source(kind: EntryKind) -> Self {
        Self::new(kind, NamedActor::source())
    }

    pub(super) fn detail(self, detail: Detail) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The change, written down as the incident's next entry.
    pub(super) fn write(self, incident: Incident, at: Moment) -> Applied {
        self.write_of(incident, at, None)
    }

    /// The same for a transition of one of its alerts.
    pub(super) fn write_of(self, incident: Incident, at: Moment, alert: Option<(&AlertId, u64)>) -> Applied {
        let (incident, entry) = self.record(incident, at, alert);
        Applied::Changed(incident, entry)
    }

    pub(super) fn record(
        self,
        mut incident: Incident,
        at: Moment,
        alert: Option<(&AlertId, u64)>,
    ) -> (Incident, Entry) {
        incident.n += 1;
        let entry = Entry {
            n: incident.n,
            at,
            kind: self.kind,
            actor: self.by.name,
            by: Some(self.by.actor),
            action: self.action,
            detail: self.detail,
            alert_n: alert.map(|(_, n)| n),
            alert: alert.map(|(alert, _)| alert).filter(|alert| incident.first_alert() != Some(alert)).cloned(),
            told: self.told,
        };
        incident.timeline.push(entry.clone());
        (incident, entry)
    }
}

pub(super) fn close(incident: &mut Incident, now: Moment) {
    incident.progress = Progress::Closed;
    incident.closed_at = Some(now);
    incident.snoozed_until = None;
    incident.held = None;
}

/// Back to triggered, with nobody working on it.
pub(super) fn reset(incident: &mut Incident) {
    incident.progress = Progress::Triggered;
    incident.acknowledged_at = None;
    incident.acknowledged_by.clear();
    incident.closed_at = None;
    incident.snoozed_until = None;
    incident.held = None;
    incident.assignees.clear();
}
