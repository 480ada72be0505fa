use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use alerting::base::secret::Secret;

struct World {
    fakes: Fakes,
    clock: Clock,
}

struct Answer {
    status: StatusCode,
    retry_after: Option<String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON answer")
    }
}

impl World {
    fn new() -> Self {
        let clock = Clock::system();
        Self { fakes: Fakes::new(clock.clone(), None).expect("in memory"), clock }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(path, &body.to_string(), &[]).await
    }

    async fn send(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let response = self.fakes.router().oneshot(request).await.expect("an answer");
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.map(|value| value.to_str().expect("text").to_owned());
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        Answer { status, retry_after, body: String::from_utf8(body.to_vec()).expect("text") }
    }
}

fn feishu_text(text: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": text}})
}

const FEISHU: &str = "/open-apis/bot/v2/hook/ops";
const DINGTALK: &str = "/robot/send?access_token=ops";
const WECOM: &str = "/cgi-bin/webhook/send?key=ops";
const SLACK: &str = "/services/T1/B1/ops";
const TELEGRAM: &str = "/bot1:AA/sendMessage";
const ZOOM: &str = "/chat/webhooks/incomingwebhook/ops?format=full";

#[tokio::test]
async fn feishu_says_success_in_these_bytes_and_shows_the_message() {
    let world = World::new();
    let answer = world.post(FEISHU, &feishu_text("disk full # 告警")).await;
    assert_eq!(answer.body, r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#);
    assert_eq!(world.fakes.messages(Vendor::Feishu, "ops")[0].text(), "disk full # 告警");
}

#[tokio::test]
async fn feishu_takes_five_a_second_and_a_hundred_a_minute_and_says_so_with_http_200() {
    let world = World::new();
    let mut taken = 0;
    for second in 0..25 {
        for _ in 0..6 {
            let answer = world.post(FEISHU, &feishu_text("#")).await;
            assert_eq!(answer.status, StatusCode::OK);
            match answer.json()["code"].as_u64() {
                Some(0) => taken += 1,
                code => assert_eq!(code, Some(11232), "second {second}"),
            }
        }
        if second == 0 {
            assert_eq!(taken, 5);
        }
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(taken, 100);
    let attempts = world.fakes.attempts(Vendor::Feishu, "ops");
    assert_eq!(attempts.iter().filter(|attempt| attempt.verdict == Verdict::Throttled).count(), 50);
}

#[tokio::test]
async fn feishu_checks_keyword_signature_size_and_form() {
    let world = World::new();
    let rules = Rules { keywords: vec!["#".to_owned()], secret: Some(Secret::new("demo")), ..Rules::default() };
    world.fakes.open(Vendor::Feishu, "ops", rules);
    assert_eq!(world.post(FEISHU, &feishu_text("# no signature")).await.json()["code"], 19021);
    // The vendor's published example of a signature: key "demo", timestamp 1599360473.
    let at = Moment::from_secs(1_599_360_473);
    let late = at.since(Moment::from_millis(0));
    let mut signed = feishu_text("#");
    signed["timestamp"] = json!("1599360473");
    signed["sign"] = json!("l1N0gAcBjd5Ee6PUdeUjFRMZCqPkS8zl7rfTXXHmK94=");
    assert_eq!(world.post(FEISHU, &signed).await.json()["code"], 19021, "{late:?} too old, or not this secret's");
    world.fakes.open(Vendor::Feishu, "ops", Rules { keywords: vec!["#".to_owned()], ..Rules::default() });
    assert_eq!(world.post(FEISHU, &feishu_text("no keyword")).await.json()["code"], 19024);
    world.clock.advance(Duration::from_secs(2));
    let long = world.post(FEISHU, &feishu_text(&"#".repeat(20 * 1024))).await;
    assert_eq!((long.status, long.json()["code"].as_u64()), (StatusCode::BAD_REQUEST, Some(9499)));
    assert_eq!(world.send(FEISHU, "{", &[]).await.json()["code"], 9499);
    assert!(world.fakes.messages(Vendor::Feishu, "ops").is_empty());
}

#[tokio::test]
async fn feishu_cards_of_both_versions_show_colour_title_text_and_links() {
    let world = World::new();
    let old = json!({"msg_type": "interactive", "card": {
    "header": {"title": {"tag": "plain_text", "content": "INC #AB"}, "template": "red"},
    "elements": [
        {"tag": "div", "text": {"tag": "lark_md", "content": "**Severity**: Critical"}},
        {"tag": "action", "actions": [{"tag": "button", "text": {"tag": "plain_text", "content": "Details"}, "url": "https://a.example/1"}]},
    ]}});
    let new = json!({"msg_type": "interactive", "card": {"schema": "2.0",
    "header": {"title": {"tag": "plain_text", "content": "INC #AB"}, "template": "green"},
    "body": {"elements": [
        {"tag": "markdown", "content": "**Severity**: Critical"},
        {"tag": "column_set", "columns": [{"tag": "column", "elements": [
            {"tag": "button", "text": {"tag": "plain_text", "content": "Details"},
             "behaviors": [{"type": "open_url", "default_url": "https://a.example/1"}]}]}]},
    ]}}});
    for card in [old, new] {
        world.post(FEISHU, &card).await;
    }
    let shown = world.fakes.messages(Vendor::Feishu, "ops");
    for seen in &shown {
        assert_eq!((seen.title().as_str(), seen.text().as_str()), ("INC #AB", "Severity: Critical"));
        assert_eq!(seen.buttons, [Button { text: "Details".to_owned(), url: "https://a.example/1".to_owned() }]);
    }
    assert_ne!(shown[0].color, shown[1].color);
}

#[tokio::test]
async fn dingtalk_blocks_for_ten_minutes_after_twenty_in_a_minute() {
    let world = World::new();
    let message = json!({"msgtype": "markdown", "markdown": {"title": "INC", "text": "### INC #1\n\n- a"}});
    for _ in 0..20 {
        assert_eq!(world.post(DINGTALK, &message).await.json()["errcode"], 0);
    }
    assert_eq!(world.post(DINGTALK, &message).await.json()["errcode"], 130_101);
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(world.post(DINGTALK, &message).await.json()["errcode"], 130_101);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.post(DINGTALK, &message).await.json()["errcode"], 0);
    assert_eq!(world.fakes.messages(Vendor::DingTalk, "ops").len(), 21);
}

#[tokio::test]
async fn dingtalk_checks_signature_and_keyword_under_one_code() {
    let world = World::new();
    let message = json!({"msgtype": "text", "text": {"content": "hello"}});
    world.fakes.open(Vendor::DingTalk, "ops", Rules { keywords: vec!["#".to_owned()], ..Rules::default() });
    let answer = world.post(DINGTALK, &message).await.json();
    assert_eq!(
        (answer["errcode"].as_i64(), answer["errmsg"].as_str()),
        (Some(310_000), Some("keywords not in content"))
    );
    world.fakes.open(Vendor::DingTalk, "ops", Rules { secret: Some(Secret::new("SEC1")), ..Rules::default() });
    let now = world.clock.now().millis();
    let path = format!("{DINGTALK}&timestamp={now}&sign=AAAA");
    assert!(
        world.post(&path, &message).await.json()["errmsg"].as_str().is_some_and(|text| text.contains("sign not match"))
    );
}

#[tokio::test]
async fn wecom_takes_twenty_a_minute_and_four_thousand_and_ninety_six_bytes() {
    let world = World::new();
    let markdown = |text: String| json!({"msgtype": "markdown", "markdown": {"content": text}});
    assert_eq!(world.post(WECOM, &markdown("警".repeat(1366))).await.json()["errcode"], 40_058);
    for _ in 0..19 {
        assert_eq!(world.post(WECOM, &markdown("x".repeat(4096))).await.json()["errcode"], 0);
    }
    assert_eq!(world.post(WECOM, &markdown("x".to_owned())).await.json()["errcode"], 45_009);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.post(WECOM, &markdown("x".to_owned())).await.json()["errcode"], 0);
}

