//! The actions of people on an incident, and who is notified of them.

use scenarios::space::feishu_bot;
use scenarios::{World, minutes};
use serde_json::{Value, json};

async fn first_incident(world: &World) -> Value {
    let incidents = world.api.list("/incidents").await;
    world.api.get(&format!("/incidents/{}", incidents[0]["id"].as_str().expect("an id"))).await
}

async fn act(world: &World, action: &str, body: Value) -> (u16, Value) {
    let id = first_incident(world).await["id"].as_str().expect("an id").to_owned();
    let answer = world.api.call("POST", &format!("/incidents/{id}/{action}"), Some(&body)).await;
    world.settle().await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn acknowledge_close_and_reopen_are_notified_and_stand_on_the_timeline() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("push_mode", json!({"type": "by_title"})).into(&ops).await;
    sender.posts("disk full", "96%").await;
    world.feishu("ops").expects("disk full").await;

    assert_eq!(act(&world, "acknowledge", json!({})).await.1["progress"], "processing");
    world.feishu("ops").expects("Acknowledged").await;
    assert_eq!(act(&world, "close", json!({})).await.1["progress"], "closed");
    world.feishu("ops").expects("Closed").await;
    assert_eq!(world.api.list("/alerts?status=closed").await.len(), 1, "closing an incident by hand closes its alerts");

    let (status, body) = act(&world, "acknowledge", json!({})).await;
    assert_eq!((status, body["error"]["code"].is_string()), (409, true), "{body}");
    assert_eq!(act(&world, "reopen", json!({})).await.1["progress"], "triggered");
    world.feishu("ops").expects("Reopened").await;

    let incident = first_incident(&world).await;
    let kinds: Vec<_> =
        incident["timeline"].as_array().expect("a timeline").iter().map(|entry| entry["kind"].clone()).collect();
    let notified = ["triggered", "acknowledged", "closed", "reopened"].map(|kind| [kind, "notified"]);
    assert_eq!(kinds, notified.concat(), "each change, and each attempt to notify of it");
    world.finish().await;
}

#[tokio::test]
async fn after_an_incident_is_closed_by_hand_the_next_trigger_opens_a_new_alert() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("push_mode", json!({"type": "by_title"})).into(&ops).await;
    sender.posts("disk full", "96%").await;
    world.feishu("ops").expects("disk full").await;
    act(&world, "close", json!({})).await;
    world.feishu("ops").expects("Closed").await;

    sender.posts("disk full", "97%").await;
    world.feishu("ops").expects("disk full").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["triggered", "triggered"]);
    assert_eq!(world.api.list("/incidents").await.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn when_a_snooze_runs_out_the_incident_returns_to_triggered_and_is_notified_again() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&ops).await;
    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;

    assert_eq!(act(&world, "acknowledge", json!({})).await.0, 200);
    world.feishu("ops").expects("Acknowledged").await;
    assert_eq!(act(&world, "snooze", json!({"minutes": 10})).await.0, 200);
    world.advance(minutes(5)).await;
    assert_eq!(first_incident(&world).await["progress"], "processing");
    world.advance(minutes(6)).await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(first_incident(&world).await["progress"], "triggered");
    world.finish().await;
}
