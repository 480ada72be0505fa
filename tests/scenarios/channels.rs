//! Every channel shows a trigger and its recovery, and "delivered" is recorded only for messages that the group saw.

use alerting::base::secret::Secret;
use scenarios::World;
use scenarios::space::{dingtalk_bot, feishu_bot, slack_webhook, telegram_bot, wecom_bot, zoom_webhook};
use serde_json::{Value, json};
use vendors::group::{Fault, Rules};
use vendors::reply::Reply;
use vendors::vendor::Vendor;

const GROUPS: [(Vendor, &str); 6] = [
    (Vendor::Feishu, "feishu-group"),
    (Vendor::DingTalk, "dingtalk-group"),
    (Vendor::WeCom, "wecom-group"),
    (Vendor::Slack, "slackgroup"),
    (Vendor::Telegram, "-1001234567890"),
    (Vendor::Zoom, "zoom-group"),
];

#[tokio::test]
async fn every_channel_shows_the_trigger_and_the_recovery_with_a_link_to_the_incident() {
    let world = World::start().await;
    let rules = |word: &str| Rules { keywords: vec![word.to_owned()], ..Rules::default() };
    let space = world
        .space("All")
        .notifying(
            feishu_bot("feishu-group")
                .with(Rules { secret: Some(Secret::new("feishu-secret")), ..rules("#") })
                .set("secret", "feishu-secret"),
        )
        .notifying(
            dingtalk_bot("dingtalk-group")
                .with(Rules { secret: Some(Secret::new("SECdingtalk")), ..rules("#") })
                .set("secret", "SECdingtalk"),
        )
        .notifying(wecom_bot("wecom-group"))
        .notifying(slack_webhook("slackgroup"))
        .notifying(telegram_bot("-1001234567890"))
        .notify(zoom_webhook("zoom-group"))
        .await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&space).await;

    sender.says("disk full host=db-1 <at user_id=\"all\">everyone</at>").await;
    for (vendor, group) in GROUPS {
        let shown = world.group(vendor, group).expects("disk full").await;
        let (link, all) = (format!("{}/links/v1.", world.larkspur.base_url), shown.everything());
        assert!(all.contains(&link) && all.contains("?ack=1"), "{vendor:?} lacks a link: {all}");
    }
    world.advance(scenarios::minutes(1)).await;
    sender.says("RESOLVED host=db-1").await;
    for (vendor, group) in GROUPS {
        let shown = world.group(vendor, group).expects_all(&["Recovered", "after 1m"]).await.everything();
        assert!(shown.contains(&format!("{}/links/v1.", world.larkspur.base_url)), "{vendor:?} lacks a link: {shown}");
    }
    for delivery in deliveries(&world).await {
        assert_eq!(delivery["state"], "delivered", "{delivery:#}");
    }
    world.finish().await;
}

// Proves: delivered-by-body, fault 59
#[tokio::test]
async fn http_200_with_an_error_in_the_body_is_not_delivered_and_is_sent_again() {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&space).await;
    let throttled =
        json!({"code": 11232, "data": {}, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"});
    world.feishu("ops").answers([Fault::reply(Reply::json(200, &throttled))]);

    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    world.settle().await;
    let delivery = &deliveries(&world).await[0];
    assert_eq!(delivery["state"], "delivered");
    let outcomes: Vec<_> = attempts(delivery).iter().map(|attempt| attempt["outcome"].clone()).collect();
    assert_eq!(outcomes, ["retry", "delivered"], "{delivery:#}");
    assert_eq!(attempts(delivery)[0]["reason"], "rate_limited");
    world.finish().await;
}

// Proves: delivered-or-alarm, fault 65
#[tokio::test]
async fn a_bot_that_was_removed_is_a_failure_on_the_timeline_and_a_dead_letter() {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&space).await;
    let gone = json!({"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"});
    world.feishu("ops").answers([Fault::reply(Reply::json(200, &gone))]);

    sender.says("disk full").await;
    world.settle().await;
    let delivery = &deliveries(&world).await[0];
    assert_eq!((delivery["state"].as_str(), attempts(delivery).len()), (Some("failed"), 1), "{delivery:#}");
    assert_eq!(world.dead_letters().await.len(), 1);
    assert!(world.feishu("ops").messages().is_empty());
    world.larkspur.stop().await;
}

// Proves: delivered-or-alarm
#[tokio::test]
async fn a_message_that_was_shown_without_an_answer_is_sent_again_and_its_attempt_recorded_as_unknown() {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&space).await;
    world.feishu("ops").answers([Fault::shown_but(Reply::text(200, "<html>a proxy</html>"))]);

    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("ops").expects("disk full").await;
    world.settle().await;
    let delivery = &deliveries(&world).await[0];
    let outcomes: Vec<_> = attempts(delivery).iter().map(|attempt| attempt["outcome"].clone()).collect();
    assert_eq!(outcomes, ["unknown", "delivered"], "{delivery:#}");
    world.finish().await;
}

#[tokio::test]
async fn the_test_of_a_destination_shows_the_provider_s_answer() {
    let world = World::start().await;
    let id = feishu_bot("ops").with(Rules { keywords: vec!["上线".to_owned()], ..Rules::default() }).make(&world).await;
    let answer = world.api.call("POST", &format!("/destinations/{id}/test"), Some(&json!({}))).await;
    assert_eq!(answer.body["outcome"], "rejected", "{}", answer.text);
    assert_eq!(answer.body["provider"]["code"], "19024");
    world.finish().await;
}

/// The deliveries of the newest incident.
async fn deliveries(world: &World) -> Vec<Value> {
    let incidents = world.api.list("/incidents").await;
    let id = incidents[0]["id"].as_str().expect("an id");
    let incident = world.api.get(&format!("/incidents/{id}")).await;
    incident["deliveries"].as_array().expect("deliveries").clone()
}

fn attempts(delivery: &Value) -> &Vec<Value> {
    delivery["attempts"].as_array().expect("attempts")
}

// Proves: finding F9
#[tokio::test]
async fn a_telegram_group_that_became_a_supergroup_is_sent_to_under_its_new_id() {
    let world = World::start().await;
    let space = world.space("Ops").notify(telegram_bot("-1001")).await;
    let sender = world.feishu_alert().into(&space).await;
    let moved = json!({"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -1_009_876}});
    world.group(Vendor::Telegram, "-1001").answers([Fault::reply(Reply::json(400, &moved))]);
    sender.says("disk full").await;
    world.group(Vendor::Telegram, "-1009876").expects("disk full").await;
    let delivery = &deliveries(&world).await[0];
    let reasons: Vec<_> = attempts(delivery).iter().map(|attempt| attempt["reason"].clone()).collect();
    assert_eq!(reasons, [json!("moved"), Value::Null], "{delivery:#}");
    let stored = world.api.get(&format!("/destinations/{}", space.destinations[0])).await;
    assert_eq!(stored["settings"]["chat_id"], -1_009_876, "{stored:#}");
    sender.says("load high").await;
    world.group(Vendor::Telegram, "-1009876").expects("load high").await;
    world.finish().await;
}
