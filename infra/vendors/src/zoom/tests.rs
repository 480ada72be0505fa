use http::StatusCode;
use serde_json::json;

use alerting::base::secret::Secret;

use crate::group::Rules;
use crate::tests::World;
use crate::vendor::Vendor;

/// The address of a bot in the group `ops`.
pub(crate) const BOT: &str = "https://integrations.zoom.us/chat/webhooks/incomingwebhook/ops?format=full";

#[tokio::test]
async fn zoom_wants_its_token_bare_and_takes_both_envelopes() {
    let world = World::new();
    world.fakes.open(Vendor::Zoom, "ops", Rules { secret: Some(Secret::new("token")), ..Rules::default() });
    let inner =
        json!({"head": {"text": "INC #1"}, "body": [{"type": "message", "text": "*a*", "is_markdown_support": true}]});
    let authorized: &[(&str, &str)] = &[("authorization", "token")];
    for body in [json!({"content": inner}), inner.clone()] {
        assert_eq!(world.send(BOT, &body.to_string(), authorized).await.status, StatusCode::OK);
    }
    let bearer = world.send(BOT, &inner.to_string(), &[("authorization", "Bearer token")]).await;
    assert_eq!(bearer.status, StatusCode::UNAUTHORIZED);
    let long = json!({"head": {"text": "x".repeat(251)}, "body": []});
    assert_eq!(world.send(BOT, &long.to_string(), authorized).await.status, StatusCode::BAD_REQUEST);
    let shown = world.fakes.messages(Vendor::Zoom, "ops");
    assert_eq!((shown.len(), shown[1].title(), shown[1].text()), (2, "INC #1".to_owned(), "a".to_owned()));
}
