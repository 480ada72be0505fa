//! B. Copies and messages out of order, from the queue and from senders.

use std::time::Duration;

use alerting::rules::message::Received;
use local::options::{Batching, Options};
use scenarios::sender::Sender;
use scenarios::space::feishu_bot;
use scenarios::wire::{Fault, Wire, dynamodb, sqs};
use scenarios::{World, hours, seconds};
use serde_json::json;

/// One space that notifies one group, and a platform whose messages have keys.
async fn deployment() -> (Wire, World, Sender) {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    (wire, world, sender)
}

/// Messages of one key, received one second apart, the last one now: `T` triggers and `R` recovers.
fn script(world: &World, sender: &Sender, script: &str) -> Vec<Received> {
    let now = world.larkspur.clock.now();
    let received = |(place, letter): (usize, char)| {
        let at = now - seconds((script.len() - 1 - place) as u64);
        let number = place as u64 + 1;
        let word = if letter == 'R' { "RESOLVED" } else { "firing" };
        sender.received(number, at, &format!("disk full {number}\n{word} key=a"))
    };
    script.chars().enumerate().map(received).collect()
}

async fn alerts(world: &World) -> Vec<(String, u64)> {
    let alerts = world.api.list("/alerts").await;
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    alerts.iter().map(|alert| (text(&alert["status"]), alert["count"].as_u64().expect("a count"))).collect()
}

fn open(count: u64) -> (String, u64) {
    ("open".to_owned(), count)
}

// Proves: fault 16
#[tokio::test]
async fn a_message_that_the_queue_hands_over_twice_is_one_alert_and_one_notice() {
    let (_wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "T");
    world.deliver([&messages[0], &messages[0]]).await;
    world.feishu("ops").expects("disk full 1").await;
    world.rest().await;
    world.deliver([&messages[0]]).await;
    world.rest().await;
    assert_eq!(alerts(&world).await, [open(1)]);
    assert_eq!(sender.outcomes().await, ["triggered"]);
    world.finish().await;
}

// Proves: fault 17
#[tokio::test]
async fn a_sender_that_repeats_itself_updates_its_key_and_without_keys_makes_a_second_alert() {
    let (_wire, world, keyed) = deployment().await;
    let space = world.space("Each").notify(feishu_bot("each")).await;
    let each = world.feishu_alert().into(&space).await;
    for sender in [&keyed, &each] {
        sender.says("disk full\nkey=a").await;
        world.rest().await;
        sender.says("disk full\nkey=a").await;
    }
    world.feishu("ops").expects("disk full").await;
    world.feishu("each").expects("disk full").await;
    world.feishu("each").expects("disk full").await;
    world.settle().await;
    assert_eq!(keyed.outcomes().await, ["updated", "triggered"]);
    assert_eq!(each.outcomes().await, ["triggered", "triggered"]);
    let mut all = alerts(&world).await;
    all.sort();
    assert_eq!(all, [open(1), open(1), open(2)]);
    world.finish().await;
}

// Proves: fault 18
#[tokio::test]
async fn a_send_that_took_effect_without_an_answer_is_one_message_under_one_stamp() {
    let (wire, world, sender) = deployment().await;
    for fault in [Fault::Drop, Fault::Hang, Fault::Cut] {
        let case = format!("{fault:?}");
        let (group, before) = (world.feishu("ops"), wire.calls(&sqs("SendMessage")).len());
        let rule = wire.after(sqs("SendMessage").first(1), fault);
        sender.says(&format!("disk full after {case}\nkey={case}")).await;
        group.expects(&case).await;
        world.rest().await;
        let sends = wire.calls(&sqs("SendMessage")).split_off(before);
        assert_eq!((rule.count(), sends.len()), (1, 2), "{case}");
        assert_eq!(sends[0].body, sends[1].body, "{case}: the same stamp");
        rule.remove();
    }
    assert_eq!(sender.outcomes().await, ["triggered"; 3]);
    assert_eq!(alerts(&world).await, [open(1), open(1), open(1)]);
    world.finish().await;
}

// Proves: fault 19
#[tokio::test]
async fn a_recovery_that_arrives_before_its_trigger_leaves_the_alert_closed_and_notifies_nobody() {
    let (_wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "TR");
    world.deliver([&messages[1]]).await;
    world.rest().await;
    world.deliver([&messages[0]]).await;
    world.rest().await;
    assert!(alerts(&world).await.iter().all(|(status, _)| status == "closed"));
    assert_eq!(sender.outcomes().await, ["discarded", "superseded"]);
    world.finish().await;
}

