//! Lambda's event sources: poll a queue, gather a batch, call the function, delete the finished messages.
//!
//! Batch size, window, concurrency and the function's timeout are the template's. As on AWS:
//!
//! - a batch is called when it is full, or when the window since its first message is over;
//! - messages that the function reports as failed stay in the queue until their visibility ends, the rest is deleted;
//! - an error, a panic, a timeout, or a report that names no record of the batch fails the batch as a whole.
//!
//! Two things are faster than on AWS. With [`Batching::AtOnce`] a batch does not wait for its window: a call costs nothing
//! here, so messages are received whenever a call is free, and batches grow only while none is free. And messages that a
//! process had received when it was killed are received again at the next start instead of minutes later, because no other
//! process can have them (`release_unfinished`). Not simulated: scaling up and down. Concurrent calls are limited by
//! `MaximumConcurrency`, by the account's limit where it is simulated ([`crate::aws_rules`]), or by constants for one machine.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use alerting::base::moment::Moment;
use aws_lambda_events::encodings::Base64Data;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage, SqsMessageAttribute};
use lambda_kit::clock::Clock;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::aws::names;
use crate::aws::sqs::Sqs;
use crate::aws::sqs::message::Received;
use crate::aws_rules::{self, Limits, Lineage};
use crate::options::Batching;
use crate::stack::EventSource;

/// The longest that SQS lets a receive wait.
const LONG_POLL: Duration = Duration::from_secs(20);
/// The most messages of one receive.
const RECEIVE: usize = 10;
/// Bytes of a batch: Lambda takes requests of up to 6 MB, and the rest of the event needs room.
const BATCH_BYTES: usize = 5 * 1024 * 1024;
/// Without a limit, an event source makes as many concurrent calls as full batches fit into this number of records …
const RECORDS_AT_ONCE: usize = 80;
/// … but at least twice, so that one batch that hangs does not stop the queue …
const LEAST_CALLS: usize = 2;
/// … and at most this often, because the machine has to accept messages meanwhile.
const MOST_CALLS: usize = 8;
/// The pause after a queue could not be read, so that a full disk does not cause a busy loop.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) type Call = Pin<Box<dyn Future<Output = anyhow::Result<SqsBatchResponse>> + Send>>;
/// A function as its event source sees it: a batch and a deadline in, a report out.
pub(crate) type Handler = Arc<dyn Fn(SqsEvent, Moment) -> Call + Send + Sync>;

/// The activity of all event sources together.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    running: AtomicUsize,
    /// Grows with every begin and every end of a call.
    changes: AtomicU64,
}

impl Activity {
    /// `None` while a call runs; else a number that changes with every call.
    pub(crate) fn resting(&self) -> Option<u64> {
        let changes = self.changes.load(Ordering::SeqCst);
        (self.running.load(Ordering::SeqCst) == 0).then_some(changes)
    }

    fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::SeqCst);
        self.changes.fetch_add(1, Ordering::SeqCst);
        Running(self.clone())
    }
}

struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Called before the pollers start: messages that the last process received and did not finish can be received again.
pub(crate) async fn release_unfinished(sqs: &Sqs, sources: &[EventSource]) -> anyhow::Result<()> {
    for source in sources {
        sqs.release(&source.queue).await?;
    }
    Ok(())
}

/// One queue and the function that it calls.
#[derive(Clone)]
pub(crate) struct Poller {
    pub(crate) sqs: Sqs,
    pub(crate) source: EventSource,
    /// The function's.
    pub(crate) timeout: Duration,
    pub(crate) handler: Handler,
    pub(crate) clock: Clock,
    pub(crate) activity: Arc<Activity>,
    pub(crate) batching: Batching,
    pub(crate) limits: Arc<Limits>,
    /// The function has `RecursiveLoop: Allow`.
    pub(crate) may_loop: bool,
}

