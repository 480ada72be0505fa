//! What a timer does when its time has come.

use std::time::Duration;

use alerting::alert::Status;
use alerting::change::{ChangeEvent, ChangeKind};
use alerting::ids::{AlertId, IncidentId};
use alerting::incident::Change;
use alerting::moment::Moment;
use alerting::notice::{self, NoticeRecord, Subject};
use lambda_kit::queue::Entry;
use store::log::NoticeRef;
use store::timers::{Timer, Work};

use crate::{App, TimerError};

/// A timer may be handed over this much before its time: the queue's delay knows whole seconds only.
const EARLY: Duration = Duration::from_secs(1);

pub(crate) async fn act(app: &App, timer: &Timer) -> Result<(), TimerError> {
    let now = app.clock.now();
    if timer.due.since(now) > EARLY {
        // Handed over early (a clock that was wrong): back into the table, for the sweep to find.
        return Ok(app.store.put_timer(timer).await?);
    }
    match &timer.work {
        Work::AutoClose { alert } => auto_close(app, alert, now).await,
        Work::SnoozeEnd { incident, until } => end_snooze(app, incident, *until, now).await,
        Work::FlushDigest { destination } => {
            let record = NoticeRecord::Flush { destination: destination.clone(), due: timer.due };
            Ok(app.notices.send(Entry::of_notice(&record)).await?)
        }
    }
}

/// Closes an alert that no message ever closes, and its incidents. Nobody is told: nothing recovered.
async fn auto_close(app: &App, id: &AlertId, now: Moment) -> Result<(), TimerError> {
    let Some(alert) = app.store.alert_as_stored(id).await? else { return Ok(()) };
    if alert.status == Status::Open {
        let Some(closed) = app.store.close_alert(&alert, app.stamps.next(now), now).await? else { return Ok(()) };
        app.store.add_open(&closed.integration, -1).await?;
        let change = ChangeEvent::of_alert(ChangeKind::AlertClosed, &closed, "auto", now);
        app.changes.publish_batch(&[to_json(&change)]).await?;
    }
    for space in &alert.spaces {
        let incident = IncidentId::of(space, alert.opened_by);
        if let Some((incident, entry)) = app.store.change_incident(&incident, &Change::AutoClose, now).await? {
            app.changes.publish_batch(&[to_json(&ChangeEvent::of_incident(&incident, &entry))]).await?;
        }
    }
    Ok(())
}

/// When a snooze runs out, the incident returns to triggered and is told again.
async fn end_snooze(app: &App, id: &IncidentId, until: Moment, now: Moment) -> Result<(), TimerError> {
    let change = Change::SnoozeEnd { until };
    let Some((incident, entry)) = app.store.change_incident(id, &change, now).await? else { return Ok(()) };
    let space = app.store.cached_space(&incident.space, now).await?;
    let alert = match incident.alerts.first() {
        Some(alert) => app.store.alert(alert).await?,
        None => None,
    };
    let integration = match &alert {
        Some(alert) => app.store.cached_integration(&alert.integration, now).await?,
        None => None,
    };
    let labels = alert.as_ref().map(|alert| alert.labels.clone()).unwrap_or_default();
    let subject = Subject {
        space_name: space.as_ref().map_or("", |space| &space.name),
        integration_name: integration.as_ref().map_or("", |stored| &stored.integration.name),
        description: alert.as_ref().map_or("", |alert| &alert.description),
        labels: &labels,
    };
    let notices = notice::plan(&incident, &entry, &subject);
    // No message made these: the ledger finds them here.
    let told: Vec<NoticeRef> = notices.iter().map(NoticeRef::of).collect();
    app.store.log_action(entry.at, &incident.id, entry.n, &told).await?;
    app.notices
        .send_batch(notices.into_iter().map(|notice| Entry::of_notice(&NoticeRecord::Tell(notice))).collect())
        .await?;
    Ok(app.changes.publish_batch(&[to_json(&ChangeEvent::of_incident(&incident, &entry))]).await?)
}

fn to_json(change: &ChangeEvent) -> String {
    serde_json::to_string(change).expect("a change is JSON")
}
