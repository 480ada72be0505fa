//! The clients and settings of the handler, and the state that it keeps between batches.

use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use operations::addresses::{Addresses, Directory};
use post::deliver::Deliverer;
use store::Store;

/// The parts of which an [`App`] is made.
pub struct Parts {
    pub store: Store,
    pub notices: Queue,
    pub due: Queue,
    pub sealer: Sealer,
    pub deliverer: Deliverer,
    pub link_base: String,
    /// Whether a message may hold a personal link by which its recipient acknowledges without signing in.
    pub personal_ack_links: bool,
    pub clock: Clock,
}

/// The clients, settings and caches of the handler.
pub struct App {
    pub(crate) parts: Parts,
    pub(crate) addresses: Addresses,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self { parts, addresses: Addresses::default() }
    }

    /// The services by which addresses of destinations and members are looked up.
    pub(crate) fn directory(&self) -> Directory<'_> {
        let Parts { store, sealer, clock, .. } = &self.parts;
        Directory { store, sealer, now: clock.now() }
    }
}