// Proves: fault 20
#[tokio::test]
async fn messages_t_r_t_that_arrive_as_t3_t1_r2_are_one_open_alert_notified_once() {
    let (_wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "TRT");
    for place in [2, 0, 1] {
        world.deliver([&messages[place]]).await;
        world.rest().await;
    }
    world.feishu("ops").expects("disk full 3").await;
    assert_eq!(alerts(&world).await, [open(1)]);
    assert_eq!(sender.outcomes().await, ["triggered", "superseded", "superseded"]);
    world.finish().await;
}

#[tokio::test]
async fn a_transition_without_its_notice_is_still_notified_after_a_newer_message_was_applied() {
    let (wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "TT");
    let rule =
        wire.before(sqs("SendMessageBatch").on("NoticesQueue"), Fault::Refuse(scenarios::wire::Refusal::THROTTLED));
    world.deliver([&messages[0]]).await;
    rule.reached().await;
    wire.wait_until_quiet().await;
    rule.remove();
    world.deliver([&messages[1]]).await;
    wire.wait_until_quiet().await;
    assert!(world.feishu("ops").messages().is_empty(), "an update notifies nobody");
    wire.redeliver(&world).await;
    world.feishu("ops").expects("disk full 1").await;
    assert_eq!(alerts(&world).await, [open(2)]);
    world.finish().await;
}

// Proves: fault 22
#[tokio::test]
async fn eight_concurrent_flaps_are_all_applied_and_the_last_notice_shows_the_last_state() {
    let (_wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "TRTRTRTRTRTRTRTRT");
    world.deliver(&messages).await;
    world.settle().await;
    world.feishu("ops").expects("disk full 17").await;
    let all = alerts(&world).await;
    assert_eq!(all.iter().filter(|(status, _)| status == "open").count(), 1, "{all:?}");
    assert_eq!(all.iter().map(|(_, count)| count).sum::<u64>(), 9, "{all:?}");
    let outcomes = sender.outcomes().await;
    assert!(outcomes.iter().all(|outcome| outcome == "triggered" || outcome == "recovered"), "{outcomes:?}");
    for incident in world.api.list("/incidents").await {
        let closed = incident["progress"] == "closed";
        assert_eq!(closed, incident["title"] != "disk full 17", "{incident:#}");
    }
    world.feishu("ops").accept_all();
    world.finish().await;
}

// Proves: fault 23
#[tokio::test]
async fn of_two_evaluators_at_one_key_the_slower_folds_again_and_no_update_is_lost() {
    let (wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "TTT");
    world.deliver([&messages[0]]).await;
    world.feishu("ops").expects("disk full 1").await;
    world.rest().await;
    let states = dynamodb("PutItem").holding("STATE#");
    let before = wire.calls(&states).len();
    let slower = wire.before(states.clone().first(1), Fault::Delay(Duration::from_millis(3500)));
    world.deliver([&messages[1]]).await;
    slower.reached().await;
    world.deliver([&messages[2]]).await;
    world.settle().await;
    assert!(wire.calls(&states).len() - before >= 2);
    let alerts = world.api.list("/alerts").await;
    assert_eq!((alerts.len(), alerts[0]["title"].as_str()), (1, Some("disk full 3")), "{alerts:#?}");
    let superseded = sender.outcomes().await.iter().filter(|outcome| *outcome == "superseded").count() as u64;
    assert_eq!(alerts[0]["count"].as_u64(), Some(3 - superseded), "{alerts:#?}");
    world.finish().await;
}

/// An older message gives up after one lost race. The newest message must not wait for the visibility timeout of the
/// queue.
// Proves: fault 23
#[tokio::test]
async fn the_newest_message_is_not_handed_back_although_seven_others_are_written_before_it() {
    let wire = Wire::start().await;
    // A batch that waits for a second would use up the three seconds in which a call can be overtaken.
    let world = World::start_through_with(&wire, Options { batching: Batching::AtOnce, ..wire.options() }).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let messages = script(&world, &sender, "TTTTTTTTR");
    world.deliver([&messages[0]]).await;
    world.feishu("ops").expects("disk full 1").await;
    world.rest().await;
    let states = dynamodb("PutItem").holding("STATE#");
    let mut overtaken = wire.before(states.clone().first(1), Fault::Overtaken);
    world.deliver([&messages[8]]).await;
    overtaken.reached().await;
    for other in &messages[1..8] {
        // The next write is that of the other message. The write after it is the next attempt of the newest message.
        overtaken = wire.before(states.clone().nth(2), Fault::Overtaken);
        world.deliver([other]).await;
        overtaken.reached().await;
    }
    world.feishu("ops").expects("Recovered").await;
    world.settle().await;
    assert_eq!(alerts(&world).await, [("closed".to_owned(), 8)]);
    world.finish().await;
}

