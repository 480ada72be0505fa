//! How people are notified: by their own preference, or as the level specifies. If a contact fails permanently, the
//! member's next contact is notified. If the last contact fails, the next level is notified.

use scenarios::World;
use scenarios::escalation::{group, members};
use scenarios::space::{feishu_bot, telegram_bot};
use serde_json::json;
use vendors::group::Fault;
use vendors::reply::Reply;

/// Feishu's answer for a bot that was removed.
fn gone() -> Fault {
    let body = json!({"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"});
    Fault::reply(Reply::json(200, &body))
}

#[tokio::test]
async fn members_are_notified_by_their_preference_for_the_severity_or_not_at_all() {
    let world = World::start().await;
    let li = world.member("Li").prefers("Critical", vec![feishu_bot("li-day-and-night")]);
    let li = li.prefers("Warning", vec![feishu_bot("li-by-day")]).make().await;
    let wang = world.member("Wang").prefers("Critical", vec![feishu_bot("wang")]).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li, &wang])]).await;
    let steps = |severity: &str| json!([{"set_severity": severity}]);
    let [critical, warning, info] = ["Critical", "Warning", "Info"]
        .map(|severity| world.feishu_alert().set("pipeline", steps(severity)).into(&payments));

    critical.await.says("on fire").await;
    world.feishu("li-day-and-night").expects_all(&["[Critical]", "on fire"]).await;
    world.feishu("wang").expects_all(&["[Critical]", "on fire"]).await;
    warning.await.says("getting warm").await;
    world.feishu("li-by-day").expects_all(&["[Warning]", "getting warm"]).await;
    info.await.says("as ever").await;
    let why = "nobody is told: Always: level 1 reaches nobody \
               (Li has no contact for this severity, Wang has no contact for this severity)";
    assert_eq!(world.incident().await.details("triggered").await, [why]);
    world.finish().await;
}

#[tokio::test]
async fn the_contacts_of_a_level_replace_what_its_people_prefer() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).make().await;
    let without = world.member("Wang").make().await;
    let hotline = feishu_bot("hotline").make(&world).await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li, &without]).unified(&[&hotline])]).await;
    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("hotline").expects("disk full").await; // one message for the two of them
    assert_eq!(world.incident().await.now().await["assignees"], json!([li.id, without.id]));
    world.finish().await;
}

// Proves: fault 65
#[tokio::test]
async fn a_contact_that_fails_for_good_gives_way_to_the_members_next_one_and_the_timeline_says_so() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li-old")).chat(telegram_bot("1001")).make().await;
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li]), members(&[&wang])]).await;
    world.feishu("li-old").answers([gone()]);

    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.group(vendors::vendor::Vendor::Telegram, "1001").expects_all(&["[Warning]", "disk full"]).await;
    let incident = world.incident().await;
    assert_eq!(incident.entry_kinds().await, ["triggered", "notified", "contact_failed", "notified"]);
    let notified = incident.details("notified").await;
    assert_eq!(notified, ["feishu_bot: rejected (bad_destination)", "telegram_bot: delivered"]);
    let failed = &incident.details("contact_failed").await[0];
    assert!(failed.starts_with("Li could not be notified by") && failed.contains("bad_destination"), "{failed}");

    // Li was notified in the end, so Wang's level waits its full time.
    world.advance(scenarios::minutes(29)).await;
    assert!(world.feishu("wang").messages().is_empty());
    world.advance(scenarios::minutes(1)).await;
    world.feishu("wang").expects("Escalated").await;
    world.finish_with_timers().await;
}

// Proves: someone-notified
#[tokio::test]
async fn when_the_last_contact_of_the_last_person_fails_the_next_level_is_notified_at_once() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li-a")).chat(feishu_bot("li-b")).make().await;
    let zhao = world.member("Zhao").chat(feishu_bot("zhao")).make().await;
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li, &zhao]), members(&[&wang])]).await;
    for chat in ["li-a", "li-b", "zhao"] {
        world.feishu(chat).answers([gone()]);
    }

    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    let incident = world.incident().await;
    let failed = incident.details("contact_failed").await;
    assert_eq!(failed.len(), 3, "{failed:?}");
    assert_eq!(failed.iter().filter(|words| words.ends_with("no contact is left")).count(), 2, "{failed:?}");
    assert_eq!(incident.event_kinds().await.last().expect("an entry"), "escalated");
    world.advance(scenarios::hours(1)).await;
    assert_eq!(incident.event_kinds().await.iter().filter(|kind| *kind == "escalated").count(), 1, "the timer is void");
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_contact_that_several_share_fails_for_all_of_them() {
    let world = World::start().await;
    let [li, zhao] = [world.member("Li").make().await, world.member("Zhao").make().await];
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let [hotline, spare] = [feishu_bot("hotline").make(&world).await, feishu_bot("spare").make(&world).await];
    let payments = world.space("Payments").make().await;
    world
        .rule(&payments, "Always")
        .levels([members(&[&li, &zhao]).unified(&[&hotline, &spare]), members(&[&wang])])
        .await;
    for chat in ["hotline", "spare"] {
        world.feishu(chat).answers([gone()]);
    }

    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed.len() == 2 && failed.iter().all(|words| words.starts_with("Li, Zhao could not")), "{failed:?}");
    world.finish_with_timers().await;
}