impl Poller {
    /// Works until `stop` turns true, then until the last call has ended.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let usual = || (RECORDS_AT_ONCE / self.source.batch_size.max(1)).clamp(LEAST_CALLS, MOST_CALLS);
        let of_account = self.limits.calls_at_once();
        let at_once = self.source.maximum_concurrency.or(of_account).unwrap_or_else(usual);
        let permits = Arc::new(Semaphore::new(at_once));
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let batch = self.gather(&mut stop).await;
            if *stop.borrow() && batch.is_empty() {
                drop(permit);
                break;
            }
            if !batch.is_empty() {
                let poller = self.clone();
                tokio::spawn(async move {
                    poller.call(batch).await;
                    drop(permit);
                });
            }
        }
        let all = u32::try_from(at_once).unwrap_or(u32::MAX);
        drop(permits.acquire_many(all).await);
    }

    /// The next batch; empty if no message came for a while, or on `stop`.
    async fn gather(&self, stop: &mut watch::Receiver<bool>) -> Vec<Received> {
        let mut batch = self.receive(self.source.batch_size.min(RECEIVE), LONG_POLL, stop).await;
        let window = match self.batching {
            Batching::AsOnAws => self.source.window,
            Batching::InATenth => self.source.window / 10,
            Batching::AtOnce => Duration::ZERO,
        };
        let end = Instant::now() + window;
        let mut bytes: usize = batch.iter().map(|message| message.body.len()).sum();
        // The function is called with received messages even on `stop`; otherwise they would be invisible for minutes.
        while !batch.is_empty() && batch.len() < self.source.batch_size && bytes < BATCH_BYTES {
            let left = end.saturating_duration_since(Instant::now());
            let more = (self.source.batch_size - batch.len()).min(RECEIVE);
            let received = self.receive(more, left, stop).await;
            if received.is_empty() && (left.is_zero() || *stop.borrow()) {
                break;
            }
            bytes += received.iter().map(|message| message.body.len()).sum::<usize>();
            batch.extend(received);
        }
        batch
    }

    /// Receives messages. On `stop` the receive is dropped before it has taken anything.
    async fn receive(&self, max: usize, wait: Duration, stop: &mut watch::Receiver<bool>) -> Vec<Received> {
        let received = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Vec::new(),
            received = self.sqs.receive(&self.source.queue, max, wait) => received,
        };
        match received {
            Ok(received) => received,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, queue = self.source.queue, "cannot receive");
                tokio::time::sleep(PAUSE).await;
                Vec::new()
            }
        }
    }

    /// Calls the function with one batch, and deletes the messages that it finished.
    async fn call(&self, batch: Vec<Received>) {
        let _running = self.activity.begin();
        let may_call =
            |message: &Received| self.limits.may_call(&self.source.function, self.may_loop, message.trace.as_deref());
        let (batch, refused): (Vec<_>, Vec<_>) = batch.into_iter().partition(may_call);
        let mut done: Vec<String> = refused.into_iter().map(|message| message.receipt).collect();
        if !batch.is_empty() {
            let _execution = self.limits.execution().await;
            let lineage =
                self.limits.lineage(&self.source.function, batch.iter().map(|message| message.trace.as_deref()));
            if let Some(report) = self.invoke(event(&batch, &self.source.queue), lineage).await {
                done.extend(taken(&batch, &report, self.source.report_batch_item_failures));
            }
        }
        if done.is_empty() {
            return;
        }
        match self.sqs.delete(&self.source.queue, done).await {
            Ok(results) => {
                // The receipt expired while the function worked: the message is received again, as on AWS.
                for error in results.into_iter().filter_map(Result::err) {
                    tracing::warn!(error = &error as &dyn std::error::Error, queue = self.source.queue, "not deleted");
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, queue = self.source.queue, "not deleted");
            }
        }
    }

    /// The function's report, or `None` if the call failed as a whole.
    async fn invoke(&self, event: SqsEvent, lineage: Option<Lineage>) -> Option<SqsBatchResponse> {
        let deadline = self.clock.now() + self.timeout;
        // A task of its own: a panic ends the call, not the poller.
        let task = tokio::spawn(aws_rules::traced(lineage, (self.handler)(event, deadline)));
        let abort = task.abort_handle();
        let function = self.source.function.as_str();
        match tokio::time::timeout(self.timeout, task).await {
            Ok(Ok(Ok(report))) => Some(report),
            Ok(Ok(Err(error))) => {
                tracing::error!(error = &*error as &dyn std::error::Error, function, "the call failed");
                None
            }
            Ok(Err(_)) => {
                tracing::error!(function, "the call panicked");
                None
            }
            Err(_) => {
                abort.abort();
                tracing::error!(function, "the call timed out");
                None
            }
        }
    }
}

/// The receipts of the messages that may be deleted.
fn taken(batch: &[Received], report: &SqsBatchResponse, reports_items: bool) -> Vec<String> {
    let all = || batch.iter().map(|message| message.receipt.clone());
    if !reports_items {
        return all().collect();
    }
    let failed: HashSet<&str> =
        report.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
    let known: HashSet<&str> = batch.iter().map(|message| message.message_id.as_str()).collect();
    if !failed.is_subset(&known) {
        tracing::error!("the report names a record that was not in the batch: all of it comes again");
        return Vec::new();
    }
    let taken = batch.iter().filter(|message| !failed.contains(message.message_id.as_str()));
    taken.map(|message| message.receipt.clone()).collect()
}

fn event(batch: &[Received], queue: &str) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = batch.iter().map(|message| record(message, queue)).collect();
    event
}

fn record(message: &Received, queue: &str) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(message.message_id.clone());
    record.receipt_handle = Some(message.receipt.clone());
    record.body = Some(message.body.clone());
    record.md5_of_body = Some(message.body_md5.clone());
    record.event_source = Some("aws:sqs".to_owned());
    record.event_source_arn = Some(names::queue_arn(queue));
    record.aws_region = Some(names::REGION.to_owned());
    let optional = [
        ("MessageGroupId", message.group.clone()),
        ("MessageDeduplicationId", message.dedup.clone()),
        ("AWSTraceHeader", message.trace.clone()),
        ("DeadLetterQueueSourceArn", message.dead_from.clone()),
        ("SequenceNumber", message.sequence.map(|sequence| format!("{sequence:020}"))),
    ];
    let always = [
        ("ApproximateReceiveCount", message.receives.to_string()),
        ("SentTimestamp", message.sent_at.millis().to_string()),
        ("ApproximateFirstReceiveTimestamp", message.first_received_at.millis().to_string()),
        ("SenderId", names::ACCOUNT.to_owned()),
    ];
    let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
    record.attributes = always.into_iter().chain(optional).map(|(name, value)| (name.to_owned(), value)).collect();
    for (name, value) in &message.attributes {
        let mut attribute = SqsMessageAttribute::default();
        attribute.data_type = Some(value.data_type.clone());
        attribute.string_value = value.string_value.clone();
        if let Some(blob) = &value.binary_value {
            attribute.binary_value.insert(Base64Data::default()).0.clone_from(&blob.0);
        }
        record.message_attributes.insert(name.clone(), attribute);
    }
    record
}

#[cfg(test)]
mod tests;
