use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::tests::World;
use crate::vendor::Vendor;

/// The address of a bot in the group `ops`.
pub(crate) const BOT: &str = "https://hooks.slack.com/services/T1/B1/ops";

#[tokio::test]
async fn slack_says_ok_and_nothing_else_and_names_the_wait_when_it_is_too_much() {
    let world = World::new();
    let message = json!({"text": "INC", "attachments": [{"color": "#E0352B", "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*INC* <https://a.example|open> &lt;b&gt;"}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Details"}, "url": "https://a.example/1"}]},
    ]}]});
    for _ in 0..3 {
        assert_eq!(world.post(BOT, &message).await.body, "ok");
    }
    let refused = world.post(BOT, &message).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.retry_after.is_some());
    let shown = world.fakes.messages(Vendor::Slack, "ops");
    assert_eq!(shown[0].text(), "INC\nINC open <b>", "the text stands above what is attached to it");
    assert_eq!(shown[0].color.as_deref(), Some("#E0352B"));
    world.advance(Duration::from_secs(5));
    assert_eq!(world.post(BOT, &json!({})).await.body, "no_text");
    assert_eq!(world.send(BOT, "x", &[]).await.body, "invalid_payload");
}

#[tokio::test]
async fn a_mention_shows_the_member_s_id() {
    let world = World::new();
    let message = json!({"text": "*INC* <@U012AB3CD>", "attachments": [{"color": "#E0352B", "text": "disk full"}]});
    world.post(BOT, &message).await;
    assert_eq!(world.fakes.messages(Vendor::Slack, "ops")[0].text(), "INC @U012AB3CD\ndisk full");
}
