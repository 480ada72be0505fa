use std::time::Duration;

use serde_json::json;

use crate::tests::World;
use crate::vendor::Vendor;

/// The address of a bot in the group `ops`.
pub(crate) const BOT: &str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=ops";

#[tokio::test]
async fn wecom_takes_twenty_a_minute_and_four_thousand_and_ninety_six_bytes() {
    let world = World::new();
    let markdown = |text: String| json!({"msgtype": "markdown", "markdown": {"content": text}});
    assert_eq!(world.post(BOT, &markdown("警".repeat(1366))).await.json()["errcode"], 40_058);
    for _ in 0..19 {
        assert_eq!(world.post(BOT, &markdown("x".repeat(4096))).await.json()["errcode"], 0);
    }
    assert_eq!(world.post(BOT, &markdown("x".to_owned())).await.json()["errcode"], 45_009);
    world.advance(Duration::from_secs(60));
    assert_eq!(world.post(BOT, &markdown("x".to_owned())).await.json()["errcode"], 0);
}

#[tokio::test]
async fn mentioned_people_stand_below_the_text() {
    let world = World::new();
    let content =
        json!({"content": "disk full", "mentioned_list": ["LiLei"], "mentioned_mobile_list": ["13800000000"]});
    world.post(BOT, &json!({"msgtype": "text", "text": content})).await;
    assert_eq!(world.fakes.messages(Vendor::WeCom, "ops")[0].text(), "disk full\n@LiLei @13800000000");
}
