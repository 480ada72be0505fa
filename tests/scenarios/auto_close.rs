//! Incidents that close automatically: a fixed time after the trigger, or after a time without messages.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::incident::timer::WINDOW;
use alerting::rules::message::Received;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, hours, minutes};
use serde_json::json;

async fn space(world: &World, since: &str) -> Space {
    let auto_close = json!({"after_minutes": 60, "since": since});
    world.space("Ops").set("auto_close", auto_close).grouped_by(&["title"]).notify(feishu_bot("ops")).await
}

/// Opens two alerts of one incident, which is notified.
async fn opens(world: &World, sender: &Sender) {
    for key in ["a", "b"] {
        sender.says(&format!("disk full\nkey={key}")).await;
        world.settle().await;
    }
    world.feishu("ops").expects("disk full").await;
}

async fn open_alerts(world: &World) -> usize {
    world.api.list("/alerts?status=open").await.len()
}

#[tokio::test]
async fn an_hour_after_its_trigger_an_incident_closes_with_its_alerts_and_nobody_is_notified() {
    let world = World::start().await;
    let ops = space(&world, "trigger").await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    opens(&world, &sender).await;
    world.advance(minutes(58)).await;
    sender.says("disk full\nkey=a still").await; // an update changes nothing
    let incident = world.only_incident().await;
    assert_eq!((incident.progress().await.as_str(), open_alerts(&world).await), ("triggered", 2));
    world.advance(minutes(3)).await;
    assert_eq!((incident.progress().await.as_str(), open_alerts(&world).await), ("closed", 0));
    assert_eq!(incident.event_kinds().await, ["triggered", "alert_joined", "auto_closed"]);

    // A later message of the source opens a new alert.
    sender.says("RESOLVED\nkey=a").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await[0], "discarded");
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(world.alert_counts().await, [2, 1]);
    world.finish().await;
}

#[tokio::test]
async fn the_age_of_an_incident_counts_from_the_last_message_of_any_of_its_alerts() {
    let world = World::start().await;
    let ops = space(&world, "last_news").await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    opens(&world, &sender).await;
    let incident = world.only_incident().await;
    for _ in 0..3 {
        world.advance(minutes(50)).await;
        sender.says("disk full\nkey=b").await; // the same text as before
    }
    world.advance(minutes(58)).await;
    assert_eq!((incident.progress().await.as_str(), open_alerts(&world).await), ("triggered", 2));
    world.advance(minutes(3)).await;
    assert_eq!((incident.progress().await.as_str(), open_alerts(&world).await), ("closed", 0));
    world.finish().await;
}

#[tokio::test]
async fn an_incident_that_someone_works_on_closes_all_the_same_and_one_that_is_closed_stays_as_it_is() {
    let world = World::start().await;
    let ops = space(&world, "last_news").await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    opens(&world, &sender).await;
    let first = world.only_incident().await;
    first.does("acknowledge", &json!({})).await;
    world.feishu("ops").expects("Acknowledged").await;
    sender.says("cpu hot\nkey=c").await;
    world.feishu("ops").expects("cpu hot").await;
    sender.says("RESOLVED\nkey=c").await;
    world.feishu("ops").expects("Recovered").await;
    world.advance(minutes(61)).await;
    assert_eq!(first.event_kinds().await, ["triggered", "alert_joined", "acknowledged", "auto_closed"]);
    assert_eq!(world.incident().await.event_kinds().await, ["triggered", "recovered"]);
    world.finish().await;
}

#[tokio::test]
async fn an_incident_that_was_merged_away_takes_its_alerts_to_where_they_belong_and_does_not_close_them_there() {
    let world = World::start().await;
    let auto_close = json!({"after_minutes": 60, "since": "trigger"});
    let ops = world.space("Ops").set("auto_close", auto_close).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    world.advance(minutes(30)).await;
    sender.says("cpu hot\nkey=b").await;
    world.feishu("ops").expects("cpu hot").await;
    let incidents = world.incidents_in_order().await;
    let (first, second) = (&incidents[0], &incidents[1]);
    second.does("merge", &json!({"incidents": [first.id]})).await;

    world.advance(minutes(31)).await;
    assert_eq!((second.progress().await.as_str(), open_alerts(&world).await), ("triggered", 2));
    world.advance(minutes(30)).await;
    assert_eq!((second.progress().await.as_str(), open_alerts(&world).await), ("closed", 0));
    world.finish().await;
}

#[tokio::test]
async fn alerts_that_no_message_closes_end_one_by_one_and_their_incident_with_the_last() {
    let world = World::start().await;
    let ops = world.space("Ops").grouped_by(&["title"]).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("auto_close_hours", json!(1)).into(&ops).await;
    sender.says("backup failed").await;
    world.feishu("ops").expects("backup failed").await;
    world.advance(minutes(20)).await;
    sender.says("backup failed").await;
    let incident = world.only_incident().await;
    world.advance(minutes(41)).await;
    assert_eq!((incident.progress().await.as_str(), open_alerts(&world).await), ("triggered", 1));
    world.advance(minutes(20)).await;
    assert_eq!((incident.progress().await.as_str(), open_alerts(&world).await), ("closed", 0));
    assert_eq!(incident.event_kinds().await, ["triggered", "alert_joined", "alert_recovered", "auto_closed"]);
    world.advance(hours(1)).await;
    world.finish().await;
}

#[tokio::test]
async fn a_burst_that_no_message_closes_costs_one_timer_and_ends_all_the_same() {
    let world = World::start().await;
    let ops = world.space("Ops").make().await;
    let sender = world.feishu_alert().set("auto_close_hours", json!(1)).into(&ops).await;
    // The times are the first and the last instant of ten seconds, and the first instant of the next ten seconds.
    let start = Moment::from_millis((world.larkspur.clock.now().millis() / 10_000 + 1) * 10_000);
    let at = |number| match number {
        0..20 => start,
        20..40 => start + WINDOW - Duration::from_millis(1),
        _ => start + WINDOW,
    };
    let burst: Vec<Received> = (0..60).map(|number| sender.received(number, at(number), "backup failed")).collect();
    world.deliver(burst.iter().chain(&burst)).await;
    world.settle().await;
    assert_eq!(open_alerts(&world).await, 60);
    let timers = world.store().due_timers(start + 2 * hours(1), 100).await.expect("read");
    assert_eq!(timers.len(), 2, "{timers:?}");

    world.advance_to(&(start + hours(1) - minutes(1)).rfc3339()).await;
    assert_eq!(open_alerts(&world).await, 60, "none before its time");
    world.advance(minutes(2)).await;
    assert_eq!(open_alerts(&world).await, 0);
    assert_eq!(world.api.list("/incidents?progress=closed").await.len(), 60);
    world.finish().await;
}
