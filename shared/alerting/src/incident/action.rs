//! The actions of people on an incident.
//!
//! An action depends only on the current state. A repeated request is recognised before, by the name of its action
//! ([`crate::incident::change_result::entry_of_action`]).

use crate::base::actor::NamedActor;
use crate::base::ids::IncidentId;
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::assignment::Assigned;
use crate::incident::change_result::ChangeResult;
use crate::incident::detail::{Detail, Time, Unreached};
use crate::incident::due::{add, add_all, assign_again, start};
use crate::incident::entry_draft::EntryDraft;
use crate::incident::timeline::{Audience, EntryKind};
use crate::incident::{ALERTS, Escalation, Incident, Progress, Reach, raise};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Acknowledge,
    Unacknowledge,
    Snooze {
        until: Moment,
    },
    Close,
    Reopen,
    /// Escalates to this level, counted from zero. `None`: to the next level.
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

/// The reason why a person's action is refused.
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
    /// The text that people read is in the crate `words`.
    #[error("the level reaches nobody")]
    NobodyThere(Unreached),
    #[error("together the incidents have more than {ALERTS} alerts")]
    TooManyAlerts,
}

/// Applies an action like [`act`], if the request was made for this episode of the incident (`None`: for any episode).
pub(super) fn act_in(
    incident: &Incident,
    episode: Option<u32>,
    actor: &NamedActor,
    action: &Action,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Result<ChangeResult, ActionError> {
    if episode.is_some_and(|episode| episode != incident.episode) {
        return Err(ActionError::Reopened);
    }
    act(incident, actor, action, assigned, now)
}

/// Applies a person's action, or returns why it is refused. An action without effect is not an error and changes
/// nothing.
fn act(
    incident: &Incident,
    actor: &NamedActor,
    action: &Action,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Result<ChangeResult, ActionError> {
    if let Some(target) = &incident.merged_into {
        return Err(ActionError::Merged(target.clone()));
    }
    let is_closed = incident.progress == Progress::Closed;
    match action {
        Action::Comment { text } => Ok(draft(EntryKind::Commented, actor)
            .detail(Detail::Comment { text: text.clone() })
            .write(incident.clone(), now)),
        Action::Edit { title, severity } => Ok(edit(incident, actor, title.as_deref(), *severity, assigned, now)),
        Action::Close if is_closed => Ok(ChangeResult::Nothing),
        Action::Close => Ok(close_by_hand(incident, actor, now)),
        Action::Reopen if !is_closed => Err(ActionError::NotClosed),
        Action::Reopen => {
            let mut next = incident.clone();
            next.reset();
            next.episode += 1;
            Ok(assign_again(next, assigned, draft(EntryKind::Reopened, actor), now))
        }
        _ if is_closed => Err(ActionError::Closed),
        Action::Acknowledge => Ok(acknowledge(incident, actor, now)),
        Action::Unacknowledge => unacknowledge(incident, actor, now),
        Action::Snooze { until } => {
            let mut next = incident.clone();
            next.snoozed_until = Some(*until);
            let detail = Detail::SnoozedUntil { until: Time(*until) };
            Ok(draft(EntryKind::Snoozed, actor).detail(detail).write(next, now))
        }
        Action::Escalate { .. } => escalate(incident, actor, assigned, now),
        Action::Reassign { people } => Ok(reassign(incident, actor, people, now)),
        Action::AddResponders { people } => Ok(add_responders(incident, actor, people, now)),
    }
}

fn draft(kind: EntryKind, actor: &NamedActor) -> EntryDraft {
    EntryDraft::new(kind, actor.clone())
}

fn acknowledge(incident: &Incident, actor: &NamedActor, now: Moment) -> ChangeResult {
    if incident.acknowledged_by.iter().any(|id| id == actor.assignee()) {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    next.progress = Progress::Processing;
    next.acknowledged_at.get_or_insert(now);
    add(&mut next.acknowledged_by, actor.assignee());
    add(&mut next.assignees, actor.assignee());
    draft(EntryKind::Acknowledged, actor).write(next, now)
}

/// Removes an acknowledgement. If it was the last one, the incident is triggered again, and the time of its level
/// starts now.
fn unacknowledge(incident: &Incident, actor: &NamedActor, now: Moment) -> Result<ChangeResult, ActionError> {
    if incident.acknowledged_by.is_empty() {
        return Err(ActionError::NotAcknowledged);
    }
    if !incident.acknowledged_by.iter().any(|id| id == actor.assignee()) {
        return Ok(ChangeResult::Nothing); // other people still acknowledge the incident
    }
    let mut next = incident.clone();
    next.acknowledged_by.retain(|id| id != actor.assignee());
    if !is_assigned(&next, actor.assignee()) {
        next.assignees.retain(|id| id != actor.assignee());
    }
    if next.acknowledged_by.is_empty() {
        next.progress = Progress::Triggered;
        next.acknowledged_at = None;
        next.round += 1;
        if let Some(escalation) = next.escalation.as_mut().filter(|escalation| !escalation.is_waiting) {
            (escalation.since, escalation.repeated) = (now, 0);
        }
    }
    Ok(draft(EntryKind::Unacknowledged, actor).write(next, now))
}

fn is_assigned(incident: &Incident, id: &str) -> bool {
    incident.escalation.iter().flat_map(|escalation| &escalation.people).any(|reach| reach.member.as_str() == id)
}

fn close_by_hand(incident: &Incident, actor: &NamedActor, now: Moment) -> ChangeResult {
    let mut next = incident.clone();
    next.close(now);
    next.alerts.iter_mut().for_each(|linked| linked.is_open = false);
    draft(EntryKind::Closed, actor).write(next, now)
}

fn escalate(
    incident: &Incident,
    actor: &NamedActor,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Result<ChangeResult, ActionError> {
    match assigned {
        None => Err(ActionError::NoRule),
        Some(Assigned::Nobody(reason)) => Err(ActionError::NobodyThere(reason.clone())),
        Some(assigned @ (Assigned::Space(_) | Assigned::Level(_))) => {
            let mut next = incident.clone();
            (next.snoozed_until, next.held) = (None, None);
            // A person who escalates wants the level to be notified now, without its delay.
            let draft = start(&mut next, assigned, true, draft(EntryKind::Escalated, actor), now);
            Ok(draft.write(next, now))
        }
    }
}

/// Assigns the incident to other people, which ends its escalation rule.
fn reassign(incident: &Incident, actor: &NamedActor, people: &[Reach], now: Moment) -> ChangeResult {
    let mut next = incident.clone();
    next.reset();
    next.round += 1;
    let escalation = by_hand(people, now);
    let audience = escalation.audience();
    next.assignees = people.iter().map(|reach| reach.member.to_string()).collect();
    add_all(&mut next.destinations, &audience);
    next.escalation = Some(escalation);
    EntryDraft { audience: Audience::Only(audience), ..draft(EntryKind::Reassigned, actor) }.write(next, now)
}

/// Assigns additional people. The escalation continues.
fn add_responders(incident: &Incident, actor: &NamedActor, people: &[Reach], now: Moment) -> ChangeResult {
    let new: Vec<Reach> = people
        .iter()
        .filter(|reach| !incident.assignees.iter().any(|id| *id == reach.member.as_str()))
        .cloned()
        .collect();
    if new.is_empty() {
        return ChangeResult::Nothing;
    }
    let new: Vec<Reach> = new.into_iter().map(|reach| Reach { added: true, ..reach }).collect();
    let mut next = incident.clone();
    let audience = by_hand(&new, now).audience();
    new.iter().for_each(|reach| add(&mut next.assignees, reach.member.as_str()));
    add_all(&mut next.destinations, &audience);
    match &mut next.escalation {
        Some(escalation) => escalation.people.extend(new),
        None => next.escalation = Some(by_hand(&new, now)),
    }
    EntryDraft { audience: Audience::Only(audience), ..draft(EntryKind::ResponderAdded, actor) }.write(next, now)
}

fn by_hand(people: &[Reach], now: Moment) -> Escalation {
    Escalation {
        rule: None,
        rule_name: String::new(),
        level: 0,
        is_waiting: false,
        since: now,
        repeated: 0,
        repeat: None,
        next: None,
        people: people.to_vec(),
        groups: Vec::new(),
        failed_groups: Vec::new(),
    }
}

/// Whether a person's change makes an open incident more severe.
pub(super) fn raises(incident: &Incident, severity: Option<Severity>) -> bool {
    incident.progress != Progress::Closed && severity.is_some_and(|severity| severity > incident.severity)
}

/// Sets title and severity, which alerts do not change afterwards. A higher severity notifies like every other rise.
fn edit(
    incident: &Incident,
    actor: &NamedActor,
    title: Option<&str>,
    severity: Option<Severity>,
    assigned: Option<&Assigned>,
    now: Moment,
) -> ChangeResult {
    let mut next = incident.clone();
    let (mut title_was, mut severity_was) = (None, None);
    if let Some(title) = title {
        if title != next.title {
            title_was = Some(next.title.clone());
        }
        (next.title, next.fixed.title) = (title.to_owned(), true);
    }
    if let Some(severity) = severity {
        if severity != next.severity {
            severity_was = Some(next.severity);
        }
        (next.severity, next.fixed.severity) = (severity, true);
    }
    if next == *incident {
        return ChangeResult::Nothing;
    }
    let detail = Detail::Edited { title_was, severity_was };
    if raises(incident, severity) {
        let draft = draft(EntryKind::SeverityRaised, actor).detail(detail);
        return raise::assign(&mut next, assigned, draft, now).write(next, now);
    }
    draft(EntryKind::Edited, actor).detail(detail).write(next, now)
}
