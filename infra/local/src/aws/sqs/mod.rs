//! SQS with the parts that Larkspur uses: standard (fair) and FIFO queues with visibility, delay, redrive and long
//! polling.
//!
//! [`Sqs`] is what the event sources of this process call; `wire` is the same for an SDK. Reading order: `line` the
//! order of messages (pure) → `queues`, `sending`, `receiving` the work of the storage thread → `wire`.
//!
//! Not implemented: a limit on purges, `ReceiveRequestAttemptId` (ignored), message move tasks, tags, permissions.

pub mod attributes;
pub mod error;
pub(crate) mod line;
pub mod message;
pub mod poll;
pub mod queues;
mod receipt;
mod receiving;
pub(crate) mod sending;
pub(super) mod wire;
mod wire_json;
mod wire_messages;

use std::time::Duration;

use tokio::sync::oneshot;

use self::attributes::QueueAttributes;
use self::error::SqsError;
use self::message::{Outgoing, Prepared, Received, Sent};
use self::poll::Poll;
use self::queues::Counts;
use crate::aws::database::{Unavailable, WorkError};
use crate::aws::storage::{State, Storage};

/// The queues. They are identified by name; see `aws::names` for URLs and ARNs. Clones share them.
#[derive(Debug, Clone)]
pub struct Sqs {
    storage: Storage,
}

impl Sqs {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// Creates a queue as `CreateQueue` does: refused if there is one with other attributes.
    pub async fn create_queue(&self, name: &str, attributes: QueueAttributes) -> Result<(), SqsError> {
        let name = name.to_owned();
        self.run(move |state| state.queues.create(&state.db, &name, attributes, state.clock.now())).await
    }

    /// Creates a queue, or sets these attributes on the existing one.
    pub async fn ensure_queue(&self, name: &str, attributes: QueueAttributes) -> Result<(), SqsError> {
        match self.create_queue(name, attributes.clone()).await {
            Err(SqsError::OtherQueueExists(_)) => self.set_attributes(name, attributes).await,
            done => done,
        }
    }

    pub async fn set_attributes(&self, name: &str, attributes: QueueAttributes) -> Result<(), SqsError> {
        let name = name.to_owned();
        self.run(move |state| state.queues.set_attributes(&state.db, &name, attributes, state.clock.now())).await
    }

    /// All attributes, the counts included.
    pub async fn attributes(&self, name: &str) -> Result<QueueAttributes, SqsError> {
        let name = name.to_owned();
        self.run(move |state| Ok(state.queues.attributes(&name)?)).await
    }

    pub async fn counts(&self, queue: &str) -> Result<Counts, SqsError> {
        let name = queue.to_owned();
        self.run(move |state| Ok(state.queues.counts(&name)?)).await
    }

    /// The names of all queues in alphabetical order.
    pub async fn queue_names(&self) -> Result<Vec<String>, SqsError> {
        self.run(|state| Ok(state.queues.names())).await
    }

    pub async fn delete_queue(&self, name: &str) -> Result<(), SqsError> {
        let name = name.to_owned();
        self.run(move |state| state.queues.delete_queue(&state.db, &name)).await
    }

    /// Deletes all messages, including those in flight.
    pub async fn purge(&self, queue: &str) -> Result<(), SqsError> {
        let name = queue.to_owned();
        self.run(move |state| state.queues.purge(&state.db, &name)).await
    }

    pub async fn send(&self, queue: &str, message: Outgoing) -> Result<Sent, SqsError> {
        let (name, prepared) = (queue.to_owned(), Prepared::new(message)?);
        self.run(move |state| state.queues.send(&state.db, &name, &prepared, state.clock.now())).await
    }

    /// Sends in this order and in one transaction. An error of the queue refuses all messages, other errors refuse
    /// single ones.
    pub async fn send_batch(
        &self,
        queue: &str,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Result<Sent, SqsError>>, SqsError> {
        let prepared: Vec<_> = messages.into_iter().map(Prepared::new).collect();
        self.each(queue, prepared, |state, name, prepared| {
            state.queues.send(&state.db, name, &prepared?, state.clock.now())
        })
        .await
    }

    /// Receives up to `max` messages. If there are none, waits for the first one for at most `wait` by this
    /// deployment's clock.
    pub async fn receive(&self, queue: &str, max: usize, wait: Duration) -> Result<Vec<Received>, SqsError> {
        self.poll(queue, Poll { max, wait: Some(wait), visibility: None }).await
    }

    /// Receives as `poll` says. If the future is dropped before a message was taken, no message is taken.
    pub async fn poll(&self, queue: &str, poll: Poll) -> Result<Vec<Received>, SqsError> {
        let (queue, (reply, answer)) = (queue.to_owned(), oneshot::channel());
        self.storage.submit(move |state| {
            state.queues.wait(queue, poll, state.clock.now(), reply);
            Ok(None)
        })?;
        answer.await.unwrap_or(Err(SqsError::Unavailable(Unavailable)))
    }

    /// Deletes messages by their receipts. Returns one result per receipt.
    pub async fn delete(&self, queue: &str, receipts: Vec<String>) -> Result<Vec<Result<(), SqsError>>, SqsError> {
        self.each(queue, receipts, |state, name, receipt| state.queues.delete(&state.db, name, &receipt)).await
    }

    /// Sets the time after which each message becomes visible again. Returns one result per message.
    pub async fn change_visibility(
        &self,
        queue: &str,
        changes: Vec<(String, Duration)>,
    ) -> Result<Vec<Result<(), SqsError>>, SqsError> {
        self.each(queue, changes, |state, name, (receipt, after)| {
            state.queues.change_visibility(&state.db, name, &receipt, after, state.clock.now())
        })
        .await
    }

    /// Makes messages visible again whose receiver has ended, and returns their number. Messages with a changed
    /// visibility timeout keep it.
    pub async fn release(&self, queue: &str) -> Result<usize, SqsError> {
        let name = queue.to_owned();
        self.run(move |state| state.queues.release(&state.db, &name, state.clock.now())).await
    }

    /// Does the same with each item, in one transaction.
    async fn each<I, T>(
        &self,
        queue: &str,
        items: Vec<I>,
        mut work: impl FnMut(&mut State, &str, I) -> Result<T, WorkError<SqsError>> + Send + 'static,
    ) -> Result<Vec<Result<T, SqsError>>, SqsError>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let name = queue.to_owned();
        self.run(move |state| {
            state.queues.find(&name)?;
            let results = items.into_iter().map(|item| WorkError::split(work(state, &name, item)));
            Ok(results.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, WorkError<SqsError>> + Send + 'static,
    ) -> Result<T, SqsError> {
        self.storage.run(work).await
    }
}
