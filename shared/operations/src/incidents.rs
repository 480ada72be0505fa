//! Actions on an incident: acknowledge, take back, snooze, close, reopen, escalate, reassign, add responders, comment,
//! edit, merge.
//!
//! An action is one conditional write; a merge is one transaction. Its follow-up is announced before
//! ([`Dispatch::begin`]), so if the process dies in between, `timers` carries it out. The alerts of a closed incident
//! are due work from the start ([`crate::closing`]).
//!
//! In: an [`ActionRequest`]. Out: the incident as it then is. Example: `Close` by a member → the incident with progress
//! `closed`; notices and the closing of its alerts are queued.
//!
//! A request whose answer was lost is repeated with the same key and takes effect once ([`crate::idempotency`]). A
//! request for a state that the incident already has returns the incident, and nothing changes.

pub mod error;
pub mod levels;
mod people;
pub mod requested;

use alerting::base::actor::NamedActor;
use alerting::base::field_error::FieldError;
use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::action::{Action, ActionError};
use alerting::incident::apply::Change;
use alerting::incident::change_result::entry_of_action;
use alerting::incident::timeline::Entry;
use dispatch::{Dispatch, PendingAction, WRITE_WITHIN};
use store::Store;
use store::changes::ChangeError;
use tokio::time::timeout;

use crate::idempotency::{IdempotencyKey, action_name};
use crate::incidents::error::ActError;
use crate::incidents::requested::RequestedAction;

/// One request to act on an incident.
#[derive(Debug, Clone)]
pub struct ActionRequest {
    pub incident: IncidentId,
    /// The episode that the person saw; `None`: any. An incident that was reopened since is not changed.
    pub episode: Option<u32>,
    pub action: RequestedAction,
    pub actor: NamedActor,
    /// The key by which the same request is recognised when it is repeated.
    pub key: Option<IdempotencyKey>,
}

pub async fn existing(store: &Store, id: &IncidentId) -> Result<Incident, ActError> {
    store.incident(id).await?.ok_or_else(|| ActError::NoIncident(id.clone()))
}

/// Carries out the action. Returns the incident as it then is.
pub async fn act(dispatch: &Dispatch, request: &ActionRequest) -> Result<Incident, ActError> {
    let now = dispatch.clock.now();
    let ActionRequest { incident: id, episode, action, actor, key } = request;
    let before = existing(&dispatch.store, id).await?;
    let name = action_name(key.as_ref(), &actor.actor, &(id, action));
    if let Some(entry) = entry_of_action(&before, &name) {
        // The action was carried out before, perhaps by a process that died since. The due work of the first request
        // stays as it is.
        carry_out(dispatch, &before, entry).await;
        return Ok(before);
    }
    let change = Change::Person {
        actor: actor.clone(),
        action: resolved(&dispatch.store, &before, action, now).await?,
        episode: *episode,
    };
    let pending = dispatch.begin(vec![id.clone()], name, now).await?;
    let write = dispatch.store.act_on_incident(id, &change, &pending.name, now);
    match written(timeout(WRITE_WITHIN, write).await.ok())? {
        Written::Changed((incident, entry)) => {
            follow_up(dispatch, pending, &[(incident.clone(), entry)]).await;
            Ok(incident)
        }
        Written::Nothing => {
            // The merge was done before. Its follow-up is carried out again, because an earlier version may not have
            // done so.
            let incident = existing(&dispatch.store, id).await?;
            let last = incident.timeline.last().filter(|entry| entry.kind == action.entry());
            let last: Vec<_> = last.map(|entry| (incident.clone(), entry.clone())).into_iter().collect();
            follow_up(dispatch, pending, &last).await;
            Ok(incident)
        }
        Written::Refused(refusal) => {
            pending.done().await;
            Err(ActError::Refused(refusal))
        }
    }
}

/// A request to merge incidents into another one of the same space.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    pub target: IncidentId,
    /// The incidents that close; their alerts move to the target.
    pub sources: Vec<IncidentId>,
    pub actor: NamedActor,
    pub key: Option<IdempotencyKey>,
}

/// The most incidents that one request merges.
const MERGED_AT_A_TIME: usize = 50;

