//! A sent card shows the current state of its incident after every change. The scenarios use the echo app, which only
//! tests have.

use std::time::{Duration, Instant};

use alerting::base::ids::IncidentId;
use alerting::incident::card;
use lambda_kit::clock::Clock;
use local::options::{Options, Providers};
use scenarios::echo::{Echo, Message};
use scenarios::space::Space;
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};

/// How long a card may take to show a change before the scenario fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// A world with one room of the echo app, and the space that notifies it.
async fn world_with_cards() -> (World, Echo, Space) {
    let clock = Clock::system();
    let echo = Echo::start(clock.clone()).await;
    let providers = Providers::Base(echo.base.clone());
    let world = World::start_with(Options { clock, providers, ..Options::default() }).await;
    let room = echo.room(&world.api, "ops").await;
    let space = world.space("Ops").grouped_by(&["title"]).set("destinations", json!([room])).make().await;
    (world, echo, space)
}

/// The state that each message shows, oldest first.
fn states(echo: &Echo) -> Vec<String> {
    echo.messages().iter().map(|message| message.card["state"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Checks that every card that can still be changed shows the current state of the incident, and returns the number of
/// these cards.
async fn live_cards_are_true(world: &World, echo: &Echo, incident: &str) -> usize {
    let id: IncidentId = incident.parse().expect("an id");
    let now = card::of(&world.store().incident(&id).await.expect("read").expect("stored"));
    let deliveries = world.store().deliveries(&id).await.expect("read");
    let live = deliveries.iter().flat_map(|(_, delivery)| delivery.cards.iter().filter(|card| card.live).enumerate());
    let live: Vec<(usize, Message)> = live.map(|(place, card)| (place, echo.message(&card.receipt))).collect();
    for (place, message) in &live {
        let acts = message.card["acts"].as_array().expect("acts").len();
        // A newer message takes the buttons off the older ones.
        let offered = if *place == 0 { now.acts.len() } else { 0 };
        assert_eq!((&message.card["by"], acts), (&json!(now.by), offered), "{message:#?}\n{now:#?}");
        assert_eq!(message.card["severity"], json!(now.severity.as_str()), "{message:#?}\n{now:#?}");
    }
    live.len()
}

#[tokio::test]
async fn each_kind_of_change_is_shown_by_every_card_of_the_incident() {
    let (world, echo, space) = world_with_cards().await;
    let sender = world.feishu_alert().into(&space).await;
    sender.says("disk full").await;
    let incident = world.only_incident().await;
    assert_eq!(states(&echo), ["triggered"]);
    let steps: [(&str, Value, &[&str]); 8] = [
        ("acknowledge", json!({}), &["processing"]),
        ("unacknowledge", json!({}), &["triggered"]),
        ("snooze", json!({"minutes": 120}), &["snoozed"]),
        ("close", json!({}), &["closed"]),
        // A change that calls on people is sent as a new message. The message before it shows the same state.
        ("reopen", json!({}), &["triggered", "triggered"]),
        ("acknowledge", json!({}), &["processing", "processing"]),
        ("comments", json!({"text": "looking"}), &["processing", "processing"]),
        ("close", json!({}), &["closed", "closed"]),
    ];
    for (number, (action, body, expected)) in steps.into_iter().enumerate() {
        incident.does(action, &body).await;
        // A card that has to wait because of the vendor's rate limit is updated a moment later, as due work.
        let start = Instant::now();
        while states(&echo) != expected && start.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(states(&echo), expected, "after step {number}, {action}");
        assert_eq!(live_cards_are_true(&world, &echo, &incident.id).await, expected.len());
    }
    assert_eq!(echo.token_requests(), 1);
    world.settle().await;
    world.larkspur.stop().await;
}

#[tokio::test]
async fn a_storm_of_alerts_changes_a_card_once_in_half_a_minute() {
    let (world, echo, space) = world_with_cards().await;
    let limits = json!({"per_second": 10_000, "per_minute": 100_000});
    let sender = world.feishu_alert().set("title_from", json!("first_line")).set("limits", limits).into(&space).await;
    sender.says("disk full\nreading 0").await;
    // Otherwise the card may be sent after the last alert, and then shows all of them from the start.
    world.rest().await;
    for number in 1..30 {
        sender.says(&format!("disk full\nreading {number}")).await;
    }
    world.rest().await;
    let before: usize = echo.messages().iter().map(|message| message.changes).sum();
    world.advance(minutes(1)).await;
    world.advance(seconds(30)).await;
    let after: usize = echo.messages().iter().map(|message| message.changes).sum();
    let joined = world.incident().await.event_kinds().await.iter().filter(|kind| *kind == "alert_joined").count();
    assert!(joined >= 5, "only {joined} alerts joined");
    assert!((1..=2).contains(&(after - before)), "{before} changes before, {after} after {joined} alerts joined");
    world.larkspur.stop().await;
}

#[tokio::test]
async fn a_token_that_the_vendor_no_longer_takes_is_replaced_and_the_message_is_sent() {
    let (world, echo, space) = world_with_cards().await;
    let sender = world.feishu_alert().set("title_from", json!("first_line")).into(&space).await;
    sender.says("disk full").await;
    world.rest().await;
    echo.revoke_tokens();
    sender.says("fan broken").await;
    world.rest().await;
    assert_eq!(echo.messages().len(), 2);
    assert_eq!(echo.token_requests(), 2);
    world.larkspur.stop().await;
}
