//! Changes during an open incident: silences, severity, the person on call, and the rules themselves.

use scenarios::escalation::{members, on_call};
use scenarios::people::Member;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, hours, minutes};
use serde_json::json;

/// Creates a member with a private chat of the same name.
async fn person(world: &World, name: &str) -> Member {
    world.member(name).chat(feishu_bot(name)).make().await
}

async fn space(world: &World) -> (Space, Sender) {
    let space = world.space("Payments").make().await;
    let sender = world.feishu_alert().monitoring().into(&space).await;
    (space, sender)
}

// Proves: finding F13
#[tokio::test]
async fn an_incident_that_is_silenced_neither_repeats_nor_escalates_until_the_silence_ends() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]).repeated(9, 600), members(&[&wang])]).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("li").expects("[Warning]").await;
    world.advance(minutes(10)).await;
    world.feishu("li").expects("Still open").await;

    let incident = world.only_incident().await;
    incident.does("silence", &json!({"minutes": 120})).await;
    world.advance(minutes(119)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "repeated", "silence_changed"]);
    world.advance(minutes(1)).await;
    world.feishu("li").expects("Silence ended").await;
    world.advance(minutes(10)).await;
    world.feishu("li").expects("Still open").await;
    let story = ["triggered", "repeated", "silence_changed", "silence_ended", "repeated"];
    assert_eq!(incident.event_kinds().await, story);
    incident.press("close").await;
    world.feishu("li").expects("Closed").await;
    world.finish().await;
}

// Proves: finding F13
#[tokio::test]
async fn a_silence_that_begins_by_the_clock_stops_the_repetitions_of_what_is_open() {
    let world = World::start_at("2037-03-03T12:00:00Z").await; // a Tuesday
    let li = person(&world, "li").await;
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]).repeated(9, 1800)]).await;
    let window = json!({"weekdays": ["tue"], "from": "12:45", "until": "14:45"});
    let weekly = json!({"type": "weekly", "time_zone": "UTC", "windows": [window]});
    world.silence(&payments.id, &json!({"name": "Backup", "time": weekly})).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("li").expects("[Warning]").await;
    world.advance_to("2037-03-03T12:30:00Z").await;
    world.feishu("li").expects("Still open").await;
    world.advance_to("2037-03-03T14:44:00Z").await;
    assert_eq!(world.only_incident().await.event_kinds().await, ["triggered", "repeated", "silence_changed"]);
    world.advance_to("2037-03-03T14:46:00Z").await;
    world.feishu("li").expects("Silence ended").await;
    world.finish().await;
}

// Proves: finding F13
#[tokio::test]
async fn an_alert_that_becomes_critical_moves_to_the_rule_for_critical_and_a_second_rise_is_notified_again() {
    let world = World::start().await;
    let [day, night] = [person(&world, "day").await, person(&world, "night").await];
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Critical").when("severity", "Critical").levels([members(&[&night])]).await;
    world.rule(&payments, "Rest").levels([members(&[&day])]).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("day").expects("[Warning]").await;
    sender.says("disk full\nkey=a level=critical").await;
    for name in ["day", "night"] {
        world.feishu(name).expects("Severity raised").await;
    }
    let incident = world.only_incident().await;
    assert_eq!(incident.now().await["escalation"]["rule_name"], "Critical");

    incident.press_as("acknowledge", &night).await;
    for name in ["day", "night"] {
        world.feishu(name).expects("Acknowledged").await;
    }
    sender.says("disk full\nkey=a").await;
    world.advance(hours(5)).await;
    assert_eq!(incident.now().await["severity"], "Critical", "the highest that it had");
    sender.says("disk full\nkey=a level=critical").await;
    world.settle().await;
    for name in ["day", "night"] {
        world.feishu(name).expects("Severity raised").await;
    }
    // A value that oscillates around its limit does not send a notification every minute.
    world.advance(minutes(1)).await;
    sender.says("disk full\nkey=a").await;
    world.settle().await;
    sender.says("disk full\nkey=a level=critical").await;
    world.settle().await;
    world.finish().await;
}

// Proves: finding F13
#[tokio::test]
async fn after_a_hand_over_the_repetitions_go_to_the_person_on_call_then() {
    let world = World::start_at("2037-03-28T08:50:00Z").await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let turns = world.schedule("Primary", "UTC").turns("day", "2037-03-27T09:00:00", &[&li, &wang]).make().await;
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([on_call(&turns).repeated(9, 900).for_minutes(600)]).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("li").expects("[Warning]").await;
    world.advance_to("2037-03-28T09:05:00Z").await;
    world.feishu("wang").expects("Still open").await;
    let incident = world.only_incident().await;
    assert_eq!(incident.now().await["assignees"], json!([wang.id]));
    sender.says("RESOLVED\nkey=a").await;
    for name in ["li", "wang"] {
        world.feishu(name).expects("Recovered").await;
    }
    world.finish().await;
}

// Proves: finding F13
#[tokio::test]
async fn when_its_rule_is_deleted_an_incident_escalates_by_the_one_that_matches_then() {
    let world = World::start().await;
    let [li, wang, zhao] = [person(&world, "li").await, person(&world, "wang").await, person(&world, "zhao").await];
    let (payments, sender) = space(&world).await;
    let first = world.rule(&payments, "Old").levels([members(&[&li]), members(&[&wang])]).await;
    world.rule(&payments, "New").levels([members(&[&zhao])]).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("li").expects("[Warning]").await;
    let path = format!("/spaces/{}/escalation-rules/{first}", payments.id);
    assert_eq!(world.api.call("DELETE", &path, None).await.status, 204);
    world.advance(minutes(31)).await;
    world.feishu("zhao").expects("Escalated").await;
    assert_eq!(world.only_incident().await.now().await["escalation"]["rule_name"], "New");
    world.finish().await;
}

// Proves: finding F14
#[tokio::test]
async fn a_severity_that_a_person_raises_is_notified_and_people_who_cannot_be_reached_are_named() {
    let world = World::start().await;
    let li = person(&world, "li").await;
    let nobody = world.member("nobody").set("email", json!(null)).make().await;
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li])]).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("li").expects("[Warning]").await;
    let incident = world.only_incident().await;
    incident.edit(&json!({"severity": "Critical"})).await;
    world.feishu("li").expects_all(&["Severity raised", "Critical"]).await;

    let refused = incident.tries("reassign", &json!({"members": [li.id, nobody.id]})).await;
    assert_eq!((refused.status, &refused.body["error"]["field"]), (400, &json!("members[1]")));
    let message = refused.body["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.starts_with("nobody has no contact for severity Critical; "), "{message}");
    world.finish().await;
}
