//! Waits that are too long for the queue: the notice leaves the queue and returns as due work.
//!
//! Each wait in the queue costs a receive, and a queue moves a record aside that was received too often. While a record
//! waits in a FIFO queue, everything behind it in its group waits as well.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::notice::{Notice, assigns};
use alerting::incident::timer::{Timer, Work};
use lambda_kit::queue::Entry;

use crate::app::App;
use crate::error::NotifyError;

/// The longest wait that is spent in the queue.
pub(crate) const IN_QUEUE: Duration = Duration::from_secs(3);
/// Work that is due within this time is queued at once, because the next sweep may be that far away.
const SOON: Duration = Duration::from_secs(60);
/// If a contact of a person has not been reached for this long about a critical incident, the person's next contact is
/// tried as well.
const REACHED_WITHIN: Duration = Duration::from_secs(60);

/// Schedules the next try of the notice at `due`.
pub(crate) async fn put_off(
    app: &App,
    notice: &Notice,
    asked: Option<Moment>,
    due: Moment,
    given_up: bool,
) -> Result<(), NotifyError> {
    let work = Work::Notify { notice: Box::new(notice.clone()), asked, given_up };
    set_timer(app, &Timer::new(due, work)).await
}

/// Schedules the check whether a person is notified of a critical incident within a minute of `first`; if not, the
/// person's next contact is tried as well. `next`: when this contact is tried again.
pub(crate) async fn watch(
    app: &App,
    notice: &Notice,
    first: Moment,
    next: Moment,
    reason: &str,
) -> Result<(), NotifyError> {
    let due = first + REACHED_WITHIN;
    if notice.severity != Severity::Critical || notice.person.is_none() || !assigns(notice.kind) || next < due {
        return Ok(());
    }
    let work = Work::ContactLate {
        incident: notice.incident.clone(),
        n: notice.n,
        destination: notice.destination.clone(),
        reason: reason.to_owned(),
    };
    set_timer(app, &Timer::new(due, work)).await
}

/// Sets a timer that is acted on to the second: in the table if it is due after the next sweep, otherwise in the queue.
pub(crate) async fn set_timer(app: &App, timer: &Timer) -> Result<(), NotifyError> {
    let now = app.parts.clock.now();
    if timer.due > now + SOON {
        return Ok(app.parts.store.put_timer(timer).await?);
    }
    Ok(app.parts.due.send(Entry::of_timer(timer, now)).await?)
}
