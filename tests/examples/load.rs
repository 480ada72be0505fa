//! Measures a running Larkspur: accepted messages per second, and the time from POST to group.
//!
//! ```sh
//! LARKSPUR_PROVIDER_BASE=http://127.0.0.1:9911 larkspur --data "$(mktemp -d)"      # in one terminal
//! cargo run --release -p scenarios --example load -- http://127.0.0.1:9000 API_KEY  # in another
//! ```
//!
//! It is the provider too: it listens on 127.0.0.1:9911 and answers as a Feishu bot does. Latency is measured over
//! several groups, each below its rate limit, so that what is measured is the way and not the waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PROVIDER: &str = "127.0.0.1:9911";
const GROUPS: usize = 20;
const ROUNDS: usize = 30;
const CONNECTIONS: usize = 64;
const MESSAGES: usize = 20_000;

type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let base = args.next().context("first argument: the base URL")?;
    let key = args.next().context("second argument: the API key")?;
    let host = base.trim_start_matches("http://").to_owned();
    let arrivals = Arrivals::default();
    tokio::spawn(provide(TcpListener::bind(PROVIDER).await?, Arc::clone(&arrivals)));

    let mut urls = Vec::new();
    for group in 0..GROUPS {
        urls.push(set_up(&host, &key, group).await?);
    }
    let (p50, p95) = latency(&host, &urls, &arrivals).await?;
    let space = create(&host, &key, "/spaces", &json!({"name": "silent", "destinations": []})).await?;
    let silent = integration(&host, &key, "silent", &space).await?;
    let per_second = throughput(&host, &silent).await?;
    #[expect(clippy::print_stdout, reason = "the result")]
    {
        println!(
            "{}",
            json!({
                "accepted_per_second": per_second.round(),
                "post_to_group_ms": {"p50": p50, "p95": p95, "messages": GROUPS * ROUNDS},
            })
        );
    }
    Ok(())
}

/// A destination, its space and its integration; the path to post to.
async fn set_up(host: &str, key: &str, group: usize) -> anyhow::Result<String> {
    let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/load-{group}");
    let destination = json!({"name": "load", "channel": "feishu_bot", "settings": {"url": url}});
    let destination = create(host, key, "/destinations", &destination).await?;
    let space = create(host, key, "/spaces", &json!({"name": "load", "destinations": [destination]})).await?;
    integration(host, key, "load", &space).await
}

async fn integration(host: &str, key: &str, name: &str, space: &str) -> anyhow::Result<String> {
    let body = json!({
        "name": name, "space": space, "title_from": "first_line",
        "limits": {"per_second": 1_000_000, "per_minute": 10_000_000, "open_alerts": 1_000_000},
    });
    let made = call(host, key, "POST", "/api/v1/integrations", &body).await?;
    let url = made["url"].as_str().with_context(|| format!("no url in {made}"))?;
    Ok(url[url.find("/open-apis").context("an intake path")?..].to_owned())
}

async fn create(host: &str, key: &str, path: &str, body: &Value) -> anyhow::Result<String> {
    let made = call(host, key, "POST", &format!("/api/v1{path}"), body).await?;
    Ok(made["id"].as_str().with_context(|| format!("no id in {made}"))?.to_owned())
}

async fn latency(host: &str, urls: &[String], arrivals: &Arrivals) -> anyhow::Result<(f64, f64)> {
    let mut sent = HashMap::new();
    let mut connection = TcpStream::connect(host).await?;
    for round in 0..ROUNDS {
        for (group, url) in urls.iter().enumerate() {
            let name = format!("m{round}x{group}x");
            sent.insert(name.clone(), Instant::now());
            post(&mut connection, host, url, &json!({"msg_type": "text", "content": {"text": name}}).to_string())
                .await?;
            tokio::time::sleep(Duration::from_millis(45)).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let arrivals = arrivals.lock().expect("not poisoned");
    let mut times: Vec<f64> = sent
        .iter()
        .filter_map(|(name, at)| Some(arrivals.get(name)?.duration_since(*at).as_secs_f64() * 1000.0))
        .collect();
    anyhow::ensure!(times.len() == sent.len(), "{} of {} messages reached their group", times.len(), sent.len());
    times.sort_by(f64::total_cmp);
    let at = |share: f64| (times[((times.len() - 1) as f64 * share) as usize] * 10.0).round() / 10.0;
    Ok((at(0.5), at(0.95)))
}

async fn throughput(host: &str, url: &str) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut senders = Vec::new();
    for connection in 0..CONNECTIONS {
        let (host, url) = (host.to_owned(), url.to_owned());
        senders.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(&host).await?;
            for message in 0..MESSAGES / CONNECTIONS {
                let text = format!("[FIRING] disk full on db-{connection}-{message}\nused 96%, threshold 90%");
                let body = json!({"msg_type": "text", "content": {"text": text}}).to_string();
                let answer = post(&mut stream, &host, &url, &body).await?;
                anyhow::ensure!(answer.contains("\"code\":0"), "refused: {answer}");
            }
            Ok(())
        }));
    }
    for sender in senders {
        sender.await??;
    }
    Ok((MESSAGES / CONNECTIONS * CONNECTIONS) as f64 / start.elapsed().as_secs_f64())
}

async fn post(stream: &mut TcpStream, host: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    read_http(stream).await
}

async fn call(host: &str, key: &str, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let mut stream = TcpStream::connect(host).await?;
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(serde_json::from_str(&read_http(&mut stream).await?)?)
}

/// The body of one message of HTTP/1.1 with a content length.
async fn read_http(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            let length = length.with_context(|| format!("no content length in {head}"))?;
            if bytes.len() >= end + 4 + length {
                return Ok(String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned());
            }
        }
        anyhow::ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection was closed");
    }
}

/// Answers as a Feishu bot, and notes when each message arrived.
async fn provide(listener: TcpListener, arrivals: Arrivals) {
    const ANSWER: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
    while let Ok((mut stream, _)) = listener.accept().await {
        let arrivals = Arc::clone(&arrivals);
        tokio::spawn(async move {
            while let Ok(body) = read_http(&mut stream).await {
                let now = Instant::now();
                let names = body.split('m').filter_map(|rest| {
                    let (round, rest) = rest.split_once('x')?;
                    let (group, _) = rest.split_once('x')?;
                    Some(format!("m{}x{}x", round.parse::<usize>().ok()?, group.parse::<usize>().ok()?))
                });
                for name in names {
                    arrivals.lock().expect("not poisoned").entry(name).or_insert(now);
                }
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
                    ANSWER.len()
                );
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
