//! Closing an incident by hand also closes its alerts and their incidents in other spaces.

use scenarios::space::feishu_bot;
use scenarios::{World, minutes};
use serde_json::json;

#[tokio::test]
async fn closing_an_incident_closes_its_alert_and_the_alert_s_other_incident() {
    let world = World::start().await;
    let (ops, dba) =
        (world.space("Ops").notify(feishu_bot("ops")).await, world.space("DBA").notify(feishu_bot("dba")).await);
    let li = world.member("li").make().await;
    let sender = world.feishu_alert().monitoring();
    let sender = sender.set("routes", json!([])).set("default_spaces", json!([ops.id, dba.id])).make().await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("dba").expects("disk full").await;
    let incident = world.incidents_in_order().await.remove(0);
    incident.press_as("close", &li).await;
    for group in ["ops", "dba"] {
        world.feishu(group).expects("Closed").await;
    }
    assert!(world.api.list("/alerts?status=open").await.is_empty());
    for incident in world.incidents_in_order().await {
        assert_eq!((incident.progress().await.as_str(), incident.event_kinds().await.len()), ("closed", 2));
        assert_eq!(incident.actors("closed").await, ["li"]);
    }
    // The next trigger opens a new alert, and a late message about the old alert opens none.
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("dba").expects("disk full").await;
    world.finish().await;
}

// Proves: finding E5
#[tokio::test]
async fn a_reopened_incident_says_that_its_alerts_stay_closed() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    let incident = world.only_incident().await;
    assert_eq!(incident.now().await["open_alert_count"], 1);
    incident.press("close").await;
    world.feishu("ops").expects("Closed").await;
    let shown = incident.press("reopen").await;
    world.feishu("ops").expects_all(&["Reopened", "its alerts stay closed"]).await;
    assert_eq!((&shown["progress"], &shown["open_alert_count"]), (&json!("triggered"), &json!(0)));
    assert_eq!(world.api.list("/alerts?status=open").await, Vec::<serde_json::Value>::new());
    world.advance(minutes(5)).await;
    incident.press("close").await;
    world.feishu("ops").expects("Closed").await;
    world.finish().await;
}
