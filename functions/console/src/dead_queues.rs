//! The dead-letter queues: one per kind of record.

use lambda_kit::queue::Queue;
use store::dead_letters::DeadKind;

/// The dead-letter queues.
#[derive(Debug)]
pub struct DeadQueues {
    pub messages: Queue,
    pub notices: Queue,
    pub due: Queue,
}

impl DeadQueues {
    pub(crate) fn of(&self, kind: DeadKind) -> &Queue {
        match kind {
            DeadKind::Message => &self.messages,
            DeadKind::Notice => &self.notices,
            DeadKind::Timer => &self.due,
        }
    }
}
