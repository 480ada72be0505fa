//! What the handlers work with.

use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::random::StampSource;
use store::Store;

/// What the handlers work with.
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
