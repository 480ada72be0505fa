//! What becomes of a queue's records, and how that is told to Lambda. The only place that knows batch answers.

use std::time::Duration;

use aws_lambda_events::event::sqs::SqsBatchResponse;

use crate::queue::Queue;

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Taken care of: delete it.
    Done,
    /// Not yet: let it come again, after the queue's visibility timeout or after `after`.
    Retry { after: Option<Duration> },
}

/// One record's names in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    pub message_id: String,
    pub receipt: String,
}

/// Reports exactly the records that are to come again, each with its wait.
///
/// A record without an id must never be reported (an empty identifier would bring the whole batch back) and must not be
/// skipped either: the caller fails the whole batch by an error.
pub async fn answer(queue: &Queue, dispositions: Vec<(Handle, Disposition)>) -> SqsBatchResponse {
    for (handle, disposition) in &dispositions {
        let Disposition::Retry { after: Some(after) } = disposition else { continue };
        if let Err(error) = queue.change_visibility(&handle.receipt, *after).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a waiting record comes back later than it should"
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

    use proptest::prelude::*;

    use super::*;

    fn disposition() -> impl Strategy<Value = Disposition> {
        let after = proptest::option::of((0_u64..43_200).prop_map(Duration::from_secs));
        prop_oneof![Just(Disposition::Done), after.prop_map(|after| Disposition::Retry { after })]
    }

    proptest! {
        // Proves: fault 41
        #[test]
        fn exactly_what_is_to_come_again_is_reported_and_never_an_id_that_was_not_handed_over(
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
