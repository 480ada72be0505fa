//! For any number of copies in any order, the final status of a key is that of its newest message. Title, text and
//! severity come from the newest trigger that was applied. Counts are lower only by the messages that are listed as
//! superseded.

use std::collections::HashMap;
use std::time::Duration;

use alerting::base::ids::Stamp;
use alerting::rules::message::{Acceptance, Message, MsgType, Origin, RawBody, Received};
use lambda_kit::queue::Entry;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use scenarios::World;
use scenarios::space::feishu_bot;
use serde_json::json;

const KEYS: usize = 12;
const PER_KEY: usize = 9;

// Proves: newest-decides
#[tokio::test]
async fn with_copies_and_in_any_order_every_key_ends_in_the_state_of_its_newest_message() {
    for seed in 1..=3_u8 {
        run(seed).await;
    }
}

async fn run(seed: u8) {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let severe = json!({"any": [{"all": [{"field": "content", "op": "match", "values": ["/level=critical/"]}]}]});
    let plan = world.feishu_alert().close_when("RESOLVED").key(r"key=(\w+)");
    let sender = plan.set("pipeline", json!([{"when": severe, "set_severity": "Critical"}])).into(&ops).await;
    let integration = sender.integration.parse().expect("an id");

    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let start = world.larkspur.clock.now() - Duration::from_secs(60);
    let mut messages = Vec::new();
    for number in 0..KEYS * PER_KEY {
        let key = number % KEYS;
        let word = if random.next_u32().is_multiple_of(3) { "RESOLVED" } else { "firing" };
        let level = if random.next_u32().is_multiple_of(2) { "critical" } else { "warning" };
        messages.push(Received {
            stamp: Stamp::from_parts(start + Duration::from_millis(number as u64), u128::from(random.next_u64())),
            integration: alerting::base::ids::IntegrationId::clone(&integration),
            origin: Origin { process: format!("test-{seed}"), count: number as u64 + 1, queued: None },
            acceptance: Acceptance::Accepted(Message {
                msg_type: MsgType::Text,
                title: format!("title {number}"),
                content: format!("{word} key=k{key} level={level} number={number}"),
                labels: Default::default(),
            }),
            body: RawBody::Text("{}".to_owned()),
            replay_of: None,
            times: 1,
        });
    }
    let mut deliveries: Vec<usize> =
        (0..messages.len()).chain((0..40).map(|_| random.next_u32() as usize % messages.len())).collect();
    for index in (1..deliveries.len()).rev() {
        deliveries.swap(index, random.next_u32() as usize % (index + 1));
    }
    let queue = world.messages_queue();
    for chunk in deliveries.chunks(7) {
        let entries = chunk.iter().map(|index| Entry {
            body: serde_json::to_string(&messages[*index]).expect("JSON"),
            group: Some(sender.integration.clone()),
            ..Entry::default()
        });
        queue.send_batch(entries.collect()).await.expect("sent");
    }
    world.settle().await;
    check(&world, &messages, &sender.messages().await).await;
    world.feishu("ops").accept_all();
    world.finish().await;
}

async fn check(world: &World, messages: &[Received], log: &[serde_json::Value]) {
    assert_eq!(log.len(), messages.len(), "every message has one entry, however often it came");
    let alerts = world.api.list("/alerts").await;
    let mut counted: HashMap<&str, u64> = HashMap::new();
    for entry in log.iter().filter(|entry| entry["outcome"] == "triggered" || entry["outcome"] == "updated") {
        *counted.entry(entry["alert_id"].as_str().expect("an alert")).or_default() += 1;
    }
    for key in 0..KEYS {
        let newest =
            messages.iter().rev().find(|message| content(message).contains(&format!("key=k{key} "))).expect("some");
        let Some(alert) = alerts.iter().find(|alert| alert["alert_key"] == format!("k{key}")) else {
            assert!(content(newest).contains("RESOLVED"), "no alert of k{key}, whose newest message triggers");
            continue;
        };
        let status = if content(newest).contains("RESOLVED") { "closed" } else { "open" };
        let all: Vec<_> = alerts.iter().filter(|other| other["alert_key"] == alert["alert_key"]).collect();
        let entries: Vec<_> = log
            .iter()
            .filter(|entry| entry["alert_key"] == alert["alert_key"])
            .map(|e| format!("{} {} {} {}", e["id"], e["outcome"], e["alert_id"], e["content"]))
            .collect();
        assert_eq!(alert["status"], status, "{all:#?} {entries:#?}");
        let shown = newest_that_counted(alert, messages, log);
        assert!(status == "closed" || shown.stamp == newest.stamp, "{alert:#} {entries:#?}");
        let Acceptance::Accepted(message) = &shown.acceptance else { unreachable!("all are accepted") };
        let severity = if message.content.contains("critical") { "Critical" } else { "Warning" };
        assert_eq!(alert["title"], *message.title, "{alert:#} {entries:#?}");
        assert_eq!(alert["description"], *message.content);
        assert_eq!(alert["severity"], severity);
    }
    for alert in &alerts {
        let id = alert["id"].as_str().expect("an id");
        assert_eq!(alert["count"].as_u64(), counted.get(id).copied(), "{alert:#}");
    }
}

/// The newest message that triggered or updated the alert.
fn newest_that_counted<'a>(
    alert: &serde_json::Value,
    messages: &'a [Received],
    log: &[serde_json::Value],
) -> &'a Received {
    let counts = |message: &&Received| {
        let id = message.stamp.to_string();
        let entry = log.iter().find(|entry| entry["id"] == *id).expect("every message has an entry");
        entry["alert_id"] == alert["id"] && (entry["outcome"] == "triggered" || entry["outcome"] == "updated")
    };
    messages.iter().rev().find(counts).expect("a message opened it")
}

fn content(message: &Received) -> &str {
    match &message.acceptance {
        Acceptance::Accepted(message) => &message.content,
        Acceptance::Refused { .. } => "",
    }
}
