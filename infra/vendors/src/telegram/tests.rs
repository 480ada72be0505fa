use http::StatusCode;
use serde_json::json;

use crate::tests::World;
use crate::vendor::Vendor;

/// The address of a bot; the group stands in the body.
pub(crate) const BOT: &str = "https://api.telegram.org/bot1:AA/sendMessage";

#[tokio::test]
async fn telegram_parses_html_counts_utf16_and_names_the_wait() {
    let world = World::new();
    let message = |text: &str| json!({"chat_id": -1001, "text": text, "parse_mode": "HTML"});
    let sent =
        world.post(BOT, &message("<b>INC</b> <a href=\"https://a.example/?a=1&amp;b=2\">open</a>\n&lt;x&gt;")).await;
    assert_eq!(sent.json()["ok"], true);
    let shown = world.fakes.messages(Vendor::Telegram, "-1001");
    assert_eq!(shown[0].text(), "INC open\n<x>");
    assert!(shown[0].everything().contains("https://a.example/?a=1&b=2"));
    let broken = world.post(BOT, &message("a <foo> b")).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(broken.body.contains("can't parse entities"));
    assert!(world.post(BOT, &message(&"😀".repeat(2049))).await.body.contains("too long"));
    let throttled = world.post(BOT, &message("x")).await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(throttled.json()["parameters"]["retry_after"].as_u64().is_some_and(|seconds| seconds > 0));
}
