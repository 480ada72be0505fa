//! Escalation: the first rule that matches notifies its levels one after the other, until someone acknowledges the
//! incident.

use scenarios::escalation::{group, level, members, on_call, team};
use scenarios::people::Member;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, hours, minutes, seconds};
use serde_json::json;

/// Creates a member with a private chat of the same name.
async fn person(world: &World, name: &str) -> Member {
    world.member(name).chat(feishu_bot(name)).make().await
}

async fn space(world: &World) -> (Space, Sender) {
    let space = world.space("Payments").make().await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&space).await;
    (space, sender)
}

#[tokio::test]
async fn the_first_rule_whose_hours_and_filter_match_takes_the_incident() {
    let world = World::start_at("2037-03-03T12:00:00Z").await; // a Tuesday
    let [night, databases, rest] =
        [person(&world, "night").await, person(&world, "databases").await, person(&world, "rest").await];
    let (payments, sender) = space(&world).await;
    let window = json!({"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "18:00", "until": "08:00"});
    let hours = json!({"time_zone": "Europe/Berlin", "windows": [window]});
    world.rule(&payments, "Nights").set("hours", hours).levels([members(&[&night])]).await;
    world.rule(&payments, "Databases").when("description", "/db-/").levels([members(&[&databases])]).await;
    world.rule(&payments, "Rest").levels([members(&[&rest])]).await;

    sender.says("slow host=db-1").await;
    world.feishu("databases").expects("host=db-1").await;
    sender.says("slow host=web-1").await;
    world.feishu("rest").expects("host=web-1").await;
    world.advance_to("2037-03-03T16:59:00Z").await; // 17:59 in Berlin
    sender.says("slow host=db-2").await;
    world.feishu("databases").expects("host=db-2").await;
    world.advance_to("2037-03-03T17:00:00Z").await;
    sender.says("slow host=db-3").await;
    world.feishu("night").expects("host=db-3").await;
    world.advance_to("2037-03-04T06:59:00Z").await;
    sender.says("slow host=web-4").await;
    world.feishu("night").expects("host=web-4").await;
    world.advance_to("2037-03-07T17:30:00Z").await; // a Saturday
    sender.says("slow host=db-5").await;
    world.feishu("databases").expects("host=db-5").await;
    assert_eq!(world.incident().await.now().await["escalation"]["rule_name"], "Databases");
    world.finish().await;
}

#[tokio::test]
async fn where_no_rule_matches_the_space_s_own_destinations_are_notified_if_there_are_any() {
    let world = World::start().await;
    let li = person(&world, "li").await;
    let with = world.space("With").notify(feishu_bot("ops")).await;
    let without = world.space("Without").make().await;
    for space in [&with, &without] {
        world.rule(space, "Databases").when("description", "/db-/").levels([members(&[&li])]).await;
    }
    let (to_with, to_without) = (world.feishu_alert().into(&with).await, world.feishu_alert().into(&without).await);

    to_with.says("slow host=db-1").await;
    world.feishu("li").expects("host=db-1").await;
    to_with.says("slow host=web-1").await;
    world.feishu("ops").expects("host=web-1").await;
    to_without.says("slow host=web-2").await;
    let incident = world.incident().await;
    assert_eq!(incident.entry_kinds().await, ["triggered"]);
    let why = "nobody is told: no escalation rule matches, and the space has no destinations";
    assert_eq!(incident.details("triggered").await, [why]);
    world.finish().await;
}

// Proves: someone-notified
#[tokio::test]
async fn the_second_level_is_notified_after_half_an_hour_without_acknowledgement() {
    let world = World::start().await;
    let [li, wang, zhao] = [person(&world, "li").await, person(&world, "wang").await, person(&world, "zhao").await];
    let dba = world.team("DBA", &[&wang, &zhao]).await;
    let group_bot = feishu_bot("dba").make(&world).await;
    let (payments, sender) = space(&world).await;
    // Zhao is named twice but notified once.
    let second = team(&dba).and_member(&zhao).and_group(&group_bot);
    world.rule(&payments, "Always").levels([members(&[&li]), second]).await;

    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("[Warning]").await;
    world.advance(minutes(29)).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered"]);
    world.advance(minutes(1)).await;
    for name in ["wang", "zhao", "dba"] {
        world.feishu(name).expects_all(&["Escalated", "disk full"]).await;
    }
    let incident = world.incident().await;
    assert_eq!(incident.now().await["escalation"]["level"], 2);
    assert_eq!(incident.now().await["assignees"], json!([li.id, zhao.id, wang.id]));

    // The escalation ends with the last level, and everyone who was notified is notified of the recovery.
    world.advance(hours(5)).await;
    sender.says("RESOLVED host=db-1").await;
    for name in ["li", "wang", "zhao", "dba"] {
        world.feishu(name).expects("Recovered").await;
    }
    assert_eq!(incident.event_kinds().await, ["triggered", "escalated", "recovered"]);
    world.finish().await;
}

#[tokio::test]
async fn after_an_acknowledgement_in_time_the_second_level_is_not_notified() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]), members(&[&wang])]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;

    world.advance(minutes(29)).await;
    world.incident().await.press_as("acknowledge", &li).await;
    world.feishu("li").expects_all(&["Acknowledged", "(li"]).await;
    world.advance(hours(3)).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered", "acknowledged"]);
    world.finish().await;
}

