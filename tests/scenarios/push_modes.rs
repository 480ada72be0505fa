//! The integration's push mode decides whether a message opens, updates or closes an alert.

use scenarios::space::feishu_bot;
use scenarios::{World, hours, minutes};
use serde_json::json;

#[tokio::test]
async fn a_recovery_message_closes_the_alert_and_notifies_the_same_group() {
    let world = World::start().await;
    let dba = world.space("DBA").notify(feishu_bot("dba-group")).await;
    let disk = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&dba).await;

    disk.says("disk full host=db-1").await;
    world.feishu("dba-group").expects_all(&["disk full", "#"]).await;

    world.advance(minutes(5)).await;
    disk.says("RESOLVED host=db-1").await;
    world.feishu("dba-group").expects("Recovered").await;
    assert_eq!(disk.outcomes().await, ["recovered", "triggered"]);
    world.finish().await;
}

/// The example of the original specification: trigger on all messages, close if the content contains RESOLVED, and take
/// the key from the title with `/(.*)/`.
#[tokio::test]
async fn the_seed_s_example_works_as_written() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().close_when("RESOLVED").key_from_title("/(.*)/").into(&ops).await;

    sender.posts("Disk full on db-1", "used 96%").await;
    world.feishu("ops").expects("Disk full on db-1").await;
    sender.posts("Disk full on db-1", "used 97%").await;
    sender.posts("Disk full on db-1", "RESOLVED: used 41%").await;
    world.feishu("ops").expects_all(&["Recovered", "Disk full on db-1"]).await;

    let alerts = world.api.list("/alerts").await;
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0]["status"].as_str(), alerts[0]["count"].as_u64()), (Some("closed"), Some(2)));
    assert_eq!(alerts[0]["alert_key"], "Disk full on db-1");
    assert_eq!(alerts[0]["severity"], "Warning");
    world.finish().await;
}

/// A capture group pairs titles that differ only in FIRING and RESOLVED.
#[tokio::test]
async fn titles_that_differ_by_firing_and_resolved_pair_by_a_capture_group() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let plan = world.feishu_alert().set("title_from", json!("first_line")).close_when("RESOLVED");
    let sender = plan.key_from_title(r"/\[(?:FIRING|RESOLVED)\] (.*)/").into(&ops).await;

    sender.says("[FIRING] High CPU on web-01\ncpu_usage=97%\nRESOLVED is not said here").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["discarded"], "a close with nothing open is recorded as discarded");

    sender.says("[FIRING] High CPU on web-01\ncpu_usage=97%").await;
    world.feishu("ops").expects("High CPU on web-01").await;
    sender.says("[RESOLVED] High CPU on web-01\nRESOLVED cpu_usage=41%").await;
    world.feishu("ops").expects_all(&["Recovered", "High CPU on web-01"]).await;

    let alerts = world.api.list("/alerts?status=closed").await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["alert_key"], "High CPU on web-01");
    world.finish().await;
}

#[tokio::test]
async fn in_the_mode_each_message_every_message_is_an_alert_that_closes_by_itself() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("auto_close_hours", json!(2)).into(&ops).await;

    sender.says("backup failed").await;
    world.feishu("ops").expects("Feishu Alert").await;
    sender.says("backup failed").await;
    world.feishu("ops").expects("Feishu Alert").await;
    assert_eq!(world.api.list("/alerts?status=open").await.len(), 2);

    world.advance(hours(2) + minutes(2)).await;
    let closed = world.api.list("/alerts?status=closed").await;
    assert_eq!(closed.len(), 2, "{closed:#?}");
    assert_eq!(world.api.list("/incidents?progress=closed").await.len(), 2);
    world.finish().await; // nobody was notified that they closed
}

#[tokio::test]
async fn by_title_an_open_alert_is_updated_and_only_its_trigger_is_notified() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("push_mode", json!({"type": "by_title"})).into(&ops).await;

    sender.posts("replication lag", "12 s").await;
    world.feishu("ops").expects("replication lag").await;
    sender.posts("replication lag", "40 s").await;
    sender.posts("another title", "x").await;
    world.feishu("ops").expects("another title").await;
    world.settle().await;

    let alerts = world.api.list("/alerts").await;
    let lag = alerts.iter().find(|alert| alert["title"] == "replication lag").expect("listed");
    assert_eq!((lag["count"].as_u64(), lag["description"].as_str()), (Some(2), Some("40 s")));
    world.finish().await;
}

#[tokio::test]
async fn a_worse_severity_from_the_pipeline_is_notified() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let critical = json!({"any": [{"all": [{"field": "content", "op": "match", "values": ["/critical/i"]}]}]});
    let sender = world
        .feishu_alert()
        .set("push_mode", json!({"type": "by_title"}))
        .set("pipeline", json!([{"when": critical, "set_severity": "Critical"}]))
        .into(&ops)
        .await;

    sender.posts("disk", "used 90%").await;
    world.feishu("ops").expects_all(&["Warning", "disk"]).await;
    sender.posts("disk", "CRITICAL: used 99%").await;
    world.feishu("ops").expects_all(&["Critical", "disk"]).await;
    world.finish().await;
}

// Proves: fault 90
#[tokio::test]
async fn over_the_cap_of_open_alerts_a_message_updates_the_one_that_says_so() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("limits", json!({"open_alerts": 2})).into(&ops).await;
    for text in ["one", "two"] {
        sender.says(text).await;
        world.feishu("ops").expects(text).await;
    }
    for text in ["three", "four"] {
        sender.says(text).await;
        world.settle().await;
    }
    world.feishu("ops").expects("2 alerts are open").await;
    let messages = sender.messages().await;
    let reasons: Vec<_> =
        messages.iter().map(|message| (message["outcome"].as_str(), message["reason"].as_str())).collect();
    assert_eq!(reasons[..2], [(Some("updated"), Some("open_alert_cap")), (Some("triggered"), Some("open_alert_cap"))]);
    world.finish().await;
}
