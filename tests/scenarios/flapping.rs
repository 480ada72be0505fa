//! Flapping alerts: alerts that open and close repeatedly.

use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, minutes};
use serde_json::{Value, json};

async fn space(world: &World, flapping: Value) -> Space {
    world.space("Ops").set("flapping", flapping).notify(feishu_bot("ops")).await
}

/// Opens the alert, which sends a notification.
async fn opens(world: &World, sender: &Sender) {
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects_all(&["disk full"]).await;
    world.settle().await;
}

/// Opens and closes the alert. Both changes send a notification.
async fn flaps(world: &World, sender: &Sender) {
    opens(world, sender).await;
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    world.settle().await;
}

/// Whether each incident is marked as flapping, oldest first.
async fn marks(world: &World) -> Vec<bool> {
    world.settle().await;
    let incidents = world.api.list("/incidents").await;
    incidents.iter().rev().map(|incident| incident["flapping"] == true).collect()
}

#[tokio::test]
async fn after_four_changes_in_an_hour_the_next_incident_says_that_its_alert_flaps_and_is_notified_as_usual() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for _ in 0..3 {
        flaps(&world, &sender).await;
        world.advance(minutes(10)).await;
    }
    assert_eq!(marks(&world).await, [false, false, true]);
    // Another alert of the same sender does not flap.
    sender.says("disk full\nkey=b").await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(marks(&world).await, [false, false, true, false]);
    world.finish().await;
}

#[tokio::test]
async fn changes_that_are_further_apart_than_the_window_are_no_flapping() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for _ in 0..4 {
        flaps(&world, &sender).await;
        world.advance(minutes(31)).await;
    }
    assert_eq!(marks(&world).await, [false; 4]);
    world.finish().await;
}

#[tokio::test]
async fn how_many_changes_in_what_time_is_a_setting() {
    let world = World::start().await;
    let ops = space(&world, json!({"changes": 3, "within_minutes": 5})).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    flaps(&world, &sender).await;
    world.advance(minutes(6)).await;
    flaps(&world, &sender).await; // the first two flaps are too long ago
    flaps(&world, &sender).await;
    assert_eq!(marks(&world).await, [false, false, true]);
    world.finish().await;
}

#[tokio::test]
async fn switched_off_nothing_flaps() {
    let world = World::start().await;
    let ops = space(&world, json!({"mode": "off"})).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for _ in 0..4 {
        flaps(&world, &sender).await;
    }
    assert_eq!(marks(&world).await, [false; 4]);
    world.finish().await;
}

#[tokio::test]
async fn a_muted_alert_is_notified_once_more_and_then_after_two_hours_if_it_is_still_open() {
    let world = World::start().await;
    let ops = space(&world, json!({"mode": "mute"})).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for _ in 0..2 {
        flaps(&world, &sender).await;
    }
    flaps(&world, &sender).await; // this flap is notified once more, with a remark
    assert_eq!(marks(&world).await, [false, false, true]);
    for _ in 0..3 {
        sender.says("disk full\nkey=a").await;
        world.advance(minutes(20)).await;
        sender.says("RESOLVED\nkey=a").await;
        world.advance(minutes(10)).await;
    }
    sender.says("disk full\nkey=a").await;
    let incident = world.incident().await;
    let shown = incident.now().await;
    assert_eq!((&shown["flapping"], &shown["silenced"]["by"]), (&json!(true), &json!("flapping")), "{shown:#}");
    // A mute applies to its own alert only.
    sender.says("another disk\nkey=b").await;
    world.feishu("ops").expects("another disk").await;
    world.advance(minutes(20)).await;
    assert_eq!(world.feishu("ops").unexpected(), Vec::<String>::new());
    world.advance(minutes(15)).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    world.finish().await;
}

#[tokio::test]
async fn an_alert_that_still_flaps_after_its_mute_is_notified_once_and_muted_again() {
    let world = World::start().await;
    let ops = space(&world, json!({"mode": "mute", "changes": 2, "within_minutes": 120, "mute_minutes": 30})).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    flaps(&world, &sender).await;
    for _ in 0..2 {
        flaps(&world, &sender).await; // this flap is notified, and the alert is muted from then on
        sender.says("disk full\nkey=a").await;
        world.settle().await;
        sender.says("RESOLVED\nkey=a").await;
        world.advance(minutes(31)).await;
    }
    assert_eq!(marks(&world).await, [false, true, true, true, true]);
    world.finish().await;
}