#[tokio::test]
async fn a_level_that_waits_for_the_close_passes_on_although_someone_acknowledged_it() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]).until_closed(10), members(&[&wang])]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    world.incident().await.press_as("acknowledge", &li).await;
    world.feishu("li").expects("Acknowledged").await;

    world.advance(minutes(10)).await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    assert_eq!(world.incident().await.now().await["progress"], "processing", "Li still works on it");

    // If the incident is closed in time, the next level is not notified.
    sender.says("again host=db-2").await;
    world.feishu("li").expects("host=db-2").await;
    world.incident().await.press_as("close", &li).await;
    world.feishu("li").expects("Closed").await;
    world.advance(hours(1)).await;
    world.finish().await;
}

#[tokio::test]
async fn unacknowledged_by_the_last_person_the_level_starts_its_time_again() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]), members(&[&wang])]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    let incident = world.incident().await;
    incident.press_as("acknowledge", &li).await;
    world.feishu("li").expects_all(&["Acknowledged", "(li"]).await;
    incident.press_as("acknowledge", &wang).await;
    world.feishu("li").expects_all(&["Acknowledged", "(wang"]).await;

    world.advance(minutes(40)).await;
    let shown = incident.press_as("unacknowledge", &li).await;
    assert_eq!((&shown["progress"], &shown["acknowledged_by"]), (&json!("processing"), &json!([wang.id])));
    world.advance(minutes(40)).await;
    assert_eq!(incident.press_as("unacknowledge", &wang).await["progress"], "triggered");
    world.advance(minutes(29)).await;
    assert!(world.feishu("wang").messages().is_empty(), "the half hour is not over");
    world.advance(minutes(1)).await;
    world.feishu("wang").expects("Escalated").await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_delayed_level_is_not_notified_before_its_time_nor_of_an_incident_that_recovered_meanwhile() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    let levels = [members(&[&li]).delayed(5).for_minutes(10), members(&[&wang]).delayed(2)];
    world.rule(&payments, "Always").levels(levels).await;

    sender.says("short host=db-1").await;
    world.advance(minutes(4)).await;
    sender.says("RESOLVED host=db-1").await;
    world.advance(minutes(20)).await;
    assert_eq!(world.incident().await.entry_kinds().await, ["triggered", "recovered"]);

    sender.says("long host=db-2").await;
    world.advance(minutes(4)).await;
    assert_eq!(world.incident().await.now().await["escalation"]["waiting"], true);
    world.advance(minutes(1)).await;
    world.feishu("li").expects("long").await;
    world.advance(minutes(9)).await;
    assert_eq!(world.incident().await.now().await["escalation"]["level"], 1);
    world.advance(minutes(2)).await; // the second level begins to wait ten minutes after the first one was notified
    assert_eq!(world.incident().await.now().await["escalation"]["level"], 2);
    assert!(world.feishu("wang").messages().is_empty(), "it waits");
    world.advance(minutes(2)).await;
    world.feishu("wang").expects("long").await;
    world.finish().await;
}

// Proves: fault 101
#[tokio::test]
async fn levels_that_reach_nobody_are_passed_over_at_once_and_the_timeline_says_why() {
    let world = World::start().await;
    let [li, silent] = [person(&world, "li").await, world.member("Silent").make().await];
    let (nobody, empty) = (world.schedule("Nobody", "UTC").make().await, world.team("Empty", &[]).await);
    let (payments, sender) = space(&world).await;
    let levels = [on_call(&nobody), members(&[&silent]), team(&empty), members(&[&li])];
    world.rule(&payments, "Always").levels(levels).await;

    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    let incident = world.incident().await;
    let why = "Always, level 4; level 1 reaches nobody (nobody is on call in Nobody); \
               level 2 reaches nobody (Silent has no contact for this severity); \
               level 3 reaches nobody (the team Empty has no members)";
    assert_eq!(incident.details("triggered").await, [why]);
    assert_eq!(incident.now().await["escalation"]["level"], 4);
    world.finish().await;
}

// Proves: someone-notified
#[tokio::test]
async fn a_later_level_that_reaches_nobody_gives_way_and_the_timeline_says_that_the_last_one_reached_nobody() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let empty = world.team("Empty", &[]).await;
    let (payments, sender) = space(&world).await;
    let levels = [members(&[&li]).for_minutes(5), team(&empty), members(&[&wang]).for_minutes(5), team(&empty)];
    world.rule(&payments, "Always").levels(levels).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;

    world.advance(minutes(5)).await;
    world.feishu("wang").expects("Escalated").await;
    world.advance(minutes(5)).await;
    let incident = world.incident().await;
    assert_eq!(incident.event_kinds().await, ["triggered", "escalated", "nobody_reached"]);
    let reason = "level 2 reaches nobody (the team Empty has no members)";
    assert_eq!(incident.details("escalated").await, [format!("Always, level 3; {reason}")]);
    let reason = "nobody is told: Always: level 4 reaches nobody (the team Empty has no members)";
    assert_eq!(incident.details("nobody_reached").await, [reason]);
    world.finish().await;
}

