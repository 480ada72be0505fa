//! E. Providers that fail, hang, return false answers, redirect, or return too much.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use alerting::base::secret::Secret;
use scenarios::escalation::members;
use scenarios::group::Group;
use scenarios::space::{dingtalk_bot, feishu_bot, slack_webhook, telegram_bot};
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};
use vendors::group::{AttemptResult, Fault, Rules};
use vendors::reply::Reply;
use vendors::seen::Seen;
use vendors::vendor::Vendor;

fn down() -> Fault {
    Fault::reply(Reply::text(503, "<html>upstream</html>"))
}

/// The seconds between the attempts for a notice.
const SCHEDULE: [u64; 6] = [1, 5, 30, 120, 300, 900];

/// Advances the clock over the waits between the attempts for one notice, each time after an attempt has ended, and
/// checks that no attempt is made too early. It does not wait until no work is left, because the notice waits in a FIFO
/// queue.
async fn pass(world: &World, group: &Group<'_>, waits: &[u64]) {
    for (before, wait) in waits.iter().enumerate() {
        wait_for(group, before + 1).await;
        // Short waits pass in real time, because moving the clock would shorten the next wait.
        if *wait < 30 {
            continue;
        }
        // Gives the function time to record the result and to return the notice to the queue with its delay.
        tokio::time::sleep(seconds(2)).await;
        world.larkspur.advance(seconds(wait * 9 / 10 - 4)).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(group.attempts().len(), before + 1, "not before its {wait} s are over");
        world.larkspur.advance(seconds(wait * 3 / 10 + 11)).await;
    }
    wait_for(group, waits.len() + 1).await;
}

async fn wait_for(group: &Group<'_>, attempts: usize) {
    let patience = Instant::now() + Duration::from_secs(30);
    while group.attempts().len() < attempts {
        assert!(Instant::now() < patience, "{} of {attempts} tries", group.attempts().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The only delivery of the only incident.
async fn delivery(world: &World) -> Value {
    world.only_incident().await.now().await["deliveries"][0].clone()
}

fn reasons(delivery: &Value) -> Vec<&str> {
    let attempts = delivery["attempts"].as_array().expect("attempts");
    attempts.iter().map(|attempt| attempt["reason"].as_str().unwrap_or("none")).collect()
}

// Proves: fault 55
#[tokio::test]
async fn a_retry_after_of_a_provider_is_respected_and_further_retries_back_off() {
    let world = World::start().await;
    let space = world.space("Ops").notify(slack_webhook("ops")).await;
    let sender = world.feishu_alert().into(&space).await;
    let throttled = Fault::reply(Reply::text(429, "rate_limited").retry_after(30));
    let slack = world.group(Vendor::Slack, "ops");
    slack.answers(vec![throttled; 5]);

    sender.says("disk full").await;
    pass(&world, &slack, &[30, 30, 30, 120, 300]).await;
    slack.expects("disk full").await;
    let delivery = delivery(&world).await;
    assert_eq!(delivery["state"], "delivered", "{delivery:#}");
    world.finish().await;
}

// Proves: fault 56
#[tokio::test]
async fn a_provider_that_stays_down_is_tried_seven_times_then_the_next_contact_is_notified() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).chat(telegram_bot("1001")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li])]).await;
    world.feishu("li").answers(vec![down(); 7]);

    world.feishu_alert().into(&payments).await.says("disk full").await;
    let telegram = world.group(Vendor::Telegram, "1001");
    pass(&world, &world.feishu("li"), &SCHEDULE).await;
    telegram.expects("disk full").await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed[0].contains("provider_down"), "{failed:?}");
    world.finish_with_timers().await;
}

// Proves: fault 56
#[tokio::test]
async fn a_group_that_cannot_be_reached_is_a_failure_on_the_timeline_and_a_dead_letter() {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    world.feishu("ops").answers(vec![down(); 7]);
    world.feishu_alert().into(&space).await.says("disk full").await;
    pass(&world, &world.feishu("ops"), &SCHEDULE).await;
    let delivery = delivery(&world).await;
    assert_eq!((delivery["state"].as_str(), reasons(&delivery)), (Some("failed"), vec!["provider_down"; 7]));
    world.finish_with_dead_letters(1).await;
}

// Proves: fault 64
#[tokio::test]
async fn a_message_that_the_provider_finds_too_long_is_sent_once_more_as_plain_text_and_then_given_up() {
    let world = World::start().await;
    let space = world.space("Ops").notify(slack_webhook("ops")).await;
    let too_long = Fault::reply(Reply::text(400, "msg_too_long"));
    world.group(Vendor::Slack, "ops").answers(vec![too_long; 5]);
    world.feishu_alert().into(&space).await.says(&"告警😀".repeat(3000)).await;
    world.advance(minutes(1)).await;
    world.advance(minutes(60)).await;
    let delivery = delivery(&world).await;
    assert_eq!((delivery["state"].as_str(), reasons(&delivery)), (Some("failed"), vec!["too_large"; 2]));
    world.finish_with_dead_letters(1).await;
}

