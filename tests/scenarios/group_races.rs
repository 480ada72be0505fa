//! An alert is in exactly one incident, for any number of copies in any order, even if evaluators are killed in
//! between.

use std::collections::BTreeSet;
use std::time::Duration;

use alerting::base::ids::{AlertId, IncidentId, SpaceId, Stamp};
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::alert::{Alert, Status};
use alerting::incident::grouping::group_key;
use alerting::incident::space::Grouping;
use scenarios::World;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use serde_json::{Value, json};
use store::incidents::Place;

/// A space whose alerts are grouped by title and that notifies the group "ops".
async fn grouped(world: &World) -> Space {
    world.space("Ops").grouped_by(&["title"]).notify(feishu_bot("ops")).await
}

#[tokio::test]
async fn a_message_that_is_handed_over_twice_joins_once() {
    let world = World::start().await;
    let grouping = json!({"by": ["title"], "window_minutes": 30, "storm_thresholds": [3]});
    let ops = world.space("Ops").set("grouping", grouping).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let now = world.larkspur.clock.now();
    let message = |number: u64| sender.received(number, now, &format!("disk full\nkey=k{number}"));
    let messages: Vec<_> = (1..=3).map(message).collect();
    for message in &messages {
        for _ in 0..2 {
            world.deliver([message]).await;
            world.settle().await;
        }
    }
    world.deliver(messages.iter().rev()).await;
    world.settle().await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("ops").expects("Alert storm").await;
    let incident = world.only_incident().await;
    assert_eq!(incident.now().await["alert_count"], 3);
    assert_eq!(incident.event_kinds().await, ["triggered", "alert_joined", "storm_warning"]);
    world.finish().await;
}

/// Forty alerts open, get worse or recover. Each message arrives three times, in an order that differs from run to run.
// Proves: one-incident
#[tokio::test]
async fn copies_in_any_order_leave_the_same_incident() {
    const ALERTS: u64 = 40;
    let world = World::start().await;
    let ops = grouped(&world).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let now = world.larkspur.clock.now();
    let mut messages = Vec::new();
    for key in 0..ALERTS {
        messages.push(sender.received(key, now, &format!("disk full\nkey=k{key}")));
        let later = now + Duration::from_millis(key + 1);
        // The rise has the same title, because it opens the alert if it is applied before its trigger. It must then
        // join the same group.
        let rise = format!("disk full\nkey=k{key} level=critical");
        let text = if key % 2 == 0 { format!("RESOLVED\nkey=k{key}") } else { rise };
        messages.push(sender.received(ALERTS + key, later, &text));
    }
    // A step that has no common factor with the number of messages visits all of them, in an order far from the
    // original one.
    for step in [7, 31, 47] {
        for chunk in (0..messages.len()).map(|n| n * step % messages.len()).collect::<Vec<_>>().chunks(23) {
            world.deliver(chunk.iter().map(|n| &messages[*n])).await;
        }
    }
    world.settle().await; // messages that lost a race are retried after a while
    let mut open = 0;
    let mut all = 0;
    for incident in world.incidents_in_order().await {
        let incident = incident.now().await;
        all += incident["alert_count"].as_u64().expect("a number");
        open += u64::from(incident["progress"] == "triggered");
        let ids: BTreeSet<_> = incident["alerts"].as_array().expect("alerts").iter().map(Value::to_string).collect();
        assert_eq!(ids.len() as u64, incident["alert_count"].as_u64().expect("a number"), "each alert once");
    }
    let alerts = world.api.list("/alerts").await;
    assert_eq!(alerts.iter().filter(|alert| alert["status"] == "open").count() as u64, ALERTS / 2);
    assert_eq!((all, open), (alerts.len() as u64, 1), "every alert is in one incident, and those that are open in one");
    for key in (1..ALERTS).step_by(2) {
        sender.says(&format!("RESOLVED\nkey=k{key}")).await;
    }
    world.settle().await;
    assert!(world.api.list("/incidents?progress=triggered").await.is_empty());
    world.feishu("ops").accept_all(); // the order decides how often the incident became worse or was opened again
    world.finish().await;
}

/// The alert that evaluate makes from a message of this sender.
fn alert_of(sender: &Sender, opened_by: Stamp, title: &str) -> Alert {
    let integration = sender.integration.parse().expect("an id");
    Alert {
        id: AlertId::of(&integration, opened_by),
        integration,
        alert_key: None,
        title: title.to_owned(),
        description: String::new(),
        severity: Severity::Warning,
        status: Status::Open,
        count: 1,
        labels: Default::default(),
        opened_by,
        shown: opened_by,
        texts: None,
        closing: None,
        revision: 0,
        updated_at: Moment::default(),
        closed_at: None,
        spaces: Vec::new(),
    }
}

fn by_title() -> Grouping {
    serde_json::from_value(json!({"by": ["title"], "window_minutes": 30})).expect("a grouping")
}

#[tokio::test]
async fn when_the_first_evaluator_of_a_group_dies_the_next_alert_makes_the_incident_and_it_is_notified() {
    let world = World::start().await;
    let on_call = feishu_bot("on-call").make(&world).await;
    let ops = grouped(&world).await;
    let rule = json!({"name": "All", "levels": [{"groups": [{"destination": on_call}]}]});
    world.api.create(&format!("/spaces/{}/escalation-rules", ops.id), &rule).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    world.forget().await;

    let space: SpaceId = ops.id.parse().expect("an id");
    let now = world.larkspur.clock.now();
    let first = sender.received(1, now, "disk full\nkey=a");
    let hash = group_key(&by_title(), &alert_of(&sender, first.stamp, "disk full"), None).expect("grouped");
    let own = IncidentId::of(&space, first.stamp);
    world.store().lead_group(&space, &hash, &own, None, now).await.expect("written");

    world.deliver([&sender.received(2, now, "disk full\nkey=b")]).await;
    world.feishu("on-call").expects("disk full").await;
    world.deliver([&first]).await; // the message is retried
    assert_eq!(world.alert_counts().await, [2]);
    world.finish().await;
}

#[tokio::test]
async fn an_alert_whose_evaluator_died_between_two_incidents_is_in_the_new_one_after_the_retry() {
    let world = World::start().await;
    let ops = grouped(&world).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    let old = world.only_incident().await;
    old.does("close", &json!({})).await;
    world.feishu("ops").expects("Closed").await;

    // The alert was to join the old incident, which was closed in the meantime. It is now the first alert of its group,
    // and nothing else has happened.
    let space: SpaceId = ops.id.parse().expect("an id");
    let now = world.larkspur.clock.now();
    let message = sender.received(2, now, "disk full\nkey=b");
    let hash = group_key(&by_title(), &alert_of(&sender, message.stamp, "disk full"), None).expect("grouped");
    let own = IncidentId::of(&space, message.stamp);
    let store = world.store();
    let note = Place::Joined(old.id.parse().expect("an id"));
    store.note_place(&own, &note, None, now).await.expect("written");
    let group = store.group(&space, &hash).await.expect("read");
    store.lead_group(&space, &hash, &own, group.as_ref(), now).await.expect("written");

    world.deliver([&message]).await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(world.alert_counts().await, [1, 1]);
    world.finish().await;
}
