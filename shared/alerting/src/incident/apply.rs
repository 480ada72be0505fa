//! What a change does to an incident.

use crate::base::actor::NamedActor;
use crate::base::ids::{AlertId, DestinationId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::action::{self, Action, ActionError};
use crate::incident::assignment::{Assigned, AssignmentQuery};
use crate::incident::change_result::ChangeResult;
use crate::incident::source::{self, SourceChange, SourceKind};
use crate::incident::{Hold, Incident, Progress, due, raise};

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
        /// The episode that the person saw. `None`: any.
        episode: Option<u32>,
    },
    /// The auto-close time of its space is over.
    AutoClose,
    /// The snooze that ends at this moment ran out.
    SnoozeEnd { until: Moment },
    /// Silences were checked again. `None`: none holds the incident.
    HoldReviewed { hold: Option<Hold> },
    /// A level of its escalation rule is due.
    Escalate { round: u32, level: u32 },
    /// The current level is due to be notified again.
    Repeat { round: u32, time: u32 },
    /// One person or several could not be notified at this destination. `name`: theirs.
    ContactFailed { destination: DestinationId, name: String, reason: String },
}

/// The assignment that [`apply`] needs for this change.
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
    /// The severity that the change brings.
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Change::Source(source) => Some(source.severity),
            Change::Person { action: Action::Edit { severity, .. }, .. } => *severity,
            _ => None,
        }
    }
}

/// Applies a change to an incident as it stands (`None`: there is none yet). `assigned` is the answer to
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
