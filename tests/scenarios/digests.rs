//! If a vendor refuses one line of a digest, only that line fails. The other lines are sent, on every channel that has
//! digests.

use scenarios::space::{dingtalk_bot, feishu_bot, slack_webhook, telegram_bot, wecom_bot, zoom_webhook};
use scenarios::{World, seconds};
use serde_json::json;
use vendors::group::Fault;
use vendors::reply::Reply;
use vendors::seen::Seen;
use vendors::vendor::Vendor;

const GROUPS: [(Vendor, &str); 6] = [
    (Vendor::Feishu, "ops"),
    (Vendor::DingTalk, "ops"),
    (Vendor::WeCom, "ops"),
    (Vendor::Slack, "ops"),
    (Vendor::Telegram, "1001"),
    (Vendor::Zoom, "ops"),
];

/// The answer of each vendor for a message that it refuses.
fn refusal(vendor: Vendor) -> Reply {
    match vendor {
        Vendor::Feishu => Reply::json(200, &json!({"code": 9499, "msg": "Bad Request", "data": {}})),
        Vendor::DingTalk => Reply::json(200, &json!({"errcode": 40035, "errmsg": "illegal content"})),
        Vendor::WeCom => Reply::json(200, &json!({"errcode": 40058, "errmsg": "invalid content"})),
        Vendor::Slack => Reply::text(400, "invalid_blocks"),
        Vendor::SlackApp => Reply::json(200, &json!({"ok": false, "error": "invalid_blocks"})),
        Vendor::Telegram => Reply::json(
            400,
            &json!({"ok": false, "error_code": 400, "description": "Bad Request: can't parse entities"}),
        ),
        Vendor::Zoom => Reply::text(400, "invalid message"),
    }
}

// Proves: finding F5
#[tokio::test]
async fn one_refused_line_fails_alone_and_all_that_was_folded_with_it_is_delivered_on_all_six_bots() {
    const INCIDENTS: usize = 9;
    let world = World::start().await;
    let plan =
        world.space("Ops").notifying(feishu_bot("ops")).notifying(dingtalk_bot("ops")).notifying(wecom_bot("ops"));
    let plan = plan.notifying(slack_webhook("ops")).notifying(telegram_bot("1001"));
    let space = plan.notify(zoom_webhook("ops")).await;
    let sender = world.feishu_alert().set("title_from", json!("first_line")).into(&space).await;
    for (vendor, name) in GROUPS {
        let group = world.group(vendor, name);
        group.refuses("poison", refusal(vendor));
        // The first message is throttled, so that the others wait and form one digest.
        group.answers([Fault::reply(Reply::text(429, "slow down").retry_after(30))]);
    }
    for number in 0..INCIDENTS {
        let word = if number == 5 { "poison" } else { "full" };
        sender.says(&format!("disk-{number} {word}")).await;
        if number == 0 {
            world.rest().await;
        }
    }
    for _ in 0..20 {
        world.advance(seconds(31)).await;
    }
    for (vendor, name) in GROUPS {
        let group = world.group(vendor, name);
        let shown: String = group.messages().iter().map(Seen::everything).collect();
        for number in (0..INCIDENTS).filter(|number| *number != 5) {
            assert!(shown.contains(&format!("disk-{number} full")), "{vendor:?} lacks {number}: {shown}");
        }
        assert!(group.attempts().len() <= 20, "{vendor:?}: {} requests", group.attempts().len());
        group.accept_all();
    }
    for (number, incident) in world.incidents_in_order().await.iter().enumerate() {
        for delivery in incident.now().await["deliveries"].as_array().expect("deliveries") {
            let state = delivery["state"].as_str().expect("a state");
            assert_eq!(state == "failed", number == 5, "{number}: {delivery:#}");
            assert_ne!(state, "pending", "{number}: {delivery:#}");
        }
    }
    let dead = world.dead_letters().await;
    assert!(dead.iter().all(|letter| letter["reason"] == "refused"), "{dead:#?}");
    world.finish_with_dead_letters(6).await;
}
