//! A receive request, and one that waits for its first message.

use std::time::Duration;

use alerting::base::moment::Moment;
use tokio::sync::oneshot;

use super::error::SqsError;
use super::message::Received;

/// The parameters of a receive; `None`: as the queue's attributes say.
#[derive(Debug, Clone, Copy)]
pub struct Poll {
    pub max: usize,
    pub wait: Option<Duration>,
    pub visibility: Option<Duration>,
}

pub(super) type Reply = oneshot::Sender<Result<Vec<Received>, SqsError>>;

/// A receive that has not been answered yet.
pub(super) struct Waiter {
    pub(super) queue: String,
    pub(super) poll: Poll,
    pub(super) deadline: Moment,
    pub(super) reply: Reply,
}
