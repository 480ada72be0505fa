//! What a person does to an incident, and what follows from it.
//!
//! The change itself is one conditional write. Its notices, timers and its SNS change follow it, and a close goes on to
//! the incident's alerts and from those to their incidents in other spaces. If any of that fails, the person is told so
//! and presses again: the same action finds itself done, and carries out again what follows, under the same names.

use std::time::Duration;

use alerting::alert::{Alert, Status};
use alerting::change::{ChangeEvent, ChangeKind};
use alerting::ids::{AlertId, IncidentId, MemberId, TeamId};
use alerting::incident::apply::{Action, ActionError, Actor, Change};
use alerting::incident::{ALERTS, Incident, Reach};
use alerting::moment::Moment;
use alerting::severity::Severity;
use alerting::timeline::{Entry, EntryKind};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use store::changes::ChangeError;

use crate::App;
use crate::error::ApiError;

/// Alerts of an incident that are closed at the same time: 5,000 one after the other would outlast the request.
const CLOSED_AT_A_TIME: usize = 32;

/// What a person asks for; the snooze's end is counted from now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    Acknowledge,
    Unacknowledge,
    Snooze(Duration),
    Close,
    Reopen,
    Escalate { level: Option<u32> },
    Reassign { members: Vec<MemberId>, teams: Vec<TeamId> },
    AddResponders { members: Vec<MemberId>, teams: Vec<TeamId> },
    Comment { text: String },
    Edit { title: Option<String>, severity: Option<Severity> },
}

impl Wish {
    fn entry(&self) -> EntryKind {
        match self {
            Wish::Acknowledge => EntryKind::Acknowledged,
            Wish::Unacknowledge => EntryKind::Unacknowledged,
            Wish::Snooze(_) => EntryKind::Snoozed,
            Wish::Close => EntryKind::Closed,
            Wish::Reopen => EntryKind::Reopened,
            Wish::Escalate { .. } => EntryKind::Escalated,
            Wish::Reassign { .. } => EntryKind::Reassigned,
            Wish::AddResponders { .. } => EntryKind::ResponderAdded,
            Wish::Comment { .. } => EntryKind::Commented,
            Wish::Edit { .. } => EntryKind::Edited,
        }
    }
}

/// Carries out the wish; the incident as it then is.
pub(crate) async fn act(app: &App, id: &IncidentId, wish: Wish, actor: &Actor) -> Result<Incident, ApiError> {
    act_in(app, id, None, wish, actor).await
}

/// The same for someone who saw the incident in this episode (`None`: whichever), and meant no other.
pub(crate) async fn act_in(
    app: &App,
    id: &IncidentId,
    episode: Option<u32>,
    wish: Wish,
    actor: &Actor,
) -> Result<Incident, ApiError> {
    let now = app.clock.now();
    let before = existing(app, id).await?;
    let action = action(app, &before, &wish, now).await?;
    let change = Change::Person { actor: actor.clone(), action, episode };
    let incident = match self::change(app, id, change, now).await? {
        Some((incident, entry)) => {
            app.dispatch.tell(&incident, &entry).await?;
            incident
        }
        None => {
            // It was done before, perhaps by a request that failed on the way: what follows is carried out again.
            let incident = existing(app, id).await?;
            if let Some(entry) = incident.timeline.last().filter(|entry| entry.kind == wish.entry()) {
                app.dispatch.tell(&incident, entry).await?;
            }
            incident
        }
    };
    if wish == Wish::Close {
        let close = |place: usize| close_linked(app, &incident.alerts[place].alert, &incident, actor, now);
        let closing = stream::iter(0..incident.alerts.len()).map(close);
        closing.buffer_unordered(CLOSED_AT_A_TIME).try_collect::<()>().await?;
    }
    Ok(incident)
}

/// Merges `from` into `target`: first it closes there, so that no change of its alerts is lost between the two, then its
/// alerts come here.
pub(crate) async fn merge(app: &App, target: &IncidentId, from: &IncidentId, actor: &Actor) -> Result<(), ApiError> {
    let now = app.clock.now();
    let into = existing(app, target).await?;
    let other = existing(app, from).await.map_err(|error| error.within("incidents"))?;
    if into.space != other.space {
        return Err(ApiError::invalid("incidents", format!("{from} is an incident of another space")));
    }
    let merged_before = other.merged_into.as_ref() == Some(target);
    if let Some(other) = into.merged_into.clone().filter(|_| !merged_before) {
        return Err(ApiError::conflict(ActionError::Merged(other).to_string()));
    }
    if into.progress == alerting::incident::Progress::Closed && !merged_before {
        return Err(ApiError::conflict("the incident is closed; reopen it first"));
    }
    if into.alerts.len() + other.alerts.len() > ALERTS && !merged_before {
        return Err(ApiError::conflict(format!("together the incidents have more than {ALERTS} alerts")));
    }
    let person = |action| Change::Person { actor: actor.clone(), action, episode: None };
    let leave = Action::MergeInto { target: target.clone(), num: into.num.clone() };
    if let Some((incident, entry)) = change(app, from, person(leave), now).await? {
        app.dispatch.tell(&incident, &entry).await?;
    }
    let other = existing(app, from).await?;
    let absorb = Action::Absorb { from: from.clone(), num: other.num, alerts: other.alerts, severity: other.severity };
    if let Some((incident, entry)) = change(app, target, person(absorb), now).await? {
        app.dispatch.tell(&incident, &entry).await?;
    }
    Ok(())
}

