//! Configuration that is valid but surprising is saved, and the answer contains a warning.

use serde_json::{Value, json};

use crate::world::{World, id};

fn resolved() -> Value {
    json!([{"any": [{"all": [{"field": "content", "op": "match", "values": ["/RESOLVED/"]}]}]}])
}

fn by_rules(field: &str, pattern: &str) -> Value {
    json!({"type": "by_rules", "trigger": [{}], "close": resolved(), "key": [{"field": field, "pattern": pattern}]})
}

/// The fields that the answer to a save warns about.
async fn warned(world: &World, body: Value) -> Vec<String> {
    let space = world.space(&[]).await;
    let mut body = body;
    body["name"] = "Disks".into();
    if body.get("routes").is_none() {
        body["space"] = space.into();
    }
    let made = world.post("/integrations", &body).await.is(201);
    let read = world.get(&format!("/integrations/{}", id(&made))).await.is(200);
    assert_eq!(read["warnings"], made["warnings"]);
    let warnings = made["warnings"].as_array().expect("a list").clone();
    for warning in &warnings {
        assert!(["message", "remedy"].iter().all(|name| warning[name].as_str().is_some_and(|text| !text.is_empty())));
    }
    warnings.iter().map(|warning| warning["field"].as_str().expect("a field").to_owned()).collect()
}

// Proves: finding C1
#[tokio::test]
async fn text_messages_that_would_all_share_one_key_are_warned_of() {
    let world = World::start().await;
    let first_line = |mode: Value| json!({"push_mode": mode, "title_from": "first_line"});
    let by_title = json!({"type": "by_title"});
    for (body, fields) in [
        (json!({"push_mode": by_rules("title", "/(.*)/")}), vec!["push_mode.key"]),
        (json!({"push_mode": by_title}), vec!["title_from"]),
        (first_line(by_title.clone()), vec![]),
        (json!({"push_mode": by_title, "message_types": ["post"]}), vec![]),
        (json!({"push_mode": by_rules("content", r"/host=(\S+)/")}), vec![]),
        (json!({"push_mode": by_rules("content", r"/^(?:\[\w+\] )?(.+)/")}), vec![]),
        (json!({"push_mode": {"type": "each_message"}}), vec![]),
        (json!({"push_mode": by_rules("content", "/disk|certificate/"), "security": {"keywords": ["x"]}}), vec![]),
    ] {
        assert_eq!(warned(&world, body.clone()).await, fields, "{body}");
    }
}

// Proves: finding C1
#[tokio::test]
async fn a_trigger_and_a_close_that_never_share_a_key_are_warned_of() {
    let world = World::start().await;
    for (pattern, fields) in [
        (r"/\b(FIRING|RESOLVED)\b/", vec!["push_mode.key", "push_mode.key"]),
        (r"/((?:FIRING|RESOLVED)\S* disk.*)/i", vec!["push_mode.key"]),
        (r"/(?:FIRING|RESOLVED)\S* (.*)/", vec![]),
    ] {
        let body = json!({"push_mode": by_rules("content", pattern), "message_types": ["text"]});
        assert_eq!(warned(&world, body).await, fields, "{pattern}");
    }
}

// Proves: finding C1
#[tokio::test]
async fn what_opens_no_alert_and_what_no_alert_reaches_is_warned_of() {
    let world = World::start().await;
    let mut closes_all = by_rules("content", r"/on (\S+)/");
    closes_all["close"] = json!([{}]);
    assert_eq!(warned(&world, json!({"push_mode": closes_all})).await, ["push_mode.close"]);
    assert_eq!(warned(&world, json!({"pipeline": [{"drop": true}]})).await, ["pipeline[0].when"]);

    let space = world.space(&[]).await;
    let critical = json!({"any": [{"all": [{"field": "severity", "op": "match", "values": ["Critical"]}]}]});
    let route = |filter: &Value, then: &str| json!({"filter": filter, "spaces": [space], "then": then});
    let routes = json!([
        route(&critical, "stop"),
        route(&critical, "continue"),
        route(&json!({}), "stop"),
        route(&critical, "continue")
    ]);
    let body = json!({"routes": routes, "default_spaces": [space]});
    assert_eq!(warned(&world, body).await, ["routes[1]", "routes[3]"]);
}

// Proves: finding C15
#[tokio::test]
async fn a_space_with_the_name_of_another_is_warned_of() {
    let world = World::start().await;
    world.post("/spaces", &json!({"name": "Payments"})).await.is(201);
    let fields = |space: &Value| {
        let warnings = space["warnings"].as_array().expect("a list");
        warnings.iter().map(|warning| warning["field"].as_str().expect("a field").to_owned()).collect::<Vec<_>>()
    };
    let second = world.post("/spaces", &json!({"name": "payments"})).await.is(201);
    assert_eq!(fields(&second), ["destinations", "name"]);
    let third = world.post("/spaces", &json!({"name": "Payments 2"})).await.is(201);
    assert_eq!(fields(&third), ["destinations"]);
}
