//! What a timer does when its time has come.

use std::time::Duration;

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, DestinationId, IncidentId, MemberId};
use alerting::base::moment::Moment;
use alerting::incident::alert::Alert;
use alerting::incident::apply::Change;
use alerting::incident::notice::{Notice, NoticeRecord};
use alerting::incident::space::{AutoClose, AutoCloseSince};
use alerting::incident::timer::{Timer, WINDOW, Work};
use alerting::incident::{Incident, Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_kit::queue::Entry;
use operations::ALERTS_AT_A_TIME;
use operations::closing::{Closer, close_alert, close_alerts};
use operations::due::change;
use store::keys::alert_key_hash;

use crate::app::App;
use crate::error::TimerError;
use crate::holds;

/// A timer may be handed over this much before its time: the queue's delay knows whole seconds only.
const EARLY: Duration = Duration::from_secs(1);

pub(crate) async fn act(app: &App, timer: &Timer) -> Result<(), TimerError> {
    let now = app.clock.now();
    if timer.due.since(now) > EARLY {
        // Handed over early (a clock that was wrong): back to where it waits.
        return Ok(app.dispatch.set_timers(vec![timer.clone()]).await?);
    }
    match &timer.work {
        Work::AutoClose { alert } => auto_close(app, alert, now).await,
        Work::AutoCloseWindow { integration, window } => {
            let alerts = app.store.open_unkeyed_alerts(integration, *window, *window + WINDOW).await?;
            let each = alerts.into_iter().map(|alert| Timer::new(timer.due, Work::AutoClose { alert }));
            let entries = each.map(|timer| Entry::of_timer(&timer, now)).collect();
            Ok(app.dispatch.due.send_batch(entries).await?)
        }
        Work::FlushDigest { destination } => {
            let record = NoticeRecord::Flush { destination: destination.clone(), due: timer.due };
            Ok(app.dispatch.notices.send(Entry::of_notice(&record)).await?)
        }
        Work::SnoozeEnd { incident, until } => {
            Ok(change(&app.dispatch, incident, &Change::SnoozeEnd { until: *until }, &timer.action(), now).await?)
        }
        Work::HoldEnd { incident, until } => holds::review(app, incident, timer, now.max(*until)).await,
        Work::ReviewHold { incident } => holds::review(app, incident, timer, now).await,
        Work::ReviewHolds { space, below } => holds::review_all(app, space, below.as_deref(), timer, now).await,
        Work::Escalate { incident, round, level } => {
            level_due(app, incident, Change::Escalate { round: *round, level: *level }, timer, now).await
        }
        Work::Repeat { incident, round, time } => {
            level_due(app, incident, Change::Repeat { round: *round, time: *time }, timer, now).await
        }
        Work::ContactFailed { incident, destination, reason, .. } => {
            contact_failed(app, incident, destination, reason, timer, now).await
        }
        Work::ContactLate { incident, n, destination, reason } => {
            // Delivered meanwhile: the person has it.
            let delivery = app.store.delivery(incident, destination).await?.unwrap_or_default();
            if delivery.state_of(*n).is_delivered() {
                return Ok(());
            }
            let reason = format!("{reason}; it is still tried");
            contact_failed(app, incident, destination, &reason, timer, now).await
        }
        Work::Notify { notice, asked, given_up } => {
            if *given_up && !is_still_so(app, notice).await? {
                return Ok(());
            }
            let record = NoticeRecord::Again { notice: Notice::clone(notice), due: timer.due, asked: *asked };
            Ok(app.dispatch.notices.send(Entry::of_notice(&record)).await?)
        }
        Work::CloseIncident { incident } => close_incident(app, incident, timer, now).await,
        Work::FollowUp { incidents, action } => Ok(app.dispatch.make_good(incidents, action).await?),
        Work::CloseAlerts { incident, by, .. } => match app.store.incident(incident).await? {
            Some(incident) => Ok(close_alerts(closer(app, by, now), &incident).await?),
            None => Ok(()),
        },
    }
}

fn closer<'a>(app: &'a App, by: &'a NamedActor, now: Moment) -> Closer<'a> {
    Closer { dispatch: &app.dispatch, stamps: &app.stamps, by, now }
}

/// Notifies a level, unless a silence holds the incident by now.
async fn level_due(
    app: &App,
    incident: &IncidentId,
    due: Change,
    timer: &Timer,
    now: Moment,
) -> Result<(), TimerError> {
    let due = match holds::holding(app, incident, now).await? {
        Some(hold) => Change::HoldReviewed { hold: Some(hold) },
        None => due,
    };
    Ok(change(&app.dispatch, incident, &due, &timer.action(), now).await?)
}

/// Whether the incident is as the notice says: what is not true any more is not sent late.
async fn is_still_so(app: &App, notice: &Notice) -> Result<bool, TimerError> {
    let incident = app.store.incident(&notice.incident).await?;
    Ok(incident.is_some_and(|incident| {
        incident.progress == notice.progress
            && incident.episode == notice.episode
            && incident.merged_into.is_none()
            && !incident.is_quiet()
    }))
}

/// Notifies the next contact of a person who could not be notified.
async fn contact_failed(
    app: &App,
    id: &IncidentId,
    destination: &DestinationId,
    reason: &str,
    timer: &Timer,
    now: Moment,
) -> Result<(), TimerError> {
    let Some(incident) = app.store.incident(id).await? else { return Ok(()) };
    let reached = incident.escalation.iter().flat_map(|escalation| &escalation.people);
    let reached = reached.filter(|reach| reach.contact() == Some(destination));
    let members: Vec<MemberId> = reached.map(|reach| reach.member.clone()).collect();
    let known = app.store.members_by_id(members.iter().cloned(), now).await?;
    let name = |id: &MemberId| known.get(id).map_or_else(|| id.to_string(), |member| member.name.clone());
    let mut name = members.iter().map(name).collect::<Vec<_>>().join(", ");
    if members.is_empty() {
        let group = app.store.cached_destination(destination, now).await?;
        name = group.map_or_else(|| destination.to_string(), |group| group.name.clone());
    }
    let failed = Change::ContactFailed { destination: destination.clone(), name, reason: reason.to_owned() };
    Ok(change(&app.dispatch, id, &failed, &timer.action(), now).await?)
}

/// Closes an alert that no message ever closes, and its incidents with their last alert. Nobody is notified: nothing
/// recovered.
async fn auto_close(app: &App, id: &AlertId, now: Moment) -> Result<(), TimerError> {
    let Some(alert) = app.store.alert_as_stored(id).await? else { return Ok(()) };
    Ok(close_alert(closer(app, &NamedActor::rule(), now), &alert, None).await?)
}

/// Closes an incident and its alerts, as its space wants it: so long after the trigger, or after the last news.
async fn close_incident(app: &App, id: &IncidentId, timer: &Timer, now: Moment) -> Result<(), TimerError> {
    let Some(incident) = app.store.incident(id).await? else { return Ok(()) };
    if incident.merged_into.is_some() {
        return Ok(()); // its alerts are another incident's, which has a time of its own
    }
    let space = app.store.cached_space(&incident.space, now).await?;
    let Some(AutoClose { after_minutes, since }) = space.and_then(|space| space.auto_close) else { return Ok(()) };
    if incident.progress != Progress::Closed {
        let from = match since {
            AutoCloseSince::Trigger => incident.triggered_at,
            AutoCloseSince::LastNews => last_news(app, &incident).await?.max(incident.triggered_at),
        };
        let due = from + Duration::from_secs(u64::from(after_minutes) * 60);
        if due > now {
            return Ok(app.dispatch.set_timers(vec![Timer::new(due, timer.work.clone())]).await?);
        }
    }
    change(&app.dispatch, id, &Change::AutoClose, &timer.action(), now).await?;
    match app.store.incident(id).await? {
        Some(incident) if incident.progress == Progress::Closed => {
            Ok(close_alerts(closer(app, &NamedActor::rule(), now), &incident).await?)
        }
        _ => Ok(()),
    }
}

/// When the last message of any of the alerts came. One that changes nothing of what an alert shows moves only the
/// watermark of its key.
async fn last_news(app: &App, incident: &Incident) -> Result<Moment, TimerError> {
    let reads =
        stream::iter(0..incident.alerts.len()).map(|place| app.store.alert_as_stored(&incident.alerts[place].alert));
    let alerts: Vec<Option<Alert>> = reads.buffered(ALERTS_AT_A_TIME).try_collect().await?;
    let alerts: Vec<Alert> = alerts.into_iter().flatten().collect();
    let reads = stream::iter(0..alerts.len()).map(|place| news_of(app, &alerts[place]));
    reads.buffer_unordered(ALERTS_AT_A_TIME).try_fold(Moment::default(), async |last, news| Ok(last.max(news))).await
}

async fn news_of(app: &App, alert: &Alert) -> Result<Moment, TimerError> {
    let Some(key) = &alert.alert_key else { return Ok(alert.updated_at) };
    let state = app.store.alert_state(&alert.integration, &alert_key_hash(key)).await?;
    let state = state.filter(|state| state.episode == Some(alert.opened_by));
    Ok(alert.updated_at.max(state.map(|state| state.watermark.received_at()).unwrap_or_default()))
}
