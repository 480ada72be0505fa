//! Alerts that close with their incident, and the incidents that these alerts have in other spaces.

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, IncidentId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::alert::{Alert, Status};
use alerting::incident::apply::Change;
use alerting::incident::change::{ChangeEvent, ChangeKind};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::act::change;
use crate::app::{AT_A_TIME, App};
use crate::error::TimerError;

/// Closes every alert that the incident counts as closed. Done again, it closes what is left: an incident may have 5,000.
///
/// Not those that are open in it: they joined after it was reopened, or their source spoke again.
pub(crate) async fn close_alerts(
    app: &App,
    incident: &Incident,
    by: &NamedActor,
    now: Moment,
) -> Result<(), TimerError> {
    let closed = |place: &usize| !incident.alerts[*place].is_open;
    let closing = stream::iter((0..incident.alerts.len()).filter(closed));
    let closing = closing.map(|place| close_linked(app, &incident.alerts[place].alert, &incident.space, by, now));
    closing.buffer_unordered(AT_A_TIME).try_collect().await
}

async fn close_linked(
    app: &App,
    id: &AlertId,
    closed_in: &SpaceId,
    by: &NamedActor,
    now: Moment,
) -> Result<(), TimerError> {
    match app.store.alert_as_stored(id).await? {
        Some(alert) => close_alert(app, &alert, Some(closed_in), by, now).await,
        None => Ok(()),
    }
}

/// Closes an alert, and its incidents in all spaces but `closed_in`: no message would ever recover them.
pub(crate) async fn close_alert(
    app: &App,
    alert: &Alert,
    closed_in: Option<&SpaceId>,
    by: &NamedActor,
    now: Moment,
) -> Result<(), TimerError> {
    if alert.status == Status::Open {
        // An open alert that a newer message keeps open stays open.
        let Some(closed) = app.store.close_alert(alert, app.stamps.next(now), now).await? else { return Ok(()) };
        // Published before it is shown as closed: the next attempt after a crash finds it open, and publishes it.
        let event = ChangeEvent::of_alert(ChangeKind::AlertClosed, &closed, &closed.shown.to_string(), now);
        app.dispatch.publish(&event).await?;
        if !app.store.show_closed(&closed, alert, now).await? {
            return Ok(());
        }
        app.store.add_open(&closed.integration, -1).await?;
    }
    let action = format!("closed.{}", alert.id);
    for space in alert.spaces.iter().filter(|space| Some(*space) != closed_in) {
        let closed = Change::AlertClosed { alert: alert.id.clone(), by: by.clone() };
        change(app, &IncidentId::of(space, alert.opened_by), &closed, &action, now).await?;
    }
    Ok(())
}