pub(crate) async fn existing(app: &App, id: &IncidentId) -> Result<Incident, ApiError> {
    app.store.incident(id).await?.ok_or_else(|| ApiError::not_found(format_args!("incident {id}")))
}

async fn action(app: &App, incident: &Incident, wish: &Wish, now: Moment) -> Result<Action, ApiError> {
    Ok(match wish.clone() {
        Wish::Acknowledge => Action::Acknowledge,
        Wish::Unacknowledge => Action::Unacknowledge,
        Wish::Snooze(length) => Action::Snooze { until: now + length },
        Wish::Close => Action::Close,
        Wish::Reopen => Action::Reopen,
        Wish::Escalate { level } => Action::Escalate { level },
        Wish::Reassign { members, teams } => {
            Action::Reassign { people: people(app, incident, &members, &teams, now).await? }
        }
        Wish::AddResponders { members, teams } => {
            Action::AddResponders { people: people(app, incident, &members, &teams, now).await? }
        }
        Wish::Comment { text } => Action::Comment { text },
        Wish::Edit { title, severity } => Action::Edit { title, severity },
    })
}

/// The people of a request, each as they want to be reached. Someone who cannot be reached at all may still be assigned.
async fn people(
    app: &App,
    incident: &Incident,
    members: &[MemberId],
    teams: &[TeamId],
    now: Moment,
) -> Result<Vec<Reach>, ApiError> {
    for (index, id) in members.iter().enumerate() {
        if app.store.members().get(id).await?.is_none() {
            return Err(ApiError::invalid(format!("members[{index}]"), format!("there is no member {id}")));
        }
    }
    for (index, id) in teams.iter().enumerate() {
        if app.store.teams().get(id).await?.is_none() {
            return Err(ApiError::invalid(format!("teams[{index}]"), format!("there is no team {id}")));
        }
    }
    let people = app.store.reach(members, teams, incident.severity, now).await?;
    if people.is_empty() {
        return Err(ApiError::invalid("members", "expected at least one member or team with someone in it"));
    }
    Ok(people)
}

async fn change(
    app: &App,
    id: &IncidentId,
    change: Change,
    now: Moment,
) -> Result<Option<(Incident, Entry)>, ApiError> {
    match app.store.act_on_incident(id, &change, now).await {
        Ok(changed) => Ok(changed),
        Err(ChangeError::Refused(refusal)) => Err(ApiError::conflict(refusal.to_string())),
        Err(error @ ChangeError::Write(_)) => Err(error.into()),
    }
}

async fn close_linked(
    app: &App,
    id: &AlertId,
    closed_with: &Incident,
    actor: &Actor,
    now: Moment,
) -> Result<(), ApiError> {
    match app.store.alert(id).await? {
        Some(alert) => close_alert(app, &alert, closed_with, actor, now).await,
        None => Ok(()),
    }
}

/// Closes an alert of a closed incident, and its incidents in other spaces: nothing would ever recover them.
async fn close_alert(
    app: &App,
    alert: &Alert,
    closed_with: &Incident,
    actor: &Actor,
    now: Moment,
) -> Result<(), ApiError> {
    if alert.status == Status::Open
        && let Some(closed) = app.store.close_alert(alert, app.stamps.next(now), now).await?
    {
        app.store.add_open(&closed.integration, -1).await?;
        let event = ChangeEvent::of_alert(ChangeKind::AlertClosed, &closed, &closed.shown.to_string(), now);
        app.dispatch.publish(&event).await?;
    }
    for space in alert.spaces.iter().filter(|space| **space != closed_with.space) {
        let id = IncidentId::of(space, alert.opened_by);
        let close = Change::AlertClosed { alert: alert.id.clone(), by: Some(actor.clone()) };
        if let Some((incident, entry)) = change(app, &id, close, now).await? {
            app.dispatch.tell(&incident, &entry).await?;
        }
    }
    Ok(())
}
