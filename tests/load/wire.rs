//! Plain HTTP/1.1 over kept connections. The load generator uses little processor time because it shares the machine
//! with the measured program. Also the receiver of both sides' notifications, which records when each message arrived.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// A message that has not arrived after this time is lost.
const ARRIVES: Duration = Duration::from_secs(60);
/// The pause before a message that was not accepted is sent again.
const AGAIN: Duration = Duration::from_millis(100);
/// The pause between two checks whether a message has arrived. The receiver records the exact time of the arrival.
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

    /// Opens a connection whose requests carry an API key.
    pub(crate) async fn authorized(host: &str, key: &str) -> anyhow::Result<Self> {
        let authorization = format!("authorization: Bearer {key}\r\n");
        Ok(Self { authorization, ..Self::open(host).await? })
    }

    /// Sends a request, and reads the whole answer: its status and its body.
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

    /// Posts an alert until it is accepted, as senders do. Returns how often the server asked for a retry.
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

    /// Sends a JSON request. Any status other than success is an error.
    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.call(method, path, &body).await?;
        anyhow::ensure!(status < 300, "{method} {path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}

/// Reads the head and the body of one message with a content length.
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

/// The text that identifies a message where it arrives.
pub(crate) fn mark(number: usize) -> String {
    format!("mark-{number:06}")
}

/// Plays every group's bot and every webhook.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    arrivals: Arc<Mutex<HashMap<usize, Instant>>>,
}

impl Receiver {
    /// Starts the receiver on a free port, and returns it with its base URL.
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

    /// The number of different messages that have arrived.
    pub(crate) fn arrived_so_far(&self) -> usize {
        self.arrivals.lock().expect("not poisoned").len()
    }

    /// Waits until a message has arrived, and returns when it arrived.
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

    /// Answers as a Feishu bot does. Alertmanager also treats this answer as a success.
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

    /// Records the messages in a request. One request may carry several messages, and each of them more than once.
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
