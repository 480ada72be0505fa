//! A. Bad input at the intake.

use std::time::{Duration, Instant};

use scenarios::World;
use scenarios::process::Process;
use scenarios::raw::{self, RawResponse};
use scenarios::sender::Sender;
use scenarios::space::{dingtalk_bot, feishu_bot, slack_webhook, telegram_bot, wecom_bot, zoom_webhook};
use serde_json::json;
use vendors::vendor::Vendor;

/// The longest time for any request. The machine may be busy with other tests.
const BOUND: Duration = Duration::from_secs(10);

async fn world_with_a_sender() -> (World, Sender) {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let limits = json!({"per_second": 10_000, "per_minute": 100_000});
    let sender = world.feishu_alert().set("limits", limits).into(&space).await;
    (world, sender)
}

async fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> RawResponse {
    raw::exchange(url, &raw::request("POST", url, headers, body)).await
}

fn text(text: &str) -> Vec<u8> {
    json!({"msg_type": "text", "content": {"text": text}}).to_string().into_bytes()
}

#[track_caller]
fn assert_code(response: &RawResponse, status: u16, code: i64, case: &str) {
    assert_eq!((response.status, response.body()["code"].as_i64()), (status, Some(code)), "{case}: {response:?}");
}

/// The text of every recorded message, newest first.
async fn contents(sender: &Sender) -> Vec<String> {
    let messages = sender.messages().await;
    messages.iter().map(|message| message["content"].as_str().unwrap_or_default().to_owned()).collect()
}

// Proves: fault 1, fault 2, fault 3, fault 9, fault 10
#[tokio::test]
async fn a_body_that_is_no_message_is_answered_19002_and_recorded_and_opens_nothing() {
    let (world, sender) = world_with_a_sender().await;
    let deep = "[".repeat(10_000);
    let deep_object = format!("{{\"msg_type\":\"text\",\"content\":{}", "{\"a\":".repeat(10_000));
    let cases: [(&str, &[u8]); 10] = [
        ("empty", b""),
        ("blank", b" \r\n\t"),
        ("truncated", b"{\"msg_type\":\"text\",\"content\":{\"text\":\"disk"),
        ("a list", b"[]"),
        ("a text", b"\"x\""),
        ("null", b"null"),
        ("a list of messages", b"[{\"msg_type\":\"text\",\"content\":{\"text\":\"x\"}}]"),
        ("10 000 lists in each other", deep.as_bytes()),
        ("10 000 objects in each other", deep_object.as_bytes()),
        ("bytes that are no text", b"\xff\xfe\x00\x01"),
    ];
    for (case, body) in cases {
        let started = Instant::now();
        assert_code(&post(&sender.url, &[], body).await, 400, 19002, case);
        assert!(started.elapsed() < BOUND, "{case}: {:?}", started.elapsed());
    }
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["refused"; 10]);
    assert!(world.api.list("/alerts").await.is_empty());
    world.finish().await;
}

