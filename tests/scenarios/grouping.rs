//! Grouping of alerts into incidents: which alert joins which incident, who is notified, and when the incident ends.

use alerting::base::moment::Moment;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, minutes};
use serde_json::{Value, json};

/// A space that groups its alerts by these fields and notifies the group "ops".
async fn grouped(world: &World, by: &[&str]) -> Space {
    world.space("Ops").grouped_by(by).notify(feishu_bot("ops")).await
}

#[tokio::test]
async fn without_grouping_every_alert_is_an_incident_of_its_own() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for key in ["a", "b"] {
        sender.says(&format!("disk full\nkey={key} host=db-1")).await;
        world.feishu("ops").expects("disk full").await;
    }
    assert_eq!(world.alert_counts().await, [1, 1]);
    world.finish().await;
}

/// The fields to group by, and three messages, each with the number of its sender.
type Row<'a> = (&'a [&'a str], [(usize, &'a str); 3]);

#[tokio::test]
async fn alerts_that_are_equal_in_all_of_what_they_are_grouped_by_are_one_incident() {
    // For each space: the fields to group by, two alerts of the same incident, and one alert of another incident. The
    // number before a message is that of its sender.
    let rows: [Row; 6] = [
        (&["title"], [(0, "disk full\nkey=a"), (1, "disk full\nkey=b"), (0, "disk failed\nkey=c")]),
        (&["severity"], [(0, "one\nkey=a level=critical"), (1, "two\nkey=b level=critical"), (0, "three\nkey=c")]),
        (&["alert_key"], [(0, "one\nkey=a"), (1, "two\nkey=a"), (0, "three\nkey=c")]),
        (&["integration"], [(0, "one\nkey=a"), (0, "two\nkey=b"), (1, "three\nkey=c")]),
        (&["labels.host"], [(0, "one\nkey=a host=db-1"), (1, "two\nkey=b host=db-1"), (0, "three\nkey=c host=db-2")]),
        (
            &["title", "labels.host"],
            [(0, "full\nkey=a host=db-1"), (1, "full\nkey=b host=db-1"), (0, "full\nkey=c host=db-2")],
        ),
    ];
    let world = World::start().await;
    for (number, (by, messages)) in rows.into_iter().enumerate() {
        let group = format!("group-{number}");
        let space = world.space(&group).grouped_by(by).notify(feishu_bot(&group)).await;
        let senders = [
            world.feishu_alert().monitoring().into(&space).await,
            world.feishu_alert().monitoring().into(&space).await,
        ];
        for (sender, text) in messages {
            senders[sender].says(text).await;
            world.settle().await;
        }
        let title = |place: usize| messages[place].1.lines().next().expect("a title");
        world.feishu(&group).expects(title(0)).await;
        world.feishu(&group).expects(title(2)).await;
        let incidents = world.api.list(&format!("/incidents?space={}", space.id)).await;
        let counts: Vec<_> = incidents.iter().map(|one| one["alert_count"].as_u64()).collect();
        assert_eq!(counts, [Some(1), Some(2)], "by {by:?}: {incidents:#?}");
    }
    world.finish().await; // nobody was notified of the alerts that joined
}