#[tokio::test]
async fn the_next_level_waits_if_a_group_was_notified_although_every_person_failed() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).make().await;
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let bot = feishu_bot("ops").make(&world).await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([group(&bot).and_member(&li), members(&[&wang])]).await;
    world.feishu("li").answers([gone()]);

    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    let incident = world.incident().await;
    assert_eq!(incident.event_kinds().await, ["triggered", "contact_failed"]);
    world.advance(scenarios::minutes(30)).await;
    for name in ["ops", "wang"] {
        let notified = world.feishu(name).messages();
        assert_eq!(notified.len(), 1, "{name}: {notified:?}");
    }
    world.feishu("wang").expects("Escalated").await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_contact_that_fails_after_an_acknowledgement_still_gives_way_if_its_level_was_notified_later() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).make().await;
    let wang = world.member("Wang").chat(feishu_bot("wang-old")).chat(feishu_bot("wang")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li]).until_closed(10), members(&[&wang])]).await;
    world.feishu("wang-old").answers([gone()]);
    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    world.incident().await.press_as("acknowledge", &li).await;
    world.feishu("li").expects("Acknowledged").await;

    world.advance(scenarios::minutes(10)).await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_failed_notice_of_an_acknowledged_incident_is_not_sent_to_another_contact() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).chat(feishu_bot("li-b")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li])]).await;
    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    world.feishu("li").answers([gone()]);
    world.incident().await.press_as("acknowledge", &li).await;
    assert_eq!(world.incident().await.event_kinds().await, ["triggered", "acknowledged"]);
    world.finish_with_dead_letters(1).await;
}

// Proves: finding F7
#[tokio::test]
async fn when_the_only_group_of_a_level_fails_for_good_the_next_level_is_notified_at_once() {
    let world = World::start().await;
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let bot = feishu_bot("ops").make(&world).await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([group(&bot), members(&[&wang])]).await;
    world.feishu("ops").answers([gone()]);

    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    let failed = world.incident().await.details("contact_failed").await;
    assert_eq!(failed, ["ops could not be notified (bad_destination); no contact is left"]);
    world.finish_with_dead_letters(1).await;
}

// Proves: finding F7
#[tokio::test]
async fn for_a_critical_incident_the_next_contact_is_tried_one_minute_after_the_first_one_fails() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).chat(telegram_bot("1001")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li])]).await;
    world.feishu("li").answers(vec![Fault::reply(Reply::text(503, "down")); 100]);
    let critical = json!([{"set_severity": "Critical"}]);
    world.feishu_alert().set("pipeline", critical).into(&payments).await.says("disk full").await;
    let telegram = world.group(vendors::vendor::Vendor::Telegram, "1001");
    for _ in 0..4 {
        world.advance(scenarios::seconds(10)).await;
    }
    assert!(telegram.messages().is_empty(), "not within the first minute");
    for _ in 0..4 {
        world.advance(scenarios::seconds(10)).await;
    }
    telegram.expects("disk full").await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed.len() == 1 && failed[0].contains("it is still tried"), "{failed:?}");

    world.feishu("li").recovers();
    for _ in 0..10 {
        world.advance(scenarios::minutes(1)).await;
    }
    world.feishu("li").expects("disk full").await;
    world.finish_with_timers().await;
}

// Proves: fault 101, finding F8
#[tokio::test]
async fn people_who_cannot_be_notified_are_named_on_the_timeline_beside_someone_who_is() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).make().await;
    let zhao = world.member("Zhao").make().await;
    let empty = world.schedule("Primary", "UTC").make().await;
    let payments = world.space("Payments").make().await;
    let level = members(&[&li, &zhao]).and_on_call(&empty);
    world.rule(&payments, "Always").levels([level]).await;
    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    let why = "Always, level 1; nobody is on call in Primary; Zhao has no contact for this severity";
    assert_eq!(world.incident().await.details("triggered").await, [why]);
    world.finish().await;
}
