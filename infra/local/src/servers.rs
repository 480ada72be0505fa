//! The only listener: the public one.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::listener;

/// How long running requests may take after a stop. The intake needs less, and no slow client delays the stop for
/// longer.
const REQUESTS_END: Duration = Duration::from_secs(3);

/// A listener before it serves.
pub(crate) struct Address {
    listener: TcpListener,
    /// `http://…`, without a slash at the end.
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
}

impl Address {
    pub(crate) async fn bind(listen: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        // Nobody can connect to "every address". A browser on this machine uses the loopback address.
        let shown = match (address.ip().is_unspecified(), address) {
            (true, SocketAddr::V4(_)) => SocketAddr::from(([127, 0, 0, 1], address.port())),
            (true, SocketAddr::V6(_)) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
            (false, _) => address,
        };
        Ok(Self { listener, url: format!("http://{shown}"), address })
    }
}

pub(crate) struct Servers {
    stop_public: watch::Sender<bool>,
    public: Option<JoinHandle<()>>,
}

impl Servers {
    pub(crate) fn new() -> Self {
        Self { stop_public: watch::Sender::new(false), public: None }
    }

    pub(crate) fn serve_public(&mut self, address: Address, router: Router) {
        self.public = Some(tokio::spawn(listener::serve(address.listener, router, self.stop_public.subscribe())));
    }

    /// Turns true when no more requests are accepted.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop_public.subscribe()
    }

    /// Accepts no new connections, and waits a while for running requests.
    pub(crate) async fn stop_public(&mut self) {
        self.stop_public.send_replace(true);
        if let Some(public) = &mut self.public
            && tokio::time::timeout(REQUESTS_END, public).await.is_ok()
        {
            self.public = None;
        }
    }

    /// Closes the connections that are still open.
    pub(crate) fn stop(self) {
        if let Some(public) = self.public {
            public.abort();
        }
    }
}
