//! Decides what a change does to an incident.

use crate::base::actor::NamedActor;
use crate::base::ids::{AlertId, DestinationId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::action::{self, Action, ActionError};
use crate::incident::assignment::{Assigned, AssignmentQuery};
use crate::incident::change_result::ChangeResult;
use crate::incident::source::{self, SourceChange, SourceKind};
use crate::incident::{Hold, Incident, Progress, due, raise};

/// A change that may apply to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A transition of an alert, committed by evaluate.
    Source(SourceChange),
    /// One of the alerts was closed: after its integration's `auto_close_hours`, or with another incident of the alert.
    AlertClosed { alert: AlertId, by: NamedActor },
    /// An action of a person.
    Person {
        actor: NamedActor,
        action: Action,
        /// The episode that the person saw. `None`: any episode.
        episode: Option<u32>,
    },
    /// The auto-close time of the incident's space is over.
    AutoClose,
    /// The snooze that lasts until this moment ended.
    SnoozeEnd { until: Moment },
    /// The silences were checked again. `None`: no silence holds the incident.
    HoldReviewed { hold: Option<Hold> },
    /// A level of the escalation rule is due.
    Escalate { round: u32, level: u32 },
    /// A repetition of the current level is due.
    Repeat { round: u32, time: u32 },
    /// One or more people could not be notified at this destination. `name`: their names.
    ContactFailed { destination: DestinationId, name: String, reason: String },
}

/// Returns which assignment [`apply`] needs for this change, if any.
pub fn assignment_query(current: Option<&Incident>, change: &Change) -> Option<AssignmentQuery> {
    match (current, change) {
        (None, Change::Source(source)) => {
            (source.kind != SourceKind::Recover && source.hold.is_none()).then_some(AssignmentQuery::Rule)
        }
        (None, _) => None,
        (Some(incident), Change::Source(source)) => {
            source::rises(incident, source).then(|| raise::assignment_query(incident))?
        }
        (Some(incident), Change::SnoozeEnd { until }) => {
            (due::ends_snooze(incident, *until) && incident.held.is_none()).then_some(AssignmentQuery::Rule)
        }
        (Some(incident), Change::HoldReviewed { hold: None }) => {
            due::is_held(incident).then_some(AssignmentQuery::Rule)
        }
        (Some(incident), Change::Escalate { round, level }) => {
            let rule = due::escalates(incident, *round, *level)?.rule.clone()?;
            Some(AssignmentQuery::Level { rule, level: *level })
        }
        (Some(incident), Change::Repeat { round, time }) => {
            let escalation = due::repeats(incident, *round, *time)?;
            Some(AssignmentQuery::Level { rule: escalation.rule.clone()?, level: escalation.level })
        }
        (Some(incident), Change::Person { action: Action::Edit { severity, .. }, .. }) => {
            action::raises(incident, *severity).then(|| raise::assignment_query(incident))?
        }
        (Some(incident), Change::Person { action: Action::Reopen, .. }) => {
            (incident.progress == Progress::Closed).then_some(AssignmentQuery::Rule)
        }
        (Some(incident), Change::Person { action: Action::Escalate { level }, .. }) => {
            let escalation = incident.escalation.as_ref()?;
            let next = if escalation.is_waiting { escalation.level } else { escalation.level + 1 };
            Some(AssignmentQuery::Level { rule: escalation.rule.clone()?, level: level.unwrap_or(next) })
        }
        (Some(_), _) => None,
    }
}

impl Change {
    /// The severity that the change sets, if it sets one.
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Change::Source(source) => Some(source.severity),
            Change::Person { action: Action::Edit { severity, .. }, .. } => *severity,
            _ => None,
        }
    }
}

/// Applies a change to the current incident (`None`: there is none yet). `assigned` is the answer to
/// [`assignment_query`].
pub fn apply(
    current: Option<&Incident>,
    change: &Change,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Result<ChangeResult, ActionError> {
    let Some(incident) = current else {
        return Ok(match change {
            Change::Source(source) => source::create(source, assigned, now),
            _ => ChangeResult::Nothing,
        });
    };
    Ok(match change {
        Change::Source(source) => source::follow(incident, source, assigned, now),
        Change::AlertClosed { alert, by } => source::close_alert(incident, alert, by, now),
        Change::Person { actor, action, episode } => {
            return action::act_in(incident, *episode, actor, action, assigned, now);
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
