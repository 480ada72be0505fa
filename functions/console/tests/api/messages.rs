//! Recorded messages with their results, the trial of a message, and the replay of a recorded one.

use alerting::base::ids::IntegrationId;
use alerting::base::limits;
use alerting::base::severity::Severity;
use alerting::incident::alert::{AlertEvent, AlertKey, EventKind, fold};
use alerting::rules::message::{RawBody, Received};
use lambda_kit::random::StampSource;
use serde_json::{Value, json};
use store::keys::alert_key_hash;
use store::log::{LogEntry, MessageOutcome};

use crate::world::{CANARY, World, id};

async fn integration(world: &World, more: Value) -> String {
    let space = world.space(&[]).await;
    let mut body = json!({"name": "Disks", "space": space});
    body.as_object_mut().expect("an object").append(&mut more.as_object().cloned().expect("an object"));
    id(&world.post("/integrations", &body).await.is(201))
}

fn text(text: &str) -> Value {
    json!({"body": {"msg_type": "text", "content": {"text": text}}})
}

#[tokio::test]
async fn a_try_says_what_would_become_of_a_message_and_changes_nothing() {
    let world = World::start().await;
    let resolved = json!({"any": [{"all": [{"field": "content", "op": "match", "values": ["/RESOLVED/"]}]}]});
    let integration = integration(
        &world,
        json!({"push_mode": {"type": "by_rules", "trigger": [{}], "close": [resolved],
        "key": [{"field": "content", "pattern": r"/host=(\S+)/"}]},
        "pipeline": [{"set_severity": "Critical"}, {"add_label": {"name": "team", "value": "dba"}}]}),
    )
    .await;
    let path = format!("/integrations/{integration}/try");

    let tried = world.post(&path, &text("disk full host=db-1")).await.is(200);
    assert_eq!(tried["outcome"], "triggered");
    assert_eq!((&tried["alert_key"], &tried["key_from"]), (&json!("db-1"), &json!("rule")));
    assert_eq!((&tried["rule"], &tried["severity"]), (&json!("trigger[0]"), &json!("Critical")));
    assert_eq!((&tried["title"], &tried["content"]), (&json!("Feishu Alert"), &json!("disk full host=db-1")));
    assert_eq!(tried["labels"]["team"], "dba");
    assert_eq!(tried["spaces"].as_array().map(Vec::len), Some(1));
    assert_eq!((&tried["answer"]["status"], &tried["answer"]["body"]["code"]), (&json!(200), &json!(0)));

    let tried = world.post(&path, &text("RESOLVED host=db-1")).await.is(200);
    assert_eq!((&tried["outcome"], &tried["reason"]), (&json!("discarded"), &json!("nothing_open")));

    open(&world, &integration, "db-1").await;
    assert_eq!(world.post(&path, &text("disk full host=db-1")).await.is(200)["outcome"], "updated");
    assert_eq!(world.post(&path, &text("RESOLVED host=db-1")).await.is(200)["outcome"], "recovered");
    assert_eq!(world.post(&path, &text("disk full")).await.is(200)["key_from"], "title");
    assert!(world.take_sent("messages").is_empty());
    assert_eq!(world.get(&format!("/integrations/{integration}/messages")).await.is(200)["items"], json!([]));
}

/// Opens the alert of a key in the same way as `evaluate`.
async fn open(world: &World, integration: &str, key: &str) {
    let event = AlertEvent {
        stamp: StampSource::new().next(world.now()),
        kind: EventKind::Trigger,
        key: AlertKey::Named(key.to_owned()),
        title: "disk full".to_owned(),
        description: String::new(),
        severity: Severity::Warning,
        labels: [].into(),
        spaces: Vec::new(),
    };
    let state = fold(None, &[event]).state.expect("opened");
    let integration = integration.parse().expect("an id");
    let key_hash = alert_key_hash(key);
    world.store.write_alert_state(&integration, &key_hash, &state, None, world.now()).await.expect("written");
}

#[tokio::test]
async fn a_try_that_the_intake_would_refuse_shows_its_answer() {
    let world = World::start().await;
    let integration = integration(&world, json!({"security": {"secret": CANARY, "sources": ["203.0.113.0/24"]}})).await;
    let path = format!("/integrations/{integration}/try");
    let tried = world.post(&path, &text("disk full")).await.is(200);
    assert_eq!((&tried["outcome"], &tried["reason"]), (&json!("refused"), &json!("signature")));
    assert_eq!((&tried["answer"]["status"], &tried["answer"]["body"]["code"]), (&json!(200), &json!(19021)));

    let plain = self::integration(&world, json!({})).await;
    let card = json!({"body": {"msg_type": "interactive", "card": {}}});
    let tried = world.post(&format!("/integrations/{plain}/try"), &card).await.is(200);
    assert_eq!((&tried["outcome"], &tried["reason"]), (&json!("refused"), &json!("message_type")));
    assert_eq!((&tried["answer"]["status"], &tried["answer"]["body"]["code"]), (&json!(400), &json!(19002)));
    world.post(&format!("/integrations/{plain}/try"), &json!({})).await.refuses(400, "body");
}

fn refused(world: &World, integration: &str, body: &str) -> LogEntry {
    let integration: IntegrationId = integration.parse().expect("an id");
    LogEntry {
        stamp: StampSource::new().next(world.now()),
        integration,
        title: String::new(),
        content: String::new(),
        msg_type: Some("interactive".to_owned()),
        outcome: MessageOutcome::Refused,
        reason: Some("message_type".to_owned()),
        alert_key: None,
        key_from: None,
        rule: None,
        alert: None,
        flags: Vec::new(),
        cut_labels: Vec::new(),
        times: 1,
        notices: Vec::new(),
        body: RawBody::Text(body.to_owned()),
        replay_of: None,
        judged_by: None,
    }
}

#[tokio::test]
async fn a_refused_message_is_taken_in_again_once_the_setting_is_on() {
    let world = World::start().await;
    let integration = integration(&world, json!({"message_types": ["text", "interactive"]})).await;
    let card = json!({"msg_type": "interactive", "card": {"header": {"title": {"tag": "plain_text", "content": "disk full"}}}});
    let entry = refused(&world, &integration, &card.to_string());
    world.store.log_message(&entry, world.now(), limits::MESSAGE_LOG).await.expect("written");

    let path = format!("/integrations/{integration}/messages");
    let listed = world.get(&path).await.is(200);
    let message = &listed["items"][0];
    assert_eq!((&message["outcome"], &message["reason"]), (&json!("refused"), &json!("message_type")));
    assert_eq!(message["received_at"], entry.stamp.received_at().rfc3339());
    assert_eq!(world.get(&format!("{path}/{}", id(message))).await.is(200), *message);

    let replayed = world.post(&format!("{path}/{}/replay", id(message)), &json!({})).await.is(202);
    let sent = world.take_sent("messages");
    let received: Received = serde_json::from_value(sent[0].clone()).expect("a record of the queue");
    assert_eq!(received.stamp.to_string(), id(&replayed));
    assert_eq!(received.replay_of, Some(entry.stamp));
    assert_eq!((received.origin.count, &received.body), (1, &entry.body));
    let alerting::rules::message::Acceptance::Accepted(message) = received.acceptance else {
        panic!("{:?}", received.acceptance)
    };
    assert_eq!(message.title, "disk full");

    world.post(&format!("{path}/{}/replay", id(&replayed)), &json!({})).await.refuses(404, "");
    world.post(&format!("{path}/nonsense/replay"), &json!({})).await.refuses(404, "");
}
