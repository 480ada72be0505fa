//! Waits that are too long for the queue: a notice that has to wait longer leaves it and comes back as due work.
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
/// What is due within this time goes to the queue of due work at once, as the sweep that comes next may be that far away.
const SOON: Duration = Duration::from_secs(60);
/// Of a critical incident, a person's next contact is tried beside one that has not been reached for this long.
const REACHED_WITHIN: Duration = Duration::from_secs(60);

/// Tries the notice again at `due`.
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

/// Sees to it that a person of a critical incident who is not reached within a minute of `first` has the next contact
/// tried beside this one. `next`: when this one is tried again.
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

/// Acted on to the second: by way of the table if it is due later than the next sweep.
pub(crate) async fn set_timer(app: &App, timer: &Timer) -> Result<(), NotifyError> {
    let now = app.parts.clock.now();
    if timer.due > now + SOON {
        return Ok(app.parts.store.put_timer(timer).await?);
    }
    Ok(app.parts.due.send(Entry::of_timer(timer, now)).await?)
}