#[tokio::test]
async fn a_rule_that_reaches_nobody_at_all_leaves_the_space_s_destinations_out() {
    let world = World::start().await;
    let payments = world.space("Payments").notify(feishu_bot("ops")).await;
    let empty = world.team("Empty", &[]).await;
    world.rule(&payments, "Always").levels([team(&empty)]).await;
    world.feishu_alert().into(&payments).await.says("disk full").await;
    let incident = world.incident().await;
    let why = "nobody is told: Always: level 1 reaches nobody (the team Empty has no members)";
    assert_eq!(incident.details("triggered").await, [why]);
    assert_eq!(incident.entry_kinds().await, ["triggered"]);
    world.finish().await;
}

#[tokio::test]
async fn a_level_is_notified_again_as_often_as_it_is_configured_and_no_more() {
    let world = World::start().await;
    let li = person(&world, "li").await;
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]).repeated(3, 30)]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;

    world.advance(seconds(28)).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered"]);
    for time in ["1 of 3", "2 of 3", "3 of 3"] {
        world.advance(seconds(31)).await;
        world.feishu("li").expects_all(&["Still open", "disk full"]).await;
        assert_eq!(world.incident().await.details("repeated").await.last().expect("an entry"), time);
    }
    world.advance(hours(1)).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered", "repeated", "repeated", "repeated"]);
    world.finish().await;
}

#[tokio::test]
async fn repetition_stops_when_someone_acknowledges_or_the_level_has_passed_on() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    let levels = [members(&[&li]).repeated(100, 50).for_minutes(2), members(&[&wang]).repeated(100, 60)];
    world.rule(&payments, "Always").levels(levels).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    for _ in 0..2 {
        world.advance(seconds(51)).await;
        world.feishu("li").expects("Still open").await;
    }

    world.advance(seconds(20)).await;
    world.feishu("wang").expects("Escalated").await;
    for _ in 0..2 {
        world.advance(seconds(61)).await;
        world.feishu("wang").expects("Still open").await;
    }
    world.incident().await.press_as("acknowledge", &wang).await;
    for name in ["li", "wang"] {
        world.feishu(name).expects_all(&["Acknowledged", "(wang"]).await;
    }
    world.advance(hours(2)).await;
    assert_eq!(world.feishu("li").messages().len(), 4, "notified, twice again, and of the acknowledgement");
    world.finish().await;
}

#[tokio::test]
async fn a_recovery_while_a_level_is_due_is_not_sent_to_that_level() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([members(&[&li]).repeated(100, 3000), members(&[&wang])]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;

    world.advance(minutes(29)).await; // the timer is already in the queue
    sender.says("RESOLVED host=db-1").await;
    world.feishu("li").expects("Recovered").await;
    world.advance(hours(2)).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered", "recovered"]);
    world.finish().await;
}

#[tokio::test]
async fn a_group_of_a_level_is_notified_although_none_of_its_people_can_be() {
    let world = World::start().await;
    let (empty, bot) = (world.team("Empty", &[]).await, feishu_bot("dba").make(&world).await);
    let (payments, sender) = space(&world).await;
    world.rule(&payments, "Always").levels([team(&empty).and_group(&bot), level().and_group(&bot), group(&bot)]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("dba").expects("disk full").await;
    world.advance(minutes(30)).await;
    world.feishu("dba").expects("Escalated").await;
    world.incident().await.press("close").await;
    world.feishu("dba").expects("Closed").await;
    world.finish().await;
}

#[tokio::test]
async fn a_rule_that_is_changed_or_deleted_meanwhile_counts_as_it_is_when_the_level_is_due() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let (payments, sender) = space(&world).await;
    let rule = world.rule(&payments, "Always").levels([members(&[&li]), members(&[&li])]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    let path = format!("/spaces/{}/escalation-rules/{rule}", payments.id);
    let levels = json!([{"members": [li.id]}, {"members": [wang.id]}]);
    let saved = world.api.call("PUT", &path, Some(&json!({"name": "Always", "levels": levels}))).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    world.advance(minutes(30)).await;
    world.feishu("wang").expects("Escalated").await;

    sender.says("disk full host=db-2").await;
    world.feishu("li").expects("host=db-2").await;
    assert_eq!(world.api.call("DELETE", &path, None).await.status, 204);
    world.advance(minutes(30)).await;
    let incident = world.incident().await;
    let why = "nobody is told: no escalation rule matches, and the space has no destinations";
    assert_eq!(incident.details("nobody_reached").await, [why]);
    assert_eq!(incident.event_kinds().await, ["triggered", "nobody_reached"]);
    world.finish().await;
}
