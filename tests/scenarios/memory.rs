//! Memory does not grow with the amount of stored data, nor with requests that clients never finish.

use std::path::Path;
use std::time::{Duration, Instant};

use scenarios::process::Process;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The number of alerts before the first measurement, so that caches and connections have reached their final size.
const FIRST: u64 = 1_000;
const MORE: u64 = 4_000;
/// If the rows were held in memory, an alert would take at least two kilobytes, and all additional alerts together
/// eight megabytes.
const GROWTH_MB: f64 = 6.0;
const SENDERS: u64 = 4;
/// The time limit for a debug build on a machine that is also busy with other work.
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

/// The number of connections of one hostile client.
const UNFINISHED: usize = 300;
/// The bytes that each connection sends of a body that it announces as longer: together 300 MB.
const PART: usize = 1024 * 1024;
/// The limit for request bodies, whose buffers grow by doubling, the other memory of 300 connections, and pages that
/// the allocator keeps between the two floods.
const HELD_MB: f64 = 160.0;

// Proves: finding B4
#[tokio::test]
async fn unfinished_bodies_of_300_connections_take_little_memory_and_keep_no_sender_out() {
    let data = tempfile::tempdir().expect("a directory");
    let larkspur = Process::start(data.path(), &[]).await.expect("started");
    let url = larkspur.start_line["demo"]["integration_url"].as_str().expect("a url").to_owned();
    let body = json!({"msg_type": "text", "content": {"text": "disk full on db-1"}}).to_string();
    assert_eq!(larkspur.api.post(&url, body.clone()).await.body["code"], 0);
    let before = resident_mb(&larkspur);
    let address = larkspur.base_url.trim_start_matches("http://").to_owned();
    for path in ["/open-apis/bot/v2/hook/000000000000000000", "/api/v1/spaces"] {
        let hold = (0..UNFINISHED / 2).map(|_| hold_a_body(&address, path));
        let held = futures::future::join_all(hold).await;
        let start = Instant::now();
        assert_eq!(larkspur.api.post(&url, body.clone()).await.body["code"], 0, "a sender is let in");
        assert!(start.elapsed() < Duration::from_secs(3), "at once: {:?}", start.elapsed());
        let after = resident_mb(&larkspur);
        assert!(after - before < HELD_MB, "{path}: {before:.1} MB before and {after:.1} MB after");
        drop(held);
    }
}

/// Begins a request with a body of 6 MB and stops in the middle of the body.
async fn hold_a_body(address: &str, path: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 6000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    // The server may refuse the request and close the connection in the meantime.
    stream.write_all(&vec![b'x'; PART]).await.ok()?;
    Some(stream)
}

/// Sends this many alerts, and waits until all of them are stored.
async fn store(larkspur: &Process, url: &str, alerts: u64, in_all: u64) {
    let start = Instant::now();
    let senders = (0..SENDERS).map(|sender| async move {
        for number in (sender..alerts).step_by(SENDERS as usize) {
            let text = format!("disk full on db-{number}\nused 96%, threshold 90%");
            let body = json!({"msg_type": "text", "content": {"text": text}});
            // On a busy machine the server may answer that it is busy. A sender then sends the message again.
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

/// The memory that the process holds, in megabytes.
fn resident_mb(larkspur: &Process) -> f64 {
    let status = Path::new("/proc").join(larkspur.pid().expect("it runs").to_string()).join("status");
    let status = std::fs::read_to_string(status).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("memory in the status");
    let kilobytes: f64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number");
    kilobytes / 1024.0
}
