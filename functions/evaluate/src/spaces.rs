//! Brings a change of an alert to the incident of each of its spaces.
//!
//! A trigger asks the space first: a silence may take it, a flapping alert may be muted, a group may have an open
//! incident that it joins. What was decided is written at the alert's place in the space before anything follows from
//! it, so a copy of the message, and every later change of the alert, finds the same.

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
use crate::batch::Settled;
use crate::error::EvaluateError;
use crate::joining::Wish;

/// How often an alert looks for an incident to join while others close or fill up under its hands.
const ROUNDS: usize = 8;

/// One transition of an alert.
pub(crate) struct Step<'a> {
    /// As it is shown in the notice: with the text of the trigger.
    pub(crate) alert: &'a Alert,
    /// The transition's number.
    pub(crate) n: u64,
    pub(crate) kind: SourceKind,
    /// The last transitions of its key, this one among them; empty where the alert is its own key.
    pub(crate) ring: &'a [Transition],
}

/// Brings the transition to all spaces of the alert, and adds what follows to `settled`.
///
/// What holds incidents by value is boxed: in one future all of it would not fit a thread's stack in a debug build.
pub(crate) async fn follow(app: &App, step: &Step<'_>, settled: &mut Settled) -> Result<(), EvaluateError> {
    let now = app.clock.now();
    for space_id in &step.alert.spaces {
        let Some(space) = app.store.cached_space(space_id, now).await? else {
            tracing::warn!(space.id = %space_id, alert.id = %step.alert.id, "the space of an alert does not exist any more");
            continue;
        };
        settled.spaces.insert(space.id.clone(), space.version);
        let outcome = match step.kind {
            SourceKind::Trigger => Box::pin(trigger(app, step, &space, settled, now)).await?,
            SourceKind::RaiseSeverity | SourceKind::Recover => {
                Box::pin(change(app, step, &space, settled, now)).await?
            }
        };
        if let Outcome::Changed(incident, entry) = outcome {
            settled.add(app.dispatch.follow_up(&incident, &entry, Some(step.alert)).await?);
        }
    }
    Ok(())
}

async fn trigger(
    app: &App,
    step: &Step<'_>,
    space: &Space,
    settled: &mut Settled,
    now: Moment,
) -> Result<Outcome, EvaluateError> {
    let own = IncidentId::of(&space.id, step.alert.opened_by);
    // By the time of the message, so that a redelivery after the silence decides the same.
    let at = step.alert.opened_by.received_at();
    let silence = app.store.silence_of(space, step.alert, at);
    if let Some(silence) = silence.filter(|silence| silence.then == SilenceAction::Drop) {
        let note = Place::Dropped(silence.id.clone());
        if app.store.note_place(&own, &note, None, now).await? == note {
            settled.reason = Some(format!("silenced:{}", silence.id));
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

/// A later change of an alert: at its own incident, or at the one that it joined.
async fn change(
    app: &App,
    step: &Step<'_>,
    space: &Space,
    settled: &mut Settled,
    now: Moment,
) -> Result<Outcome, EvaluateError> {
    let own = IncidentId::of(&space.id, step.alert.opened_by);
    let source = source(step, &space.id, own.clone());
    if space.grouping.is_some() {
        match app.store.place(&own).await? {
            Some(Place::Joined(joined)) => {
                let wish = Wish { change: source, alert: step.alert.clone(), grouping: None };
                return app.joining.submit(&app.store, &joined, wish, now).await;
            }
            // A rise that is quicker than its trigger brings the alert into its group.
            None if step.kind == SourceKind::RaiseSeverity => {
                return Box::pin(trigger(app, step, space, settled, now)).await;
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

/// Joins the open incident of the group, or makes the one that the next alert joins.
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
    // Where the alert's place points, once it does; and the incident that did not take it.
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
            // An earlier copy has made an incident of it.
            return Ok(store.change_by_source(&own, &Change::Source(source), Some(step.alert), now).await?);
        };
        let change = SourceChange { incident: joined.clone(), ..source.clone() };
        let wish = Wish { change, alert: step.alert.clone(), grouping: Some(grouping.clone()) };
        match app.joining.submit(store, &joined, wish, now).await? {
            Outcome::CannotJoin => (noted, refused) = (Some(joined.clone()), Some(joined)),
            done => return Ok(done),
        }
    }
    Err(EvaluateError::Contended)
}

/// The incident that the group's next alert joins: the alert's `own`, unless there is one that has not `refused` it.
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

/// The incident that a copy of the message was refused by, if it died before it made the alert's own.
async fn noted_before(store: &Store, own: &IncidentId) -> Result<Option<IncidentId>, EvaluateError> {
    Ok(match store.place(own).await? {
        Some(Place::Joined(joined)) => Some(joined),
        Some(Place::Incident(_) | Place::Dropped(_)) | None => None,
    })
}

/// Whether the alert flaps, and whether that keeps it from being told.
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