// Proves: fault 24
#[tokio::test]
async fn a_message_redriven_after_a_week_is_absorbed_if_stale_and_opens_an_alert_otherwise() {
    let (_wire, world, sender) = deployment().await;
    let messages = script(&world, &sender, "TR");
    let fresh = sender.received(9, world.larkspur.clock.now(), "load high\nkey=b");
    world.deliver(&messages).await;
    world.settle().await;
    world.feishu("ops").accept_all();
    world.advance(hours(7 * 24)).await;
    world.deliver(messages.iter().chain([&fresh])).await;
    let seen = world.feishu("ops").expects("load high").await;
    world.settle().await;
    let shown = seen.everything();
    let alerts = world.api.list("/alerts").await;
    assert_eq!(alerts.len(), 2, "the stale ones change nothing: {alerts:#?}");
    assert_eq!(alerts.iter().filter(|alert| alert["status"] == "open").count(), 1, "{alerts:#?} {shown}");
    world.finish().await;
}

// Proves: fault 25
#[tokio::test]
async fn a_clock_that_is_five_seconds_ahead_has_no_effect_after_five_seconds() {
    let (_wire, world, sender) = deployment().await;
    let now = world.larkspur.clock.now();
    let ahead = sender.received(1, now + seconds(5), "disk full\nkey=a");
    let meanwhile = sender.received(2, now + seconds(4), "all well\nRESOLVED key=a");
    let later = sender.received(3, now + seconds(6), "all well\nRESOLVED key=a");
    world.deliver([&ahead]).await;
    world.feishu("ops").expects("disk full").await;
    world.rest().await;
    world.deliver([&meanwhile]).await;
    world.rest().await;
    assert_eq!(alerts(&world).await, [open(1)], "within the error the process that is ahead decides");
    world.deliver([&later]).await;
    world.feishu("ops").expects("Recovered").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["recovered", "triggered", "superseded"]);
    world.finish().await;
}

#[tokio::test]
async fn a_hundred_messages_of_one_key_at_once_are_few_writes_in_the_right_order() {
    let (wire, world, sender) = deployment().await;
    let mut messages = script(&world, &sender, &"T".repeat(100));
    messages.reverse();
    world.deliver(&messages).await;
    world.settle_within(seconds(120)).await;
    let alerts = world.api.list("/alerts").await;
    let counted = alerts[0]["count"].as_u64().expect("a count");
    let superseded = sender.outcomes().await.iter().filter(|outcome| *outcome == "superseded").count() as u64;
    assert_eq!((alerts.len(), alerts[0]["title"].as_str()), (1, Some("disk full 100")));
    assert_eq!(counted + superseded, 100);
    // One write for each batch that the queue forms, and one for each race between two batches.
    let writes = wire.calls(&dynamodb("PutItem").holding("STATE#")).len();
    assert!(writes <= 12, "{writes} writes");
    world.feishu("ops").accept_all();
    world.finish().await;
}

/// A person acknowledges the incident between an evaluator's read of the incident and its write.
// Proves: fault 26
#[tokio::test]
async fn an_acknowledgement_between_read_and_write_survives() {
    let (wire, world, sender) = deployment().await;
    sender.says("disk full\nlevel=warning key=a").await;
    world.feishu("ops").expects("disk full").await;
    world.rest().await;
    let incident = world.api.list("/incidents").await.remove(0);
    let path = format!("/incidents/{}", incident["id"].as_str().expect("an id"));
    let write = dynamodb("PutItem").on("AlertsTable").holding("severity_raised");
    let slower = wire.before(write.first(1), Fault::Delay(Duration::from_millis(3500)));
    sender.says("disk full\nlevel=critical key=a").await;
    slower.reached().await;
    let answer = world.api.call("POST", &format!("{path}/acknowledge"), Some(&json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.settle().await;
    let shown = world.api.get(&path).await;
    assert_eq!(
        (shown["progress"].as_str(), shown["severity"].as_str()),
        (Some("processing"), Some("Critical")),
        "{shown:#}"
    );
    world.feishu("ops").accept_all();
    world.finish().await;
}
