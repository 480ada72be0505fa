//! Silences: matching alerts notify nobody for a time. When the silence ends, incidents that it held are notified if
//! they are still open.

use alerting::base::moment::Moment;
use scenarios::space::feishu_bot;
use scenarios::{World, hours, minutes};
use serde_json::{Value, json};

fn everything() -> Value {
    json!({})
}

fn host(name: &str) -> Value {
    json!({"any": [{"all": [{"field": "labels.host", "op": "match", "values": [name]}]}]})
}

#[tokio::test]
async fn an_incident_still_open_when_its_silence_ends_is_notified_then() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let silence = world.silence(&ops.id, &world.silence_for(30, &everything())).await;
    sender.says("disk full\nkey=a").await;
    world.advance(minutes(5)).await;
    sender.says("disk fuller\nkey=a level=critical").await; // a higher severity is also silenced
    let incident = world.only_incident().await;
    let shown = incident.now().await;
    assert_eq!(shown["silenced"]["by"], format!("silence Maintenance ({silence})"), "{shown:#}");
    assert!(shown["silenced"]["until"].is_string() && shown["deliveries"] == json!([]), "{shown:#}");

    world.advance(minutes(23)).await;
    assert!(world.feishu("ops").messages().is_empty());
    world.advance(minutes(3)).await;
    world.feishu("ops").expects_all(&["Silence ended", "Critical", "disk full"]).await;
    assert!(incident.now().await["silenced"].is_null());
    assert_eq!(incident.event_kinds().await, ["triggered", "severity_raised", "silence_ended"]);
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    world.finish().await;
}

#[tokio::test]
async fn an_incident_that_recovers_or_is_closed_in_its_silence_is_recorded_and_never_notified() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    world.silence(&ops.id, &world.silence_for(30, &everything())).await;
    sender.says("disk full\nkey=a").await;
    sender.says("cpu hot\nkey=b").await;
    world.settle().await;
    sender.says("RESOLVED\nkey=a").await;
    world.settle().await;
    for incident in world.incidents_in_order().await {
        if incident.progress().await == "triggered" {
            incident.does("close", &json!({})).await;
        }
    }
    world.advance(hours(1)).await;
    assert_eq!(sender.outcomes().await, ["recovered", "triggered", "triggered"]);
    let incidents = world.api.list("/incidents?progress=closed").await;
    assert_eq!(incidents.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_silence_that_drops_makes_no_incident_and_the_message_log_names_the_silence() {
    let world = World::start().await;
    for grouping in [json!(null), json!({"by": ["title"], "window_minutes": 30})] {
        let group = if grouping.is_null() { "single" } else { "grouped" };
        let space = world.space(group).set("grouping", grouping).notify(feishu_bot(group)).await;
        let sender = world.feishu_alert().monitoring().into(&space).await;
        let mut silence = world.silence_for(30, &host("db-1"));
        silence["then"] = json!("drop");
        let silence = world.silence(&space.id, &silence).await;
        sender.says("disk full\nkey=a host=db-1").await;
        world.settle().await;
        sender.says("disk full\nkey=a host=db-1 level=critical").await;
        world.settle().await;
        sender.says("RESOLVED\nkey=a host=db-1").await;
        world.settle().await;
        let path = format!("/incidents?space={}", space.id);
        assert!(world.api.list(&path).await.is_empty());
        let log = sender.messages().await;
        let row = |place: usize| (log[place]["outcome"].as_str(), log[place]["reason"].as_str().map(str::to_owned));
        assert_eq!(row(0), (Some("recovered"), None));
        assert_eq!(row(2), (Some("triggered"), Some(format!("silenced:{silence}"))));
        let alerts = world.api.list(&format!("/alerts?integration={}", sender.integration)).await;
        assert_eq!((alerts.len(), alerts[0]["status"].as_str()), (1, Some("closed")), "the alert itself is kept");

        // The silence lasts for the whole episode, but not longer.
        sender.says("disk full\nkey=b host=db-1").await;
        world.advance(minutes(31)).await;
        sender.says("disk full\nkey=b host=db-1 level=critical").await;
        world.settle().await;
        assert!(world.api.list(&path).await.is_empty());
        sender.says("disk full\nkey=c host=db-1").await;
        world.feishu(group).expects("disk full").await;
    }
    world.finish().await;
}

#[tokio::test]
async fn only_what_the_filter_takes_is_silent() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    world.silence(&ops.id, &world.silence_for(30, &host("db-*"))).await;
    sender.says("silent\nkey=a host=db-1").await;
    sender.says("loud\nkey=b host=web-1").await;
    world.feishu("ops").expects("loud").await;
    sender.says("loud without a host\nkey=c").await;
    world.feishu("ops").expects("loud without a host").await;
    world.advance(minutes(31)).await;
    world.feishu("ops").expects_all(&["Silence ended", "silent"]).await;
    world.finish().await;
}

