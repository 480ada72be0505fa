use std::path::Path;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vendors::seen::Seen;
use vendors::vendor::Vendor;

use super::*;

mod network;

async fn start(data: Option<&Path>) -> Larkspur {
    let options = Options { data: data.map(Path::to_owned), ..Options::default() };
    Larkspur::start(options).await.expect("started")
}

/// Sends one HTTP request. Returns status and body.
async fn request(larkspur: &Larkspur, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let address = larkspur.base_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        larkspur.api_key.expose(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    // A server that refuses early closes the connection before the whole body is sent.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}

async fn say(larkspur: &Larkspur, text: &str) {
    let url = larkspur.demo.as_ref().expect("a demo").integration_url.expose();
    let path = url.strip_prefix(&larkspur.base_url).expect("an address of this deployment");
    let body = json!({"msg_type": "text", "content": {"text": text}}).to_string();
    let (status, body) = request(larkspur, "POST", path, body.as_bytes()).await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#)
    );
}

fn group(larkspur: &Larkspur) -> Vec<String> {
    larkspur.fakes.messages(Vendor::Feishu, demo::GROUP).iter().map(Seen::everything).collect()
}

#[tokio::test]
async fn the_demo_s_message_reaches_the_demo_s_group_and_resolved_closes_it() {
    let larkspur = start(None).await;
    say(&larkspur, "FIRING disk full on db-1").await;
    larkspur.drained().await;
    let seen = group(&larkspur);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].contains("disk full on db-1"), "{}", seen[0]);
    say(&larkspur, "RESOLVED disk full on db-1").await;
    larkspur.drained().await;
    assert_eq!(group(&larkspur).len(), 2);
    assert_eq!(larkspur.dead_letters().await, 0);
    let (status, page) = request(&larkspur, "GET", "/groups/demo", b"").await;
    assert_eq!(status, 200);
    assert!(page.contains("disk full on db-1"));
    larkspur.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_keys_demo_and_groups_and_makes_nothing_twice() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = start(Some(directory.path())).await;
    say(&first, "FIRING disk full on db-1").await;
    first.drained().await;
    let (key, seen) = (first.api_key.clone(), group(&first));
    let path = first.demo.as_ref().expect("a demo").integration_url.expose().replace(&first.base_url, "");
    first.stop().await;

    let second = start(Some(directory.path())).await;
    assert_eq!(second.api_key, key);
    assert_eq!(group(&second), seen);
    assert!(second.demo.as_ref().expect("a demo").integration_url.expose().ends_with(&path));
    for list in ["integrations", "spaces", "destinations"] {
        let (_, body) = request(&second, "GET", &format!("/api/v1/{list}"), b"").await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["items"].as_array().map(Vec::len), Some(1), "{list}");
    }
    second.stop().await;
}

#[tokio::test]
async fn requests_that_api_gateway_refuses_are_refused_alike() {
    let larkspur = start(None).await;
    assert_eq!(request(&larkspur, "GET", "/nothing", b"").await, (404, r#"{"message":"Not Found"}"#.to_owned()));
    let path = larkspur.demo.as_ref().expect("a demo").integration_url.expose().replace(&larkspur.base_url, "");
    let (status, _) = request(&larkspur, "POST", &path, &vec![b'x'; 11 * 1024 * 1024]).await;
    assert_eq!(status, 413);
    let (status, body) = request(&larkspur, "PUT", &path, b"{}").await;
    assert_eq!(status, 405, "the function's own: {body}");
    larkspur.stop().await;
}
