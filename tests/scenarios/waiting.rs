//! A vendor that throttles or is down for a long time. Each notice is delivered, folded into a delivered one, or fails
//! visibly, and the ledger records which. No notice is lost without a record.

use scenarios::escalation::{group, members};
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, hours, minutes, seconds};
use serde_json::{Value, json};
use vendors::group::Fault;
use vendors::reply::Reply;
use vendors::seen::Seen;

/// Feishu's answer when a bot sends too fast, or when the whole platform is busy on the hour.
fn throttled() -> Vec<Fault> {
    let body = json!({"code": 11232, "data": {}, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]"});
    vec![Fault::reply(Reply::json(200, &body)); 5000]
}

async fn ops(world: &World) -> Space {
    world.space("Ops").notify(feishu_bot("ops")).await
}

/// Advances the clock in steps, as a running machine does.
async fn pass(world: &World, steps: u32, step: std::time::Duration) {
    for _ in 0..steps {
        world.advance(step).await;
    }
}

/// The state of the first destination of every incident, the oldest first.
async fn states(world: &World) -> Vec<String> {
    let mut states = Vec::new();
    for incident in world.incidents_in_order().await {
        let state = &incident.now().await["deliveries"][0]["state"];
        states.push(state.as_str().expect("a state").to_owned());
    }
    states
}

/// The sums of the ledger over the last hours: created, delivered, folded, failed and pending.
async fn books(world: &World, hours: u32) -> [u64; 5] {
    let ledger = world.api.get(&format!("/ledger?hours={hours}")).await;
    let items = ledger["items"].as_array().expect("hours").clone();
    assert!(items.iter().all(|hour| hour["balanced"] == true), "{ledger:#}");
    let sum = |name: &str| items.iter().map(|hour| hour["notices"][name].as_u64().expect("a number")).sum();
    ["created", "delivered", "folded", "failed", "pending"].map(sum)
}

fn reason(letter: &Value) -> &str {
    letter["reason"].as_str().expect("a reason")
}

// Proves: finding F2
#[tokio::test]
async fn a_storm_that_is_throttled_for_150_seconds_is_delivered_when_the_vendor_recovers() {
    let world = World::start().await;
    let space = ops(&world).await;
    let sender = world.feishu_alert().set("title_from", json!("first_line")).into(&space).await;
    let bot = world.feishu("ops");
    bot.answers(throttled());
    sender.says("disk 0 full").await;
    world.rest().await;
    for number in 1..8 {
        sender.says(&format!("disk {number} full")).await;
    }
    pass(&world, 15, seconds(10)).await;
    assert!(bot.messages().is_empty());
    let tries = bot.attempts().len();
    assert!(tries < 30, "{tries} tries in 150 s");
    bot.recovers();
    pass(&world, 12, seconds(30)).await;
    let shown: String = bot.messages().iter().map(Seen::everything).collect();
    for number in 0..8 {
        assert!(shown.contains(&format!("disk {number} full")), "{number} is missing in {shown}");
    }
    let states = states(&world).await;
    assert!(states.iter().all(|state| state == "delivered" || state == "folded"), "{states:?}");
    let [created, delivered, folded, failed, pending] = books(&world, 2).await;
    assert_eq!((created, delivered + folded, failed, pending), (8, 8, 0, 0));
    bot.accept_all();
    world.finish_with_timers().await;
}

// Proves: finding F2
#[tokio::test]
async fn a_notice_that_is_throttled_for_half_an_hour_fails_loudly_and_is_sent_when_the_vendor_recovers() {
    let world = World::start().await;
    let sender = world.feishu_alert().into(&ops(&world).await).await;
    let bot = world.feishu("ops");
    bot.answers(throttled());
    sender.says("disk full").await;
    pass(&world, 32, minutes(1)).await;
    assert_eq!(states(&world).await, ["failed"]);
    let dead = world.dead_letters().await;
    assert_eq!((dead.len(), reason(&dead[0]), &dead[0]["kind"]), (1, "rate_limited", &json!("notice")), "{dead:#?}");
    bot.recovers();
    pass(&world, 20, minutes(1)).await;
    bot.expects("disk full").await;
    assert_eq!(states(&world).await, ["delivered"]);
    assert_eq!(world.dead_letters().await, [] as [Value; 0], "it was delivered after all");
    world.finish_with_timers().await;
}

// Proves: delivered-or-alarm, finding F2
#[tokio::test]
async fn after_a_day_of_throttling_the_ledger_has_the_result_of_every_notice() {
    let world = World::start().await;
    let plan = world.feishu_alert().set("title_from", json!("first_line"));
    let sender = plan.close_when("RESOLVED").key(r"host=(\S+)").into(&ops(&world).await).await;
    let bot = world.feishu("ops");
    bot.answers(throttled());
    sender.says("disk full host=stays").await;
    sender.says("disk full host=recovers").await;
    pass(&world, 4, minutes(30)).await;
    sender.says("RESOLVED host=recovers").await;
    pass(&world, 46, minutes(30)).await;
    sender.says("disk full host=late").await;
    world.rest().await;
    bot.recovers();
    pass(&world, 20, minutes(6)).await;
    bot.expects("host=late").await;
    bot.expects("Recovered").await;
    assert_eq!(states(&world).await, ["failed", "delivered", "delivered"], "what is younger than a day is still sent");
    let [created, delivered, folded, failed, pending] = books(&world, 30).await;
    assert_eq!((created, delivered + folded, failed, pending), (4, 2, 2, 0));
    let dead = world.dead_letters().await;
    assert!(dead.len() == 2 && dead.iter().all(|letter| reason(letter) == "rate_limited"), "{dead:#?}");
    bot.accept_all();
    world.finish_with_dead_letters(2).await;
}

#[tokio::test]
async fn a_recovery_that_is_delivered_first_supersedes_a_trigger_that_still_waits() {
    let world = World::start().await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&ops(&world).await).await;
    let bot = world.feishu("ops");
    bot.answers(throttled());
    sender.says("disk full host=db-1").await;
    pass(&world, 10, seconds(30)).await;
    bot.recovers();
    sender.says("RESOLVED host=db-1").await;
    pass(&world, 30, minutes(1)).await;
    bot.expects("Recovered").await;
    assert_eq!(books(&world, 2).await, [2, 1, 1, 0, 0]);
    world.finish_with_timers().await;
}

