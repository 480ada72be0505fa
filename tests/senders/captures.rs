//! Whole requests of real clients, byte for byte over a socket: header order, encodings and escapes are the clients'
//! own. Only the key and the host are ours.

use scenarios::World;
use serde_json::json;

use crate::recordings;
use scenarios::raw;

const SUCCESS: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
/// What stands in the recorded requests for the host.
const RECORDED_HOST: &str = "127.0.0.1:18080";
/// In this one a path was shortened after the recording, so its length is wrong.
const SHORTENED: &str = "feishu-logging.http";

/// The clients, and a word that their message has.
const CAPTURES: [(&str, &str, &str); 9] = [
    ("apprise-feishu.http", "text", "[FIRING] High CPU on web-01"),
    ("apprise-lark.http", "text", "[FIRING] High CPU on web-01"),
    ("curl.http", "text", "[FIRING] disk full on web-01"),
    ("feishu-logging.http", "text", "db connection pool exhausted host=db-01"),
    ("ipush.http", "text", "[FIRING] High CPU on web-01"),
    ("lark-webhook-notify.http", "interactive", "cpu_usage=97% threshold=90% host=web-01"),
    ("lwn-rust.http", "interactive", "db-01 used 96%"),
    ("pushoo-resolved.http", "text", "cpu back to 41%"),
    ("pushoo.http", "text", "cpu_usage = 97%"),
];

#[tokio::test]
async fn a_recorded_request_is_answered_with_success_where_its_type_is_taken() {
    let world = World::start().await;
    let space = world.space("Captures").make().await;
    let texts = world.feishu_alert().into(&space).await;
    let cards = world.feishu_alert().set("message_types", json!(["text", "post", "interactive"])).into(&space).await;
    let recorded = recordings::captures();
    let names: Vec<&str> = recorded.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, CAPTURES.map(|(name, ..)| name));

    for ((name, bytes), (_, msg_type, _)) in recorded.iter().zip(CAPTURES) {
        let response = raw::exchange(&cards.url, &ours(name, bytes, &cards.url)).await;
        assert_eq!((response.status, response.text.as_str()), (200, SUCCESS), "{name}");
        assert_eq!(response.header("content-type"), Some("application/json"), "{name}");

        let response = raw::exchange(&texts.url, &ours(name, bytes, &texts.url)).await;
        let expected = if msg_type == "text" { (200, Some(0)) } else { (400, Some(19002)) };
        assert_eq!((response.status, response.body()["code"].as_i64()), expected, "{name}");
    }

    world.settle().await;
    let messages = cards.messages().await;
    for (message, (name, msg_type, words)) in messages.iter().rev().zip(CAPTURES) {
        assert_eq!(message["msg_type"], msg_type, "{name}");
        assert!(message["content"].as_str().is_some_and(|content| content.contains(words)), "{name}: {message:#}");
    }
    assert_eq!(messages.len(), CAPTURES.len());
    world.finish().await;
}

/// The recorded request with our key and host in place of the recorded ones.
fn ours(name: &str, bytes: &[u8], url: &str) -> Vec<u8> {
    let (host, path) = raw::split(url);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the headers end") + 4;
    let (head, body) = (std::str::from_utf8(&bytes[..end]).expect("headers are ASCII"), &bytes[end..]);
    let recorded_path = head.split(' ').nth(1).expect("a path");
    let token = recorded_path.trim_end_matches('/');
    let mut head = head.replacen(token, path, 1).replace(RECORDED_HOST, host);
    if name == SHORTENED {
        head = head.replace("Content-Length: 252", &format!("Content-Length: {}", body.len()));
    }
    [head.as_bytes(), body].concat()
}
