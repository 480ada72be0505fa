//! The SNS topic "changes": every change of an alert or incident, for operators' own subscribers.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::PublishBatchRequestEntry;

/// The most entries of one batch request.
const BATCH: usize = 10;
/// The most bytes of one batch request, and of one message (SNS API reference, `PublishBatch`, read 2026-11).
pub const BATCH_BYTES: usize = 262_144;

#[derive(Debug, Clone)]
pub struct Topic {
    client: Client,
    arn: String,
}

/// Why a change may not have been published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("publishing to the topic failed")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the topic took all but {failed} of {of} messages: {code}")]
    Partial { failed: usize, of: usize, code: String },
}

impl Topic {
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into() }
    }

    /// Publishes all messages, in batches of ten that stay within [`BATCH_BYTES`]. HTTP 200 does not prove success:
    /// entries that the answer names as failed are published once more.
    pub async fn publish_batch(&self, messages: &[String]) -> Result<(), PublishError> {
        for chunk in chunks(messages) {
            let failed = self.publish_chunk(chunk).await?;
            let again: Vec<String> = failed.iter().filter_map(|(index, _)| chunk.get(*index).cloned()).collect();
            if again.is_empty() {
                continue;
            }
            if let Some((_, code)) = self.publish_chunk(&again).await?.into_iter().next() {
                return Err(PublishError::Partial { failed: again.len(), of: chunk.len(), code });
            }
        }
        Ok(())
    }

    async fn publish_chunk(&self, chunk: &[String]) -> Result<Vec<(usize, String)>, PublishError> {
        let entries = chunk.iter().enumerate().map(|(index, message)| {
            PublishBatchRequestEntry::builder()
                .id(index.to_string())
                .message(message)
                .build()
                .expect("id and message are set")
        });
        let answer = self
            .client
            .publish_batch()
            .topic_arn(&self.arn)
            .set_publish_batch_request_entries(Some(entries.collect()))
            .send()
            .await
            .map_err(|error| PublishError::Request(Box::new(error.into_service_error())))?;
        Ok(answer
            .failed()
            .iter()
            .filter_map(|failure| Some((failure.id().parse().ok()?, failure.code().to_owned())))
            .collect())
    }
}

/// Splits messages into requests, in order. A message that is too large gets a request of its own, so that only it is
/// refused.
fn chunks(messages: &[String]) -> Vec<&[String]> {
    let (mut chunks, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (place, message) in messages.iter().enumerate() {
        if place > start && (place - start == BATCH || bytes + message.len() > BATCH_BYTES) {
            chunks.push(&messages[start..place]);
            (start, bytes) = (place, 0);
        }
        bytes += message.len();
    }
    if start < messages.len() {
        chunks.push(&messages[start..]);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: finding A9
    #[test]
    fn a_batch_holds_ten_messages_and_no_more_bytes_than_sns_takes() {
        let lengths = |sizes: &[usize]| {
            let messages: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
            chunks(&messages).iter().map(|chunk| chunk.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[1; 23]), [10, 10, 3]);
        assert_eq!(lengths(&[BATCH_BYTES / 2; 5]), [2, 2, 1]);
        assert_eq!(lengths(&[BATCH_BYTES, 1, BATCH_BYTES - 1, 2]), [1, 2, 1]);
        assert_eq!(lengths(&[1, BATCH_BYTES + 1, 1]), [1, 1, 1]);
        assert_eq!(lengths(&[]), [0; 0]);
    }
}
