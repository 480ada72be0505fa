//! SNS with the parts that Larkspur uses: standard topics, queues as subscribers with filters, and text messages that
//! are kept instead of sent.
//!
//! [`Sns`] is for this process, `wire` the same for an SDK. Reading order: `filter` which subscriber wants which
//! message (pure) → `topics` the work of the storage thread → `wire`.
//!
//! Not implemented: FIFO topics, subscribers other than queues (refused), signatures, delivery retries (a queue of this
//! machine accepts a message or was deleted).

pub mod error;
pub(crate) mod filter;
pub mod topics;
pub(super) mod wire;

use self::error::SnsError;
use self::topics::{Publication, Subscription, SubscriptionAttributes, TextMessage};
use crate::aws::database::WorkError;
use crate::aws::sqs::message::bytes_of;
use crate::aws::storage::{State, Storage};

/// The limit of SNS for one message, and also for the messages of a batch together.
const MAX_MESSAGE_BYTES: usize = 262_144;

/// The topics, named by their ARNs. Clones share them.
#[derive(Debug, Clone)]
pub struct Sns {
    storage: Storage,
}

impl Sns {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// Returns the ARN of the topic of this name, and creates the topic if it does not exist.
    pub async fn create_topic(&self, name: &str) -> Result<String, SnsError> {
        let name = name.to_owned();
        self.run(move |state| state.topics.create(&state.db, &name, state.clock.now())).await
    }

    pub async fn delete_topic(&self, topic: &str) -> Result<(), SnsError> {
        let topic = topic.to_owned();
        self.run(move |state| state.topics.delete(&state.db, &topic)).await
    }

    pub async fn topics(&self) -> Result<Vec<String>, SnsError> {
        self.run(|state| Ok(state.topics.arns())).await
    }

    /// Subscribes a queue. `endpoint`: the queue's ARN. Returns the subscription's ARN.
    pub async fn subscribe(
        &self,
        topic: &str,
        endpoint: &str,
        attributes: SubscriptionAttributes,
    ) -> Result<String, SnsError> {
        let (topic, endpoint) = (topic.to_owned(), endpoint.to_owned());
        self.run(move |state| state.topics.subscribe(&state.db, &topic, &endpoint, attributes)).await
    }

    pub async fn unsubscribe(&self, subscription: &str) -> Result<(), SnsError> {
        let arn = subscription.to_owned();
        self.run(move |state| state.topics.unsubscribe(&state.db, &arn)).await
    }

    pub async fn subscription(&self, arn: &str) -> Result<Subscription, SnsError> {
        let arn = arn.to_owned();
        self.run(move |state| Ok(state.topics.subscription(&arn)?.clone())).await
    }

    pub async fn subscriptions(&self, topic: &str) -> Result<Vec<Subscription>, SnsError> {
        let topic = topic.to_owned();
        self.run(move |state| Ok(state.topics.subscriptions(&topic)?.to_vec())).await
    }

    pub async fn set_subscription_attribute(&self, arn: &str, name: &str, value: &str) -> Result<(), SnsError> {
        let (arn, name, value) = (arn.to_owned(), name.to_owned(), value.to_owned());
        self.run(move |state| state.topics.set_attribute(&state.db, &arn, name, value)).await
    }

    /// Sends to all subscribed queues whose filter matches. Returns the message's id.
    pub async fn publish(&self, topic: &str, publication: Publication) -> Result<String, SnsError> {
        let ids = self.publish_batch(topic, vec![publication]).await?;
        Ok(ids.into_iter().next().expect("one message has one id"))
    }

    /// Publishes all messages in one transaction.
    pub async fn publish_batch(&self, topic: &str, all: Vec<Publication>) -> Result<Vec<String>, SnsError> {
        if all.iter().any(|publication| publication.message.is_empty()) {
            return Err(SnsError::BadParameter("Empty message".to_owned()));
        }
        let bytes = |one: &Publication| one.message.len() + bytes_of(&one.attributes);
        if all.iter().map(bytes).sum::<usize>() > MAX_MESSAGE_BYTES {
            let alone = || SnsError::BadParameter("Message too long".to_owned());
            return Err(if all.len() > 1 { SnsError::BatchTooLong } else { alone() });
        }
        let topic = topic.to_owned();
        self.run(move |state| {
            let State { db, clock, queues, topics } = state;
            let publish = |publication| topics.publish(db, queues, &topic, publication, clock.now());
            all.iter().map(publish).collect()
        })
        .await
    }

    /// Keeps a text message instead of sending it. Returns its id.
    pub async fn send_text(&self, phone: &str, message: &str) -> Result<String, SnsError> {
        let (phone, message) = (phone.to_owned(), message.to_owned());
        self.run(move |state| Ok(topics::keep_text(&state.db, &phone, &message, state.clock.now())?)).await
    }

    /// The kept text messages, newest first.
    pub async fn texts(&self) -> Result<Vec<TextMessage>, SnsError> {
        self.run(|state| Ok(topics::texts(&state.db)?)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, WorkError<SnsError>> + Send + 'static,
    ) -> Result<T, SnsError> {
        self.storage.run(work).await
    }
}
