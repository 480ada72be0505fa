//! Sends a message to the queue, before the sender is answered.
//!
//! Two attempts within two seconds carry the same stamp, so that `evaluate` ignores a copy. If both fail, the sender is asked to
//! send again; that message has a new stamp, like any repetition.

use std::time::Duration;

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::base::moment::Moment;
use alerting::rules::message::{Acceptance, RawBody, Received};
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::operation::send_message::SendMessageError;
use aws_types::SdkConfig;
use lambda_kit::queue::{Entry, Queue, SendError};
use lambda_kit::random::{StampSource, base62};
use tokio::time::timeout;

use crate::numbers::Numbers;

/// Senders wait at least three seconds. One attempt takes at most half of the time of the send.
const ATTEMPT: Duration = Duration::from_millis(900);
/// The wait before the second attempt, if the first one failed at once.
const PAUSE: Duration = Duration::from_millis(100);

/// The client for the queue "messages". The SDK repeats nothing by itself: two attempts are two requests.
pub fn sqs_client(config: &SdkConfig) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::config::Builder::from(config).retry_config(RetryConfig::disabled());
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// Stamps, numbers and sends messages. One per process.
#[derive(Debug)]
pub struct Outbox {
    queue: Queue,
    stamps: StampSource,
    numbers: Numbers,
}

/// Why a message may not be in the queue.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    #[error("message {0} was not taken by the queue")]
    Refused(Stamp, #[source] SendError),
    #[error("it is not known whether the queue took message {0}")]
    Unknown(Stamp, #[source] Option<SendError>),
}

impl Outbox {
    pub fn new(queue: Queue) -> Self {
        Self { queue, stamps: StampSource::new(), numbers: Numbers::new(base62(10)) }
    }

    /// Queues a message under a new stamp. `Ok` means that it is durable.
    pub async fn hand_over(
        &self,
        integration: &IntegrationId,
        acceptance: Acceptance,
        body: RawBody,
        now: Moment,
    ) -> Result<Stamp, HandOverError> {
        self.hand_over_many(integration, acceptance, body, 1, now).await
    }

    /// Queues a record that represents this number of messages.
    pub async fn hand_over_many(
        &self,
        integration: &IntegrationId,
        acceptance: Acceptance,
        body: RawBody,
        times: u64,
        now: Moment,
    ) -> Result<Stamp, HandOverError> {
        let stamp = self.stamps.next(now);
        let hour = stamp.received_at().hour();
        let origin = if times == 1 { self.numbers.take(hour) } else { self.numbers.take_many(hour, times) };
        let entry = entry(&Received {
            stamp,
            integration: integration.clone(),
            origin: origin.clone(),
            acceptance,
            body,
            replay_of: None,
            times,
        });
        let sent = self.send(stamp, entry).await;
        match &sent {
            Ok(()) => self.numbers.are_queued(hour, times),
            Err(HandOverError::Refused(..)) => self.numbers.give_back(hour, &origin, times),
            Err(HandOverError::Unknown(..)) => {}
        }
        sent.map(|()| stamp)
    }

    async fn send(&self, stamp: Stamp, entry: Entry) -> Result<(), HandOverError> {
        let first = match timeout(ATTEMPT, self.queue.send(entry.clone())).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => {
                tokio::time::sleep(PAUSE).await;
                Some(error)
            }
            Err(_) => None,
        };
        match timeout(ATTEMPT, self.queue.send(entry)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if is_refusal(&error) && first.as_ref().is_some_and(is_refusal) => {
                Err(HandOverError::Refused(stamp, error))
            }
            Ok(Err(error)) => Err(HandOverError::Unknown(stamp, Some(error))),
            Err(_) => Err(HandOverError::Unknown(stamp, first)),
        }
    }
}

/// The group is the integration: a fair queue keeps one that floods from delaying the others.
fn entry(received: &Received) -> Entry {
    let body = serde_json::to_string(received).expect("a message is always JSON");
    Entry { body, group: Some(received.integration.as_str().to_owned()), ..Entry::default() }
}

/// Whether the queue refused the message; otherwise it is unknown whether the queue has it.
fn is_refusal(error: &SendError) -> bool {
    let SendError::Request(source) = error else { return true };
    let code = source.downcast_ref::<SendMessageError>().and_then(|error| error.code());
    code.is_some_and(|code| !matches!(code, "InternalError" | "InternalFailure" | "ServiceUnavailable"))
}

#[cfg(test)]
mod tests {
    use alerting::rules::message::{Message, MsgType, Origin};

    use super::*;

    /// The largest message of a standard queue, in bytes.
    const QUEUE_BYTES: usize = 1 << 20;

    #[test]
    fn the_largest_message_fits_the_queue() {
        let text = "\"".repeat(alerting::base::limits::BODY_BYTES);
        let labels = ["card_color", "card_subtitle", "card_tag"].map(|name| (name.to_owned(), "告".repeat(2048)));
        let message = Message { msg_type: MsgType::Text, title: String::new(), content: text, labels: labels.into() };
        let received = Received {
            stamp: Stamp::from_parts(Moment::from_secs(1_767_607_200), 1),
            integration: "int_4fJk2LmNpQ".parse().expect("valid"),
            origin: Origin { process: base62(10), count: u64::MAX, queued: Some(u64::MAX) },
            acceptance: Acceptance::Accepted(message),
            body: RawBody::Deflated("A".repeat(intake::raw_body::DEFLATED_BYTES)),
            replay_of: None,
            times: 1,
        };
        let entry = entry(&received);
        assert!(entry.body.len() < QUEUE_BYTES, "{}", entry.body.len());
        assert_eq!(entry.group.as_deref(), Some("int_4fJk2LmNpQ"));
        assert_eq!(serde_json::from_str::<Received>(&entry.body).expect("read back"), received);
    }
}
