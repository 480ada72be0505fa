//! Calls the operation that carries out due work.

use std::time::Duration;

use alerting::base::ids::{DestinationId, IntegrationId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::apply::Change;
use alerting::incident::notice::{Notice, NoticeRecord};
use alerting::incident::timer::{Timer, WINDOW, Work};
use lambda_kit::queue::Entry;
use operations::due::{DueWork, auto_close, contacts, levels, notices};
use operations::holds;

use crate::app::App;
use crate::error::TimerError;

/// How early a timer may be acted on: the delay of a queue has whole seconds only.
const EARLY: Duration = Duration::from_secs(1);

pub(crate) async fn act(app: &App, timer: &Timer) -> Result<(), TimerError> {
    let now = app.clock.now();
    if timer.due.since(now) > EARLY {
        // The queue delivered it too early because a clock was wrong: it is put back into the table.
        return Ok(app.dispatch.set_timers(vec![timer.clone()]).await?);
    }
    let action = timer.action();
    let due = DueWork { dispatch: &app.dispatch, action: &action, now };
    match &timer.work {
        Work::AutoClose { alert } => auto_close::alert(due, &app.stamps, alert).await?,
        Work::AutoCloseWindow { integration, window } => close_window(app, integration, *window, timer, now).await?,
        Work::FlushDigest { destination } => flush(app, destination, timer).await?,
        Work::SnoozeEnd { incident, until } => due.change(incident, &Change::SnoozeEnd { until: *until }).await?,
        // The timer may fire a moment before the hold ends.
        Work::HoldEnd { incident, until } => holds::review(due.at(now.max(*until)), incident).await?,
        Work::ReviewHold { incident } => holds::review(due, incident).await?,
        Work::ReviewHolds { space, below } => review_space(app, due, space, below.as_deref(), timer).await?,
        Work::Escalate { incident, round, level } => {
            levels::notify(due, incident, Change::Escalate { round: *round, level: *level }).await?;
        }
        Work::Repeat { incident, round, time } => {
            levels::notify(due, incident, Change::Repeat { round: *round, time: *time }).await?;
        }
        Work::ContactFailed { incident, destination, reason, .. } => {
            contacts::failed(due, incident, destination, reason).await?;
        }
        Work::ContactLate { incident, n, destination, reason } => {
            contacts::late(due, incident, *n, destination, reason).await?;
        }
        Work::Notify { given_up: true, notice, .. } if !notices::is_current(&app.store, notice).await? => {}
        Work::Notify { notice, asked, .. } => notify(app, notice, *asked, timer).await?,
        Work::CloseIncident { incident } => {
            if let Some(later) = auto_close::incident(due, &app.stamps, incident).await? {
                app.dispatch.set_timers(vec![Timer::new(later, timer.work.clone())]).await?;
            }
        }
        Work::RefreshCards { incident } => app.dispatch.refresh_cards(incident, timer.due).await?,
        Work::Refresh(refresh) => {
            let record = NoticeRecord::Refresh(refresh.clone());
            app.dispatch.notices.send(Entry::of_notice(&record)).await?;
        }
        Work::FollowUp { incidents, action } => app.dispatch.make_good(incidents, action).await?,
        Work::CloseAlerts { incident, by, .. } => auto_close::alerts_of(due, &app.stamps, by, incident).await?,
    }
    Ok(())
}

/// Queues the closing of each alert that messages of this window opened.
async fn close_window(
    app: &App,
    integration: &IntegrationId,
    window: Moment,
    timer: &Timer,
    now: Moment,
) -> Result<(), TimerError> {
    let alerts = app.store.open_unkeyed_alerts(integration, window, window + WINDOW).await?;
    let each = alerts.into_iter().map(|alert| Timer::new(timer.due, Work::AutoClose { alert }));
    let entries = each.map(|timer| Entry::of_timer(&timer, now)).collect();
    Ok(app.dispatch.due.send_batch(entries).await?)
}

async fn flush(app: &App, destination: &DestinationId, timer: &Timer) -> Result<(), TimerError> {
    let record = NoticeRecord::Flush { destination: destination.clone(), due: timer.due };
    Ok(app.dispatch.notices.send(Entry::of_notice(&record)).await?)
}

async fn notify(app: &App, notice: &Notice, asked: Option<Moment>, timer: &Timer) -> Result<(), TimerError> {
    let record = NoticeRecord::Again { notice: notice.clone(), due: timer.due, asked };
    Ok(app.dispatch.notices.send(Entry::of_notice(&record)).await?)
}

/// Reviews a page of the space's incidents, and sets a timer for the rest.
async fn review_space(
    app: &App,
    due: DueWork<'_>,
    space: &SpaceId,
    below: Option<&str>,
    timer: &Timer,
) -> Result<(), TimerError> {
    let Some(next) = holds::review_space(due, space, below).await? else { return Ok(()) };
    let rest = Work::ReviewHolds { space: space.clone(), below: Some(next) };
    Ok(app.dispatch.set_timers(vec![Timer::new(timer.due, rest)]).await?)
}
