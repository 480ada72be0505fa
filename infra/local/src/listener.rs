//! Accepts connections within limits, so that a hostile client cannot fill the memory.
//!
//! A connection has [`HEAD`] to send the head of its next request, and a head has at most [`HEAD_BYTES`]. There are at
//! most [`CONNECTIONS`], half of them from one address. Further ones are closed at once; their clients see this and
//! retry.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// How long a client may take to send a head. It is also how long a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(30);
const HEAD_BYTES: usize = 64 * 1024;
const CONNECTIONS: usize = 1024;
const OF_ONE_ADDRESS: usize = CONNECTIONS / 2;
/// The pause after a failure to accept, such as too many open files.
const BREATH: Duration = Duration::from_millis(100);

/// Serves until `stop` turns true, and then until all received requests have been answered.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let open = Open::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        if let Some(place) = open.take(peer.ip()) {
            let (router, stop) = (router.clone(), stop.clone());
            connections.spawn(async move {
                talk(stream, peer, router, stop).await;
                drop(place);
            });
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn talk(stream: TcpStream, peer: SocketAddr, router: Router, mut stop: watch::Receiver<bool>) {
    // Answers are small and clients wait for them, so packets are sent without delay.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender was dropped, which also means stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The connections that are open, by address.
#[derive(Debug, Clone, Default)]
struct Open(Arc<Mutex<Connections>>);

#[derive(Debug, Default)]
struct Connections {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection, until it is dropped.
#[derive(Debug)]
struct Place {
    open: Open,
    address: IpAddr,
}

impl Open {
    fn take(&self, address: IpAddr) -> Option<Place> {
        let mut connections = self.0.lock().expect("nothing panics while it holds the connections");
        let of_this = connections.by_address.get(&address).copied().unwrap_or_default();
        if connections.all >= CONNECTIONS || of_this >= OF_ONE_ADDRESS {
            return None;
        }
        connections.all += 1;
        connections.by_address.insert(address, of_this + 1);
        Some(Place { open: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = self.open.0.lock().expect("nothing panics while it holds the connections");
        connections.all -= 1;
        if let Some(of_this) = connections.by_address.get_mut(&self.address) {
            *of_this -= 1;
            if *of_this == 0 {
                connections.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_half_of_the_connections_and_closed_ones_are_free_again() {
        let open = Open::default();
        let [one, two, three] = [1, 2, 3].map(|n| IpAddr::from([203, 0, 113, n]));
        let mut of_one: Vec<Place> = std::iter::from_fn(|| open.take(one)).collect();
        assert_eq!(of_one.len(), OF_ONE_ADDRESS);
        let of_two: Vec<Place> = std::iter::from_fn(|| open.take(two)).collect();
        assert_eq!(of_one.len() + of_two.len(), CONNECTIONS);
        assert!(open.take(three).is_none(), "all are taken");
        of_one.pop();
        assert!(open.take(three).is_some());
        drop((of_one, of_two));
        assert!(open.0.lock().expect("not poisoned").by_address.is_empty());
    }
}
