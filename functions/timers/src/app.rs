//! Tables, queues and clock of the handlers.

use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::random::StampSource;
use store::Store;

/// Tables, queues and clock of the handlers.
pub struct App {
    pub store: Store,
    pub dispatch: Dispatch,
    pub clock: Clock,
    pub stamps: StampSource,
}

impl App {
    pub fn new(dispatch: Dispatch) -> Self {
        let (store, clock) = (dispatch.store.clone(), dispatch.clock.clone());
        Self { store, dispatch, clock, stamps: StampSource::new() }
    }
}
