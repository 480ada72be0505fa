//! The intake's answers, row by row of the API's table. Senders use them to decide whether to retry.

use std::time::Duration;

use scenarios::World;
use scenarios::sender::Sender;
use serde_json::{Value, json};

use crate::recordings::older;
use scenarios::raw::{self, RawResponse};

const SUCCESS: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
const JSON: (&str, &str) = ("Content-Type", "application/json");
const BODY_BYTES: usize = 256 * 1024;

/// An integration with these settings, in a space that notifies nobody.
async fn sender(world: &World, settings: &[(&str, Value)]) -> Sender {
    let space = world.space("Silence").make().await;
    let plan = settings.iter().fold(world.feishu_alert(), |plan, (field, value)| plan.set(field, value.clone()));
    plan.into(&space).await
}

async fn post(url: &str, body: &[u8]) -> RawResponse {
    raw::exchange(url, &raw::request("POST", url, &[JSON], body)).await
}

fn text(text: &str) -> Vec<u8> {
    json!({"msg_type": "text", "content": {"text": text}}).to_string().into_bytes()
}

#[track_caller]
fn assert_success(response: &RawResponse, case: &str) {
    assert_eq!((response.status, response.text.as_str()), (200, SUCCESS), "{case}");
    assert_eq!(response.header("content-type"), Some("application/json"), "{case}");
}

/// An error has the protocol's own shape, without fields that older senders read as success.
#[track_caller]
fn assert_error(response: &RawResponse, status: u16, code: i64, words: &[&str]) {
    let body = response.body();
    assert_eq!((response.status, body["code"].as_i64()), (status, Some(code)), "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"), "{response:?}");
    let msg = body["msg"].as_str().expect("a msg");
    assert!(words.iter().all(|word| msg.contains(word)), "{words:?} in {msg}");
    assert!(body["data"].is_object() && !response.text.contains("StatusCode"), "{}", response.text);
}

// Proves: senders
#[tokio::test]
async fn accepted_is_the_merged_success_body_byte_for_byte_and_the_older_path_adds_ok() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    let response = post(&sender.url, &text("disk full")).await;
    assert_success(&response, "v2");
    assert_eq!(response.text.len(), 77);

    let response = post(&older(&sender.url), br#"{"title":"disk full","text":"on db-1"}"#).await;
    let with_ok = format!("{},\"ok\":true}}", &SUCCESS[..SUCCESS.len() - 1]);
    assert_eq!((response.status, response.text), (200, with_ok));
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["triggered", "triggered"]);
    world.finish().await;
}

// Proves: fault 11
#[tokio::test]
async fn a_message_is_accepted_however_it_is_wrapped() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    let body = text("disk full");
    for suffix in ["/", "?noat=1", "/?ats=a,b&x", "?"] {
        assert_success(&post(&format!("{}{suffix}", sender.url), &body).await, suffix);
    }
    for kind in [
        "application/json; charset=utf-8",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        // The gateway hands over what is no text in base64.
        "application/octet-stream",
        "nonsense",
    ] {
        let request = raw::request("POST", &sender.url, &[("Content-Type", kind)], &body);
        assert_success(&raw::exchange(&sender.url, &request).await, kind);
    }
    let request = raw::request("POST", &sender.url, &[], &body);
    assert_success(&raw::exchange(&sender.url, &request).await, "no content type");
    world.settle().await;
    for message in sender.messages().await {
        assert_eq!((message["title"].as_str(), message["content"].as_str()), (Some("Feishu Alert"), Some("disk full")));
    }
    world.finish().await;
}

