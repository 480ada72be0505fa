//! What the handler works with, and what it keeps between batches.

use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use operations::addresses::{Addresses, Directory};
use post::deliver::Deliverer;
use store::Store;

/// What an [`App`] is made of.
pub struct Parts {
    pub store: Store,
    pub notices: Queue,
    pub due: Queue,
    pub sealer: Sealer,
    pub deliverer: Deliverer,
    pub link_base: String,
    /// Whether a person may acknowledge by a link of their own without signing in.
    pub personal_ack_links: bool,
    pub clock: Clock,
}

/// What the handler works with.
pub struct App {
    pub(crate) parts: Parts,
    pub(crate) addresses: Addresses,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self { parts, addresses: Addresses::default() }
    }

    /// What addresses are looked up with.
    pub(crate) fn directory(&self) -> Directory<'_> {
        let Parts { store, sealer, clock, .. } = &self.parts;
        Directory { store, sealer, now: clock.now() }
    }
}
