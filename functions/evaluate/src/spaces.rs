//! Applies a change of an alert to the incident of each of its spaces.
//!
//! The settings of the space decide about a trigger first: a silence may drop it, a flapping alert may be muted, a group may have
//! an open incident that the alert joins. The decision is written at the alert's place in the space before anything follows from
//! it. A copy of the message, and every later change of the alert, finds that decision.

use std::time::Duration;

use alerting::base::ids::{IncidentId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::Hold;
use alerting::incident::alert::{Alert, Transition};
use alerting::incident::apply::Change;
use alerting::incident::grouping::{flaps, group_key};
use alerting::incident::silence::SilenceAction;
use alerting::incident::source::{SourceChange, SourceKind};
use alerting::incident::space::{FlappingMode, Grouping, Space};
use store::Store;
use store::changes::Outcome;
use store::groups::Mute;
use store::incidents::Place;
use store::keys::alert_key_hash;

use crate::app::App;
use crate::batch::MessageResult;
use crate::error::EvaluateError;
use crate::join_queue::JoinRequest;

/// How often an alert looks for an incident to join, if the one it found closes or fills up meanwhile.
const ROUNDS: usize = 8;

/// One transition of an alert.
pub(crate) struct Step<'a> {
    /// The alert as the notice shows it, with the texts of the trigger.
    pub(crate) alert: &'a Alert,
    /// The transition's number.
    pub(crate) n: u64,
    pub(crate) kind: SourceKind,
    /// The last transitions of its key, including this one; empty for an alert without a key.
    pub(crate) ring: &'a [Transition],
}

/// Applies the transition in all spaces of the alert, and adds what follows to `result`.
///
/// Futures that hold incidents by value are boxed: one future of all of them would not fit a thread's stack in a debug build.
pub(crate) async fn apply(app: &App, step: &Step<'_>, result: &mut MessageResult) -> Result<(), EvaluateError> {
    let now = app.clock.now();
    for space_id in &step.alert.spaces {
        let Some(space) = app.store.cached_space(space_id, now).await? else {
            tracing::warn!(space.id = %space_id, alert.id = %step.alert.id, "the space of an alert does not exist any more");
            continue;
        };
        result.spaces.insert(space.id.clone(), space.version);
        let outcome = match step.kind {
            SourceKind::Trigger => Box::pin(trigger(app, step, &space, result, now)).await?,
            SourceKind::RaiseSeverity | SourceKind::Recover => Box::pin(change(app, step, &space, result, now)).await?,
        };
        if let Outcome::Changed(incident, entry) = outcome {
            result.add(app.dispatch.follow_up(&incident, &entry, Some(step.alert)).await?);
        }
    }
    Ok(())
}

async fn trigger(
    app: &App,
    step: &Step<'_>,
    space: &Space,
    result: &mut MessageResult,
    now: Moment,
) -> Result<Outcome, EvaluateError> {
    let own = IncidentId::of(&space.id, step.alert.opened_by);
    // The time of the message is used, so that a redelivery after the end of the silence decides the same.
    let at = step.alert.opened_by.received_at();
    let silence = app.store.silence_of(space, step.alert, at);
    if let Some(silence) = silence.filter(|silence| silence.then == SilenceAction::Drop) {
        let note = Place::Dropped(silence.id.clone());
        if app.store.note_place(&own, &note, None, now).await? == note {
            result.reason = Some(format!("silenced:{}", silence.id));
            return Ok(Outcome::Nothing);
        }
    }
    let held = silence.map(|silence| silence.hold(at));
    let (is_flapping, muted) = flapping(app, step, space).await?;
    let source = SourceChange { hold: held.or(muted), flapping: is_flapping, ..source(step, &space.id, own) };
    let key = |grouping| Some((grouping, group_key(grouping, step.alert, source.hold.as_ref())?));
    let grouped = space.grouping.as_ref().and_then(key);
    match grouped {
        Some((grouping, hash)) => Box::pin(join_or_make(app, step, source, grouping, &hash, now)).await,
        None => {
            let id = source.incident.clone();
            Ok(app.store.change_by_source(&id, &Change::Source(source), Some(step.alert), now).await?)
        }
    }
}

/// Applies a later change of an alert to its own incident, or to the one that it joined.
async fn change(
    app: &App,
    step: &Step<'_>,
    space: &Space,
    result: &mut MessageResult,
    now: Moment,
) -> Result<Outcome, EvaluateError> {
    let own = IncidentId::of(&space.id, step.alert.opened_by);
    let source = source(step, &space.id, own.clone());
    if space.grouping.is_some() {
        match app.store.place(&own).await? {
            Some(Place::Joined(joined)) => {
                let request = JoinRequest { change: source, alert: step.alert.clone(), grouping: None };
                return app.join_queues.submit(&app.store, &joined, request, now).await;
            }
            // A raised severity that arrives before its trigger joins the alert to its group.
            None if step.kind == SourceKind::RaiseSeverity => {
                return Box::pin(trigger(app, step, space, result, now)).await;
            }
            Some(Place::Incident(_) | Place::Dropped(_)) | None => {}
        }
    }
    Ok(app.store.change_by_source(&own, &Change::Source(source), Some(step.alert), now).await?)
}

