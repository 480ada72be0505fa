//! Levels that name the person on call notify the right person, even when clocks change.

use scenarios::escalation::{members, on_call};
use scenarios::people::Member;
use scenarios::space::feishu_bot;
use scenarios::{World, hours, minutes};
use serde_json::json;

/// Creates a member with a private chat of the same name.
async fn person(world: &World, name: &str) -> Member {
    world.member(name).chat(feishu_bot(name)).make().await
}

/// In Berlin, clocks change from 02:00 to 03:00 in the night to 29 March 2037. On the day before, 09:00 there is 08:00
/// UTC. After the change it is 07:00 UTC.
// Proves: someone-notified, fault 105
#[tokio::test]
async fn a_hand_over_at_nine_is_at_nine_by_the_wall_on_both_sides_of_a_clock_change() {
    let world = World::start_at("2037-03-27T12:00:00Z").await;
    let [li, wang, zhao] = [person(&world, "li").await, person(&world, "wang").await, person(&world, "zhao").await];
    let turns = world.schedule("Primary", "Europe/Berlin");
    let primary = turns.turns("day", "2037-03-27T09:00:00", &[&li, &wang]).make().await;
    let payments = world.space("Payments").make().await;
    let levels = [on_call(&primary).for_minutes(60), members(&[&zhao])];
    world.rule(&payments, "Always").levels(levels).await;
    let sender = world.feishu_alert().into(&payments).await;

    for (moment, name) in [
        ("2037-03-28T07:59:00Z", "li"),   // 08:59
        ("2037-03-28T08:00:00Z", "wang"), // 09:00
        ("2037-03-29T00:59:00Z", "wang"), // 01:59
        ("2037-03-29T01:00:00Z", "wang"), // 03:00
        ("2037-03-29T06:59:00Z", "wang"), // 08:59
        ("2037-03-29T07:00:00Z", "li"),   // 09:00
        ("2037-03-30T06:59:00Z", "li"),
        ("2037-03-30T07:00:00Z", "wang"),
    ] {
        world.advance_to(moment).await;
        sender.says(moment).await;
        world.feishu(name).expects(moment).await;
        world.incident().await.press("acknowledge").await;
        world.feishu(name).expects("Acknowledged").await;
    }
    world.finish().await;
}

#[tokio::test]
async fn a_level_notifies_the_person_on_call_at_that_time_and_not_when_the_incident_began() {
    let world = World::start_at("2037-03-28T23:00:00Z").await;
    let [li, wang, zhao] = [person(&world, "li").await, person(&world, "wang").await, person(&world, "zhao").await];
    let turns = world.schedule("Secondary", "Europe/Berlin");
    // Hourly shifts have their exact length: the shift that begins at 00:00 ends at 01:00, and the next one ends at
    // 03:00 local time.
    let secondary = turns.turns("hour", "2037-03-29T00:00:00", &[&li, &wang]).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([on_call(&secondary), on_call(&secondary), members(&[&zhao])]).await;
    let sender = world.feishu_alert().into(&payments).await;

    sender.says("first").await;
    world.feishu("li").expects("first").await;
    world.advance(minutes(30)).await; // Li's shift has not ended
    world.feishu("li").expects_all(&["Escalated", "first"]).await;
    world.incident().await.press("close").await;
    world.feishu("li").expects("Closed").await;

    world.advance_to("2037-03-29T00:45:00Z").await; // 01:45
    sender.says("second").await;
    world.feishu("wang").expects("second").await;
    world.advance_to("2037-03-29T01:15:00Z").await; // 03:15: the hour after 01:00 is over
    world.feishu("li").expects_all(&["Escalated", "second"]).await;
    world.advance(minutes(30)).await;
    world.feishu("zhao").expects_all(&["Escalated", "second"]).await;
    assert_eq!(world.incident().await.now().await["assignees"], json!([wang.id, li.id, zhao.id]));
    world.finish().await;
}

#[tokio::test]
async fn an_override_is_notified_instead_and_a_gap_skips_the_level() {
    let world = World::start_at("2037-03-03T12:00:00Z").await;
    let [li, wang, zhao] = [person(&world, "li").await, person(&world, "wang").await, person(&world, "zhao").await];
    let day = world.schedule("Days", "Asia/Shanghai").turns("week", "2037-03-02T09:00:00", &[&li]);
    let day = day.only("09:00", "21:00").make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([on_call(&day), members(&[&zhao])]).await;
    let sender = world.feishu_alert().into(&payments).await;

    sender.says("at eight in the evening").await; // 20:00 in Shanghai
    world.feishu("li").expects("evening").await;
    world.incident().await.press("close").await;
    world.feishu("li").expects("Closed").await;

    world.advance_to("2037-03-03T13:00:00Z").await;
    sender.says("at nine in the evening").await;
    world.feishu("zhao").expects("at nine").await;
    let why = "Always, level 2; level 1 reaches nobody (nobody is on call in Days)";
    assert_eq!(world.incident().await.details("triggered").await, [why]);

    let from = "2037-03-03T14:00:00Z";
    let instead = json!({"member": wang.id, "from": from, "until": "2037-03-03T18:00:00Z"});
    world.api.create(&format!("/schedules/{day}/overrides"), &instead).await;
    world.advance_to(from).await;
    sender.says("at ten").await;
    world.feishu("wang").expects("at ten").await;
    world.incident().await.press("close").await;
    world.feishu("wang").expects("Closed").await;
    world.advance(hours(4)).await;
    sender.says("at two").await;
    world.feishu("zhao").expects("at two").await;
    world.finish().await;
}

#[tokio::test]
async fn a_delayed_level_whose_shift_ends_while_it_waits_gives_way_to_the_next_with_its_own_delay() {
    let world = World::start_at("2037-03-03T12:00:00Z").await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let day = world.schedule("Days", "UTC").turns("day", "2037-03-02T00:00:00", &[&li]);
    let day = day.only("06:00", "12:05").make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([on_call(&day).delayed(10), members(&[&wang]).delayed(10)]).await;
    let sender = world.feishu_alert().into(&payments).await;

    sender.says("disk full").await;
    world.advance(minutes(10)).await;
    let incident = world.incident().await;
    assert!(world.feishu("wang").messages().is_empty(), "his level waits as well");
    assert_eq!(incident.now().await["escalation"]["waiting"], true);
    world.advance(minutes(10)).await;
    world.feishu("wang").expects("disk full").await;
    let second = incident.details("escalated").await.into_iter().next().expect("an entry");
    assert!(second.contains("level 1 reaches nobody (nobody is on call in Days)"), "{second}");
    world.finish().await;
}
