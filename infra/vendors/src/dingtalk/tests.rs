use std::time::Duration;

use serde_json::{Value, json};

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;

use crate::group::Rules;
use crate::tests::World;
use crate::vendor::Vendor;

/// The address of a bot in the group `ops`.
pub(crate) const BOT: &str = "https://oapi.dingtalk.com/robot/send?access_token=ops";

#[tokio::test]
async fn dingtalk_blocks_for_ten_minutes_after_twenty_in_a_minute() {
    let world = World::new();
    let message = json!({"msgtype": "markdown", "markdown": {"title": "INC", "text": "### INC #1\n\n- a"}});
    for _ in 0..20 {
        assert_eq!(world.post(BOT, &message).await.json()["errcode"], 0);
    }
    assert_eq!(world.post(BOT, &message).await.json()["errcode"], 130_101);
    world.advance(Duration::from_secs(599));
    assert_eq!(world.post(BOT, &message).await.json()["errcode"], 130_101);
    world.advance(Duration::from_secs(2));
    assert_eq!(world.post(BOT, &message).await.json()["errcode"], 0);
    assert_eq!(world.fakes.messages(Vendor::DingTalk, "ops").len(), 21);
}

#[tokio::test]
async fn only_people_listed_in_at_are_mentioned() {
    let world = World::new();
    let markdown = json!({"title": "INC", "text": "@13800000000 and @13900000000"});
    let at = json!({"atMobiles": ["13800000000"], "atUserIds": [], "isAtAll": false});
    world.post(BOT, &json!({"msgtype": "markdown", "markdown": markdown, "at": at})).await;
    let line = world.fakes.messages(Vendor::DingTalk, "ops")[0].lines[0].clone();
    let bold: Vec<_> = line.iter().filter(|run| run.bold).map(|run| run.text.as_str()).collect();
    assert_eq!(bold, ["@13800000000"], "{line:?}");
}

#[tokio::test]
async fn dingtalk_checks_signature_and_keyword_under_one_code() {
    let world = World::new();
    let message = json!({"msgtype": "text", "text": {"content": "hello"}});
    world.fakes.open(Vendor::DingTalk, "ops", Rules { keywords: vec!["#".to_owned()], ..Rules::default() });
    let answer = world.post(BOT, &message).await.json();
    assert_eq!(
        (answer["errcode"].as_i64(), answer["errmsg"].as_str()),
        (Some(310_000), Some("keywords not in content"))
    );
    world.fakes.open(Vendor::DingTalk, "ops", Rules { secret: Some(Secret::new("SEC1")), ..Rules::default() });
    let now = world.now().millis();
    let path = format!("{BOT}&timestamp={now}&sign=AAAA");
    assert!(
        world.post(&path, &message).await.json()["errmsg"].as_str().is_some_and(|text| text.contains("sign not match"))
    );
}

/// Made by another program than ours: tests/fixtures/dingtalk/SOURCES.md says by which.
#[tokio::test]
async fn dingtalk_accepts_a_recorded_signature_for_an_hour_and_for_its_secret_only() {
    let recorded: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/dingtalk/bot_signatures.json"))
        .expect("the recorded signatures are JSON");
    let message = json!({"msgtype": "text", "text": {"content": "hello"}});
    for case in recorded["cases"].as_array().expect("cases") {
        let [timestamp, secret, sign] =
            ["timestamp_ms", "secret", "sign_query"].map(|name| case[name].as_str().expect("text"));
        let at = Moment::from_millis(timestamp.parse().expect("milliseconds"));
        for (secret, now, errcode) in [
            (secret, at + Duration::from_secs(3600), 0),
            (secret, at + Duration::from_millis(3_600_001), 310_000),
            ("another", at, 310_000),
        ] {
            let world = World::at(now);
            let rules = Rules { secret: Some(Secret::new(secret)), ..Rules::default() };
            world.fakes.open(Vendor::DingTalk, "ops", rules);
            let url = format!("{BOT}&timestamp={timestamp}&sign={sign}");
            assert_eq!(world.post(&url, &message).await.json()["errcode"], errcode, "{secret} at {now}");
        }
    }
}
