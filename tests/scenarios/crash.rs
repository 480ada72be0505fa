//! Accepted is never lost: kill −9 at any moment, start again, and every message is accounted for, each once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use scenarios::process::Process;
use serde_json::{Value, json};

const MESSAGES: usize = 1_000;

#[tokio::test]
async fn a_thousand_accepted_messages_survive_kill_9_each_once() {
    let data = tempfile::tempdir().expect("a directory");
    let before = Process::start(data.path(), &[]).await.expect("started");
    let space = before.api.create("/spaces", &json!({"name": "Ops", "destinations": []})).await;
    let made = before
        .api
        .create(
            "/integrations",
            &json!({
                "name": "a platform", "space": space["id"], "title_from": "first_line",
                "limits": {"per_second": 100_000, "per_minute": 1_000_000},
            }),
        )
        .await;
    let url = made["url"].as_str().expect("a url").to_owned();
    for number in 0..MESSAGES {
        let body = json!({"msg_type": "text", "content": {"text": format!("message {number}")}});
        let answer = before.api.post(&url, body.to_string()).await;
        assert_eq!(answer.body["code"], 0, "{}", answer.text);
    }
    before.kill().await.expect("killed"); // most of them are still in a queue

    let after = Process::start(data.path(), &[]).await.expect("started again");
    let id = made["id"].as_str().expect("an id");
    let path = format!("/integrations/{id}/messages");
    let start = Instant::now();
    let messages = loop {
        let messages = after.api.list(&path).await;
        if messages.len() >= MESSAGES || start.elapsed() > Duration::from_secs(120) {
            break messages;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let mut times: HashMap<&str, usize> = HashMap::new();
    for message in &messages {
        *times.entry(message["title"].as_str().expect("a title")).or_default() += 1;
        assert_eq!(message["outcome"], "triggered");
    }
    let wrong: Vec<String> = (0..MESSAGES)
        .map(|number| format!("message {number}"))
        .filter(|title| times.get(title.as_str()) != Some(&1))
        .collect();
    assert!(wrong.is_empty(), "not exactly once: {wrong:?}");
    assert_eq!(after.api.list("/alerts?status=open").await.len(), MESSAGES);
    let ledger = after.api.get("/ledger?hours=2").await;
    let total = |name: &str| -> u64 {
        let hours = ledger["items"].as_array().expect("hours");
        hours.iter().map(|hour| hour["messages"][name].as_u64().unwrap_or(0)).sum()
    };
    assert_eq!((total("received"), total("waiting"), total("triggered")), (1_000, 0, 1_000), "{ledger:#}");
}

#[tokio::test]
async fn a_restart_keeps_everything_and_the_demo_stays_the_same() {
    let data = tempfile::tempdir().expect("a directory");
    let first = Process::start(data.path(), &[]).await.expect("started");
    let demo = &first.start_line["demo"];
    let (url, group) = (text(demo, "integration_url"), text(demo, "group_url"));
    let answer = first.api.post(&url, r#"{"msg_type":"text","content":{"text":"[FIRING] disk full on db-1"}}"#).await;
    assert_eq!(answer.body["code"], 0);
    let page = shown(&group, "disk full on db-1").await;
    assert!(page.contains("disk full on db-1"), "{page}");
    let key = text(&first.start_line, "api_key");
    let alerts = first.api.list("/alerts").await;
    first.kill().await.expect("killed");

    let second = Process::start(data.path(), &[]).await.expect("started again");
    assert_eq!(text(&second.start_line, "api_key"), key);
    assert_eq!(second.api.list("/alerts").await, alerts);
    let group = text(&second.start_line["demo"], "group_url");
    assert!(shown(&group, "disk full on db-1").await.contains("disk full on db-1"));
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// The group's page, as soon as it shows `wanted`.
async fn shown(url: &str, wanted: &str) -> String {
    let start = Instant::now();
    loop {
        let page = reqwest::get(url).await.expect("the page").text().await.expect("the whole page");
        if page.contains(wanted) || start.elapsed() > Duration::from_secs(20) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
