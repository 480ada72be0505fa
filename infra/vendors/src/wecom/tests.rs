use std::time::Duration;

use serde_json::json;

use crate::tests::{WECOM, World};

#[tokio::test]
async fn wecom_takes_twenty_a_minute_and_four_thousand_and_ninety_six_bytes() {
    let world = World::new();
    let markdown = |text: String| json!({"msgtype": "markdown", "markdown": {"content": text}});
    assert_eq!(world.post(WECOM, &markdown("警".repeat(1366))).await.json()["errcode"], 40_058);
    for _ in 0..19 {
        assert_eq!(world.post(WECOM, &markdown("x".repeat(4096))).await.json()["errcode"], 0);
    }
    assert_eq!(world.post(WECOM, &markdown("x".to_owned())).await.json()["errcode"], 45_009);
    world.advance(Duration::from_secs(60));
    assert_eq!(world.post(WECOM, &markdown("x".to_owned())).await.json()["errcode"], 0);
}