fn source(step: &Step<'_>, space: &SpaceId, incident: IncidentId) -> SourceChange {
    SourceChange {
        incident,
        alert: step.alert.id.clone(),
        opened_by: step.alert.opened_by,
        space: space.clone(),
        alert_n: step.n,
        kind: step.kind,
        title: step.alert.title.clone(),
        severity: step.alert.severity,
        hold: None,
        flapping: false,
        storm_thresholds: Vec::new(),
    }
}

/// Joins the open incident of the group, or makes the incident that the next alerts join.
async fn join_or_make(
    app: &App,
    step: &Step<'_>,
    source: SourceChange,
    grouping: &Grouping,
    hash: &str,
    now: Moment,
) -> Result<Outcome, EvaluateError> {
    let (store, own, space) = (&app.store, source.incident.clone(), source.space.clone());
    let source = SourceChange { storm_thresholds: grouping.storm_thresholds.clone(), ..source };
    // `noted`: the incident that the alert's place names. `refused`: the incident that refused the alert.
    let (mut noted, mut refused): (Option<IncidentId>, Option<IncidentId>) = (None, None);
    for _ in 0..ROUNDS {
        let lead = leader(store, &space, hash, &own, refused.as_ref(), now).await?;
        if lead == own {
            if noted.is_none() {
                noted = noted_before(store, &own).await?;
            }
            return Ok(match &noted {
                Some(joined) => store.make_instead(&source, joined, step.alert, now).await?,
                None => store.change_by_source(&own, &Change::Source(source), Some(step.alert), now).await?,
            });
        }
        let note = Place::Joined(lead);
        let Place::Joined(joined) = store.note_place(&own, &note, noted.as_ref(), now).await? else {
            // An earlier copy of the message created this alert's own incident.
            return Ok(store.change_by_source(&own, &Change::Source(source), Some(step.alert), now).await?);
        };
        let change = SourceChange { incident: joined.clone(), ..source.clone() };
        let request = JoinRequest { change, alert: step.alert.clone(), grouping: Some(grouping.clone()) };
        match app.join_queues.submit(store, &joined, request, now).await? {
            Outcome::CannotJoin => (noted, refused) = (Some(joined.clone()), Some(joined)),
            done => return Ok(done),
        }
    }
    Err(EvaluateError::Contended)
}

/// The incident that the next alerts of the group join: the alert's `own`, unless there is another one that is not
/// `refused`.
async fn leader(
    store: &Store,
    space: &SpaceId,
    hash: &str,
    own: &IncidentId,
    refused: Option<&IncidentId>,
    now: Moment,
) -> Result<IncidentId, EvaluateError> {
    let before = store.group(space, hash).await?;
    match &before {
        Some(group) if Some(&group.incident) != refused || group.incident == *own => Ok(group.incident.clone()),
        _ => Ok(store.lead_group(space, hash, own, before.as_ref(), now).await?.incident),
    }
}

/// The incident that refused an earlier copy of the message, if the process died before it created the alert's own
/// incident.
async fn noted_before(store: &Store, own: &IncidentId) -> Result<Option<IncidentId>, EvaluateError> {
    Ok(match store.place(own).await? {
        Some(Place::Joined(joined)) => Some(joined),
        Some(Place::Incident(_) | Place::Dropped(_)) | None => None,
    })
}

/// Whether the alert flaps, and the mute that keeps it from notifying anyone.
async fn flapping(app: &App, step: &Step<'_>, space: &Space) -> Result<(bool, Option<Hold>), EvaluateError> {
    let stamp = step.alert.opened_by;
    let flaps = flaps(&space.flapping, step.ring, stamp);
    let Some(key) = step.alert.alert_key.as_ref().filter(|_| space.flapping.mode == FlappingMode::Mute) else {
        return Ok((flaps, None));
    };
    let (store, integration, hash) = (&app.store, &step.alert.integration, alert_key_hash(key));
    let at = stamp.received_at();
    match store.mute(&space.id, integration, &hash).await? {
        Some(mute) if at < mute.until && mute.begun_by != stamp => {
            let hold = Hold { until: Some(mute.until), by: Hold::FLAPPING.to_owned() };
            return Ok((true, Some(hold)));
        }
        _ if flaps => {
            let until = at + Duration::from_secs(u64::from(space.flapping.mute_minutes) * 60);
            store.set_mute(&space.id, integration, &hash, Mute { until, begun_by: stamp }).await?;
        }
        _ => {}
    }
    Ok((flaps, None))
}
