//! What a person does to an incident.
//!
//! The change is one conditional write; a merge is one transaction. What follows from it is announced before
//! ([`dispatch::Dispatch::begin`]), so if the process dies in between, `timers` makes it good. The alerts of a closed incident are
//! due work from the start: there may be 5,000.

use std::time::Duration;

use alerting::base::actor::NamedActor;
use alerting::base::ids::{IncidentId, MemberId, TeamId};
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::apply::{Action, ActionError, Change};
use alerting::incident::timeline::{Entry, EntryKind};
use alerting::incident::{Incident, Reach};
use dispatch::{PendingAction, WRITE_WITHIN};
use lambda_kit::random;
use store::changes::ChangeError;
use tokio::time::timeout;

use crate::app::App;
use crate::error::ApiError;

/// Random base62 characters of an action's name: 71 bits tell the actions of one incident apart.
const NAME: usize = 12;

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
pub(crate) async fn act(app: &App, id: &IncidentId, wish: Wish, actor: &NamedActor) -> Result<Incident, ApiError> {
    act_in(app, id, None, wish, actor).await
}

/// The same for someone who saw the incident in this episode (`None`: whichever), and meant no other.
pub(crate) async fn act_in(
    app: &App,
    id: &IncidentId,
    episode: Option<u32>,
    wish: Wish,
    actor: &NamedActor,
) -> Result<Incident, ApiError> {
    let now = app.clock.now();
    let before = existing(app, id).await?;
    let action = action(app, &before, &wish, now).await?;
    let change = Change::Person { actor: actor.clone(), action, episode };
    let pending = begin(app, vec![id.clone()], now).await?;
    let write = app.store.act_on_incident(id, &change, &pending.name, now);
    match written(timeout(WRITE_WITHIN, write).await.ok())? {
        Written::Changed((incident, entry)) => {
            follow_up(app, pending, &[(incident.clone(), entry)]).await;
            Ok(incident)
        }
        Written::Nothing => {
            // It was done before. What followed from it then is carried out again: an earlier version may not have.
            let incident = existing(app, id).await?;
            let last = incident.timeline.last().filter(|entry| entry.kind == wish.entry());
            let last: Vec<_> = last.map(|entry| (incident.clone(), entry.clone())).into_iter().collect();
            follow_up(app, pending, &last).await;
            Ok(incident)
        }
        Written::Refused(refusal) => {
            pending.done().await;
            Err(ApiError::Refused(refusal))
        }
    }
}

/// Merges `from` into `target`: both change, or neither does.
pub(crate) async fn merge(
    app: &App,
    target: &IncidentId,
    from: &IncidentId,
    actor: &NamedActor,
) -> Result<(), ApiError> {
    let now = app.clock.now();
    let into = existing(app, target).await?;
    let other = existing(app, from).await.map_err(|error| error.within("incidents"))?;
    if into.space != other.space {
        return Err(ApiError::invalid("incidents", format!("{from} is an incident of another space")));
    }
    let pending = begin(app, vec![from.clone(), target.clone()], now).await?;
    let write = app.store.merge_incidents(from, target, actor, &pending.name, now);
    let changed = timeout(WRITE_WITHIN, write).await.ok().map(|done| done.map(|all| (!all.is_empty()).then_some(all)));
    match written(changed)? {
        Written::Changed(changed) => {
            follow_up(app, pending, &changed).await;
            Ok(())
        }
        Written::Nothing => {
            pending.done().await;
            Ok(())
        }
        Written::Refused(refusal) => {
            pending.done().await;
            Err(ApiError::Refused(refusal))
        }
    }
}

async fn begin(app: &App, incidents: Vec<IncidentId>, now: Moment) -> Result<PendingAction<'_>, ApiError> {
    Ok(app.dispatch.begin(incidents, random::base62(NAME), now).await?)
}

/// What became of the write of an action.
enum Written<T> {
    Changed(T),
    Nothing,
    Refused(ActionError),
}

/// An error is an action that may have been written or not: its due work stays, and will find out.
fn written<T>(write: Option<Result<Option<T>, ChangeError>>) -> Result<Written<T>, ApiError> {
    match write {
        Some(Ok(Some(changed))) => Ok(Written::Changed(changed)),
        Some(Ok(None)) => Ok(Written::Nothing),
        Some(Err(ChangeError::Refused(refusal))) => Ok(Written::Refused(refusal)),
        Some(Err(ChangeError::Write(error))) => Err(error.into()),
        None => Err(ApiError::Internal(Box::from("writing an action took too long"))),
    }
}

/// Carries out what follows from the changes. If that fails, the action stands nevertheless, and so does its due work.
async fn follow_up(app: &App, pending: PendingAction<'_>, changes: &[(Incident, Entry)]) {
    for (incident, entry) in changes {
        if let Err(error) = app.dispatch.tell(incident, entry).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, incident.id = %incident.id, "what follows from an action is carried out later");
            return;
        }
    }
    pending.done().await;
}

pub(crate) async fn existing(app: &App, id: &IncidentId) -> Result<Incident, ApiError> {
    app.store.incident(id).await?.ok_or_else(|| ApiError::not_found(format_args!("incident {id}")))
}

/// What to do about people who can't be reached.
const REMEDY: &str = "choose someone else, or add a contact to their preferences";

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

/// The people of a request, each as they want to be reached. Who is named and can't be reached is refused: it would be
/// taken for granted that they know.
async fn people(
    app: &App,
    incident: &Incident,
    members: &[MemberId],
    teams: &[TeamId],
    now: Moment,
) -> Result<Vec<Reach>, ApiError> {
    if members.is_empty() && teams.is_empty() {
        return Err(ApiError::invalid("members", "expected at least one member or team"));
    }
    let severity = incident.severity;
    for (index, id) in members.iter().enumerate() {
        let field = || format!("members[{index}]");
        let Some(member) = app.store.members().get(id).await? else {
            return Err(ApiError::invalid(field(), format!("there is no member {id}")));
        };
        if member.contacts(severity).is_empty() {
            let message = format!("{} has no contact for severity {severity}; {REMEDY}", member.name);
            return Err(ApiError::invalid(field(), message));
        }
    }
    for (index, id) in teams.iter().enumerate() {
        let field = || format!("teams[{index}]");
        let Some(team) = app.store.teams().get(id).await? else {
            return Err(ApiError::invalid(field(), format!("there is no team {id}")));
        };
        if app.store.reach(&[], std::slice::from_ref(id), severity, now).await?.is_empty() {
            let message = format!("nobody in {} has a contact for severity {severity}; {REMEDY}", team.name);
            return Err(ApiError::invalid(field(), message));
        }
    }
    Ok(app.store.reach(members, teams, severity, now).await?)
}
