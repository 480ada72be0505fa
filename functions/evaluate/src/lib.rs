//! Handles a batch of messages: read → judge → apply per alert key → send → record.
//!
//! In: records of the queue "messages", each an [`alerting::rules::message::Received`]. Out: alerts and incidents in the table,
//! notices in the FIFO queue (one per destination of each space), changes on the topic, one log entry per message.
//!
//! At least once: a message is deleted only when everything that follows from it is written and sent. A repetition changes
//! nothing, because alerts, incidents, notices and log entries are named after the message that caused them
//! (`alerting::incident::alert` says why that is enough). A message that fails is retried; the rest of its batch is not.
//!
//! The function stops two seconds before its deadline and reports the messages that it has not handled.

mod app;
mod batch;
mod carry_out;
mod error;
mod join_queue;
mod keyed;
mod open_cap;
mod open_counts;
mod outgoing;
mod policies;
mod record;
pub mod settings;
mod slots;
mod spaces;
mod unique;

use alerting::base::moment::Moment;
use alerting::incident::alert::AlertKey;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_kit::sqs_batch::{self, NamelessRecord, Records, STOP_BEFORE};

pub use app::App;
use batch::{Batch, Group};
use error::EvaluateError;
use keyed::Keyed;
use slots::{CONCURRENT_KEYS, Slots};

/// Alert keys in progress, including those that wait in the queue of an incident: a whole batch. An incident of 5,000 alerts
/// takes a write of 300 KB, one for all alerts that wait.
const KEYS_UNDER_WAY: usize = 100;
/// Handles one batch.
pub async fn handle(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let stop = sqs_batch::stop(deadline, &app.clock);
    let mut batch = Batch::new(Records::read(event)?);
    if let Err(error) = batch.judge(app).await {
        tracing::error!(error = &error as &dyn std::error::Error, "no message of the batch could be judged");
        return Ok(sqs_batch::answer(&app.messages, batch.all_failed()).await);
    }
    let groups = batch.take_groups();
    let slots = &Slots::new(CONCURRENT_KEYS);
    let parts: Vec<_> = groups
        .iter()
        .map(|group| {
            let span = tracing::error_span!("alert key", integration.id = %group.integration.id);
            (span, slots.work(Box::pin(work(app, group))))
        })
        .collect();
    let worked = sqs_batch::work(parts, KEYS_UNDER_WAY, stop).await;
    for (group, results) in groups.iter().zip(worked) {
        if let Some(results) = results {
            batch.set_results(group, results);
        }
    }
    let finish = async {
        send(app, &mut batch).await;
        record::write(app, &mut batch).await;
        app.open_counts.write(&app.store, &app.clock).await;
    };
    if tokio::time::timeout_at(stop + STOP_BEFORE / 2, finish).await.is_err() {
        tracing::error!("out of time for the records of a batch");
        return Ok(sqs_batch::answer(&app.messages, batch.all_failed()).await);
    }
    Ok(sqs_batch::answer(&app.messages, batch.dispositions()).await)
}

/// Over the cap of open alerts, messages that would open one update the alert of the cap instead.
async fn work(app: &App, group: &Group) -> Result<Vec<batch::MessageResult>, EvaluateError> {
    let capped = app.open_counts.is_reached(&app.store, app.clock.now(), &group.integration).await?;
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

/// Sends the notices and changes of the whole batch. If that fails, every message that caused any is retried; what was sent
/// is sent again under the same names.
async fn send(app: &App, batch: &mut Batch) {
    if let Err(error) = batch.take_outgoing().send(app).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the notices of a batch were not sent");
        batch.fail_those_with_outgoing();
    }
}
