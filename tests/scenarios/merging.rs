//! Incidents of one space are merged by hand. Later changes of their alerts apply to the incident that they were merged
//! into.

use scenarios::incident::Incident;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, minutes};
use serde_json::json;

/// Creates a space with two incidents, `a` and then `b`, which are notified. Returns the space and its sender.
async fn two_incidents(world: &World) -> (Space, Sender) {
    let ops = world.space("Ops").grouped_by(&["title"]).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for (title, key) in [("disk full", "a"), ("cpu hot", "b")] {
        sender.says(&format!("{title}\nkey={key}")).await;
        world.feishu("ops").expects(title).await;
    }
    (ops, sender)
}

async fn both(world: &World) -> (Incident<'_>, Incident<'_>) {
    let mut all = world.incidents_in_order().await;
    let second = all.remove(1);
    (all.remove(0), second)
}

async fn merge(into: &Incident<'_>, from: &Incident<'_>) {
    into.does("merge", &json!({"incidents": [from.id]})).await;
}

#[tokio::test]
async fn a_merged_incident_closes_and_its_alerts_count_in_the_other() {
    let world = World::start().await;
    let (_ops, sender) = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    merge(&b, &a).await;
    let shown = a.now().await;
    assert_eq!((&shown["progress"], &shown["merged_into"]), (&json!("closed"), &json!(b.id)), "{shown:#}");
    assert_eq!(b.now().await["alert_count"], 2);

    sender.says("RESOLVED\nkey=b").await;
    world.settle().await;
    assert_eq!(b.progress().await, "triggered", "the merged alert is open");
    sender.says("worse\nkey=a level=critical").await;
    world.feishu("ops").expects_all(&["Severity raised", "cpu hot"]).await;
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects_all(&["Recovered", "cpu hot"]).await;
    assert_eq!(a.event_kinds().await, ["triggered", "merged_away"]);
    assert_eq!(b.event_kinds().await, ["triggered", "merged", "alert_recovered", "severity_raised", "recovered"]);
    world.finish().await;
}

#[tokio::test]
async fn acting_on_a_merged_incident_is_refused_and_the_refusal_names_the_other() {
    let world = World::start().await;
    let _ = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    merge(&b, &a).await;
    for (action, body) in [
        ("acknowledge", json!({})),
        ("unacknowledge", json!({})),
        ("snooze", json!({"minutes": 10})),
        ("close", json!({})),
        ("reopen", json!({})),
        ("escalate", json!({})),
        ("comments", json!({"text": "anyone?"})),
        ("merge", json!({"incidents": [b.id]})),
    ] {
        let answer = a.tries(action, &body).await;
        assert_eq!(answer.status, 409, "{action}: {}", answer.text);
        assert!(answer.text.contains(&b.id), "{action}: {}", answer.text);
    }
    assert_eq!(world.api.list("/alerts?status=open").await.len(), 2);
    assert_eq!((b.progress().await.as_str(), b.event_kinds().await.len()), ("triggered", 2));
    world.finish().await;
}

#[tokio::test]
async fn a_closed_incident_an_unknown_one_itself_and_one_of_another_space_are_refused() {
    let world = World::start().await;
    let _ = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    let dba = world.space("DBA").notify(feishu_bot("dba")).await;
    world.feishu_alert().monitoring().into(&dba).await.says("lag\nkey=c").await;
    world.feishu("dba").expects("lag").await;
    let foreign = world.api.list(&format!("/incidents?space={}", dba.id)).await[0]["id"].clone();
    for (other, status) in [(foreign, 400), (json!(b.id), 400), (json!("inc_01ARZ3NDEKTSV4RRFFQ69G5FAVa"), 400)] {
        let answer = b.tries("merge", &json!({"incidents": [other]})).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains("incidents"), "the field is named: {}", answer.text);
    }
    b.does("close", &json!({})).await;
    world.feishu("ops").expects("Closed").await;
    let answer = b.tries("merge", &json!({"incidents": [a.id]})).await;
    assert_eq!((answer.status, a.progress().await.as_str()), (409, "triggered"), "{}", answer.text);
    world.finish().await;
}

#[tokio::test]
async fn a_merge_that_is_sent_twice_is_applied_once() {
    let world = World::start().await;
    let _ = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    let body = json!({"incidents": [a.id, a.id]});
    b.does("merge", &body.clone()).await;
    b.does("merge", &body).await;
    assert_eq!((a.event_kinds().await.len(), b.event_kinds().await.len()), (2, 2));
    assert_eq!(b.now().await["alert_count"], 2);
    world.finish().await;
}

