//! Spaces, and the settings from which their incidents arise.

use serde_json::{Value, json};

use crate::world::{World, id};

fn usual() -> Value {
    json!({"mode": "remind", "changes": 4, "within_minutes": 60, "mute_minutes": 120})
}

#[tokio::test]
async fn grouping_flapping_and_auto_close_are_kept_and_reset_when_they_are_left_out() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let path = format!("/spaces/{space}");
    let made = world.get(&path).await.is(200);
    assert_eq!((&made["grouping"], &made["flapping"], &made["auto_close"]), (&Value::Null, &usual(), &Value::Null));

    let body = json!({"name": "Payments", "flapping": {"mode": "mute", "changes": 6}, "auto_close": {"after_minutes": 60},
        "grouping": {"by": ["labels.host", "severity"], "window_minutes": 30, "storm_thresholds": [100, 1000]}});
    let saved = world.put(&path, &body).await.is(200);
    let grouping = json!({"by": ["labels.host", "severity"], "window_minutes": 30, "empty_values": "strict",
        "storm_thresholds": [100, 1000]});
    assert_eq!(saved["grouping"], grouping);
    assert_eq!(saved["flapping"], json!({"mode": "mute", "changes": 6, "within_minutes": 60, "mute_minutes": 120}));
    assert_eq!(saved["auto_close"], json!({"after_minutes": 60, "since": "last_news"}));
    assert_eq!(world.get(&path).await.is(200), saved);

    let reset = world.put(&path, &json!({"name": "Payments"})).await.is(200);
    assert_eq!(reset, made);
}

#[tokio::test]
async fn what_has_an_address_of_its_own_stays_when_the_space_is_replaced() {
    let world = World::start().await;
    let (member, space) = (world.member("Ada").await, world.space(&[]).await);
    let path = format!("/spaces/{space}");
    let rule = json!({"name": "All", "levels": [{"members": [member]}]});
    let rule = id(&world.post(&format!("{path}/escalation-rules"), &rule).await.is(201));
    let silence = json!({"name": "Always", "time": {"type": "weekly", "time_zone": "UTC"}});
    let silence = id(&world.post(&format!("{path}/silences"), &silence).await.is(201));
    world.put(&path, &json!({"name": "Billing"})).await.is(200);
    world.get(&format!("{path}/escalation-rules/{rule}")).await.is(200);
    world.get(&format!("{path}/silences/{silence}")).await.is(200);
}

#[tokio::test]
async fn how_incidents_cannot_come_about_is_refused_by_field() {
    let world = World::start().await;
    let rows = [
        (json!({"grouping": {}}), "grouping.window_minutes"),
        (json!({"grouping": {"by": ["labels."], "window_minutes": 30}}), "grouping.by[0]"),
        (json!({"grouping": {"by": ["content"], "window_minutes": 30}}), "grouping.by[0]"),
        (json!({"grouping": {"window_minutes": 0}}), "grouping.window_minutes"),
        (json!({"grouping": {"window_minutes": 30, "storm_thresholds": [1]}}), "grouping.storm_thresholds[0]"),
        (json!({"grouping": {"window_minutes": 30, "empty_values": "none"}}), "grouping.empty_values"),
        (json!({"grouping": {"window_minutes": 30, "sliding": true}}), "grouping.sliding"),
        (json!({"flapping": null}), "flapping"),
        (json!({"flapping": {"mode": "shout"}}), "flapping.mode"),
        (json!({"flapping": {"changes": 7}}), "flapping.changes"),
        (json!({"flapping": {"mute_minutes": -1}}), "flapping.mute_minutes"),
        (json!({"auto_close": {}}), "auto_close.after_minutes"),
        (json!({"auto_close": {"after_minutes": 43201}}), "auto_close.after_minutes"),
        (json!({"escalation_rules": []}), "escalation_rules"),
        (json!({"silences": []}), "silences"),
    ];
    for (mut body, field) in rows {
        body["name"] = Value::from("Payments");
        let answer = world.post("/spaces", &body).await;
        assert_eq!((answer.status, &answer.json()["error"]["field"]), (400, &json!(field)), "{body} {}", answer.text);
    }
}
