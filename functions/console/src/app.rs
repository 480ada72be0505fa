//! What every route and page works with.

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

/// Where the API is.
pub(crate) const BASE: &str = "/api/v1";

/// What the routes work with.
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
    /// Of replayed messages.
    pub replayed: RunningCount,
    /// What intake URLs and links start with; `None`: the address that the request came to.
    pub base_url: Option<String>,
    /// Whether a person may acknowledge by a link of their own without signing in.
    pub personal_ack_links: bool,
    /// What is known of the sign-in provider.
    pub oidc: ProviderCache,
    /// Who goes to it.
    pub visits: Visits,
}

pub(crate) type SharedApp = Arc<App>;
