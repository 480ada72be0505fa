//! Every recorded body, posted as its sender posts it: our answer passes the sender's own test, and the log and the
//! alert show what a person reads in it.

use scenarios::World;
use scenarios::sender::Sender;
use serde_json::{Value, json};

use crate::recordings::{self, Recording};

const SUCCESS: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#;
const SUCCESS_V1: &str = r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success","ok":true}"#;

#[tokio::test]
async fn at_an_integration_with_default_settings_texts_are_accepted_and_cards_refused() {
    let world = World::start().await;
    let space = world.space("Everything").make().await;
    let sender = world.feishu_alert().into(&space).await;
    let recordings = recordings::all();
    for recording in &recordings {
        match recording.expected.outcome.as_str() {
            "accepted" => check_accepted(&world, &sender, recording).await,
            "refused: message_type" => check_refused(&world, &sender, recording).await,
            unknown => panic!("{}: {unknown}", recording.file),
        }
    }
    check_log(&world, &sender, &recordings).await;
    world.finish().await;
}

// Proves: senders
#[tokio::test]
async fn an_integration_that_takes_cards_accepts_every_recorded_body() {
    let world = World::start().await;
    let space = world.space("Everything").make().await;
    let sender = world.feishu_alert().set("message_types", json!(["text", "post", "interactive"])).into(&space).await;
    let mut recordings = recordings::all();
    for recording in &mut recordings {
        if let Some(outcome) = recording.expected.outcome_with_interactive.take() {
            recording.expected.outcome = outcome;
        }
        assert_eq!(recording.expected.outcome, "accepted", "{}", recording.file);
        check_accepted(&world, &sender, recording).await;
    }
    check_log(&world, &sender, &recordings).await;
    world.finish().await;
}

async fn check_accepted(world: &World, sender: &Sender, recording: &Recording) {
    let (file, program) = (&recording.file, &recording.program);
    let url = program.url(&sender.url);
    let answer = world.api.post(&url, recording.body.clone()).await;
    let body = if url == sender.url { SUCCESS } else { SUCCESS_V1 };
    assert_eq!((answer.status, answer.text.as_str()), (200, body), "{file}");
    assert!(program.takes_for_success(&answer), "{file}: {} takes it for a failure", program.name);
}

async fn check_refused(world: &World, sender: &Sender, recording: &Recording) {
    let (file, program) = (&recording.file, &recording.program);
    let answer = world.api.post(&program.url(&sender.url), recording.body.clone()).await;
    assert_eq!((answer.status, answer.body["code"].as_i64()), (400, Some(19002)), "{file}: {}", answer.text);
    let msg = answer.body["msg"].as_str().expect("a text");
    assert!(msg.contains(&recording.expected.msg_type) && msg.contains("message_types"), "{file}: {msg}");
    assert!(answer.body.get("StatusCode").is_none(), "{file}: {}", answer.text);
    let seen = !program.takes_for_success(&answer);
    assert_eq!(seen, program.checks(), "{file}: {} takes it for success", program.name);
}

/// The log, and the alerts that it names: one row per recording, in the order in which they were sent.
async fn check_log(world: &World, sender: &Sender, recordings: &[Recording]) {
    world.settle().await;
    let mut messages = sender.messages().await;
    messages.reverse();
    assert_eq!(messages.len(), recordings.len());
    for (message, recording) in messages.iter().zip(recordings) {
        let (file, expected) = (&recording.file, &recording.expected);
        let text = |name: &str| message[name].as_str();
        assert_eq!(text("msg_type"), Some(expected.msg_type.as_str()), "{file}: {message:#}");
        if expected.outcome != "accepted" {
            assert_eq!((text("outcome"), text("reason")), (Some("refused"), Some("message_type")), "{file}");
            continue;
        }
        assert_eq!(text("outcome"), Some("triggered"), "{file}: {message:#}");
        assert_eq!(text("title"), Some(expected.title.as_str()), "{file}");
        assert_eq!(text("content"), Some(expected.text.as_str()), "{file}");
        let alert = world.api.get(&format!("/alerts/{}", text("alert_id").expect("an alert"))).await;
        assert_eq!(alert["title"], expected.title.as_str(), "{file}");
        assert_eq!(alert["labels"], labels(recording), "{file}");
    }
}

fn labels(recording: &Recording) -> Value {
    json!(recording.expected.labels)
}
