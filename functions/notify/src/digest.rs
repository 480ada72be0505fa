//! A destination's digest: notices that wait for its rate or for its provider, as lines of a later message.
//!
//! A line waits in the table, not in the queue. The flush is due when the destination has room again; it sends as many
//! lines as fit a message, and leaves the others to the next flush. A crash between the message and the removal of its
//! lines repeats nothing: the lines' deliveries say that they were sent.

use operations::addresses::Address;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::notice::Notice;
use alerting::incident::timer::{Timer, Work};
use lambda_kit::sqs_batch::Disposition;
use store::rates::Permit;

use crate::app::App;
use crate::error::NotifyError;
use crate::fold::fold;
use crate::later::{IN_QUEUE, set_timer};
use crate::requests::{Change, take_permits};
use crate::send::{self, Sending};

/// Lines that one flush reads: more than any vendor's message holds.
const LINES: usize = 200;

/// Adds notices to the digest and schedules its flush at `due`.
pub(crate) async fn add(app: &App, address: &Address, notices: &[Notice], due: Moment) -> Result<(), NotifyError> {
    app.parts.store.add_digest_lines(&address.id, notices, app.parts.clock.now()).await?;
    schedule(app, address, due).await
}

/// Sends the lines that wait in the digest.
pub(crate) async fn flush(app: &App, address: &Address) -> Result<Disposition, NotifyError> {
    let lines = app.parts.store.digest_lines(&address.id, LINES).await?;
    if lines.is_empty() {
        return Ok(Disposition::Done);
    }
    let now = app.parts.clock.now();
    if let Permit::Wait(wait) = take_permits(app, address, Change::New, now).await? {
        if wait <= IN_QUEUE {
            return Ok(Disposition::Retry { after: Some(wait) });
        }
        schedule(app, address, now + wait).await?;
        return Ok(Disposition::Done);
    }
    let settled = send::send(app, address, Sending { notices: &fold(&lines), asked: None }).await?;
    let is_done =
        |notice: &&Notice| settled.iter().any(|settled| settled.incident == notice.incident && settled.wait.is_none());
    let done: Vec<Notice> = lines.iter().filter(is_done).cloned().collect();
    app.parts.store.remove_digest_lines(&address.id, &done).await?;
    if done.len() < lines.len() || lines.len() == LINES {
        let wait = settled.iter().filter_map(|settled| settled.wait).max().unwrap_or_default();
        schedule(app, address, app.parts.clock.now() + wait).await?;
    }
    Ok(Disposition::Done)
}

/// Schedules a flush. Flushes of one destination that are due at the same moment are one timer, so all lines that wait
/// for the end of a block share its flush.
async fn schedule(app: &App, address: &Address, due: Moment) -> Result<(), NotifyError> {
    let due = due.max(app.parts.clock.now() + Duration::from_secs(1));
    set_timer(app, &Timer::new(due, Work::FlushDigest { destination: address.id.clone() })).await
}
