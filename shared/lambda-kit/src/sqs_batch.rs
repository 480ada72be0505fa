//! The loop of every function that reads a queue: read the records, work on them until shortly before the deadline,
//! answer. Only this module handles batch answers.
//!
//! 1. [`Records::read`] parses every record. A record that cannot be parsed is returned at once: a retry would not
//!    help, and the dead-letter queue is where a person finds it.
//! 2. [`work`] runs the parts of the batch, several at a time, each in its span, until [`stop`].
//! 3. [`answer`] reports exactly the records that are to be received again.

use std::time::Duration;

use alerting::base::moment::Moment;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::StreamExt as _;
use futures::stream;
use serde_core::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::clock::Clock;
use crate::queue::Queue;

/// How long before its deadline a function stops, so that it can still report what it has not done.
pub const STOP_BEFORE: Duration = Duration::from_secs(2);

/// The result of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Finished: delete it.
    Done,
    /// Retry: receive it again, after the queue's visibility timeout or after `after`.
    Retry { after: Option<Duration> },
}

impl Disposition {
    /// Failed, or there was no time for it: it is received again after the queue's visibility timeout.
    pub const LATER: Self = Self::Retry { after: None };
    /// The record cannot be read, and a retry does not change that.
    pub const AT_ONCE: Self = Self::Retry { after: Some(Duration::ZERO) };
}

/// The message id and receipt of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    pub message_id: String,
    pub receipt: String,
}

/// A record without a message id or receipt can be neither reported nor skipped.
#[derive(Debug, thiserror::Error)]
#[error("a record without a message id or receipt: the whole batch is returned")]
pub struct NamelessRecord;

/// The records of a batch.
#[derive(Debug)]
pub struct Records<T> {
    pub readable: Vec<(Handle, T)>,
    pub unreadable: Vec<Handle>,
}

impl<T: DeserializeOwned> Records<T> {
    /// Parses the body of every record as JSON.
    pub fn read(event: SqsEvent) -> Result<Self, NamelessRecord> {
        let mut records = Self { readable: Vec::with_capacity(event.records.len()), unreadable: Vec::new() };
        for record in event.records {
            let (Some(message_id), Some(receipt)) = (record.message_id, record.receipt_handle) else {
                return Err(NamelessRecord);
            };
            let handle = Handle { message_id, receipt };
            match serde_json::from_str(record.body.as_deref().unwrap_or_default()) {
                Ok(content) => records.readable.push((handle, content)),
                Err(error) => {
                    tracing::error!(%error, message.id = handle.message_id, "a record of the queue cannot be read");
                    records.unreadable.push(handle);
                }
            }
        }
        Ok(records)
    }
}

/// When the work on a batch ends.
pub fn stop(deadline: Moment, clock: &Clock) -> Instant {
    Instant::now() + deadline.since(clock.now()).saturating_sub(STOP_BEFORE)
}

/// Runs the parts of a batch, at most `at_a_time` of them at a time, each in its span. Returns the results in the order
/// of the parts: `None` for a part that failed or ran out of time, which is logged.
pub async fn work<T, E, F>(parts: Vec<(Span, F)>, at_a_time: usize, stop: Instant) -> Vec<Option<T>>
where
    F: Future<Output = Result<T, E>>,
    E: std::error::Error + 'static,
{
    let parts = parts.into_iter().enumerate().map(|(place, (span, part))| {
        let logged = async move {
            match tokio::time::timeout_at(stop, part).await {
                Ok(Ok(result)) => Some(result),
                Ok(Err(error)) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a part of a batch failed; it is retried"
                    );
                    None
                }
                Err(_) => {
                    tracing::error!("there was no time for a part of a batch; it is retried");
                    None
                }
            }
        };
        async move { (place, logged.instrument(span).await) }
    });
    let mut results: Vec<(usize, Option<T>)> = stream::iter(parts).buffer_unordered(at_a_time).collect().await;
    results.sort_unstable_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The same disposition for each of several records.
pub fn all(handles: impl IntoIterator<Item = Handle>, disposition: &Disposition) -> Vec<(Handle, Disposition)> {
    handles.into_iter().map(|handle| (handle, disposition.clone())).collect()
}

