//! H. Configuration mistakes.

use std::collections::BTreeSet;

use scenarios::World;
use serde_json::{Value, json};

fn rules(trigger: &str, close: &[&str]) -> Value {
    let has = |pattern: &str| json!({"any": [{"all": [{"field": "content", "op": "match", "values": [pattern]}]}]});
    let close: Vec<Value> = close.iter().map(|pattern| has(pattern)).collect();
    json!({"type": "by_rules", "trigger": [has(trigger)], "close": close,
        "key": [{"field": "content", "pattern": r"/host=(\S+)/"}], "unmatched": "discard"})
}

// Proves: fault 98
#[tokio::test]
async fn messages_that_every_rule_discards_are_listed_and_counted() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let sender = world.feishu_alert().set("push_mode", rules("/never said/", &[])).into(&space).await;
    for text in ["one", "two", "three"] {
        sender.says(text).await;
    }
    world.settle().await;
    let messages = sender.messages().await;
    assert_eq!(messages.len(), 3);
    for message in messages {
        assert_eq!((message["outcome"].as_str(), message["reason"].as_str()), (Some("discarded"), Some("unmatched")));
    }
    assert!(world.api.list("/alerts").await.is_empty());
    let ledger = world.api.get("/ledger?hours=1").await;
    let counted: u64 = ledger["items"]
        .as_array()
        .expect("hours")
        .iter()
        .filter_map(|hour| hour["messages"]["discarded"].as_u64())
        .sum();
    assert_eq!(counted, 3, "{ledger:#}");
    world.finish().await;
}

// Proves: fault 102
#[tokio::test]
async fn a_message_that_a_close_and_a_trigger_rule_both_take_closes() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let sender = world.feishu_alert().set("push_mode", rules("/host=/", &["/host=.*RESOLVED/"])).into(&space).await;
    for text in ["full host=db-1", "host=db-1 RESOLVED", "host=db-1 RESOLVED"] {
        sender.says(text).await;
        world.settle().await;
    }
    assert_eq!(sender.outcomes().await, ["discarded", "recovered", "triggered"]);
    world.finish().await;
}

// Proves: fault 105
#[tokio::test]
async fn nobody_chooses_an_intake_key_so_no_two_integrations_have_the_same() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let mut urls = BTreeSet::new();
    for _ in 0..20 {
        assert!(urls.insert(world.feishu_alert().into(&space).await.url));
    }
    let taken = urls.first().and_then(|url| url.rsplit('/').next()).expect("a key").to_owned();
    for field in ["key", "intake_key", "url", "token"] {
        let body = json!({"name": "a", "space": space.id, field: taken});
        let answer = world.api.call("POST", "/integrations", Some(&body)).await;
        assert_eq!((answer.status, answer.body["error"]["field"].as_str()), (400, Some(field)), "{}", answer.text);
    }
    world.finish().await;
}

// Proves: fault 96, fault 97
#[tokio::test]
async fn an_integration_without_a_trigger_rule_or_with_a_pattern_that_is_none_is_refused_by_field() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let broken = |field: &str, value: Value| {
        let mut mode = rules("/a/", &[]);
        mode[field] = value;
        json!({"name": "a", "space": space.id, "push_mode": mode})
    };
    for (body, field) in [
        (broken("trigger", json!([])), "push_mode.trigger"),
        (broken("key", json!([])), "push_mode.key"),
        (broken("key", json!([{"field": "title", "pattern": "/(a/"}])), "push_mode.key[0].pattern"),
        (broken("key", json!([{"field": "title", "pattern": "x".repeat(513)}])), "push_mode.key[0].pattern"),
    ] {
        let answer = world.api.call("POST", "/integrations", Some(&body)).await;
        assert_eq!((answer.status, answer.body["error"]["field"].as_str()), (400, Some(field)), "{}", answer.text);
    }
    // A pattern that never matches is not detectable as a mistake. The title becomes the key, and the record shows
    // this.
    let mode = broken("key", json!([{"field": "title", "pattern": "/never(.+)/"}]));
    let sender = world.feishu_alert().set("push_mode", mode["push_mode"].clone()).into(&space).await;
    sender.says("a message").await;
    world.settle().await;
    let message = sender.messages().await.remove(0);
    assert_eq!(message["outcome"], "triggered");
    assert!(message.to_string().contains("key_fallback"), "{message:#}");
    world.finish().await;
}
