//! Memory does not grow with what is stored.

use std::path::Path;
use std::time::{Duration, Instant};

use scenarios::process::Process;
use serde_json::{Value, json};

/// Before the first look, so that caches and connections are as they stay.
const FIRST: u64 = 1_000;
const MORE: u64 = 4_000;
/// In memory, the rows of an alert would take two kilobytes at least: eight megabytes of so many more.
const GROWTH_MB: f64 = 6.0;
const SENDERS: u64 = 4;
/// In a debug build, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::test]
async fn thousands_of_stored_alerts_take_no_memory() {
    let data = tempfile::tempdir().expect("a directory");
    let larkspur = Process::start(data.path(), &[]).await.expect("started");
    let space = larkspur.api.create("/spaces", &json!({"name": "Ops", "destinations": []})).await;
    let limits = json!({"per_second": 100_000, "per_minute": 1_000_000});
    let body = json!({"name": "a platform", "space": space["id"], "title_from": "first_line", "limits": limits});
    let made = larkspur.api.create("/integrations", &body).await;
    let url = made["url"].as_str().expect("a url");

    store(&larkspur, url, FIRST, FIRST).await;
    let before = resident_mb(&larkspur);
    store(&larkspur, url, MORE, FIRST + MORE).await;
    let after = resident_mb(&larkspur);
    assert!(after - before < GROWTH_MB, "{before:.1} MB before and {after:.1} MB after {MORE} more alerts");
    let rows = std::fs::metadata(data.path().join("tables.sqlite")).expect("the tables' file").len() as f64 / 1e6;
    assert!(rows > 2.0 * GROWTH_MB, "the tables take {rows:.1} MB: they would fit into what memory may grow by");
}

/// Sends so many alerts, and waits until each is stored.
async fn store(larkspur: &Process, url: &str, alerts: u64, in_all: u64) {
    let start = Instant::now();
    let senders = (0..SENDERS).map(|sender| async move {
        for number in (sender..alerts).step_by(SENDERS as usize) {
            let text = format!("disk full on db-{number}\nused 96%, threshold 90%");
            let body = json!({"msg_type": "text", "content": {"text": text}});
            // On a machine that is busy with other things it may say so; a sender then sends again.
            while larkspur.api.post(url, body.to_string()).await.body["code"] != 0 {
                assert!(start.elapsed() < PATIENCE, "it takes no message");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    futures::future::join_all(senders).await;
    while triggered(&larkspur.api.get("/ledger?hours=2").await) < in_all {
        assert!(start.elapsed() < PATIENCE, "not all of {in_all} alerts are stored after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn triggered(ledger: &Value) -> u64 {
    let hours = ledger["items"].as_array().expect("a list of hours");
    hours.iter().filter_map(|hour| hour["messages"]["triggered"].as_u64()).sum()
}

/// What the system has given to the process and not got back.
fn resident_mb(larkspur: &Process) -> f64 {
    let status = Path::new("/proc").join(larkspur.pid().expect("it runs").to_string()).join("status");
    let status = std::fs::read_to_string(status).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("memory in the status");
    let kilobytes: f64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number");
    kilobytes / 1024.0
}
