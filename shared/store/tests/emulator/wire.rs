//! The wire between the SDK and the emulator: counts requests, loses answers, and can be cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    requests: Arc<AtomicU32>,
    answers_to_lose: Arc<AtomicU32>,
    cut: Arc<AtomicBool>,
}

impl Wire {
    /// Forwards to `server`; the address to connect to.
    pub(crate) async fn lay(&self, server: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let wire = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let wire = wire.clone();
                tokio::spawn(async move { wire.forward(client, server).await });
            }
        });
        address
    }

    /// Requests that reached the server since the last call.
    pub(crate) fn take_requests(&self) -> u32 {
        self.requests.swap(0, Ordering::SeqCst)
    }

    /// The next request takes effect, but its answer does not arrive.
    pub(crate) fn lose_the_next_answer(&self) {
        self.answers_to_lose.store(1, Ordering::SeqCst);
    }

    /// From now on nothing gets through.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    async fn forward(&self, mut client: TcpStream, server: SocketAddr) -> Option<()> {
        let mut server = TcpStream::connect(server).await.ok()?;
        loop {
            let request = read_message(&mut client).await?;
            if self.cut.load(Ordering::SeqCst) {
                return None;
            }
            self.requests.fetch_add(1, Ordering::SeqCst);
            server.write_all(&request).await.ok()?;
            let answer = read_message(&mut server).await?;
            if self.answers_to_lose.swap(0, Ordering::SeqCst) > 0 {
                return None;
            }
            client.write_all(&answer).await.ok()?;
        }
    }
}

/// One HTTP/1.1 message with its body of known length.
async fn read_message(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let end = loop {
        if from.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
        if let Some(head) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let headers = String::from_utf8_lossy(&message[..head]).to_ascii_lowercase();
            let length = headers.lines().find_map(|line| line.strip_prefix("content-length:"));
            break head + 4 + length.map_or(0, |length| length.trim().parse().expect("a length"));
        }
    };
    while message.len() < end {
        if from.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
    }
    Some(message)
}
