//! Tables, queues and clock of the handler, and its state between batches.

use std::time::Duration;

use alerting::base::limits;
use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use store::Store;

use crate::join_queue::JoinQueues;
use crate::open_counts::OpenCounts;
use crate::policies::Policies;

/// Tables, queues and clock of the handler, and its state between batches.
pub struct App {
    pub store: Store,
    pub messages: Queue,
    pub dispatch: Dispatch,
    pub clock: Clock,
    pub(crate) join_queues: JoinQueues,
    pub(crate) message_log: Duration,
    pub(crate) policies: Policies,
    pub(crate) open_counts: OpenCounts,
}

impl App {
    pub fn new(messages: Queue, dispatch: Dispatch, message_log_days: Option<u32>) -> Self {
        let message_log =
            message_log_days.map_or(limits::MESSAGE_LOG, |days| Duration::from_secs(u64::from(days) * 24 * 3600));
        Self {
            store: dispatch.store.clone(),
            messages,
            clock: dispatch.clock.clone(),
            dispatch,
            join_queues: JoinQueues::default(),
            message_log,
            policies: Policies::default(),
            open_counts: OpenCounts::default(),
        }
    }
}
