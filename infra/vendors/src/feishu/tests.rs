use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;

use crate::group::{AttemptResult, Rules};
use crate::seen::Button;
use crate::tests::World;
use crate::vendor::Vendor;

/// The address of a bot in the group `ops`.
pub(crate) const BOT: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/ops";

pub(crate) fn text(text: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": text}})
}

#[tokio::test]
async fn feishu_says_success_in_these_bytes_and_shows_the_message() {
    let world = World::new();
    let answer = world.post(BOT, &text("disk full # 告警")).await;
    assert_eq!(answer.body, r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#);
    assert_eq!(world.fakes.messages(Vendor::Feishu, "ops")[0].text(), "disk full # 告警");
}

#[tokio::test]
async fn a_mention_shows_the_name_that_stands_in_it() {
    let world = World::new();
    world.post(BOT, &text("<at user_id=\"ou_1\">Li Lei</at> disk full")).await;
    assert_eq!(world.fakes.messages(Vendor::Feishu, "ops")[0].text(), "@Li Lei disk full");
}

#[tokio::test]
async fn feishu_takes_five_a_second_and_a_hundred_a_minute_and_says_so_with_http_200() {
    let world = World::new();
    let mut taken = 0;
    for second in 0..25 {
        for _ in 0..6 {
            let answer = world.post(BOT, &text("#")).await;
            assert_eq!(answer.status, StatusCode::OK);
            match answer.json()["code"].as_u64() {
                Some(0) => taken += 1,
                code => assert_eq!(code, Some(11232), "second {second}"),
            }
        }
        if second == 0 {
            assert_eq!(taken, 5);
        }
        world.advance(Duration::from_secs(1));
    }
    assert_eq!(taken, 100);
    let attempts = world.fakes.attempts(Vendor::Feishu, "ops");
    assert_eq!(attempts.iter().filter(|attempt| attempt.result == AttemptResult::Throttled).count(), 50);
}

#[tokio::test]
async fn feishu_checks_keyword_signature_size_and_form() {
    let world = World::new();
    let rules = Rules { keywords: vec!["#".to_owned()], secret: Some(Secret::new("demo")), ..Rules::default() };
    world.fakes.open(Vendor::Feishu, "ops", rules);
    assert_eq!(world.post(BOT, &text("# no signature")).await.json()["code"], 19021);
    world.fakes.open(Vendor::Feishu, "ops", Rules { keywords: vec!["#".to_owned()], ..Rules::default() });
    assert_eq!(world.post(BOT, &text("no keyword")).await.json()["code"], 19024);
    world.advance(Duration::from_secs(2));
    let long = world.post(BOT, &text(&"#".repeat(20 * 1024))).await;
    assert_eq!((long.status, long.json()["code"].as_u64()), (StatusCode::BAD_REQUEST, Some(9499)));
    assert_eq!(world.send(BOT, "{", &[]).await.json()["code"], 9499);
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
        world.post(BOT, &card).await;
    }
    let shown = world.fakes.messages(Vendor::Feishu, "ops");
    for seen in &shown {
        assert_eq!((seen.title().as_str(), seen.text().as_str()), ("INC #AB", "Severity: Critical"));
        assert_eq!(
            seen.buttons,
            [Button { text: "Details".to_owned(), url: "https://a.example/1".to_owned(), value: None }]
        );
    }
    assert_ne!(shown[0].color, shown[1].color);
}

/// Made by another program than ours: tests/fixtures/feishu/SOURCES.md says by which.
#[tokio::test]
async fn feishu_accepts_a_recorded_signature_for_an_hour_and_for_its_secret_only() {
    let recorded: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/feishu/bot_signatures.json"))
        .expect("the recorded signatures are JSON");
    for case in recorded["cases"].as_array().expect("cases") {
        let [timestamp, secret, sign] = ["timestamp", "secret", "sign"].map(|name| case[name].as_str().expect("text"));
        let at = Moment::from_secs(timestamp.parse().expect("seconds"));
        let mut signed = text("#");
        signed["timestamp"] = json!(timestamp);
        signed["sign"] = json!(sign);
        for (secret, now, code) in [
            (secret, at + Duration::from_secs(3600), 0),
            (secret, at + Duration::from_secs(3601), 19021),
            ("another", at, 19021),
        ] {
            let world = World::at(now);
            let rules = Rules { secret: Some(Secret::new(secret)), ..Rules::default() };
            world.fakes.open(Vendor::Feishu, "ops", rules);
            assert_eq!(world.post(BOT, &signed).await.json()["code"], code, "{secret} at {now}");
        }
    }
}