#[tokio::test]
async fn slack_says_ok_and_nothing_else_and_names_the_wait_when_it_is_too_much() {
    let world = World::new();
    let message = json!({"text": "INC", "attachments": [{"color": "#E0352B", "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*INC* <https://a.example|open> &lt;b&gt;"}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Details"}, "url": "https://a.example/1"}]},
    ]}]});
    for _ in 0..3 {
        assert_eq!(world.post(SLACK, &message).await.body, "ok");
    }
    let refused = world.post(SLACK, &message).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.retry_after.is_some());
    let shown = world.fakes.messages(Vendor::Slack, "ops");
    assert_eq!(shown[0].text(), "INC\nINC open <b>", "the text stands above what is attached to it");
    assert_eq!(shown[0].color.as_deref(), Some("#E0352B"));
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.post(SLACK, &json!({})).await.body, "no_text");
    assert_eq!(world.send(SLACK, "x", &[]).await.body, "invalid_payload");
}

#[tokio::test]
async fn telegram_parses_html_counts_utf16_and_names_the_wait() {
    let world = World::new();
    let message = |text: &str| json!({"chat_id": -1001, "text": text, "parse_mode": "HTML"});
    let sent = world
        .post(TELEGRAM, &message("<b>INC</b> <a href=\"https://a.example/?a=1&amp;b=2\">open</a>\n&lt;x&gt;"))
        .await;
    assert_eq!(sent.json()["ok"], true);
    let shown = world.fakes.messages(Vendor::Telegram, "-1001");
    assert_eq!(shown[0].text(), "INC open\n<x>");
    assert!(shown[0].everything().contains("https://a.example/?a=1&b=2"));
    let broken = world.post(TELEGRAM, &message("a <foo> b")).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(broken.body.contains("can't parse entities"));
    assert!(world.post(TELEGRAM, &message(&"😀".repeat(2049))).await.body.contains("too long"));
    let throttled = world.post(TELEGRAM, &message("x")).await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(throttled.json()["parameters"]["retry_after"].as_u64().is_some_and(|seconds| seconds > 0));
}

