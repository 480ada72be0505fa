//! Due work, to the second: a sweep each minute hands over what is due within the next, the queue's delay does the rest.
//!
//! In: the schedule, and records of the queue "due", each a [`Timer`]. Out: levels of escalation rules that take over and
//! are notified again, snoozes and silences that end, alerts and incidents that close by themselves or with their incident,
//! what follows from the actions of people whose request died, digests that are flushed, and once an hour the check of the
//! ledger.
//!
//! A timer that is written twice, swept twice or handed over twice acts once: what it does is conditional on what it
//! finds. A timer is deleted only after it was handed over.

mod act;
mod closing;
mod holds;
mod ledger_check;
pub mod settings;

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::timer::Timer;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dispatch::{Dispatch, DispatchError, SOON};
use futures::StreamExt as _;
use futures::stream;
use lambda_kit::clock::Clock;
use lambda_kit::queue::{Entry, SendError};
use lambda_kit::random::StampSource;
use lambda_kit::sqs_batch::{self, Disposition, Handle};
use lambda_kit::topic::PublishError;
use store::Store;

/// Timers that one sweep reads at a time.
const PAGE: usize = 100;
/// Timers that one invocation acts on at a time.
const CONCURRENT_TIMERS: usize = 10;
/// Alerts of one incident that are worked on at the same time: there may be 5,000 of them.
const AT_A_TIME: usize = 32;
/// How long before its deadline the function stops.
const STOP_BEFORE: Duration = Duration::from_secs(2);

/// What the handlers work with.
pub struct App {
    pub store: Store,
    pub dispatch: Dispatch,
    pub clock: Clock,
    pub stamps: StampSource,
}

impl App {
    pub fn new(dispatch: Dispatch) -> Self {
        let (store, clock) = (dispatch.store.clone(), dispatch.clock.clone());
        Self { store, dispatch, clock, stamps: StampSource::new() }
    }
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
    #[error("telling what a timer did failed")]
    Dispatch(#[from] DispatchError),
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
        let timers = app.store.due_timers(now + SOON, PAGE).await?;
        // When very many are due, the last page goes seconds after the first: a delay counts from when it is sent.
        let sent = app.clock.now();
        app.dispatch.due.send_batch(timers.iter().map(|timer| Entry::of_timer(timer, sent)).collect()).await?;
        app.store.delete_timers(&timers).await?;
        if timers.len() < PAGE {
            break;
        }
    }
    ledger_check::run(app, now).await
}

/// Does what is due, several timers at a time: a thousand incidents may be due in the same second.
pub async fn handle_due(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let time_left = deadline.since(app.clock.now()).saturating_sub(STOP_BEFORE);
    let stop = tokio::time::Instant::now() + time_left;
    let mut records = Vec::with_capacity(event.records.len());
    for record in event.records {
        let (Some(message_id), Some(receipt)) = (record.message_id, record.receipt_handle) else {
            return Err(NamelessRecord);
        };
        records.push((Handle { message_id, receipt }, record.body.unwrap_or_default()));
    }
    let dispositions = stream::iter(records)
        .map(|(handle, body)| async move {
            let disposition = tokio::time::timeout_at(stop, dispose(app, &handle, &body)).await;
            (handle, disposition.unwrap_or(Disposition::Retry { after: None }))
        })
        .buffer_unordered(CONCURRENT_TIMERS)
        .collect()
        .await;
    Ok(sqs_batch::answer(&app.dispatch.due, dispositions).await)
}

async fn dispose(app: &App, handle: &Handle, body: &str) -> Disposition {
    match serde_json::from_str::<Timer>(body) {
        Ok(timer) => match act::act(app, &timer).await {
            Ok(()) => Disposition::Done,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, timer.id = timer.id, "a timer comes back");
                Disposition::Retry { after: None }
            }
        },
        Err(error) => {
            tracing::error!(%error, message.id = handle.message_id, "a record is no timer of ours");
            Disposition::Retry { after: Some(Duration::ZERO) }
        }
    }
}
