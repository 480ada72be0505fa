//! Plain HTTP/1.1 over kept connections, as lean as a load generator has to be on a machine that it shares with what it
//! measures; and the receiver of both sides' notifications, which notes when each message arrived.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// What has not arrived by then is lost.
const ARRIVES: Duration = Duration::from_secs(60);
/// Before a message that was not taken is sent again.
const AGAIN: Duration = Duration::from_millis(100);
/// Between two looks at whether a message has arrived; when it did is noted by itself.
const LOOK: Duration = Duration::from_millis(2);

/// One connection to a server on this machine.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    authorization: String,
}

impl Connection {
    pub(crate) async fn open(host: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: host.to_owned(), authorization: String::new() })
    }

    /// The same with an API key.
    pub(crate) async fn authorized(host: &str, key: &str) -> anyhow::Result<Self> {
        let authorization = format!("authorization: Bearer {key}\r\n");
        Ok(Self { authorization, ..Self::open(host).await? })
    }

    /// Asks, and reads the whole answer: its status and its body.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, String)> {
        let (host, authorization, length) = (&self.host, &self.authorization, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{authorization}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let (head, body) = read(&mut self.stream).await?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.with_context(|| format!("no status in {head}"))?, body))
    }

    /// Posts an alert until it is taken, as senders do; how often it was asked to retry.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<usize> {
        let start = Instant::now();
        for refusals in 0.. {
            let (status, answer) = self.call("POST", path, body).await?;
            if status == 200 {
                anyhow::ensure!(!answer.contains("\"code\":1"), "refused: {answer}");
                return Ok(refusals);
            }
            anyhow::ensure!(status == 503 && start.elapsed() < ARRIVES, "refused: {status} {answer}");
            sleep(AGAIN).await;
        }
        unreachable!("it is sent until it is taken, or too late")
    }

    /// Asks for JSON; anything but a success is an error.
    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.call(method, path, &body).await?;
        anyhow::ensure!(status < 300, "{method} {path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

/// Head and body of one message with a content length.
async fn read(stream: &mut TcpStream) -> anyhow::Result<(String, String)> {
    let mut bytes = Vec::with_capacity(2048);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let body = end + 4;
            let end = body + length.unwrap_or(0_usize);
            if bytes.len() >= end {
                return Ok((head, String::from_utf8_lossy(&bytes[body..end]).into_owned()));
            }
        }
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection was closed");
    }
}

/// What stands in a message, so that it is known again where it arrives.
pub(crate) fn mark(number: usize) -> String {
    format!("mark-{number:06}")
}

/// Plays every group's bot and every webhook.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    arrivals: Arc<Mutex<HashMap<usize, Instant>>>,
}

impl Receiver {
    /// Listens on a port of its own.
    pub(crate) async fn start() -> anyhow::Result<(Self, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let receiver = Self::default();
        tokio::spawn(receiver.clone().serve(listener));
        Ok((receiver, base))
    }

    fn arrived(&self, number: usize) -> Option<Instant> {
        self.arrivals.lock().expect("not poisoned").get(&number).copied()
    }

    /// How many different messages have arrived.
    pub(crate) fn arrived_so_far(&self) -> usize {
        self.arrivals.lock().expect("not poisoned").len()
    }

    /// Waits until a message has arrived; when that was.
    pub(crate) async fn wait_for(&self, number: usize) -> anyhow::Result<Instant> {
        let start = Instant::now();
        loop {
            if let Some(arrived) = self.arrived(number) {
                return Ok(arrived);
            }
            anyhow::ensure!(start.elapsed() < ARRIVES, "message {number} did not arrive");
            sleep(LOOK).await;
        }
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().answer(stream));
        }
    }

    /// Answers as a Feishu bot does, which Alertmanager takes for a success as well.
    async fn answer(self, mut stream: TcpStream) {
        const ANSWER: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
        while let Ok((_, body)) = read(&mut stream).await {
            self.note(&body);
            let length = ANSWER.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{ANSWER}"
            );
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// One request may carry several messages, and each more than once.
    fn note(&self, body: &str) {
        let now = Instant::now();
        let mut arrivals = self.arrivals.lock().expect("not poisoned");
        for rest in body.split("mark-").skip(1) {
            if let Some(number) = rest.get(..6).and_then(|digits| digits.parse().ok()) {
                arrivals.entry(number).or_insert(now);
            }
        }
    }
}
