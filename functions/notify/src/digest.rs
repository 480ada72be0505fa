//! A destination's digest: notices that came faster than it may be told, as lines of a later message.
//!
//! A line waits in the table, not in the queue. The flush is due when the destination's rate has room again; it sends
//! as many lines as fit a message, and leaves the others to the next flush. A crash between the message and the removal
//! of its lines repeats nothing: the lines' deliveries say that they were told.

use std::time::Duration;

use alerting::notice::Notice;
use alerting::timer::{Timer, Work};
use lambda_kit::queue::Entry;
use lambda_kit::sqs_batch::Disposition;
use store::rates::Token;

use crate::addresses::Address;
use crate::fold::fold;
use crate::send;

use crate::{App, NotifyError};

/// Lines that one flush reads: more than any vendor's message holds.
const LINES: usize = 200;

/// Adds notices to the digest and sees to it that it is flushed after `wait`.
pub(crate) async fn add(app: &App, address: &Address, notices: Vec<Notice>, wait: Duration) -> Result<(), NotifyError> {
    app.parts.store.add_digest_lines(&address.id, &notices, app.parts.clock.now()).await?;
    schedule(app, address, wait).await
}

/// Sends what waits.
pub(crate) async fn flush(app: &App, address: &Address) -> Result<Disposition, NotifyError> {
    let lines = app.parts.store.digest_lines(&address.id, LINES).await?;
    if lines.is_empty() {
        return Ok(Disposition::Done);
    }
    let rates = address.channel.limits().rates;
    if let Token::Wait(wait) = app.parts.store.take_token(&address.id, rates, app.parts.clock.now()).await? {
        return Ok(Disposition::Retry { after: Some(wait) });
    }
    let fates = send::send(app, address, &fold(&lines)).await?;
    let is_done = |notice: &&Notice| fates.iter().any(|fate| fate.incident == notice.incident && fate.wait.is_none());
    let done: Vec<Notice> = lines.iter().filter(is_done).cloned().collect();
    app.parts.store.remove_digest_lines(&address.id, &done).await?;
    if done.len() < lines.len() || lines.len() == LINES {
        let wait = fates.iter().filter_map(|fate| fate.wait).min().unwrap_or_default();
        schedule(app, address, wait).await?;
    }
    Ok(Disposition::Done)
}

/// A wait is at most the fifteen minutes that the queue can delay: the longest block a channel reports is clamped to it.
async fn schedule(app: &App, address: &Address, wait: Duration) -> Result<(), NotifyError> {
    let wait = wait.max(Duration::from_secs(1));
    let timer = Timer::new(app.parts.clock.now() + wait, Work::FlushDigest { destination: address.id.clone() });
    Ok(app.parts.due.send(Entry::of_timer(&timer, app.parts.clock.now())).await?)
}