#[tokio::test]
async fn zoom_wants_its_token_bare_and_takes_both_envelopes() {
    let world = World::new();
    world.fakes.open(Vendor::Zoom, "ops", Rules { secret: Some(Secret::new("token")), ..Rules::default() });
    let inner =
        json!({"head": {"text": "INC #1"}, "body": [{"type": "message", "text": "*a*", "is_markdown_support": true}]});
    let authorized: &[(&str, &str)] = &[("authorization", "token")];
    for body in [json!({"content": inner}), inner.clone()] {
        assert_eq!(world.send(ZOOM, &body.to_string(), authorized).await.status, StatusCode::OK);
    }
    let bearer = world.send(ZOOM, &inner.to_string(), &[("authorization", "Bearer token")]).await;
    assert_eq!(bearer.status, StatusCode::UNAUTHORIZED);
    let long = json!({"head": {"text": "x".repeat(251)}, "body": []});
    assert_eq!(world.send(ZOOM, &long.to_string(), authorized).await.status, StatusCode::BAD_REQUEST);
    let shown = world.fakes.messages(Vendor::Zoom, "ops");
    assert_eq!((shown.len(), shown[1].title(), shown[1].text()), (2, "INC #1".to_owned(), "a".to_owned()));
}

#[tokio::test]
async fn whom_a_message_calls_is_shown_as_each_vendor_shows_it() {
    let world = World::new();
    let text = |text: &str| json!({"msg_type": "text", "content": {"text": text}});
    world.post(FEISHU, &text("<at user_id=\"ou_1\">Li Lei</at> disk full")).await;
    assert_eq!(world.fakes.messages(Vendor::Feishu, "ops")[0].text(), "@Li Lei disk full");

    let markdown = json!({"title": "INC", "text": "@13800000000 and @13900000000"});
    let at = json!({"atMobiles": ["13800000000"], "atUserIds": [], "isAtAll": false});
    world.post(DINGTALK, &json!({"msgtype": "markdown", "markdown": markdown, "at": at})).await;
    let line = world.fakes.messages(Vendor::DingTalk, "ops")[0].lines[0].clone();
    let bold: Vec<_> = line.iter().filter(|run| run.bold).map(|run| run.text.as_str()).collect();
    assert_eq!(bold, ["@13800000000"], "the other is not in `at`: {line:?}");

    let content =
        json!({"content": "disk full", "mentioned_list": ["LiLei"], "mentioned_mobile_list": ["13800000000"]});
    world.post(WECOM, &json!({"msgtype": "text", "text": content})).await;
    assert_eq!(world.fakes.messages(Vendor::WeCom, "ops")[0].text(), "disk full\n@LiLei @13800000000");

    let message = json!({"text": "*INC* <@U012AB3CD>", "attachments": [{"color": "#E0352B", "text": "disk full"}]});
    world.post(SLACK, &message).await;
    assert_eq!(world.fakes.messages(Vendor::Slack, "ops")[0].text(), "INC @U012AB3CD\ndisk full");
}

#[tokio::test]
async fn scripted_faults_come_first_and_in_order() {
    let world = World::new();
    let broken = Reply::text(502, "<html>bad gateway</html>");
    let faults = [Fault::reply(broken.clone()), Fault::shown_but(broken)];
    world.fakes.script(Vendor::Feishu, "ops", faults);
    for expected in [(502, 0), (502, 1), (200, 2)] {
        let answer = world.post(FEISHU, &feishu_text("#")).await;
        assert_eq!((answer.status.as_u16(), world.fakes.messages(Vendor::Feishu, "ops").len()), expected);
    }
}

#[tokio::test]
async fn a_restart_shows_the_same_group() {
    let directory = tempfile::tempdir().expect("a directory");
    for expected in [1, 2] {
        let clock = Clock::system();
        let world = World { fakes: Fakes::new(clock.clone(), Some(directory.path())).expect("opened"), clock };
        world.post(FEISHU, &feishu_text("disk full")).await;
        assert_eq!(world.fakes.messages(Vendor::Feishu, "ops").len(), expected);
    }
}
