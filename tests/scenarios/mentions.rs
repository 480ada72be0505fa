//! Messages to the group of a level mention the assigned people, so that the platform notifies them.

use scenarios::escalation::members;
use scenarios::space::{dingtalk_bot, feishu_bot, slack_webhook};
use scenarios::{World, minutes};
use serde_json::json;
use vendors::vendor::Vendor;

#[tokio::test]
async fn a_group_names_the_people_assigned_by_what_they_say_or_a_table_knows_and_only_while_they_are_called() {
    let world = World::start().await;
    let identities = json!({"slack_user_id": "U0LI000001", "feishu_user_id": "ou_li"});
    let li = world.member("Li").set("identities", identities).chat(feishu_bot("li")).make().await;
    let wang = world.member("Wang").email("wang@example.org").chat(feishu_bot("wang")).make().await;
    let zhao = world.member("Zhao").set("identities", json!({"slack_user_id": "U0ZHAO0003"}));
    let zhao = zhao.chat(feishu_bot("zhao")).make().await;
    let known = json!([{"email": "wang@example.org", "slack_user_id": "U0WANG0002"}]);
    let table =
        json!({"name": "who is who", "source_labels": ["email"], "result_labels": ["slack_user_id"], "rows": known});
    let table = world.make("/mapping-tables", &table).await;
    let slack = slack_webhook("ops").make(&world).await;
    let [feishu, quiet] = [feishu_bot("ops").make(&world).await, dingtalk_bot("ops").make(&world).await];
    let space = world.space("Payments").make().await;
    let first = members(&[&li, &wang]).and_mentioned_in(&slack, Some(&table)).and_mentioned_in(&feishu, None);
    let second = members(&[&zhao]).and_mentioned_in(&slack, None);
    world.rule(&space, "Always").levels([first.and_group(&quiet), second]).await;

    world.feishu_alert().into(&space).await.says("disk full").await;
    for name in ["li", "wang"] {
        world.feishu(name).expects("disk full").await;
    }
    world.group(Vendor::Slack, "ops").expects_all(&["disk full", "@U0LI000001", "@U0WANG0002"]).await;
    let shown = world.feishu("ops").expects_all(&["disk full", "@ou_li"]).await.everything();
    assert!(shown.contains("Wang") && !shown.contains("@Wang"), "named, as nothing is known to call her by: {shown}");
    let shown = world.group(Vendor::DingTalk, "ops").expects("disk full").await.everything();
    assert!(!shown.contains('@'), "a group that is not asked to mentions nobody: {shown}");

    world.advance(minutes(30)).await;
    world.feishu("zhao").expects("Escalated").await;
    let shown = world.group(Vendor::Slack, "ops").expects_all(&["Escalated", "@U0ZHAO0003"]).await.everything();
    assert!(
        !shown.contains("@U0LI") && !shown.contains("@U0WANG"),
        "the people of the level before are not called again: {shown}"
    );

    world.incident().await.press_as("acknowledge", &zhao).await;
    for name in ["li", "wang", "zhao"] {
        world.feishu(name).expects("Acknowledged").await;
    }
    for (vendor, name) in [(Vendor::Slack, "ops"), (Vendor::Feishu, "ops"), (Vendor::DingTalk, "ops")] {
        let shown = world.group(vendor, name).expects_all(&["Acknowledged", "(Zhao"]).await.everything();
        assert!(!shown.contains("@U0") && !shown.contains("@ou_"), "nobody is called for news: {shown}");
    }
    world.finish().await;
}

// Proves: finding F6
#[tokio::test]
async fn a_member_with_only_an_identity_in_the_group_is_assigned_and_mentioned_there() {
    let world = World::start().await;
    let chen = world.member("Chen").set("identities", json!({"slack_user_id": "U0CHEN0004"})).make().await;
    let unknown = world.member("Zhao").set("identities", json!({"zoom_jid": "zhao@xmpp.zoom.us"})).make().await;
    let slack = slack_webhook("ops").make(&world).await;
    let space = world.space("Payments").make().await;
    let level = members(&[&chen, &unknown]).and_mentioned_in(&slack, None);
    world.rule(&space, "Always").levels([level]).await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    world.group(Vendor::Slack, "ops").expects_all(&["disk full", "@U0CHEN0004"]).await;
    let incident = world.incident().await;
    assert_eq!(incident.now().await["assignees"], json!([chen.id]));
    let why = "Always, level 1; Zhao has no contact for this severity";
    assert_eq!(incident.details("triggered").await, [why]);
    world.finish().await;
}
