//! Requests that the front refuses before any function is called.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Larkspur;
use crate::options::Options;
use crate::proxies::TrustedProxies;

/// Sends one request with these lines after the first. Returns status and body.
async fn ask(larkspur: &Larkspur, first: &str, lines: &[&str], body: &str) -> (u16, Value) {
    let mut stream = connect(larkspur).await;
    let mut head = format!("{first} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.expect("sent");
    read(&mut stream).await
}

async fn connect(larkspur: &Larkspur) -> TcpStream {
    TcpStream::connect(larkspur.base_url.trim_start_matches("http://")).await.expect("connected")
}

async fn read(stream: &mut TcpStream) -> (u16, Value) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("a whole answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn integration_path(larkspur: &Larkspur) -> String {
    let url = larkspur.demo.as_ref().expect("a demo").integration_url.expose();
    url.strip_prefix(&larkspur.known_as).expect("an address of this deployment").to_owned()
}

const MESSAGE: &str = r#"{"msg_type":"text","content":{"text":"disk full"}}"#;

// Proves: finding B2
#[tokio::test]
async fn a_foreign_host_name_is_refused_everywhere_but_at_the_intake() {
    let larkspur = Larkspur::start(Options::default()).await.expect("started");
    for path in ["/groups", "/fake/feishu/demo", "/healthz", "/incidents", "/api/v1/alerts", "/", "/nothing"] {
        let (status, body) = ask(&larkspur, &format!("GET {path}"), &["host: evil.example:9000"], "").await;
        assert_eq!(status, 421, "{path}");
        assert!(body["message"].as_str().is_some_and(|text| text.contains("--public-url")), "{body}");
    }
    let (status, _) = ask(&larkspur, "GET /groups", &["host: localhost:9000"], "").await;
    assert_eq!(status, 200);
    let post = format!("POST {}", integration_path(&larkspur));
    let (status, body) = ask(&larkspur, &post, &["host: larkspur:9000"], MESSAGE).await;
    assert_eq!((status, &body["code"]), (200, &0.into()), "a container's name, say");
    larkspur.stop().await;
}

// Proves: finding B2
#[tokio::test]
async fn links_begin_with_the_public_url_which_is_answered() {
    let options = Options { public_url: Some("https://alerts.example.com".to_owned()), ..Options::default() };
    let larkspur = Larkspur::start(options).await.expect("started");
    let demo = larkspur.demo.as_ref().expect("a demo");
    let set_up = larkspur.set_up_url.as_ref().expect("nobody can sign in yet").expose();
    for url in [demo.integration_url.expose(), demo.group_url.as_str(), set_up] {
        assert!(url.starts_with("https://alerts.example.com/"), "{url}");
    }
    assert!(larkspur.base_url.starts_with("http://127.0.0.1:"), "{}", larkspur.base_url);
    let (status, body) = ask(&larkspur, "GET /healthz", &["host: alerts.example.com"], "").await;
    assert_eq!((status, &body["status"]), (200, &"ready".into()));
    larkspur.stop().await;
}

// Proves: finding B2
#[tokio::test]
async fn the_source_of_a_message_is_what_a_trusted_proxy_says_and_nobody_else() {
    for (proxy, expected) in [("127.0.0.0/8", 0), ("10.0.0.0/8", 19022)] {
        let mut trusted_proxies = TrustedProxies::default();
        assert!(trusted_proxies.add(proxy));
        let larkspur = Larkspur::start(Options { trusted_proxies, ..Options::default() }).await.expect("started");
        let key = format!("authorization: Bearer {}", larkspur.api_key.expose());
        let (_, spaces) = ask(&larkspur, "GET /api/v1/spaces", &["host: localhost", &key], "").await;
        let body = serde_json::json!({
            "name": "from one address", "space": spaces["items"][0]["id"],
            "security": {"sources": ["198.51.100.1"]},
        });
        let json = "content-type: application/json";
        let lines = ["host: localhost", &key, json];
        let (status, made) = ask(&larkspur, "POST /api/v1/integrations", &lines, &body.to_string()).await;
        assert_eq!(status, 201, "{made}");
        let path = made["url"].as_str().and_then(|url| url.strip_prefix(&larkspur.known_as)).expect("a url").to_owned();
        let lines = ["host: localhost", "x-forwarded-for: 1.1.1.1, 198.51.100.1", json];
        let (status, body) = ask(&larkspur, &format!("POST {path}"), &lines, MESSAGE).await;
        assert_eq!((status, body["code"].as_i64()), (200, Some(expected)), "through {proxy}: {body}");
        larkspur.stop().await;
    }
}

// Proves: finding B5
#[tokio::test]
async fn without_the_demo_there_are_no_groups_and_no_clock() {
    let options = Options { demo: false, ..Options::default() };
    let larkspur = Larkspur::start(options).await.expect("started");
    assert!(larkspur.demo.is_none());
    for path in ["/groups", "/groups/demo", "/fake/feishu/demo", "/_local/clock"] {
        assert_eq!(ask(&larkspur, &format!("GET {path}"), &["host: localhost"], "").await.0, 404, "{path}");
    }
    let key = format!("authorization: Bearer {}", larkspur.api_key.expose());
    let (_, body) = ask(&larkspur, "GET /api/v1/integrations", &["host: localhost", &key], "").await;
    assert_eq!(body["items"].as_array().map(Vec::len), Some(0));
    larkspur.stop().await;
}

#[tokio::test]
async fn healthz_says_how_old_the_oldest_message_of_each_queue_is_and_that_it_ends() {
    let larkspur = Larkspur::start(Options::default()).await.expect("started");
    let queue = larkspur.stack.queues[0].name.clone();
    let outgoing = crate::aws::sqs::message::Outgoing {
        body: "no message".to_owned(),
        group: Some("a".to_owned()),
        ..Default::default()
    };
    let dead = larkspur.stack.queues.iter().map(|queue| queue.name.clone());
    let dead = dead.filter(|name| name != &queue).find(|name| name.contains("Dead") && !name.ends_with(".fifo"));
    let dead = dead.expect("a dead-letter queue, which nobody reads");
    larkspur.aws().sqs().send(&dead, outgoing).await.expect("sent");
    larkspur.clock.advance(Duration::from_secs(90));
    let (status, body) = ask(&larkspur, "GET /healthz", &["host: localhost"], "").await;
    assert_eq!((status, &body["status"]), (200, &"ready".into()), "{body}");
    assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(body["queues"][&dead]["messages"], 1, "{body}");
    assert!(body["queues"][&dead]["oldest_seconds"].as_u64() >= Some(90), "{body}");
    let all = larkspur.stack.queues.len();
    assert_eq!(body["queues"].as_object().map(serde_json::Map::len), Some(all));

    // A connection that was opened before the stop is still answered.
    let mut stream = connect(&larkspur).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    larkspur.stop.send_replace(true);
    let stopping = larkspur.servers.stopping();
    let ended = tokio::spawn(larkspur.stop());
    while !*stopping.borrow() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stream.write_all(b"host: localhost\r\n\r\n").await.expect("sent");
    let (status, body) = read(&mut stream).await;
    assert_eq!((status, &body["status"]), (503, &"stopping".into()), "{body}");
    ended.await.expect("ended");
}
