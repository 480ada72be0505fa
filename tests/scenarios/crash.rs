//! No accepted message is lost: after kill −9 at any moment and a restart, every message has been processed exactly
//! once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use alerting::base::moment::Moment;
use scenarios::process::Process;
use serde_json::{Value, json};

const MESSAGES: usize = 1_000;

// Proves: accepted
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
    before.kill().await.expect("killed"); // most of the messages are still in a queue

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

const INCIDENTS: usize = 1_000;
/// The pause between two incidents. All incidents together take half a minute.
const PACE: Duration = Duration::from_millis(30);
/// How long the level of each incident waits.
const DELAY: Duration = Duration::from_secs(15 * 60);
/// The longest delay of due work, counted from its due time or from the start of the process.
const LATE: Duration = Duration::from_secs(5);

/// All levels are due within half a minute. During that time the process that notifies them is killed.
// Proves: timers
#[tokio::test]
async fn a_thousand_escalations_survive_kill_9_once_each_and_at_most_five_seconds_late() {
    let data = tempfile::tempdir().expect("a directory");
    let before = Process::start(data.path(), &[("LARKSPUR_TEST_CLOCK", "1")]).await.expect("started");
    trigger_incidents(&before).await;
    let due = levels(&before).await;
    let mut order: Vec<&String> = due.keys().collect();
    order.sort_by_key(|id| due[*id]);
    let (third, last) = (order[order.len() / 3], order[order.len() - 1]);
    let ahead = due[order[0]].since(before.advance(Duration::ZERO).await);
    let ready = before.advance(ahead).await;
    wait_until_notified(&before, third).await;
    assert!(is_waiting(&before, last).await, "it is killed in the middle");
    before.kill().await.expect("killed");

    let seconds = ahead.as_secs().to_string();
    let clock = [("LARKSPUR_TEST_CLOCK", "1"), ("LARKSPUR_TEST_CLOCK_AHEAD", seconds.as_str())];
    let after = Process::start(data.path(), &clock).await.expect("started again");
    let back = after.advance(Duration::ZERO).await;
    wait_until_notified(&after, last).await;
    while after.api.list("/incidents").await.iter().any(|one| one["escalation"]["waiting"] == true) {}
    let (mut late_before, mut late_after) = (Duration::ZERO, Duration::ZERO);
    for (id, at) in levels(&after).await {
        let (since, late) = if at < back { (ready, &mut late_before) } else { (back, &mut late_after) };
        *late = at.since(due[&id].max(since)).max(*late);
    }
    // The incidents that were being notified at the kill, and many before and after them.
    for id in &order[order.len() / 6..order.len() / 2] {
        let shown = after.api.get(&format!("/incidents/{id}")).await;
        let entries = shown["timeline"].as_array().expect("a timeline").iter();
        assert_eq!(entries.filter(|entry| entry["kind"] == "escalated").count(), 1, "{shown:#}");
    }
    let spread = due[last].since(due[order[0]]);
    let late = format!("late by {late_before:?} before and {late_after:?} after the kill, due within {spread:?}");
    assert!(late_before.max(late_after) <= LATE, "{late}");
}

/// Triggers a thousand incidents in a space whose level waits before it notifies the demo group.
async fn trigger_incidents(larkspur: &Process) {
    let api = &larkspur.api;
    let group = api.list("/destinations").await[0]["id"].clone();
    let space = api.create("/spaces", &json!({"name": "Payments", "destinations": []})).await;
    let level = json!({"groups": [{"destination": group}], "delay_minutes": DELAY.as_secs() / 60});
    let rule = json!({"name": "Always", "levels": [level]});
    api.create(&format!("/spaces/{}/escalation-rules", text(&space, "id")), &rule).await;
    let limits = json!({"per_second": 100_000, "per_minute": 1_000_000});
    let made = json!({"name": "a platform", "space": space["id"], "limits": limits});
    let url = text(&api.create("/integrations", &made).await, "url");
    let mut pace = tokio::time::interval(PACE);
    for number in 0..INCIDENTS {
        pace.tick().await;
        let body = json!({"msg_type": "text", "content": {"text": format!("message {number}")}});
        // A sender sends a message again if the answer is that the server is busy.
        while api.post(&url, body.to_string()).await.body["code"] != 0 {}
    }
    while api.list("/incidents").await.len() < INCIDENTS {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// For each incident, when its level notifies its group or has notified it.
async fn levels(larkspur: &Process) -> HashMap<String, Moment> {
    let since = |one: &Value| Moment::parse_rfc3339(&text(&one["escalation"], "since")).expect("a moment");
    larkspur.api.list("/incidents").await.iter().map(|one| (text(one, "id"), since(one))).collect()
}

async fn is_waiting(larkspur: &Process, id: &str) -> bool {
    larkspur.api.get(&format!("/incidents/{id}")).await["escalation"]["waiting"] == true
}

/// Waits until the level of an incident has notified its group.
async fn wait_until_notified(larkspur: &Process, id: &str) {
    let start = Instant::now();
    while is_waiting(larkspur, id).await {
        assert!(start.elapsed() < Duration::from_secs(180), "{id} is not notified");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// Waits until the group's page shows `wanted`, and returns the page.
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
