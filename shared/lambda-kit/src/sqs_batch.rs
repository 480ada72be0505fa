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
    let mut response = SqsBatchResponse::default();
    for (handle, disposition) in dispositions {
        let Disposition::Retry { after } = disposition else { continue };
        if let Some(after) = after
            && let Err(error) = queue.change_visibility(&handle.receipt, after).await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a waiting record comes back later than it should"
            );
        }
        response.add_failure(handle.message_id);
    }
    response
}
