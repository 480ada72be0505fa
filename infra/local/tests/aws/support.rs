//! What these tests share: services in memory with a movable clock.

use std::time::Duration;

use lambda_kit::clock::Clock;
use local::aws::Aws;
use local::aws::sqs::attributes::QueueAttributes;
use local::aws::sqs::message::{Outgoing, Received};

pub(crate) const NOW: Duration = Duration::ZERO;

pub(crate) fn in_memory() -> (Aws, Clock) {
    let clock = Clock::default();
    (Aws::open(None, clock.clone(), Vec::new()).expect("opens"), clock)
}

pub(crate) fn attributes(all: &[(&str, &str)]) -> QueueAttributes {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Attributes of a FIFO queue that takes the body for the deduplication id.
pub(crate) fn fifo() -> QueueAttributes {
    attributes(&[("FifoQueue", "true"), ("ContentBasedDeduplication", "true")])
}

pub(crate) fn message(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), ..Outgoing::default() }
}

pub(crate) fn of_group(group: &str, body: &str) -> Outgoing {
    Outgoing { group: Some(group.to_owned()), ..message(body) }
}

pub(crate) fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|message| message.body.as_str()).collect()
}

pub(crate) fn receipts(received: &[Received]) -> Vec<String> {
    received.iter().map(|message| message.receipt.clone()).collect()
}
