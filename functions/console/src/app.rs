//! The dependencies of all routes and pages.

use std::sync::Arc;

use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::random::StampSource;
use lambda_kit::secrets::Sealer;
use post::deliver::Deliverer;
use store::Store;

use crate::dead_queues::DeadQueues;
use crate::oidc::metadata::ProviderCache;
use crate::running_count::RunningCount;
use crate::visits::Visits;

/// The path below which the API is served.
pub(crate) const BASE: &str = "/api/v1";

/// The dependencies of the routes.
#[derive(Debug)]
pub struct App {
    pub store: Store,
    pub sealer: Arc<Sealer>,
    pub messages: Queue,
    pub dispatch: Dispatch,
    pub dead: DeadQueues,
    pub deliverer: Deliverer,
    pub clock: Clock,
    pub stamps: StampSource,
    /// Counts replayed messages.
    pub replayed: RunningCount,
    /// The start of intake URLs and links; `None`: the address that the request was sent to.
    pub base_url: Option<String>,
    /// Whether a message may hold a personal link by which its recipient acknowledges without signing in.
    pub personal_ack_links: bool,
    /// The cached metadata of the sign-in provider.
    pub oidc: ProviderCache,
    /// The rate limit of sign-ins by the provider.
    pub visits: Visits,
}

pub(crate) type SharedApp = Arc<App>;
