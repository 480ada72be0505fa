//! HTTP without a client library: the bytes of the request and of the response.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct RawResponse {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl RawResponse {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A whole URL in its two parts: what to connect to, and the path.
pub fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").expect("plain HTTP on this machine");
    rest.split_at(rest.find('/').expect("a path"))
}

/// A request with these headers and no others but those that HTTP itself needs.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let (host, path) = split(url);
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// Sends bytes to the host of a URL and reads one answer, which says its length.
pub async fn exchange(url: &str, request: &[u8]) -> RawResponse {
    let (host, _) = split(url);
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(request).await?;
        read(BufReader::new(stream)).await
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
}

/// The same for a request whose answer has no body, although it has a length.
pub async fn exchange_without_body(url: &str, request: &[u8]) -> RawResponse {
    let (host, _) = split(url);
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(request).await?;
        head(&mut BufReader::new(stream)).await
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
}

/// Sends the head, waits for the interim answer, then sends the body; both answers.
pub async fn exchange_with_expectation(url: &str, request: &[u8], body: &[u8]) -> (String, RawResponse) {
    let (host, _) = split(url);
    let exchange = async {
        let mut stream = BufReader::new(TcpStream::connect(host).await?);
        stream.write_all(request).await?;
        let mut interim = String::new();
        stream.read_line(&mut interim).await?;
        stream.read_line(&mut String::new()).await?;
        stream.write_all(body).await?;
        Ok::<_, std::io::Error>((interim, read(stream).await?))
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
}

/// Sends the request piece by piece, with so much time between them.
pub async fn exchange_in_pieces<'a>(
    url: &str,
    pieces: impl Iterator<Item = &'a [u8]>,
    between: Duration,
) -> RawResponse {
    let (host, _) = split(url);
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        for piece in pieces {
            stream.write_all(piece).await?;
            stream.flush().await?;
            tokio::time::sleep(between).await;
        }
        read(BufReader::new(stream)).await
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
}

async fn read(mut stream: BufReader<TcpStream>) -> std::io::Result<RawResponse> {
    let mut response = head(&mut stream).await?;
    // One without a length says it all in its status.
    let length = response.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    response.text = String::from_utf8(body).expect("text");
    Ok(response)
}

async fn head(stream: &mut BufReader<TcpStream>) -> std::io::Result<RawResponse> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let status = lines.first().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<(String, String)> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Ok(RawResponse { status: status.expect("a status line"), headers, text: String::new() })
}
