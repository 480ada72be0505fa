//! A crash loop: accepted messages survive any number of starts that each end with kill −9.
//!
//! Each start continues the unfinished work of the start before it. A receive that ends with a kill does not count
//! against a message, so no message is given up. Messages that were applied but not yet recorded are recorded with
//! their result, so the counts agree.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::future::join_all;
use scenarios::api::Api;
use scenarios::process::Process;
use serde_json::{Value, json};

const SENDERS: usize = 16;
const MESSAGES: usize = 250;
/// The number of alerts for each sender.
const KEYS: usize = 5;
const KILLS: usize = 60;
/// The time between a start and its kill.
const LIFE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(240);

/// Takes one minute: an unoptimized build starts sixty times, and accepts and evaluates four thousand messages.
// Proves: finding C9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_thousand_accepted_messages_survive_sixty_starts_that_end_with_kill_9() {
    let data = tempfile::tempdir().expect("a directory");
    let process = Process::start(data.path(), &[]).await.expect("started");
    let senders = senders(&process.api).await;
    join_all(senders.iter().map(|url| send(&process.api, url))).await;
    process.kill().await.expect("killed");
    for _ in 0..KILLS {
        let process = Process::start(data.path(), &[]).await.expect("started again");
        tokio::time::sleep(LIFE).await;
        process.kill().await.expect("killed");
    }
    assert_nothing_is_lost(data.path()).await;
}

/// Creates integrations whose alerts are distinguished by title, and returns their URLs.
async fn senders(api: &Api) -> Vec<String> {
    let space = api.create("/spaces", &json!({"name": "Ops", "destinations": []})).await;
    let mut urls = Vec::new();
    for number in 0..SENDERS {
        let settings = json!({
            "name": format!("platform {number}"), "space": space["id"], "title_from": "first_line",
            "push_mode": {"type": "by_title"}, "limits": {"per_second": 100_000, "per_minute": 1_000_000},
        });
        let made = api.create("/integrations", &settings).await;
        urls.push(made["url"].as_str().expect("a url").to_owned());
    }
    urls
}

async fn send(api: &Api, url: &str) {
    for number in 0..MESSAGES {
        let text = format!("disk {} full\nreading {number}", number % KEYS);
        let body = json!({"msg_type": "text", "content": {"text": text}}).to_string();
        // A sender sends a message again if the answer is that the server is busy.
        while api.post(url, body.clone()).await.body["code"] != 0 {}
    }
}

async fn assert_nothing_is_lost(data: &Path) {
    let after = Process::start(data, &[]).await.expect("started for good");
    let ledger = at_rest(&after.api).await;
    let hours = ledger["items"].as_array().expect("hours");
    assert!(hours.iter().all(|hour| hour["balanced"] == true), "{ledger:#}");
    let total = |name: &str| -> usize {
        hours.iter().map(|hour| hour["messages"][name].as_u64().unwrap_or_default() as usize).sum()
    };
    let (all, keys) = (SENDERS * MESSAGES, SENDERS * KEYS);
    assert_eq!([total("received"), total("triggered"), total("waiting")], [all, keys, 0], "{ledger:#}");
    let (updated, superseded) = (total("updated"), total("superseded"));
    assert_eq!(updated + superseded, all - keys, "{ledger:#}");
    // A message may be superseded if a killed evaluator had not applied it. An applied message is recorded as applied.
    let alerts = after.api.list("/alerts?status=open").await;
    let counted: u64 = alerts.iter().map(|alert| alert["count"].as_u64().expect("a count")).sum();
    assert_eq!((alerts.len(), counted as usize), (keys, keys + updated), "{superseded} superseded");
    let dead = after.api.list("/dead-letters").await;
    assert!(dead.is_empty(), "{dead:?}");
    after.kill().await.expect("killed");
}

/// Waits until no message in the ledger is waiting, and returns the ledger.
async fn at_rest(api: &Api) -> Value {
    let start = Instant::now();
    loop {
        let ledger = api.get("/ledger?hours=2").await;
        let waiting = |hour: &Value| hour["messages"]["waiting"] != 0;
        let hours = ledger["items"].as_array().expect("hours");
        if !hours.is_empty() && !hours.iter().any(waiting) || start.elapsed() > PATIENCE {
            return ledger;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
