//! The SNS topic "changes": every change of an alert or incident, for operators' own subscribers.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::PublishBatchRequestEntry;

/// Entries of one batch request.
const BATCH: usize = 10;

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

    /// Publishes all, ten at a time. What a batch answer names as failed is published once more; HTTP 200 is no proof.
    pub async fn publish_batch(&self, messages: &[String]) -> Result<(), PublishError> {
        for chunk in messages.chunks(BATCH) {
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
