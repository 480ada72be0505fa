//! Due work, to the second: a sweep each minute hands over what is due within the next, the queue's delay does the rest.
//!
//! In: the schedule, and records of the queue "due", each a [`Timer`]. Out: alerts and incidents that close by
//! themselves, snoozes that end, digests that are flushed, and once an hour the check of the ledger.
//!
//! A timer that is written twice, swept twice or handed over twice acts once: what it does is conditional on what it
//! finds. A timer is deleted only after it was handed over.

mod act;
mod ledger_check;
pub mod settings;

use std::time::Duration;

use alerting::moment::Moment;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_kit::clock::Clock;
use lambda_kit::queue::{Entry, Queue, SendError};
use lambda_kit::random::StampSource;
use lambda_kit::sqs_batch::{self, Disposition, Handle};
use lambda_kit::topic::{PublishError, Topic};
use store::Store;
use store::timers::Timer;

/// What one sweep hands over ahead of time: as much as passes until the next.
const AHEAD: Duration = Duration::from_secs(60);
/// Timers that one sweep reads at a time.
const PAGE: usize = 100;
/// How long before its deadline the function stops.
const STOP_BEFORE: Duration = Duration::from_secs(2);

/// What the handlers work with.
pub struct App {
    pub store: Store,
    pub due: Queue,
    pub notices: Queue,
    pub changes: Topic,
    pub clock: Clock,
    pub stamps: StampSource,
}

/// Why due work is not done yet.
#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    #[error("reading timers or what they act on failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing what a timer did failed")]
    Write(#[from] store::errors::WriteError),
    #[error("handing a timer on failed")]
    Send(#[from] SendError),
    #[error("publishing what a timer did failed")]
    Publish(#[from] PublishError),
}

/// The queue handed over a record without an id; it can be neither reported nor skipped.
#[derive(Debug, thiserror::Error)]
#[error("a record without a message id or receipt: the whole batch is returned")]
pub struct NamelessRecord;

/// Hands over all that is due within the next minute.
pub async fn sweep(app: &App) -> Result<(), TimerError> {
    let now = app.clock.now();
    loop {
        let timers = app.store.due_timers(now + AHEAD, PAGE).await?;
        let entries = timers.iter().map(|timer| Entry {
            body: serde_json::to_string(timer).expect("a timer is JSON"),
            delay: Some(timer.due.since(now)),
            ..Entry::default()
        });
        app.due.send_batch(entries.collect()).await?;
        for timer in &timers {
            app.store.delete_timer(timer).await?;
        }
        if timers.len() < PAGE {
            break;
        }
    }
    ledger_check::run(app, now).await
}

/// Does what is due.
pub async fn handle_due(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let time_left = deadline.since(app.clock.now()).saturating_sub(STOP_BEFORE);
    let stop = tokio::time::Instant::now() + time_left;
    let mut dispositions = Vec::with_capacity(event.records.len());
    for record in event.records {
        let (Some(message_id), Some(receipt)) = (record.message_id, record.receipt_handle) else {
            return Err(NamelessRecord);
        };
        let disposition = match serde_json::from_str::<Timer>(record.body.as_deref().unwrap_or_default()) {
            Ok(timer) => match tokio::time::timeout_at(stop, act::act(app, &timer)).await {
                Ok(Ok(())) => Disposition::Done,
                Ok(Err(error)) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        timer.id = timer.id,
                        "a timer comes back"
                    );
                    Disposition::Retry { after: None }
                }
                Err(_) => Disposition::Retry { after: None },
            },
            Err(error) => {
                tracing::error!(%error, message.id = message_id, "a record is no timer of ours");
                Disposition::Retry { after: Some(Duration::ZERO) }
            }
        };
        dispositions.push((Handle { message_id, receipt }, disposition));
    }
    Ok(sqs_batch::answer(&app.due, dispositions).await)
}
