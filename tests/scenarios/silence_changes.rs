//! A silence that is changed, shortened or deleted releases the incidents that it holds at once, whichever end was
//! recorded before.

use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, minutes};
use serde_json::{Value, json};

/// Creates a space that notifies one group, and an incident that a silence of half an hour holds.
async fn held(world: &World, filter: &Value) -> (Space, Sender, String) {
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let silence = world.silence(&ops.id, &world.silence_for(30, filter)).await;
    sender.says("disk full\nkey=a host=db-1").await;
    world.rest().await;
    assert!(!world.incident().await.now().await["silenced"].is_null());
    (ops, sender, silence)
}

fn host(name: &str) -> Value {
    json!({"any": [{"all": [{"field": "labels.host", "op": "match", "values": [name]}]}]})
}

fn severity(severity: &str) -> Value {
    json!({"any": [{"all": [{"field": "severity", "op": "match", "values": [severity]}]}]})
}

async fn replace(world: &World, space: &Space, silence: &str, with: &Value) {
    let answer = world.api.call("PUT", &format!("/spaces/{}/silences/{silence}", space.id), Some(with)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.rest().await;
}

async fn delete(world: &World, space: &Space, silence: &str) {
    let answer = world.api.call("DELETE", &format!("/spaces/{}/silences/{silence}", space.id), None).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    world.rest().await;
}

fn assert_silent(world: &World) {
    assert!(world.feishu("ops").messages().is_empty());
}

// Proves: finding F3
#[tokio::test]
async fn a_silence_that_is_deleted_releases_what_it_holds_at_once() {
    let world = World::start().await;
    let (ops, sender, silence) = held(&world, &json!({})).await;
    assert_silent(&world);
    delete(&world, &ops, &silence).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    // The end that was recorded before has no effect any more.
    world.advance(minutes(40)).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered", "silence_ended"]);
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    world.finish().await;
}

// Proves: finding F3
#[tokio::test]
async fn a_weekly_silence_without_an_end_releases_when_it_is_deleted() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let always = json!({"name": "Always", "time": {"type": "weekly", "time_zone": "UTC"}});
    let silence = world.silence(&ops.id, &always).await;
    sender.says("disk full\nkey=a").await;
    world.rest().await;
    assert_silent(&world);
    delete(&world, &ops, &silence).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    world.finish_with_timers().await;
}

// Proves: finding F3
#[tokio::test]
async fn a_silence_that_is_shortened_or_takes_something_else_releases_at_the_new_end_or_at_once() {
    let world = World::start().await;
    let (ops, _sender, silence) = held(&world, &host("db-*")).await;
    replace(&world, &ops, &silence, &world.silence_for(5, &host("db-*"))).await;
    assert_silent(&world);
    world.advance(minutes(6)).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    world.finish_with_timers().await;

    let world = World::start().await;
    let (ops, _sender, silence) = held(&world, &host("db-*")).await;
    replace(&world, &ops, &silence, &world.silence_for(30, &host("web-*"))).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    world.finish_with_timers().await;
}

// Proves: finding F3
#[tokio::test]
async fn a_silence_that_is_lengthened_holds_until_its_new_end() {
    let world = World::start().await;
    let (ops, _sender, silence) = held(&world, &json!({})).await;
    replace(&world, &ops, &silence, &world.silence_for(60, &json!({}))).await;
    world.advance(minutes(40)).await;
    assert_silent(&world);
    let incident = world.incident().await;
    assert_eq!(incident.event_kinds().await, ["triggered", "silence_changed"]);
    world.advance(minutes(25)).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    world.finish_with_timers().await;
}

// Proves: finding F3
#[tokio::test]
async fn an_incident_held_by_two_silences_stays_held_when_one_ends_or_is_deleted() {
    for is_deleted in [false, true] {
        let world = World::start().await;
        let (ops, _sender, first) = held(&world, &json!({})).await;
        world.silence(&ops.id, &world.silence_for(60, &host("db-1"))).await;
        if is_deleted {
            delete(&world, &ops, &first).await;
        }
        world.advance(minutes(40)).await;
        assert_silent(&world);
        assert!(!world.incident().await.now().await["silenced"].is_null());
        world.advance(minutes(25)).await;
        world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
        world.finish_with_timers().await;
    }
}

// Proves: finding F3
#[tokio::test]
async fn an_alert_that_becomes_worse_than_its_silence_covers_is_released_at_once() {
    let world = World::start().await;
    let (_ops, sender, _) = held(&world, &severity("Warning")).await;
    sender.says("disk fuller\nkey=a host=db-1 level=critical").await;
    world.feishu("ops").expects_all(&["Silence ended", "Critical"]).await;
    world.finish_with_timers().await;
}

// Proves: finding F3
#[tokio::test]
async fn an_incident_of_several_alerts_is_held_only_while_each_open_one_is() {
    let world = World::start().await;
    let ops = world.space("Ops").grouped_by(&["title"]).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let silence = world.silence(&ops.id, &world.silence_for(30, &host("db-*"))).await;
    for host in ["db-1", "db-2"] {
        sender.says(&format!("disk full\nkey={host} host={host}")).await;
        world.rest().await;
    }
    replace(&world, &ops, &silence, &world.silence_for(30, &host("db-1"))).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    world.finish_with_timers().await;
}