// Proves: fault 5
#[tokio::test]
async fn json_in_a_text_is_read_like_json() {
    let world = World::start().await;
    let sender = sender(&world, &[("message_types", json!(["text", "post", "interactive"]))]).await;
    let post_content = json!({"zh_cn": {"title": "disk", "content": [[{"tag": "text", "text": "full"}]]}});
    let card = json!({"header": {"title": {"tag": "plain_text", "content": "disk"}},
        "elements": [{"tag": "markdown", "content": "full"}]});
    let cases = [
        ("content", json!({"msg_type": "text", "content": r#"{"title":"disk","text":"full"}"#})),
        ("content.post", json!({"msg_type": "post", "content": {"post": post_content.to_string()}})),
        ("content of a post", json!({"msg_type": "post", "content": json!({"post": post_content}).to_string()})),
        ("no wrapper", json!({"msg_type": "post", "content": post_content})),
        ("card", json!({"msg_type": "interactive", "card": card.to_string()})),
        ("card in content", json!({"msg_type": "interactive", "content": {"card": card}})),
    ];
    for (case, body) in &cases {
        assert_success(&post(&sender.url, body.to_string().as_bytes()).await, case);
    }
    world.settle().await;
    let messages = sender.messages().await;
    assert_eq!(messages.len(), cases.len());
    for (message, (case, _)) in messages.iter().rev().zip(&cases) {
        assert_eq!((message["title"].as_str(), message["content"].as_str()), (Some("disk"), Some("full")), "{case}");
    }
    world.finish().await;
}

// Proves: fault 71, fault 83
#[tokio::test]
async fn an_unknown_and_a_retired_key_are_19001() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    let body = text("disk full");
    let (base, _) = sender.url.rsplit_once('/').expect("a path");
    for key in ["4fJk2LmNpQ8rStUvWx", "short", "", "a/b", "../../../api/v1/spaces"] {
        assert_error(&post(&format!("{base}/{key}"), &body).await, 200, 19001, &["token invalid"]);
    }

    let path = format!("/integrations/{}/rotate-key", sender.integration);
    let rotated = world.api.call("POST", &path, Some(&json!({"overlap_minutes": 60}))).await;
    let fresh = rotated.body["url"].as_str().expect("the new address").to_owned();
    assert_success(&post(&sender.url, &body).await, "the old key, for a while");
    assert_success(&post(&fresh, &body).await, "the new key");
    world.advance(Duration::from_secs(3601)).await;
    assert_error(&post(&sender.url, &body).await, 200, 19001, &["token invalid"]);
    assert_success(&post(&fresh, &body).await, "the new key, later");
    world.finish().await;
}

#[tokio::test]
async fn refusals_for_signature_source_and_keyword_have_http_200() {
    let world = World::start().await;
    let security = |security: Value| [("security", security)];
    let unsigned = sender(&world, &security(json!({"secret": "s3cr3t"}))).await;
    let stale = json!({"timestamp": "1700000000", "sign": "CNNNRL0wSY2j+cKcY98lQAfVvb21u/iW3phZyXRkmcY=",
        "msg_type": "text", "content": {"text": "disk full"}});
    for body in [text("disk full"), stale.to_string().into_bytes()] {
        assert_error(&post(&unsigned.url, &body).await, 200, 19021, &["sign match fail"]);
    }
    let elsewhere = sender(&world, &security(json!({"sources": ["203.0.113.0/24"]}))).await;
    assert_error(&post(&elsewhere.url, &text("disk full")).await, 200, 19022, &["Ip Not Allowed"]);
    let here = sender(&world, &security(json!({"sources": ["203.0.113.0/24", "127.0.0.*"]}))).await;
    assert_success(&post(&here.url, &text("disk full")).await, "an address of the list");
    let keyword = sender(&world, &security(json!({"keywords": ["告警", "alert"]}))).await;
    assert_error(&post(&keyword.url, &text("disk full")).await, 200, 19024, &["Key Words Not Found"]);
    assert_success(&post(&keyword.url, &text("磁盘告警")).await, "one of the words");
    world.settle().await;
    for (sender, reason) in [(&unsigned, "signature"), (&elsewhere, "source"), (&keyword, "keyword")] {
        let messages = sender.messages().await;
        let refused = messages.last().expect("refused messages are recorded");
        assert_eq!((refused["outcome"].as_str(), refused["reason"].as_str()), (Some("refused"), Some(reason)));
    }
    world.finish().await;
}

#[tokio::test]
async fn a_malformed_message_is_400_with_the_cause() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    for (body, words) in [
        (&b""[..], "empty"),
        (b"{\"msg_type\":\"te", "not JSON"),
        (b"\x1f\x8b\x08\0\0", "not JSON"),
        (b"payload=%7B%7D", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "msg_type need"),
        (b"{\"title\":\"t\",\"text\":\"x\"}", "msg_type need"),
        (b"{\"msg_type\":\"text\"}", "unknown content value"),
        (b"{\"msg_type\":\"text\",\"content\":{}}", "unknown content value"),
        (b"{\"msg_type\":\"post\",\"content\":{\"post\":{\"zh_cn\":{\"title\":\"t\",\"content\":[]}}}}", "content"),
    ] {
        assert_error(&post(&sender.url, body).await, 400, 19002, &["params error", words]);
    }
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["refused"; 10]);
    world.finish().await;
}