/// Merges the incidents one after the other. Returns the target as it then is. In each merge, both incidents change or
/// neither does.
pub async fn merge(dispatch: &Dispatch, request: &MergeRequest) -> Result<Incident, ActError> {
    let MergeRequest { target, sources, .. } = request;
    if !(1..=MERGED_AT_A_TIME).contains(&sources.len()) {
        return Err(FieldError::new("incidents", format!("expected 1 to {MERGED_AT_A_TIME} incidents")).into());
    }
    let into = existing(&dispatch.store, target).await?;
    for (index, source) in sources.iter().enumerate() {
        let invalid = |message: String| ActError::Invalid(FieldError::new(format!("incidents[{index}]"), message));
        if source == target {
            return Err(invalid("an incident cannot be merged into itself".to_owned()));
        }
        let Some(from) = dispatch.store.incident(source).await? else {
            return Err(invalid(format!("there is no incident {source}")));
        };
        if from.space != into.space {
            let message = format!("{source} is an incident of another space");
            return Err(FieldError::new("incidents", message).into());
        }
        merge_one(dispatch, request, source).await?;
    }
    existing(&dispatch.store, target).await
}

async fn merge_one(dispatch: &Dispatch, request: &MergeRequest, source: &IncidentId) -> Result<(), ActError> {
    let now = dispatch.clock.now();
    let MergeRequest { target, actor, key, .. } = request;
    let name = action_name(key.as_ref(), &actor.actor, &("merge", source, target));
    let pending = dispatch.begin(vec![source.clone(), target.clone()], name, now).await?;
    let write = dispatch.store.merge_incidents(source, target, actor, &pending.name, now);
    let changed = timeout(WRITE_WITHIN, write).await.ok().map(|done| done.map(|all| (!all.is_empty()).then_some(all)));
    match written(changed)? {
        Written::Changed(changed) => {
            follow_up(dispatch, pending, &changed).await;
            Ok(())
        }
        Written::Nothing => {
            pending.done().await;
            Ok(())
        }
        Written::Refused(refusal) => {
            pending.done().await;
            Err(ActError::Refused(refusal))
        }
    }
}

/// The result of the write of an action.
enum Written<T> {
    Changed(T),
    Nothing,
    Refused(ActionError),
}

/// After an error the action may have been written or not. Its due work stays, and finds out.
fn written<T>(write: Option<Result<Option<T>, ChangeError>>) -> Result<Written<T>, ActError> {
    match write {
        Some(Ok(Some(changed))) => Ok(Written::Changed(changed)),
        Some(Ok(None)) => Ok(Written::Nothing),
        Some(Err(ChangeError::Refused(refusal))) => Ok(Written::Refused(refusal)),
        Some(Err(ChangeError::Write(error))) => Err(error.into()),
        None => Err(ActError::TimedOut),
    }
}

/// Carries out the follow-up of the changes. If that fails, the action stays written, and so does its due work.
async fn follow_up(dispatch: &Dispatch, pending: PendingAction<'_>, changes: &[(Incident, Entry)]) {
    for (incident, entry) in changes {
        if !carry_out(dispatch, incident, entry).await {
            return;
        }
    }
    pending.done().await;
}

/// Carries out the follow-up of one change. Returns whether all of it was carried out.
async fn carry_out(dispatch: &Dispatch, incident: &Incident, entry: &Entry) -> bool {
    let result = dispatch.carry_out(incident, entry).await;
    if let Err(error) = &result {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, incident.id = %incident.id, "what follows from an action is carried out later");
    }
    result.is_ok()
}

/// The action with the data that it needs from the tables.
async fn resolved(
    store: &Store,
    incident: &Incident,
    action: &RequestedAction,
    now: Moment,
) -> Result<Action, ActError> {
    Ok(match action.clone() {
        RequestedAction::Acknowledge => Action::Acknowledge,
        RequestedAction::Unacknowledge => Action::Unacknowledge,
        RequestedAction::Snooze(length) => Action::Snooze { until: now + length },
        RequestedAction::Close => Action::Close,
        RequestedAction::Reopen => Action::Reopen,
        RequestedAction::Escalate { level } => {
            levels::check(store, incident, level).await?;
            Action::Escalate { level }
        }
        RequestedAction::Reassign { members, teams } => {
            Action::Reassign { people: people::reached(store, incident, &members, &teams, now).await? }
        }
        RequestedAction::AddResponders { members, teams } => {
            Action::AddResponders { people: people::reached(store, incident, &members, &teams, now).await? }
        }
        RequestedAction::Comment { text } => Action::Comment { text },
        RequestedAction::Edit { title, severity } => Action::Edit { title, severity },
    })
}