/// Reports exactly the records that are to be received again, each with its wait.
///
/// A record without an id must never be reported, because an empty identifier would fail the whole batch. It must not be
/// skipped either: the caller fails the whole batch with an error.
pub async fn answer(queue: &Queue, dispositions: Vec<(Handle, Disposition)>) -> SqsBatchResponse {
    for (handle, disposition) in &dispositions {
        let Disposition::Retry { after: Some(after) } = disposition else { continue };
        if let Err(error) = queue.change_visibility(&handle.receipt, *after).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a record is received again later than it should be"
            );
        }
    }
    report(dispositions)
}

fn report(dispositions: Vec<(Handle, Disposition)>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for (handle, disposition) in dispositions {
        if disposition != Disposition::Done {
            response.add_failure(handle.message_id);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_lambda_events::event::sqs::{SqsMessage, SqsMessageAttribute};
    use proptest::prelude::*;

    use super::*;

    fn record(id: Option<&str>, body: Option<&str>) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.message_id = id.map(str::to_owned);
        record.receipt_handle = id.map(|id| format!("receipt of {id}"));
        record.body = body.map(str::to_owned);
        record.attributes.insert("SomethingNew".to_owned(), "1".to_owned());
        record.message_attributes.insert("of the sender".to_owned(), SqsMessageAttribute::default());
        record
    }

    fn event(records: Vec<SqsMessage>) -> SqsEvent {
        let mut event = SqsEvent::default();
        event.records = records;
        event
    }

    // Proves: fault 40
    #[test]
    fn only_records_without_a_readable_body_are_reported_as_failed() {
        let mut records: Vec<SqsMessage> = (0..98).map(|n| record(Some(&format!("good {n}")), Some("[7]"))).collect();
        records.push(record(Some("empty"), None));
        records.push(record(Some("strange"), Some("{}")));
        let records = Records::<Vec<u8>>::read(event(records)).expect("all have names");
        assert_eq!(records.readable.len(), 98);
        let again: Vec<&str> = records.unreadable.iter().map(|handle| handle.message_id.as_str()).collect();
        assert_eq!(again, ["empty", "strange"]);
    }

    #[test]
    fn a_record_without_an_id_fails_the_whole_batch() {
        let records = vec![record(Some("good"), Some("[7]")), record(None, Some("[7]"))];
        assert!(Records::<Vec<u8>>::read(event(records)).is_err());
    }

    #[tokio::test]
    async fn every_part_has_its_own_result_in_order_and_one_that_hangs_ends_at_the_stop() {
        let (running, most) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        let part = |turns: usize| async move {
            most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            if turns == 0 {
                std::future::pending::<()>().await;
            }
            running.fetch_sub(1, Ordering::Relaxed);
            if turns == 2 { Err(std::io::Error::other("failed")) } else { Ok(turns) }
        };
        let parts = [9, 2, 1, 0, 4].map(|turns| (Span::none(), part(turns)));
        let results = work(parts.into(), 2, Instant::now() + Duration::from_millis(100)).await;
        assert_eq!(results, [Some(9), None, Some(1), None, Some(4)]);
        assert_eq!(most.load(Ordering::Relaxed), 2);
    }

    fn disposition() -> impl Strategy<Value = Disposition> {
        let after = proptest::option::of((0_u64..43_200).prop_map(Duration::from_secs));
        prop_oneof![Just(Disposition::Done), after.prop_map(|after| Disposition::Retry { after })]
    }

    proptest! {
        // Proves: fault 41
        #[test]
        fn exactly_the_records_to_retry_are_reported_and_no_other_id(
            dispositions in proptest::collection::vec(disposition(), 0..200)
        ) {
            let handle = |place: usize| Handle { message_id: format!("id-{place}"), receipt: format!("receipt-{place}") };
            let batch: Vec<_> = dispositions.into_iter().enumerate().map(|(place, one)| (handle(place), one)).collect();
            let waiting = batch.iter().filter(|(_, one)| *one != Disposition::Done);
            let expected: HashSet<String> = waiting.map(|(handle, _)| handle.message_id.clone()).collect();
            let reported = report(batch).batch_item_failures;
            let ids: HashSet<String> = reported.iter().map(|failure| failure.item_identifier.clone()).collect();
            prop_assert!(!ids.contains(""));
            prop_assert_eq!(ids.len(), reported.len());
            prop_assert_eq!(ids, expected);
        }
    }
}
