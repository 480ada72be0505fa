//! One SQS queue.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::notice::NoticeRecord;
use alerting::incident::timer::Timer;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};

/// The most entries of one batch request.
const BATCH: usize = 10;
/// The most bytes of one batch request, with room for the SDK's own fields; AWS accepts 1 MiB.
const BATCH_BYTES: usize = 900 * 1024;

#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// One message to send.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub body: String,
    /// On a FIFO queue, the group in which messages keep their order; on a standard queue, the tenant that fair queues
    /// distinguish.
    pub group: Option<String>,
    /// Set on FIFO queues only.
    pub deduplication_id: Option<String>,
    /// Set on standard queues only, because FIFO queues refuse a delay per message. At most 15 minutes.
    pub delay: Option<Duration>,
}

impl Entry {
    /// A record of the queue "notices": its group is the destination, and copies of one change have one name.
    pub fn of_notice(record: &NoticeRecord) -> Self {
        Self {
            body: serde_json::to_string(record).expect("a notice is JSON"),
            group: Some(record.destination().as_str().to_owned()),
            deduplication_id: Some(record.deduplication_id()),
            delay: None,
        }
    }

    /// A record of the queue "due". It is received when it is due, or at once if it is overdue.
    pub fn of_timer(timer: &Timer, now: Moment) -> Self {
        let body = serde_json::to_string(timer).expect("a timer is JSON");
        Self { body, delay: Some(timer.due.since(now)), ..Self::default() }
    }
}

/// One message of a queue that is not an event source of a function.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub id: String,
    pub body: String,
    pub sent_at: Moment,
    receipt: String,
}

/// Why a queue could not be read.
#[derive(Debug, thiserror::Error)]
#[error("reading a queue failed")]
pub struct ReceiveError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Why a message may not be in the queue. After a timeout it may be in the queue nevertheless.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("sending to the queue failed")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the queue took all but {failed} of {of} messages: {code}")]
    Partial { failed: usize, of: usize, code: String },
}

impl Queue {
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    pub async fn send(&self, entry: Entry) -> Result<(), SendError> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(entry.body)
            .set_message_group_id(entry.group)
            .set_message_deduplication_id(entry.deduplication_id)
            .set_delay_seconds(entry.delay.map(whole_seconds))
            .send()
            .await
            .map(drop)
            .map_err(|error| SendError::Request(Box::new(error.into_service_error())))
    }

    /// Sends all entries, in order, ten at a time. HTTP 200 does not prove success: entries that the answer names as
    /// failed are sent once more.
    pub async fn send_batch(&self, entries: Vec<Entry>) -> Result<(), SendError> {
        for chunk in chunks(entries) {
            let failed = self.send_chunk(&chunk).await?;
            if failed.is_empty() {
                continue;
            }
            let again: Vec<Entry> = failed.iter().filter_map(|(index, _)| chunk.get(*index).cloned()).collect();
            if let Some((_, code)) = self.send_chunk(&again).await?.into_iter().next() {
                return Err(SendError::Partial { failed: again.len(), of: chunk.len(), code });
            }
        }
        Ok(())
    }

    /// Sends one batch. Returns the index and error code of each entry that was refused.
    async fn send_chunk(&self, chunk: &[Entry]) -> Result<Vec<(usize, String)>, SendError> {
        let entries = chunk.iter().enumerate().map(|(index, entry)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&entry.body)
                .set_message_group_id(entry.group.clone())
                .set_message_deduplication_id(entry.deduplication_id.clone())
                .set_delay_seconds(entry.delay.map(whole_seconds))
                .build()
                .expect("id and body are set")
        });
        let answer = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .map_err(|error| SendError::Request(Box::new(error.into_service_error())))?;
        Ok(answer
            .failed()
            .iter()
            .filter_map(|failure| Some((failure.id().parse().ok()?, failure.code().to_owned())))
            .collect())
    }

    /// The approximate number of messages that can be received.
    pub async fn count(&self) -> Result<u32, ReceiveError> {
        let wanted = QueueAttributeName::ApproximateNumberOfMessages;
        let answer =
            self.client.get_queue_attributes().queue_url(&self.url).attribute_names(wanted.clone()).send().await;
        let answer = answer.map_err(|error| ReceiveError(Box::new(error.into_service_error())))?;
        let count = answer.attributes().and_then(|all| all.get(&wanted)?.parse().ok());
        Ok(count.unwrap_or(0))
    }

    /// Receives at most ten messages. They are invisible to others for the queue's visibility timeout.
    pub async fn receive(&self) -> Result<Vec<Waiting>, ReceiveError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(|error| ReceiveError(Box::new(error.into_service_error())))?;
        let waiting = |message: Message| {
            let sent = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
            let sent_at = Moment::from_millis(sent.and_then(|sent| sent.parse().ok()).unwrap_or_default());
            let Message { message_id, body, receipt_handle, .. } = message;
            Some(Waiting { id: message_id?, body: body.unwrap_or_default(), sent_at, receipt: receipt_handle? })
        };
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(waiting).collect())
    }

    pub async fn delete(&self, waiting: &Waiting) -> Result<(), ReceiveError> {
        let deleted = self.client.delete_message().queue_url(&self.url).receipt_handle(&waiting.receipt).send().await;
        deleted.map(drop).map_err(|error| ReceiveError(Box::new(error.into_service_error())))
    }

    /// Sets how long a received message waits before it is received again.
    pub async fn change_visibility(&self, receipt: &str, after: Duration) -> Result<(), SendError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(whole_seconds(after))
            .send()
            .await
            .map(drop)
            .map_err(|error| SendError::Request(Box::new(error.into_service_error())))
    }
}

/// Rounds up to whole seconds, the unit of SQS, so that a wait is never cut short.
fn whole_seconds(duration: Duration) -> i32 {
    let up = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(up.min(43_200)).expect("twelve hours of seconds fit")
}

fn chunks(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut chunks: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        bytes += entry.body.len();
        match chunks.last_mut() {
            Some(last) if last.len() < BATCH && bytes <= BATCH_BYTES => last.push(entry),
            _ => {
                bytes = entry.body.len();
                chunks.push(vec![entry]);
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(sizes: &[usize]) -> Vec<Entry> {
        sizes.iter().map(|size| Entry { body: "x".repeat(*size), ..Entry::default() }).collect()
    }

    #[test]
    fn a_batch_holds_ten_entries_and_less_than_a_mebibyte() {
        let lengths = |sizes: &[usize]| chunks(entries(sizes)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[1; 23]), [10, 10, 3]);
        assert_eq!(lengths(&[500 * 1024, 500 * 1024, 300 * 1024]), [1, 2]);
        assert_eq!(lengths(&[]), [0; 0]);
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
    }
}