#[tokio::test]
async fn many_are_merged_at_once_and_a_merged_one_can_be_merged_on() {
    let world = World::start().await;
    let (_ops, sender) = two_incidents(&world).await;
    for (title, key) in [("lag", "c"), ("swap", "d")] {
        sender.says(&format!("{title}\nkey={key}")).await;
        world.feishu("ops").expects(title).await;
    }
    let all = world.incidents_in_order().await;
    all[1].does("merge", &json!({"incidents": [all[0].id]})).await;
    all[3].does("merge", &json!({"incidents": [all[1].id, all[2].id]})).await;
    assert_eq!(all[3].now().await["alert_count"], 4);
    for key in ["a", "b", "d", "c"] {
        sender.says(&format!("RESOLVED\nkey={key}")).await;
        world.settle().await;
    }
    world.feishu("ops").expects_all(&["Recovered", "swap"]).await;
    world.finish().await;
}

#[tokio::test]
async fn closing_the_other_closes_the_merged_alerts_too() {
    let world = World::start().await;
    let (_ops, sender) = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    merge(&b, &a).await;
    b.does("close", &json!({})).await;
    world.feishu("ops").expects("Closed").await;
    assert!(world.api.list("/alerts?status=open").await.is_empty());
    sender.says("RESOLVED\nkey=a").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await[0], "discarded");
    world.finish().await;
}

#[tokio::test]
async fn the_next_alert_of_a_merged_group_joins_the_other_within_its_window_and_not_after_it() {
    let world = World::start().await;
    let (_ops, sender) = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    merge(&b, &a).await;
    sender.says("disk full\nkey=c").await;
    world.settle().await;
    assert_eq!(b.now().await["alert_count"], 3);
    world.advance(minutes(31)).await;
    sender.says("disk full\nkey=d").await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(world.alert_counts().await, [1, 3, 1]);
    world.finish().await;
}

/// Twenty alerts are processed while their incident is merged. Each alert ends up in one of the two incidents, and all
/// of them recover in the end.
#[tokio::test]
async fn alerts_that_arrive_while_incidents_are_merged_are_not_lost() {
    let world = World::start().await;
    let (_ops, sender) = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    let now = world.larkspur.clock.now();
    let messages: Vec<_> =
        (0..20).map(|number| sender.received(number, now, &format!("disk full\nkey=k{number}"))).collect();
    let recovery = sender.received(100, now, "RESOLVED\nkey=a");
    tokio::join!(world.deliver(messages.iter().chain([&recovery])), merge(&b, &a));
    world.settle().await;
    world.feishu("ops").accept_all(); // a race decides whether `a` recovers by itself or as part of `b`
    let counts = world.alert_counts().await;
    let alerts = world.api.list("/alerts").await.len();
    assert_eq!(alerts, 22);
    let mut all = std::collections::BTreeSet::new();
    for incident in world.incidents_in_order().await {
        let shown = incident.now().await;
        if shown["merged_into"].is_null() {
            all.extend(shown["alerts"].as_array().expect("alerts").iter().map(|id| id.to_string()));
        }
    }
    assert_eq!(all.len(), alerts, "every alert is in an incident: {counts:?}");
    for number in 0..20 {
        sender.says(&format!("RESOLVED\nkey=k{number}")).await;
    }
    sender.says("RESOLVED\nkey=b").await;
    world.settle().await;
    assert!(world.api.list("/incidents?progress=triggered").await.is_empty(), "nothing is left open");
    world.feishu("ops").accept_all();
    world.finish().await;
}

// Proves: finding F4
#[tokio::test]
async fn of_two_incidents_merged_into_each_other_at_once_one_stays_open_with_all_alerts() {
    let world = World::start().await;
    let (_ops, sender) = two_incidents(&world).await;
    let (a, b) = both(&world).await;
    let (body_a, body_b) = (json!({"incidents": [a.id]}), json!({"incidents": [b.id]}));
    let (one, other) = tokio::join!(b.tries("merge", &body_a), a.tries("merge", &body_b));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text, other.text);
    let open = world.api.list("/incidents?progress=triggered").await;
    assert_eq!((open.len(), &open[0]["alert_count"]), (1, &json!(2)), "{open:#?}");
    sender.says("worse\nkey=a level=critical").await;
    world.feishu("ops").expects("Severity raised").await;
    world.finish().await;
}