// Proves: finding F12
#[tokio::test]
async fn the_state_of_a_delivery_is_that_of_its_newest_notice_also_while_it_waits() {
    let world = World::start().await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&ops(&world).await).await;
    sender.says("disk full host=db-1").await;
    let bot = world.feishu("ops");
    bot.expects("disk full").await;
    assert_eq!(states(&world).await, ["delivered"]);
    let wait = Fault::reply(Reply::text(429, "slow down").retry_after(600));
    bot.answers([wait]);
    sender.says("disk full host=db-2").await; // throttled: it blocks the bot for ten minutes
    world.rest().await;
    sender.says("RESOLVED host=db-1").await;
    world.rest().await;
    assert_eq!(states(&world).await, ["pending", "pending"]);
    pass(&world, 12, minutes(1)).await;
    let states = states(&world).await;
    assert!(states.iter().all(|state| state == "delivered" || state == "folded"), "{states:?}");
    bot.accept_all();
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_throttled_group_gives_way_to_the_next_level_and_is_still_notified_of_the_recovery() {
    let world = World::start().await;
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let group_bot = feishu_bot("ops").make(&world).await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([group(&group_bot).for_minutes(120), members(&[&wang])]).await;
    let bot = world.feishu("ops");
    bot.answers(throttled());
    world.feishu_alert().into(&payments).await.says("disk full").await;
    pass(&world, 33, minutes(1)).await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    let failed = world.incident().await.details("contact_failed").await;
    assert_eq!(failed, ["ops could not be notified (rate_limited); no contact is left"]);
    bot.recovers();
    pass(&world, 20, minutes(1)).await;
    bot.expects("disk full").await;
    pass(&world, 2, hours(1)).await;
    world.finish_with_timers().await;
}
