//! Closes alerts together with their incident, and the incidents that these alerts have in other spaces.
//!
//! Closing an incident writes the incident only. Its alerts are due work
//! ([`alerting::incident::timer::Work::CloseAlerts`]) that `timers` does with [`close_alerts`], because an incident may
//! have 5,000 alerts and no request should wait for them.

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, IncidentId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::alert::{Alert, Status};
use alerting::incident::apply::Change;
use alerting::incident::change::{ChangeEvent, ChangeKind};
use dispatch::Dispatch;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_kit::random::StampSource;

use crate::ALERTS_AT_A_TIME;
use crate::due::{DueError, change};

/// Who closes alerts, when, and with what.
#[derive(Clone, Copy)]
pub struct Closer<'a> {
    pub dispatch: &'a Dispatch,
    pub stamps: &'a StampSource,
    pub by: &'a NamedActor,
    pub now: Moment,
}

/// Closes every alert that the incident counts as closed. If it is repeated, it closes the rest.
///
/// Alerts that are open in the incident stay open: they joined after it was reopened, or their source triggered again.
pub async fn close_alerts(closer: Closer<'_>, incident: &Incident) -> Result<(), DueError> {
    let closed = |place: &usize| !incident.alerts[*place].is_open;
    let closing = stream::iter((0..incident.alerts.len()).filter(closed));
    let closing = closing.map(|place| close_linked(closer, &incident.alerts[place].alert, &incident.space));
    closing.buffer_unordered(ALERTS_AT_A_TIME).try_collect().await
}

async fn close_linked(closer: Closer<'_>, id: &AlertId, closed_in: &SpaceId) -> Result<(), DueError> {
    match closer.dispatch.store.alert_as_stored(id).await? {
        Some(alert) => close_alert(closer, &alert, Some(closed_in)).await,
        None => Ok(()),
    }
}

/// Closes an alert, and its incidents in all spaces but `closed_in`, because no message would ever recover them.
pub async fn close_alert(closer: Closer<'_>, alert: &Alert, closed_in: Option<&SpaceId>) -> Result<(), DueError> {
    let Closer { dispatch, stamps, by, now } = closer;
    let store = &dispatch.store;
    if alert.status == Status::Open {
        // An alert that a newer message keeps open stays open.
        let Some(closed) = store.close_alert(alert, stamps.next(now), now).await? else { return Ok(()) };
        // Published before the alert is shown as closed, so that the next attempt after a crash finds it open and
        // publishes it.
        let event = ChangeEvent::of_alert(ChangeKind::AlertClosed, &closed, &closed.shown.to_string(), now);
        dispatch.publish(&event).await?;
        if !store.show_closed(&closed, alert, now).await? {
            return Ok(());
        }
        store.add_open(&closed.integration, -1).await?;
    }
    let action = format!("closed.{}", alert.id);
    for space in alert.spaces.iter().filter(|space| Some(*space) != closed_in) {
        let closed = Change::AlertClosed { alert: alert.id.clone(), by: by.clone() };
        change(dispatch, &IncidentId::of(space, alert.opened_by), &closed, &action, now).await?;
    }
    Ok(())
}
