//! The queues and other targets to which the follow-up of a change is written.

use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::topic::Topic;
use store::Store;

/// Clones share everything.
#[derive(Debug, Clone)]
pub struct Dispatch {
    pub store: Store,
    pub notices: Queue,
    pub due: Queue,
    pub changes: Topic,
    pub clock: Clock,
}
