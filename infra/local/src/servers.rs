//! The listeners: the public one, and one on the loopback for each embedded service.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A port that is free, where only this machine can reach it.
pub(crate) const ANY_LOOPBACK: &str = "127.0.0.1:0";

/// What requests get to end in: more than the intake needs, and a slow client must not hold the rest up.
const REQUESTS_END: Duration = Duration::from_secs(3);

/// A listener before it serves.
pub(crate) struct Address {
    listener: TcpListener,
    /// `http://…`, without a slash at the end.
    pub(crate) url: String,
}

impl Address {
    pub(crate) async fn bind(listen: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        // Nobody can connect to "every address": its own browser finds it on the loopback.
        let shown = match (address.ip().is_unspecified(), address) {
            (true, SocketAddr::V4(_)) => SocketAddr::from(([127, 0, 0, 1], address.port())),
            (true, SocketAddr::V6(_)) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
            (false, _) => address,
        };
        Ok(Self { listener, url: format!("http://{shown}") })
    }
}

pub(crate) struct Servers {
    stop_public: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    public: Option<JoinHandle<()>>,
    inner: Vec<JoinHandle<()>>,
}

impl Servers {
    pub(crate) fn new() -> Self {
        Self {
            stop_public: watch::Sender::new(false),
            stop: watch::Sender::new(false),
            public: None,
            inner: Vec::new(),
        }
    }

    pub(crate) fn serve(&mut self, address: Address, router: Router) {
        let stopped = until(&self.stop);
        self.inner.push(tokio::spawn(async move {
            let served = axum::serve(address.listener, router).with_graceful_shutdown(stopped).await;
            log_end(served.map_err(|error| error.to_string()));
        }));
    }

    pub(crate) fn serve_database(&mut self, address: Address, database: Database) {
        let stopped = until(&self.stop);
        self.inner.push(tokio::spawn(async move {
            log_end(dynoxide::server::serve_with_shutdown(address.listener, database, stopped).await);
        }));
    }

    pub(crate) fn serve_public(&mut self, address: Address, router: Router) {
        let stopped = until(&self.stop_public);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.public = Some(tokio::spawn(async move {
            let served = axum::serve(address.listener, service).with_graceful_shutdown(stopped).await;
            log_end(served.map_err(|error| error.to_string()));
        }));
    }

    /// Takes no new connections, and waits a while for requests that came.
    pub(crate) async fn stop_public(&mut self) {
        self.stop_public.send_replace(true);
        if let Some(public) = &mut self.public
            && tokio::time::timeout(REQUESTS_END, public).await.is_ok()
        {
            self.public = None;
        }
    }

    /// Ends all of them.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for server in self.inner {
            // A server that panicked has stopped, too.
            let _ = server.await;
        }
        // Whoever still holds a connection open does so in vain: everything behind it is closed.
        if let Some(public) = self.public {
            public.abort();
        }
    }
}

fn until(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stop = stop.subscribe();
    async move {
        // An error means that the sender is gone: then it is time, too.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

fn log_end(served: Result<(), String>) {
    if let Err(error) = served {
        tracing::error!(error, "a listener failed");
    }
}