// Proves: fault 10
#[tokio::test]
async fn duplicate_keys_take_the_last_one_and_a_number_that_nothing_reads_may_be_of_any_size() {
    let (world, sender) = world_with_a_sender().await;
    let twice = br#"{"msg_type":"image","msg_type":"text","content":{"text":"first","text":"last"}}"#;
    assert_code(&post(&sender.url, &[], twice).await, 200, 0, "duplicate keys");
    let (fraction, digits) = (format!("0.{}", "1".repeat(200_000)), "9".repeat(200_000));
    for (case, number) in [
        ("a long fraction", fraction.as_str()),
        ("a number of 200 000 digits", &digits),
        ("more than a double holds", "1e400"),
        ("a huge exponent", "1e999999999"),
    ] {
        let body = format!(r#"{{"msg_type":"text","content":{{"text":"{case}"}},"n":{number}}}"#);
        let started = Instant::now();
        assert_code(&post(&sender.url, &[], body.as_bytes()).await, 200, 0, case);
        assert!(started.elapsed() < BOUND, "{case}: {:?}", started.elapsed());
    }
    world.settle().await;
    let shown = contents(&sender).await;
    let sent = ["a huge exponent", "more than a double holds", "a number of 200 000 digits", "a long fraction", "last"];
    assert_eq!(shown, sent);
    world.finish().await;
}

// Proves: fault 7
#[tokio::test]
async fn characters_that_a_queue_refuses_are_replaced_and_the_message_opens_its_alert() {
    let (world, sender) = world_with_a_sender().await;
    let cases: [(&[u8], &str); 6] = [
        (b"{\"msg_type\":\"text\",\"content\":{\"text\":\"a\xff\xc3b\"}}", "a\u{fffd}\u{fffd}b"),
        (br#"{"msg_type":"text","content":{"text":"a\ud800b"}}"#, "a\u{fffd}b"),
        (br#"{"msg_type":"text","content":{"text":"a\udc00\ud800"}}"#, "a\u{fffd}\u{fffd}"),
        (br#"{"msg_type":"text","content":{"text":"a\u0000b"}}"#, "a\u{fffd}b"),
        (b"{\"msg_type\":\"text\",\"content\":{\"text\":\"a\0b\"}}", "a\u{fffd}b"),
        (br#"{"msg_type":"text","content":{"text":"a\ufffe\uffffb"}}"#, "a\u{fffd}\u{fffd}b"),
    ];
    for (body, _) in cases {
        assert_code(&post(&sender.url, &[], body).await, 200, 0, &String::from_utf8_lossy(body));
    }
    world.settle().await;
    let mut found = contents(&sender).await;
    found.reverse();
    assert_eq!(found, cases.map(|(_, content)| content));
    assert_eq!(sender.outcomes().await, ["triggered"; 6]);
    world.finish().await;
}

// Proves: fault 11
#[tokio::test]
async fn a_chunked_body_is_read_whole_and_broken_chunks_are_no_message() {
    let (world, sender) = world_with_a_sender().await;
    let (host, path) = raw::split(&sender.url);
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let body = String::from_utf8(text("disk full")).expect("text");
    let (first, second) = body.split_at(20);
    let good = format!("{head}14\r\n{first}\r\n{:x};extension=1\r\n{second}\r\n0\r\n\r\n", second.len());
    assert_code(&raw::exchange(&sender.url, good.as_bytes()).await, 200, 0, "two chunks");
    for (case, broken) in [
        ("no hexadecimal length", format!("{head}zz\r\n{body}\r\n0\r\n\r\n")),
        ("a length beyond 64 bits", format!("{head}fffffffffffffffff1\r\n{body}\r\n0\r\n\r\n")),
        ("a length that is not the chunk's", format!("{head}5\r\n{body}\r\n0\r\n\r\n")),
    ] {
        let response = raw::exchange(&sender.url, broken.as_bytes()).await;
        assert_eq!(response.status, 400, "{case}: {response:?}");
    }
    world.settle().await;
    assert_eq!(contents(&sender).await, ["disk full"]);
    world.finish().await;
}

// Proves: fault 11
#[tokio::test]
async fn a_sender_that_expects_100_continue_gets_it_and_a_slow_body_is_read_to_its_end() {
    let (world, sender) = world_with_a_sender().await;
    let (host, path) = raw::split(&sender.url);
    let body = text("disk full");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (interim, response) = raw::exchange_with_expectation(&sender.url, head.as_bytes(), &body).await;
    assert!(interim.starts_with("HTTP/1.1 100"), "{interim}");
    assert_code(&response, 200, 0, "Expect: 100-continue");
    let whole = raw::request("POST", &sender.url, &[], &text("slowly"));
    let response = raw::exchange_in_pieces(&sender.url, whole.chunks(40), Duration::from_millis(20)).await;
    assert_code(&response, 200, 0, "forty bytes at a time");
    world.settle().await;
    assert_eq!(contents(&sender).await, ["slowly", "disk full"]);
    world.finish().await;
}

// Proves: fault 11
#[tokio::test]
async fn a_compressed_body_is_no_message_and_is_never_inflated() {
    let (world, sender) = world_with_a_sender().await;
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV\xca-N\x8f/\xa9,HU\xb2R*I\xad(Q\xaa\x05\x00";
    let bomb = gzip_bomb();
    assert!(bomb.len() < 256 * 1024, "it is within the limit of a body: {}", bomb.len());
    for encoding in ["gzip", "deflate", "br", "identity"] {
        for body in [&gzip[..], &bomb] {
            let started = Instant::now();
            let response = post(&sender.url, &[("Content-Encoding", encoding)], body).await;
            assert_code(&response, 400, 19002, encoding);
            assert!(response.body()["msg"].as_str().is_some_and(|msg| msg.contains("not JSON")), "{response:?}");
            assert!(started.elapsed() < BOUND, "{encoding}: {:?}", started.elapsed());
        }
    }
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["refused"; 8]);
    world.finish().await;
}

/// Thirty megabytes of zeros in less than 200 KB.
fn gzip_bomb() -> Vec<u8> {
    // The header, followed by a fixed Huffman block that repeats the literal 0 and the pair (length 258, distance 1).
    let mut bits = Bits::default();
    bits.push(0b011, 3);
    bits.push_code(0x30, 8);
    for _ in 0..120_000 {
        bits.push_code(0b1100_0101, 8);
        bits.push_code(0, 5);
    }
    bits.push_code(0, 7);
    [&b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"[..], &bits.bytes].concat()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// Appends bits, the least significant one first.
    fn push(&mut self, value: u32, count: u32) {
        for place in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> place & 1 == 1);
            *self.bytes.last_mut().expect("pushed") |= bit << (self.used % 8);
            self.used += 1;
        }
    }

    /// Appends a Huffman code, the most significant bit first.
    fn push_code(&mut self, value: u32, count: u32) {
        (0..count).rev().for_each(|place| self.push(value >> place & 1, 1));
    }
}

// Proves: fault 13
#[tokio::test]
async fn an_invalid_key_is_answered_like_an_unknown_one_and_one_trailing_slash_is_ignored() {
    let (world, sender) = world_with_a_sender().await;
    let (base, key) = sender.url.rsplit_once('/').expect("a path");
    let swapped: String = key
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let unknown = post(&format!("{base}/4fJk2LmNpQ8rStUvWx"), &[], &text("x")).await;
    assert_code(&unknown, 200, 19001, "unknown");
    let long = "a".repeat(8_000);
    for (case, path) in [
        ("a second slash before it", format!("{base}//{key}")),
        ("a second slash behind it", format!("{base}/{key}//")),
        ("the other case", format!("{base}/{swapped}")),
        ("an encoded slash", format!("{base}/{}%2F{}", &key[..9], &key[9..])),
        ("an encoded NUL", format!("{base}/{key}%00")),
        ("an encoded letter", format!("{base}/%{:02X}{}", key.as_bytes()[0], &key[1..])),
        ("steps up", format!("{base}/../hook/{key}x")),
        ("nothing", format!("{base}/")),
        ("8 000 characters", format!("{base}/{long}")),
    ] {
        let response = post(&path, &[], &text("x")).await;
        assert_eq!((response.status, &response.text), (200, &unknown.text), "{case}");
    }
    // The URL is longer than any server reads, so the gateway answers.
    let response = post(&format!("{base}/{}", "a".repeat(200_000)), &[], &text("x")).await;
    assert!((400..500).contains(&response.status), "{response:?}");
    assert_code(&post(&format!("{}/", sender.url), &[], &text("one slash")).await, 200, 0, "one trailing slash");
    world.settle().await;
    assert_eq!(contents(&sender).await, ["one slash"]);
    world.finish().await;
}

// Proves: fault 12
#[tokio::test]
async fn any_other_method_is_405_and_head_has_no_body() {
    let (world, sender) = world_with_a_sender().await;
    for method in ["GET", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        let response = raw::exchange(&sender.url, &raw::request(method, &sender.url, &[], b"")).await;
        assert!([404, 405].contains(&response.status), "{method}: {response:?}");
    }
    let response = raw::exchange_without_body(&sender.url, &raw::request("HEAD", &sender.url, &[], b"")).await;
    assert_eq!(response.status, 405, "{response:?}");
    world.settle().await;
    assert!(sender.messages().await.is_empty());
    world.finish().await;
}

/// The texts that each vendor treats as markup, or as a mention of one person or of everyone.
const HOSTILE: &str = "<at user_id=\"all\">everyone</at> <at id=all></at> <@all> <!channel> <!here> <@U012AB3CD> \
    @everyone @all [x](https://evil.example) *b* `c` <b>d</b> <a href=\"https://evil.example\">e</a> &lt;at id=all&gt;";

// Proves: fault 14, finding E2
#[tokio::test]
async fn nothing_that_a_sender_writes_calls_anyone_or_hides_where_a_link_leads_on_any_channel() {
    let world = World::start().await;
    let groups = [
        (Vendor::Feishu, "feishu"),
        (Vendor::DingTalk, "dingtalk"),
        (Vendor::WeCom, "wecom"),
        (Vendor::Slack, "slack"),
        (Vendor::Telegram, "-1001234567890"),
        (Vendor::Zoom, "zoom"),
    ];
    let space = world.space("Everyone");
    let space = space.notifying(feishu_bot("feishu")).notifying(dingtalk_bot("dingtalk")).notifying(wecom_bot("wecom"));
    let space = space.notifying(slack_webhook("slack")).notifying(telegram_bot("-1001234567890"));
    let space = space.notify(zoom_webhook("zoom")).await;
    let sender = world.feishu_alert().into(&space).await;
    // The older message form has separate fields for title and text, which are used unchanged.
    sender.sends(&json!({"msg_type": "text", "content": {"title": format!("disk {HOSTILE}"), "text": HOSTILE}})).await;
    for (vendor, group) in groups {
        let seen = world.group(vendor, group).expects("disk").await;
        // An address that the sender wrote is linked under its own name, never under another text of the sender.
        for run in seen.title.iter().chain(seen.lines.iter().flatten()) {
            let Some(to) = run.href.as_deref().filter(|to| to.contains("evil")) else { continue };
            assert_eq!((run.text.as_str(), to), ("evil.example", "https://evil.example"), "{vendor:?}");
        }
        // The fake vendors show a mention as `@name`, and all other text as it was written.
        let shown = seen.everything();
        for call in [" @channel", " @here", " @U012AB3CD"] {
            assert!(!shown.contains(call), "{vendor:?} shows {call}: {shown}");
        }
    }
    world.finish().await;
}

/// A refused request is logged with its reason only, on one line, without control characters.
// Proves: fault 2, fault 108
#[tokio::test]
async fn a_refused_request_is_one_line_of_the_log_at_most_and_its_body_is_on_none() {
    let data = tempfile::tempdir().expect("a directory");
    let larkspur = Process::start(data.path(), &[("LARKSPUR_LOG", "info,dynoxide=error")]).await.expect("started");
    let space = larkspur.api.create("/spaces", &json!({"name": "Silence"})).await;
    let made = larkspur.api.create("/integrations", &json!({"name": "a", "space": space["id"]})).await;
    let url = made["url"].as_str().expect("a url");
    let bodies: [&[u8]; 5] = [
        b"CANARY-of-a-body",
        b"{\"msg_type\":\"text\",\"CANARY-of-a-body",
        b"[\"CANARY-of-a-body\"]",
        b"{\"msg_type\":\"CANARY-of-a-body\",\"content\":{}}",
        b"{\"msg_type\":\"\\r\\n\x1b[31mCANARY-of-a-body\",\"content\":{}}",
    ];
    for body in bodies {
        let response = post(url, &[], body).await;
        assert_code(&response, 400, 19002, &String::from_utf8_lossy(body));
    }
    let refused = |printed: &str| printed.lines().filter(|line| line.contains("refused")).count();
    let start = Instant::now();
    while refused(&larkspur.printed()) < bodies.len() && start.elapsed() < BOUND {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let printed = larkspur.printed();
    assert_eq!(refused(&printed), bodies.len(), "{printed}");
    assert!(!printed.contains("CANARY-of-a-body"), "{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    larkspur.kill().await.expect("killed");
}