#[tokio::test]
async fn over_256_kib_is_400_and_exactly_that_is_taken() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    let shell = text("").len();
    let whole = |bytes: usize| text(&"x".repeat(bytes - shell));
    assert_success(&post(&sender.url, &whole(BODY_BYTES)).await, "256 KiB");
    assert_error(&post(&sender.url, &whole(BODY_BYTES + 1)).await, 400, 19002, &["256 KiB"]);
    assert_error(&post(&sender.url, &whole(4 * 1024 * 1024)).await, 400, 19002, &["256 KiB"]);
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["refused", "refused", "triggered"]);
    world.finish().await;
}

// Proves: fault 4
#[tokio::test]
async fn a_type_that_is_not_taken_is_400_with_its_name_and_the_setting() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    for msg_type in ["interactive", "image", "share_chat", "sticker"] {
        let body = json!({"msg_type": msg_type, "content": {"image_key": "img_1"}, "card": {"elements": []}});
        let response = post(&sender.url, body.to_string().as_bytes()).await;
        assert_error(&response, 400, 19002, &[msg_type, "message_types"]);
    }
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["refused"; 4]);
    world.finish().await;
}

#[tokio::test]
async fn too_many_messages_are_400_with_a_code_that_asks_to_send_again() {
    let world = World::start().await;
    let sender = sender(&world, &[("limits", json!({"per_second": 100, "per_minute": 2}))]).await;
    let mut accepted = 0;
    for number in 1..=6 {
        let response = post(&sender.url, &text(&format!("number {number}"))).await;
        if response.status == 200 {
            assert_success(&response, "within the limit");
            accepted += 1;
        } else {
            assert_error(&response, 400, 9499, &["too many request"]);
        }
    }
    // The turn of a minute may lie in between.
    assert!((2..=4).contains(&accepted), "{accepted} of 6");
    world.advance(Duration::from_secs(60)).await;
    assert_success(&post(&sender.url, &text("a minute later")).await, "a minute later");
    world.finish().await;
}

// Proves: accepted
#[tokio::test]
async fn a_message_that_cannot_be_kept_is_503_and_not_success() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    assert_success(&post(&sender.url, &text("disk full")).await, "before");
    world.settle().await;
    let queues = world.larkspur.stack.queues.iter().map(|queue| queue.name.as_str());
    let messages: Vec<&str> = queues
        .filter(|name| name.to_lowercase().contains("messages") && !name.to_lowercase().contains("dead"))
        .collect();
    let [queue] = messages.as_slice() else { panic!("one queue of messages: {messages:?}") };
    world.larkspur.aws().sqs().delete_queue(queue).await.expect("deleted");

    let response = post(&sender.url, &text("disk full")).await;
    assert_error(&response, 503, 9499, &["system busy, send again"]);
    world.larkspur.stop().await;
}

#[tokio::test]
async fn what_is_not_posted_is_405() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for url in [sender.url.clone(), older(&sender.url), format!("{}x", sender.url)] {
            let response = raw::exchange(&url, &raw::request(method, &url, &[], b"")).await;
            assert_error(&response, 405, 19002, &["POST"]);
            assert_eq!(response.header("allow"), Some("POST"), "{method}");
        }
    }
    world.settle().await;
    assert!(sender.messages().await.is_empty(), "nothing of it is a message");
    world.finish().await;
}

/// Alibaba Cloud's webhook contact accepts no longer URL, and the host name is given.
#[tokio::test]
async fn the_whole_url_has_at_most_100_characters_on_a_host_of_api_gateway() {
    let world = World::start().await;
    let sender = sender(&world, &[]).await;
    let (_, path) = raw::split(&sender.url);
    let key = path.strip_prefix("/open-apis/bot/v2/hook/").expect("the protocol's path, at the root of the host");
    assert!(key.len() == 18 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "18 base62 characters: {key}");
    // The longest names of regions have 14 characters: ap-northeast-1, ap-southeast-2.
    let host = format!("{}.execute-api.{}.amazonaws.com", "a".repeat(10), "ap-southeast-2");
    let url = format!("https://{host}{path}");
    assert!(url.len() <= 100, "{} characters: {url}", url.len());
    world.finish().await;
}
