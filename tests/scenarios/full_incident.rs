//! An incident with the maximum number of alerts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use alerting::rules::message::Received;
use scenarios::World;
use scenarios::sender::Sender;
use scenarios::space::feishu_bot;
use serde_json::json;

/// The maximum number of alerts in an incident.
const ALERTS: usize = 5000;
/// The longest time for five thousand messages on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// Queues one message for each alert directly, which is faster than sending it through the intake.
async fn say_all(world: &World, sender: &Sender, text: impl Fn(usize) -> String) {
    let now = world.larkspur.clock.now();
    let messages: Vec<Received> =
        (0..ALERTS).map(|number| sender.received(number as u64 + 1, now, &text(number))).collect();
    let parts: Vec<_> = messages.chunks(ALERTS / 10).map(|part| world.deliver(part)).collect();
    futures::future::join_all(parts).await;
    world.settle_within(PATIENCE).await;
}

// Proves: one-incident, finding F11
#[tokio::test]
async fn five_thousand_alerts_are_one_incident_the_next_one_makes_another_and_it_ends_when_all_have_recovered() {
    // The last titles have the maximum length, in characters of three bytes each. The incident is largest then, and
    // must still fit into its item.
    let title = |number: usize| "磁盘已满".repeat(if number < ALERTS - 200 { 1 } else { 120 });
    let world = World::start_with_full_batches().await;
    let grouping = json!({"by": ["labels.app"], "window_minutes": 60, "storm_thresholds": [1000]});
    let ops = world.space("Ops").set("grouping", grouping).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;

    let start = Instant::now();
    say_all(&world, &sender, |number| format!("{}\nkey=k{number} app=shop", title(number))).await;
    let joined = start.elapsed();
    assert_eq!(world.alert_counts().await, [ALERTS as u64]);
    world.feishu("ops").expects("磁盘已满").await;
    world.feishu("ops").expects("Alert storm").await;

    sender.says("disk full\nkey=one-more app=shop").await;
    world.feishu("ops").expects("one-more").await;
    assert_eq!(world.alert_counts().await, [ALERTS as u64, 1]);
    let full = &world.incidents_in_order().await[0];
    assert_eq!(full.event_kinds().await.len(), ALERTS, "a trigger, a warning, and who joined");
    let shown = world.api.call("GET", &format!("/incidents/{}", full.id), None).await;
    assert!(shown.text.len() < 2 * 1024 * 1024, "{} bytes, where Lambda answers 6 MB at most", shown.text.len());
    let named = shown.body["alerts"].as_array().expect("a list").len();
    assert_eq!((named, &shown.body["alert_count"]), (100, &json!(ALERTS)));
    let alerts = world.api.list(&format!("/incidents/{}/alerts", full.id)).await;
    let ids: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["id"].as_str()).collect();
    assert_eq!(ids.len(), ALERTS, "each alert is on one page");

    let start = Instant::now();
    say_all(&world, &sender, |number| format!("RESOLVED\nkey=k{number}")).await;
    let recovered = start.elapsed();
    world.feishu("ops").expects("Recovered").await;
    assert_eq!(full.progress().await, "closed");
    assert_eq!(full.event_kinds().await.len(), 2 * ALERTS);
    eprintln!("{ALERTS} alerts joined in {joined:?} and recovered in {recovered:?}");
    world.finish().await;
}