#[tokio::test]
async fn grouped_by_nothing_all_alerts_of_the_space_are_one_incident() {
    let world = World::start().await;
    let ops = grouped(&world, &[]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for text in ["disk full\nkey=a host=db-1", "replication lag\nkey=b level=warning", "no key"] {
        sender.says(text).await;
        world.settle().await;
    }
    world.feishu("ops").expects("disk full").await;
    assert_eq!(world.alert_counts().await, [3]);
    world.finish().await;
}

#[tokio::test]
async fn an_alert_that_lacks_a_value_is_strictly_its_own_incident_and_leniently_equal_to_others_that_lack_it() {
    let world = World::start().await;
    for (empty_values, counts) in [("strict", vec![1, 1, 2]), ("lenient", vec![2, 2])] {
        let by = json!({"by": ["title", "labels.host"], "window_minutes": 30, "empty_values": empty_values});
        let plan = world.space(empty_values).set("grouping", by);
        let space = plan.notify(feishu_bot(empty_values)).await;
        let sender = world.feishu_alert().monitoring().into(&space).await;
        for text in ["lacks\nkey=a", "lacks\nkey=b", "lacks\nkey=c host=db-1", "lacks\nkey=d host=db-1"] {
            sender.says(text).await;
            world.settle().await;
        }
        for _ in &counts {
            world.feishu(empty_values).expects("lacks").await;
        }
        let incidents = world.api.list(&format!("/incidents?space={}", space.id)).await;
        let found: Vec<_> = incidents.iter().rev().filter_map(|one| one["alert_count"].as_u64()).collect();
        assert_eq!(found, counts, "{empty_values}");
    }
    world.finish().await;
}

// Proves: one-incident
#[tokio::test]
async fn each_alert_that_joins_extends_the_window_and_after_it_a_new_incident_is_made() {
    let world = World::start().await;
    let ops = grouped(&world, &["title"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    for key in ["b", "c"] {
        world.advance(minutes(29)).await;
        sender.says(&format!("disk full\nkey={key}")).await;
        world.settle().await;
    }
    assert_eq!(world.alert_counts().await, [3]);
    // An update of an alert does not count as a joining alert.
    world.advance(minutes(29)).await;
    sender.says("disk full\nkey=a still").await;
    world.advance(minutes(2)).await;
    sender.says("disk full\nkey=d").await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(world.alert_counts().await, [3, 1]);
    world.finish().await;
}

#[tokio::test]
async fn alerts_of_two_integrations_are_one_incident_notified_when_it_gets_worse_and_when_all_have_recovered() {
    let world = World::start().await;
    let ops = grouped(&world, &["labels.app"]).await;
    let one = world.feishu_alert().monitoring().into(&ops).await;
    let other = world.feishu_alert().monitoring().into(&ops).await;
    one.says("slow\nkey=a app=shop").await;
    world.feishu("ops").expects_all(&["slow", "Warning"]).await;
    other.says("slower\nkey=a app=shop").await;
    world.settle().await;
    other.says("down\nkey=b app=shop level=critical").await;
    world.feishu("ops").expects_all(&["Severity raised", "Critical"]).await;
    one.says("worse\nkey=c app=shop level=critical").await; // the incident already has this severity
    world.settle().await;

    let incident = world.only_incident().await;
    assert_eq!(incident.now().await["severity"], "Critical", "the highest of its alerts");
    assert_eq!(incident.now().await["alert_count"], 4);
    for (sender, key) in [(&other, "b"), (&one, "a"), (&other, "a")] {
        sender.says(&format!("RESOLVED\nkey={key}")).await;
        world.settle().await;
        assert_eq!(incident.progress().await, "triggered", "others are open");
    }
    one.says("RESOLVED\nkey=c").await;
    world.feishu("ops").expects("Recovered").await;
    let joined = ["alert_joined", "severity_raised", "alert_joined"];
    let recovered = ["alert_recovered", "alert_recovered", "alert_recovered", "recovered"];
    assert_eq!(incident.event_kinds().await, [&["triggered"][..], &joined, &recovered].concat());
    world.finish().await;
}

#[tokio::test]
async fn an_alert_that_joined_and_becomes_worse_raises_its_incident_once() {
    let world = World::start().await;
    let ops = grouped(&world, &["labels.app"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("slow\nkey=a app=shop").await;
    world.feishu("ops").expects("slow").await;
    sender.says("slow too\nkey=b app=shop").await;
    world.settle().await;
    sender.says("down\nkey=b app=shop level=critical").await;
    world.feishu("ops").expects_all(&["Severity raised", "Critical"]).await;
    sender.says("down too\nkey=a app=shop level=critical").await;
    assert_eq!(world.alert_counts().await, [2]);
    world.finish().await;
}

#[tokio::test]
async fn closing_by_hand_closes_all_alerts_and_the_next_one_makes_a_new_incident() {
    let world = World::start().await;
    let ops = grouped(&world, &["title"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for key in ["a", "b", "c"] {
        sender.says(&format!("disk full\nkey={key}")).await;
        world.settle().await;
    }
    world.feishu("ops").expects("disk full").await;
    let first = world.only_incident().await;
    first.does("close", &json!({})).await;
    world.feishu("ops").expects("Closed").await;
    assert_eq!(world.api.list("/alerts?status=closed").await.len(), 3);

    sender.says("RESOLVED\nkey=b").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await[0], "discarded", "nothing of it is open");
    assert_eq!(first.progress().await, "closed");
    sender.says("disk full\nkey=b").await;
    world.feishu("ops").expects("disk full").await;
    sender.says("disk full\nkey=d").await;
    assert_eq!(world.alert_counts().await, [3, 2]);
    assert_eq!(first.progress().await, "closed");
    world.finish().await;
}

#[tokio::test]
async fn the_next_alert_after_all_have_recovered_makes_a_new_incident() {
    let world = World::start().await;
    let ops = grouped(&world, &["title"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    sender.says("disk full\nkey=b").await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(world.alert_counts().await, [1, 1]);
    world.finish().await;
}

#[tokio::test]
async fn a_reopened_incident_takes_the_next_alert_again() {
    let world = World::start().await;
    let ops = grouped(&world, &["title"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for key in ["a", "b"] {
        sender.says(&format!("disk full\nkey={key}")).await;
        world.settle().await;
    }
    world.feishu("ops").expects("disk full").await;
    for key in ["a", "b"] {
        sender.says(&format!("RESOLVED\nkey={key}")).await;
        world.settle().await;
    }
    world.feishu("ops").expects("Recovered").await;
    world.only_incident().await.does("reopen", &json!({})).await;
    world.feishu("ops").expects("Reopened").await;
    sender.says("disk full\nkey=c").await;
    assert_eq!(world.alert_counts().await, [3]);
    world.finish().await;
}

#[tokio::test]
async fn each_storm_threshold_warns_once() {
    let world = World::start().await;
    let grouping = json!({"by": ["title"], "window_minutes": 30, "storm_thresholds": [5, 3]});
    let ops = world.space("Ops").set("grouping", grouping).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    for key in 1..=7 {
        sender.says(&format!("disk full\nkey=k{key}")).await;
        world.settle().await;
        match key {
            1 => drop(world.feishu("ops").expects("disk full").await),
            3 | 5 => drop(world.feishu("ops").expects_all(&["Alert storm", "disk full"]).await),
            _ => {}
        }
    }
    let story = world.only_incident().await.event_kinds().await;
    assert_eq!(story.iter().filter(|kind| *kind == "storm_warning").count(), 2, "{story:?}");
    world.finish().await;
}

#[tokio::test]
async fn title_and_severity_that_a_person_has_set_stay_when_alerts_join_or_get_worse() {
    let world = World::start().await;
    let ops = grouped(&world, &["labels.app"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("slow\nkey=a app=shop").await;
    world.feishu("ops").expects("slow").await;
    let incident = world.only_incident().await;
    incident.edit(&json!({"title": "The shop is slow", "severity": "Info"})).await;
    sender.says("down\nkey=b app=shop level=critical").await;
    world.settle().await;
    sender.says("down\nkey=a app=shop level=critical").await;
    world.settle().await;
    let shown = incident.now().await;
    assert_eq!((&shown["title"], &shown["severity"]), (&json!("The shop is slow"), &json!("Info")));
    assert_eq!(shown["alert_count"], 2);
    for key in ["a", "b"] {
        sender.says(&format!("RESOLVED\nkey={key}")).await;
    }
    world.feishu("ops").expects_all(&["Recovered", "The shop is slow", "Info"]).await;
    world.finish().await;
}

#[tokio::test]
async fn a_timeline_longer_than_its_incident_has_room_for_is_complete_and_in_order() {
    let world = World::start().await;
    let ops = grouped(&world, &["title"]).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=first").await;
    world.feishu("ops").expects("disk full").await;
    let incident = world.only_incident().await;
    for round in 0..9 {
        for number in 0..15 {
            sender.says(&format!("disk full\nkey=k{round}-{number}")).await;
        }
        world.settle().await;
        incident.does("comments", &json!({"text": format!("round {round}")})).await;
    }
    // Entries with long texts fill the incident before the number of entries reaches its limit.
    for round in 9..59 {
        let text = format!("round {round} {}", "告警".repeat(1900));
        incident.does("comments", &json!({"text": text})).await;
    }
    let timeline = incident.now().await["timeline"].as_array().expect("a timeline").clone();
    let of = |kind: &str| timeline.iter().filter(|entry| entry["kind"] == kind).count();
    assert_eq!((of("triggered"), of("alert_joined"), of("commented")), (1, 135, 59));
    let time = |entry: &Value| Moment::parse_rfc3339(entry["at"].as_str().expect("a text")).expect("a time");
    let times: Vec<_> = timeline.iter().map(time).collect();
    assert!(times.is_sorted());
    let comments = timeline.iter().filter(|entry| entry["kind"] == "commented");
    for (round, entry) in comments.enumerate() {
        let text = entry["detail"].as_str().expect("a text");
        assert!(text.split(' ').nth(1) == Some(&round.to_string()), "{round}: {text}");
    }
    world.finish().await;
}