/// Kathmandu is 5:45 ahead of UTC all year round.
#[tokio::test]
async fn a_weekly_silence_holds_by_the_clock_of_its_time_zone_and_repeats() {
    const KATHMANDU: i64 = 5 * 3600 + 45 * 60;
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    let weekly = |zone: &str, now: Moment, ahead: i64| {
        let local = |minutes: i64| now.secs() + ahead + minutes * 60;
        let clock = |secs: i64| format!("{:02}:{:02}", secs / 3600 % 24, secs / 60 % 60);
        let weekday = DAYS[usize::try_from((local(-10) / 86_400 + 3) % 7).expect("a weekday")]; // 1970 began on a Thursday
        let windows = json!([{"weekdays": [weekday], "from": clock(local(-10)), "until": clock(local(30))}]);
        json!({"name": zone, "time": {"type": "weekly", "time_zone": zone, "windows": windows}})
    };
    let now = world.larkspur.clock.now();
    // The same hours in the time zone UTC do not include the current time.
    let mut elsewhere = weekly("Asia/Kathmandu", now, KATHMANDU);
    elsewhere["time"]["time_zone"] = json!("UTC");
    let elsewhere = world.silence(&ops.id, &elsewhere).await;
    sender.says("loud\nkey=a").await;
    world.feishu("ops").expects("loud").await;
    let gone = world.api.call("DELETE", &format!("/spaces/{}/silences/{elsewhere}", ops.id), None).await;
    assert_eq!(gone.status, 204);
    world.silence(&ops.id, &weekly("Asia/Kathmandu", now, KATHMANDU)).await;

    sender.says("silent\nkey=b").await;
    world.advance(minutes(20)).await;
    assert_eq!(world.feishu("ops").messages().len(), 1);
    world.advance(minutes(15)).await;
    world.feishu("ops").expects_all(&["Silence ended", "silent"]).await;
    sender.says("loud in between\nkey=c").await;
    world.feishu("ops").expects("loud in between").await;
    world.advance(hours(7 * 24) - minutes(35)).await;
    sender.says("silent again\nkey=d").await;
    world.settle().await;
    sender.says("RESOLVED\nkey=d").await;
    world.finish().await;
}

#[tokio::test]
async fn an_incident_open_before_its_silence_began_is_notified_of_a_rise_and_the_end() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    world.silence(&ops.id, &world.silence_for(30, &everything())).await;
    sender.says("disk fuller\nkey=a level=critical").await;
    world.feishu("ops").expects("Severity raised").await;
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    world.finish().await;
}

#[tokio::test]
async fn an_incident_acknowledged_in_its_silence_is_not_notified_when_it_ends() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    world.silence(&ops.id, &world.silence_for(30, &everything())).await;
    sender.says("disk full\nkey=a").await;
    let incident = world.only_incident().await;
    incident.does("acknowledge", &json!({})).await;
    world.advance(minutes(31)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "acknowledged", "silence_ended"]);
    world.finish().await;
}

#[tokio::test]
async fn a_quick_silence_takes_what_is_like_the_incident_and_nothing_else() {
    // Titles that look like patterns must be taken literally.
    let long = format!("what? {}", "很长的标题".repeat(90));
    for title in ["disk full", "/disk/ full*", "*", "num:gt:90", "cidr:10.0.0.0/8", "(a|b) [c] \\d+$", long.as_str()] {
        let world = World::start().await;
        let ops = world.space("Ops").notify(feishu_bot("ops")).await;
        let sender = world.feishu_alert().monitoring().into(&ops).await;
        sender.posts(title, "key=a host=db-1").await;
        world.feishu("ops").expects("key=a").await;
        let incident = world.only_incident().await;
        let silence = incident.does("silence", &json!({"minutes": 60})).await;
        assert_eq!((&silence["then"], &silence["active"]), (&json!("keep"), &json!(true)), "{silence:#}");
        world.forget().await;

        sender.posts(title, "key=b host=db-1").await;
        for (title, text) in [(title, "key=c host=db-2"), ("another title", "key=d host=db-1")] {
            sender.posts(title, text).await;
            world.feishu("ops").expects(text).await;
        }
        assert!(incident.now().await["silenced"]["by"].is_string(), "the incident itself is silenced too");
        world.advance(minutes(60)).await;
        // Both silences end at the same moment, so one message may show both.
        world.feishu("ops").expects("Silence ended").await;
        world.rest().await;
        world.feishu("ops").accept_all();
        assert!(incident.now().await["silenced"].is_null());
        world.finish().await;
    }
}

#[tokio::test]
async fn a_silenced_alert_and_one_that_is_not_are_never_one_incident() {
    let world = World::start().await;
    let ops = world.space("Ops").grouped_by(&["title"]).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    world.silence(&ops.id, &world.silence_for(20, &host("db-1"))).await;
    sender.says("disk full\nkey=a host=db-1").await;
    world.settle().await;
    sender.says("disk full\nkey=b host=db-2").await;
    world.feishu("ops").expects("db-2").await;
    // This message would raise the severity, but its alert is silenced.
    sender.says("disk full\nkey=c host=db-1 level=critical").await;
    world.settle().await;
    sender.says("disk full\nkey=d host=db-2").await;
    assert_eq!(world.alert_counts().await, [2, 2]);
    world.advance(minutes(21)).await;
    world.feishu("ops").expects_all(&["Silence ended", "Critical", "db-1"]).await;
    for key in ["a", "b", "c", "d"] {
        sender.says(&format!("RESOLVED\nkey={key}")).await;
        world.settle().await;
    }
    world.feishu("ops").expects("Recovered").await;
    world.feishu("ops").expects("Recovered").await;
    world.finish().await;
}
