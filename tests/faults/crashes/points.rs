//! Points that the kills along one message (`way`) do not cover.

use std::collections::BTreeMap;

use scenarios::wire::{Fault, dynamodb, provider, sqs};
use serde_json::json;

use super::run::{Run, text};

const OPS: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/ops";

// Proves: fault 43
#[tokio::test]
async fn a_sender_that_was_not_answered_sends_again_and_without_keys_makes_a_second_alert() {
    let mut run = Run::each("feishu_bot", OPS).await;
    let queued = run.wire.after(sqs("SendMessage"), Fault::Hang);
    let sending = tokio::spawn(run.send("disk full"));
    queued.reached().await;
    run.kill_and_start().await;
    assert!(!sending.await.expect("no panic"), "no answer came");
    run.says("disk full").await;
    run.log(2).await;
    // Messages that the killed process had in flight are received again.
    run.later().await;
    run.wait_until_quiet().await;
    assert_eq!(run.api().list("/alerts").await.len(), 2);
    run.shows("disk full").await;
    // Both notices may be lines of one message.
    let deliveries = run.deliveries().await;
    assert_eq!(deliveries.len(), 2);
    assert!(deliveries.iter().all(|state| state == "delivered" || state == "folded"), "{deliveries:?}");
    run.balances(2).await;
}

// Proves: fault 47
#[tokio::test]
async fn killed_between_the_keys_of_a_batch_every_key_has_its_alert_once() {
    let mut run = Run::keyed().await;
    let fourth = run.wire.before(dynamodb("PutItem").holding("STATE#").nth(4), Fault::Hang);
    for number in 0..10 {
        run.says(&format!("disk full {number}\nkey=k{number}")).await;
    }
    fourth.reached().await;
    run.kill_and_start().await;
    run.log(10).await;
    run.later().await;
    run.wait_until_quiet().await;
    let alerts = run.api().list("/alerts").await;
    assert_eq!(alerts.len(), 10);
    assert!(alerts.iter().all(|alert| alert["count"] == 1 && alert["status"] == "open"), "{alerts:#?}");
    assert_eq!(run.api().list("/incidents").await.len(), 10);
    for number in 0..10 {
        // Several notices may be lines of one message.
        assert!(run.messages().iter().any(|shown| shown.contains(&format!("disk full {number}"))), "{number}");
    }
    let deliveries = run.deliveries().await;
    assert!(deliveries.iter().all(|state| state == "delivered" || state == "folded"), "{deliveries:?}");
    run.balances(10).await;
}

// Proves: fault 48
#[tokio::test]
async fn killed_before_a_timer_is_written_it_is_written_when_the_message_comes_again_and_acts() {
    let mut run = Run::keyed().await;
    let group = run.api().list("/destinations").await;
    let ops = group.iter().find(|one| one["name"] == "ops").expect("made")["id"].clone();
    let level = |minutes: u64| json!({"groups": [{"destination": ops}], "delay_minutes": minutes});
    let rule = json!({"name": "Later", "levels": [level(10)]});
    run.api().create(&format!("/spaces/{}/escalation-rules", run.space), &rule).await;
    let timer = run.wire.before(dynamodb("PutItem").holding("TIMER#"), Fault::Hang);
    run.says("disk full\nkey=a").await;
    timer.reached().await;
    run.kill_and_start().await;
    run.log(1).await;
    assert_eq!(run.shown("disk full"), 0);
    for _ in 0..11 {
        run.later().await;
    }
    run.shows("disk full").await;
    run.wait_until_quiet().await;
    assert_eq!(run.shown("disk full"), 1);
    let incident = text(&run.api().list("/incidents").await[0], "id");
    let shown = run.api().get(&format!("/incidents/{incident}")).await;
    let entries = shown["timeline"].as_array().expect("a timeline").iter();
    assert_eq!(entries.filter(|entry| entry["kind"] == "escalated").count(), 1, "{shown:#}");
}

// Proves: fault 52
#[tokio::test]
async fn killed_while_the_vendor_accepts_a_digest_it_is_sent_again_once_at_most_and_no_line_is_lost() {
    digest_killed().await;
}

/// Sends more messages than DingTalk accepts in a minute, so that the rest waits as lines of a digest.
async fn digest_killed() {
    const MESSAGES: usize = 40;
    let url = "https://oapi.dingtalk.com/robot/send?access_token=ops";
    let mut run = Run::each("dingtalk_bot", url).await;
    for number in 0..MESSAGES {
        run.says(&format!("problem {number}.")).await;
    }
    run.log(MESSAGES).await;
    run.wait_until_quiet().await;
    let waiting = |run: &Run| (0..MESSAGES).filter(|number| run.shown(&format!("problem {number}.")) == 0).count();
    assert!(waiting(&run) > 0, "there is a digest");
    let posts = |run: &Run| run.wire.calls(&provider()).iter().filter(|call| call.passed_on).count();
    let before = posts(&run);
    let point = run.wire.after(provider(), Fault::Hang);
    run.later().await;
    point.reached().await;
    assert_eq!(posts(&run), before + 1, "the digest was posted");
    run.kill_and_start().await;
    for _ in 0..4 {
        run.later().await;
        run.wait_until_quiet().await;
    }
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for number in 0..MESSAGES {
        *times.entry(run.shown(&format!("problem {number}."))).or_default() += 1;
    }
    assert!(times.keys().all(|times| (1..=2).contains(times)), "{times:?} {:#?}", run.messages());
    let deliveries = run.deliveries().await;
    assert!(deliveries.iter().all(|state| state == "delivered" || state == "folded"), "{deliveries:?}");
    run.balances(MESSAGES as u64).await;
}

/// This is the largest possible batch: the intake accepts 256 KiB per message, and Lambda passes at most 6 MB.
// Proves: fault 53
#[tokio::test]
async fn the_largest_batch_fits_the_memory_of_a_function() {
    let run = Run::each("feishu_bot", OPS).await;
    run.says("small").await;
    run.log(1).await;
    let pid = run.process().pid().expect("it runs");
    let peak = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process of this machine");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
        line.split_whitespace().nth(1).expect("a number").parse().expect("in KiB")
    };
    let before = peak();
    let large = "告".repeat(alerting::base::limits::BODY_BYTES / 3 - 200);
    for number in 0..20 {
        run.says(&format!("large {number}\n{large}")).await;
    }
    run.log(21).await;
    let grown = (peak() - before) / 1024;
    assert!(grown < 128, "{grown} MiB for twenty of the largest messages, tables and queues included");
    assert_eq!(run.api().list("/alerts").await.len(), 21);
}