// Proves: fault 66
#[tokio::test]
async fn a_wrong_signature_and_a_missing_keyword_fail_at_once_and_the_provider_s_words_say_why() {
    let world = World::start().await;
    let keyword = Rules { keywords: vec!["上线".to_owned()], ..Rules::default() };
    let secret = Rules { secret: Some(Secret::new("the-groups-secret")), ..Rules::default() };
    let plan = world.space("Ops").notifying(dingtalk_bot("dingtalk").with(keyword));
    let space = plan.notify(feishu_bot("feishu").with(secret).set("secret", "another-secret")).await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    world.advance(minutes(60)).await;
    let incident = world.only_incident().await.now().await;
    for delivery in incident["deliveries"].as_array().expect("deliveries") {
        assert_eq!((delivery["state"].as_str(), reasons(delivery)), (Some("failed"), vec!["unauthorized"]));
    }
    for (destination, code) in space.destinations.iter().zip(["310000", "19021"]) {
        let answer = world.api.call("POST", &format!("/destinations/{destination}/test"), Some(&json!({}))).await;
        assert_eq!((&answer.body["outcome"], &answer.body["provider"]["code"]), (&json!("rejected"), &json!(code)));
    }
    world.finish_with_dead_letters(2).await;
}

// Proves: fault 67
#[tokio::test]
async fn while_one_destination_hangs_the_others_are_notified() {
    let world = World::start().await;
    let plan = world.space("Ops").notifying(feishu_bot("hangs")).notifying(feishu_bot("quick"));
    let space = plan.notify(slack_webhook("swift")).await;
    let sender = world.feishu_alert().into(&space).await;
    // Each reply takes longer than a request may take, and the scenario ends before the last one.
    let hang = Fault { wait: Duration::from_secs(300), show: false, reply: None };
    world.feishu("hangs").answers(vec![hang; 20]);
    for text in ["the first.", "the second.", "the third."] {
        sender.says(text).await;
        world.feishu("quick").expects(text).await;
        world.group(Vendor::Slack, "swift").expects(text).await;
        let answered = world.feishu("hangs").attempts();
        assert!(answered.is_empty(), "{answered:?}");
    }
    world.larkspur.stop().await;
}

// Proves: fault 68
#[tokio::test]
async fn a_thousand_changes_for_one_dingtalk_bot_stay_below_its_limit_and_are_all_sent_in_order() {
    const HOSTS: usize = 500;
    let world = World::start_with_full_batches().await;
    let space = world.space("Ops").notify(dingtalk_bot("ops")).await;
    let limits = json!({"per_second": 10_000, "per_minute": 100_000});
    let plan = world.feishu_alert().set("limits", limits).set("title_from", json!("first_line"));
    let sender = plan.close_when("RESOLVED").key(r"host=(\S+)").into(&space).await;
    for number in 0..HOSTS {
        sender.says(&format!("full host=db{number:03}.")).await;
        if number % 50 == 49 {
            world.rest().await;
        }
    }
    for number in 0..HOSTS {
        sender.says(&format!("RESOLVED host=db{number:03}.")).await;
        if number % 50 == 49 {
            world.rest().await;
        }
    }
    let bot = world.group(Vendor::DingTalk, "ops");
    let shown = || bot.messages().iter().map(Seen::everything).collect::<Vec<_>>();
    let missing = |shown: &[String]| -> Vec<usize> {
        let recovered: HashSet<&str> =
            shown.iter().flat_map(|text| text.lines()).filter(|line| line.contains("Recovered")).collect();
        (0..HOSTS).filter(|n| !recovered.iter().any(|line| line.contains(&format!("host=db{n:03}.")))).collect()
    };
    for _ in 0..60 {
        if missing(&shown()).is_empty() {
            break;
        }
        world.advance(seconds(30)).await;
    }
    assert_eq!(missing(&shown()), Vec::<usize>::new(), "never notified as recovered, of {} messages", shown().len());
    let attempts = bot.attempts();
    let refused: Vec<_> = attempts.iter().filter(|attempt| attempt.result != AttemptResult::Shown).collect();
    assert!(refused.is_empty(), "{refused:?}");
    for window in attempts.windows(21) {
        let within = window[20].at.since(window[0].at);
        assert!(within >= minutes(1), "21 requests within {within:?}");
    }
    assert!(attempts.len() <= HOSTS / 2, "{} messages are no folding", attempts.len());
    // No trigger is sent after its recovery.
    let mut recovered = HashSet::new();
    for text in shown() {
        for line in text.lines() {
            let Some(host) = line.split("host=").nth(1).and_then(|rest| rest.split('.').next()) else { continue };
            if line.contains("Recovered") {
                recovered.insert(host.to_owned());
            } else if line.contains("Triggered") {
                assert!(!recovered.contains(host), "{host} is sent as triggered after its recovery");
            }
        }
    }
    bot.accept_all();
    world.finish_with_timers().await;
}
