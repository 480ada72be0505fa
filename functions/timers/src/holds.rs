//! What holds incidents back from notifying, looked at again: a silence ended or was changed, or the alert was.
//!
//! An incident is held for as long as each of its open alerts is: by the silences that are in force now, whatever was
//! recorded when it was made. One that is open before its silence begins is held when its next level or repetition is due,
//! or at once if the silence was made for it.

use alerting::base::ids::{IncidentId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::apply::Change;
use alerting::incident::change_result::entry_of_action;
use alerting::incident::space::Space;
use alerting::incident::timer::{Timer, Work};
use alerting::incident::{Hold, Incident, Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use operations::ALERTS_AT_A_TIME;
use operations::due::change;
use store::incidents::IncidentQuery;

use crate::app::App;
use crate::error::TimerError;

/// Incidents of a space that one piece of work looks at; the rest is work of its own.
const INCIDENTS: usize = 100;

/// `at`: when the hold was to end, or now. The timer may come a moment early.
pub(crate) async fn review(app: &App, id: &IncidentId, timer: &Timer, at: Moment) -> Result<(), TimerError> {
    let Some(incident) = app.store.incident(id).await? else { return Ok(()) };
    let space = app.store.spaces().get(&incident.space).await?;
    review_one(app, &incident, space.as_ref(), timer, at).await
}

/// Looks at all held incidents of a space.
pub(crate) async fn review_all(
    app: &App,
    id: &SpaceId,
    below: Option<&str>,
    timer: &Timer,
    now: Moment,
) -> Result<(), TimerError> {
    let Some(space) = app.store.spaces().get(id).await? else { return Ok(()) };
    let after = below.and_then(|below| below.parse().ok());
    let query = IncidentQuery { progress: None, spaces: vec![id.clone()], after, limit: INCIDENTS };
    let page = app.store.incidents(query).await?;
    // Also those that an earlier copy of this timer released: it may have died before it notified anybody.
    let held = |incident: &&Incident| {
        let is_held = incident.held.is_some() && incident.progress != Progress::Closed;
        is_held || entry_of_action(incident, &timer.action()).is_some()
    };
    for incident in page.items.iter().filter(held) {
        Box::pin(review_one(app, incident, Some(&space), timer, now)).await?;
    }
    if page.next.is_none() {
        return Ok(());
    }
    let rest = Timer::new(timer.due, Work::ReviewHolds { space: id.clone(), below: page.next });
    Ok(app.dispatch.set_timers(vec![rest]).await?)
}

async fn review_one(
    app: &App,
    incident: &Incident,
    space: Option<&Space>,
    timer: &Timer,
    at: Moment,
) -> Result<(), TimerError> {
    let hold = match (&incident.held, space) {
        (Some(held), _) if held.by == Hold::FLAPPING && held.until.is_some_and(|until| until > at) => {
            Some(held.clone())
        }
        (_, Some(space)) => hold_of(app, incident, space, at).await?,
        (_, None) => None,
    };
    Ok(change(&app.dispatch, &incident.id, &Change::HoldReviewed { hold }, &timer.action(), at).await?)
}

/// What holds an incident of which a level is due, for a silence may have begun since the last change: every week at its
/// hour, without anybody's doing.
pub(crate) async fn holding(app: &App, id: &IncidentId, now: Moment) -> Result<Option<Hold>, TimerError> {
    let Some(incident) = app.store.incident(id).await? else { return Ok(None) };
    if incident.is_quiet() || incident.progress == Progress::Closed {
        return Ok(None);
    }
    match app.store.cached_space(&incident.space, now).await? {
        Some(space) => hold_of(app, &incident, &space, now).await,
        None => Ok(None),
    }
}

/// Until the first of the open alerts is held no more; `None`: one of them is not held.
async fn hold_of(app: &App, incident: &Incident, space: &Space, at: Moment) -> Result<Option<Hold>, TimerError> {
    if !space.silences.iter().any(|silence| silence.is_active(at)) {
        return Ok(None);
    }
    let mut places: Vec<usize> = (0..incident.alerts.len()).filter(|place| incident.alerts[*place].is_open).collect();
    if places.is_empty() && !incident.alerts.is_empty() {
        places.push(0);
    }
    let reads = stream::iter(places).map(|place| app.store.alert_as_stored(&incident.alerts[place].alert));
    let mut alerts = reads.buffered(ALERTS_AT_A_TIME);
    let mut first: Option<Hold> = None;
    while let Some(alert) = alerts.try_next().await? {
        let Some(alert) = alert else { continue };
        let Some(hold) = app.store.hold_of(space, &alert, at) else { return Ok(None) };
        let ends = |hold: &Hold| (hold.until.is_none(), hold.until);
        if first.as_ref().is_none_or(|first| ends(&hold) < ends(first)) {
            first = Some(hold);
        }
    }
    Ok(first)
}
