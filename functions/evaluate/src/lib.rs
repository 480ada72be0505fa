//! The story of a batch: read → judge → apply per alert key → tell → record.
//!
//! In: records of the queue "messages", each an [`alerting::rules::message::Received`]. Out: alerts and incidents in the table, notices in the FIFO
//! queue (one per destination of each space), changes on the topic, one log entry per message.
//!
//! At least once: a message is deleted only when everything that follows from it is written and sent. Whatever is done
//! twice is absorbed by name: alerts, incidents, notices and log entries are named after the message that caused them
//! (`alerting::incident::alert` says why that is enough). A message that fails comes back; the rest of its batch does not.
//!
//! The function stops two seconds before its deadline and reports what it has not done.

mod batch;
mod carry_out;
mod error;
mod joining;
mod keyed;
mod open_cap;
mod policies;
mod record;
pub mod settings;
mod slots;
mod spaces;
mod told;
mod unique;

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::alert::AlertKey;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dispatch::Dispatch;
use futures::StreamExt as _;
use futures::stream;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::sqs_batch::{self, Disposition};
use store::Store;

use batch::{Batch, Group};
use error::EvaluateError;
use keyed::Keyed;
use slots::Slots;

/// Alert keys that one invocation works on at a time: enough to hide the table's latency on 128 MB.
const CONCURRENT_KEYS: usize = 16;
/// Alert keys that are under way, with those that stand in the line before an incident: a whole batch. An incident of
/// 5,000 alerts is 300 KB to write, once for all who wait.
const KEYS_UNDER_WAY: usize = 100;
/// How long before its deadline the function stops, so that it can still report what it has not done.
const STOP_BEFORE: Duration = Duration::from_secs(2);

/// What the handler works with.
pub struct App {
    pub store: Store,
    pub messages: Queue,
    pub dispatch: Dispatch,
    pub clock: Clock,
    joining: joining::Joining,
    message_log: Duration,
    policies: policies::Policies,
    open_cap: open_cap::OpenCap,
}

impl App {
    pub fn new(messages: Queue, dispatch: Dispatch, message_log_days: Option<u32>) -> Self {
        let message_log = message_log_days
            .map_or(alerting::base::limits::MESSAGE_LOG, |days| Duration::from_secs(u64::from(days) * 24 * 3600));
        Self {
            store: dispatch.store.clone(),
            messages,
            clock: dispatch.clock.clone(),
            dispatch,
            joining: joining::Joining::default(),
            message_log,
            policies: policies::Policies::default(),
            open_cap: open_cap::OpenCap::default(),
        }
    }
}

/// The queue handed over a record without an id; it can be neither reported nor skipped.
#[derive(Debug, thiserror::Error)]
#[error("a record without a message id or receipt: the whole batch is returned")]
pub struct NamelessRecord;

/// Handles one batch.
pub async fn handle(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let time_left = deadline.since(app.clock.now()).saturating_sub(STOP_BEFORE);
    let stop = tokio::time::Instant::now() + time_left;
    let mut batch = Batch::read(event)?;
    if let Err(error) = batch.judge(app).await {
        tracing::error!(error = &error as &dyn std::error::Error, "no message of the batch could be judged");
        return Ok(sqs_batch::answer(&app.messages, batch.all_failed()).await);
    }
    let groups = batch.take_groups();
    let slots = &Slots::new(CONCURRENT_KEYS);
    let worked = stream::iter(groups)
        .map(|group| async move {
            let done = tokio::time::timeout_at(stop, slots.work(Box::pin(work(app, &group)))).await;
            (group, done)
        })
        .buffer_unordered(KEYS_UNDER_WAY)
        .collect::<Vec<_>>()
        .await;
    for (group, done) in worked {
        match done {
            Ok(Ok(settled)) => batch.settle(&group, settled),
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, integration.id = %group.integration.id, "an alert key failed");
            }
            Err(_) => tracing::error!(integration.id = %group.integration.id, "out of time for an alert key"),
        }
    }
    let finish = async {
        tell(app, &mut batch).await;
        record::write(app, &mut batch).await;
        app.open_cap.write(app).await;
    };
    if tokio::time::timeout_at(stop + STOP_BEFORE / 2, finish).await.is_err() {
        tracing::error!("out of time for the records of a batch");
        return Ok(sqs_batch::answer(&app.messages, batch.all_failed()).await);
    }
    Ok(sqs_batch::answer(&app.messages, batch.dispositions()).await)
}

/// Over the cap of open alerts, what would open one goes another way.
async fn work(app: &App, group: &Group) -> Result<Vec<batch::Settled>, EvaluateError> {
    let capped = app.open_cap.is_reached(app, &group.integration).await?;
    match &group.key {
        AlertKey::Unique if capped => open_cap::apply(app, group).await,
        AlertKey::Unique => unique::apply(app, group).await,
        AlertKey::Named(key) if capped && !keyed::is_open(app, &group.integration, key).await? => {
            open_cap::apply(app, group).await
        }
        AlertKey::Named(key) => {
            keyed::apply(app, &Keyed { integration: &group.integration, key, events: &group.events }).await
        }
    }
}

/// Sends the notices and changes of the whole batch. If that fails, every message that caused any comes back; what was
/// sent is sent again under the same names.
async fn tell(app: &App, batch: &mut Batch) {
    if let Err(error) = batch.take_told().send(app).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the notices of a batch were not sent");
        batch.fail_those_who_tell();
    }
}

/// A record that is to come again at once: what cannot be read now is not going to be readable later, and the dead
/// letter queue is where a person finds it.
pub(crate) const AT_ONCE: Disposition = Disposition::Retry { after: Some(Duration::ZERO) };
