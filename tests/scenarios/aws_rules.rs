//! Limits of AWS that a single machine does not have: on chains of calls, and on concurrent calls.

use local::aws_rules::AwsRules;
use local::options::Options;
use scenarios::escalation::members;
use scenarios::space::feishu_bot;
use scenarios::wire::{Service, Wire};
use scenarios::{World, seconds};
use serde_json::json;
use vendors::group::Fault;

// Proves: finding A2
#[tokio::test]
async fn a_repetition_goes_on_after_more_calls_in_a_chain_than_aws_makes_by_itself() {
    let world = World::start().await;
    let li = world.member("li").chat(feishu_bot("li")).make().await;
    let payments = world.space("Payments").make().await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&payments).await;
    world.rule(&payments, "Always").levels([members(&[&li]).repeated(20, 30)]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    for time in 1..=20 {
        world.advance(seconds(31)).await;
        world.feishu("li").expects_all(&["Still open", "disk full"]).await;
        let newest = world.incident().await.details("repeated").await.pop().expect("an entry");
        assert_eq!(newest, format!("{time} of 20"));
    }
    world.finish().await;
}

/// The intake's answers while groups of one incident wait for a vendor that takes five seconds. The account has lower
/// limits than a new account, because one call of notify handles the notices of ten groups.
async fn intake_beside_a_slow_vendor(worker_concurrency: &str) -> Vec<u16> {
    let parameters = vec![("WorkerConcurrency", worker_concurrency.to_owned())];
    let aws_rules = AwsRules { calls_at_once: Some(3), ..AwsRules::NEW_ACCOUNT };
    let world = World::start_with(Options { parameters, aws_rules, ..Options::default() }).await;
    let names: Vec<String> = (0..40).map(|n| format!("slow-{n}")).collect();
    let slow = names.iter().fold(world.space("Slow"), |space, name| space.notifying(feishu_bot(name))).make().await;
    let sender = world.feishu_alert().into(&slow).await;
    for name in &names {
        world.feishu(name).answers([Fault::slow(seconds(5))]);
    }
    sender.says("disk full").await;
    // The batch window of one second, and the time to call notify for each group.
    tokio::time::sleep(seconds(2)).await;
    let message = json!({"msg_type": "text", "content": {"text": "disk fuller"}}).to_string();
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(sender.tries(message.clone()).await.status);
    }
    world.larkspur.stop().await;
    answers
}

// In real time, because the vendor's delay is real.
// Proves: finding A5
#[tokio::test]
async fn in_a_small_account_a_slow_vendor_starves_the_intake_unless_workers_are_limited() {
    let (unlimited, limited) = tokio::join!(intake_beside_a_slow_vendor("0"), intake_beside_a_slow_vendor("2"));
    assert_eq!(unlimited, [503, 503], "calls of notify hold all executions of the account");
    assert_eq!(limited, [200, 200], "two calls of notify leave one");
}

/// The reads that the template's role permits
/// (`the_intake_may_read_keys_and_integrations_and_nothing_else_of_the_configuration`).
// Proves: finding D5
#[tokio::test]
async fn the_intake_reads_keys_and_integrations_and_nothing_else() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&ops).await;
    world.forget().await;
    wire.wait_until_quiet().await;
    wire.take_journal();
    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    let journal = wire.take_journal();
    let queued = journal.iter().position(|call| call.service == Service::Sqs && call.action.starts_with("SendMessage"));
    let before = &journal[..queued.expect("the message is queued")];
    let read: Vec<(String, String)> = before
        .iter()
        .filter(|call| call.service == Service::DynamoDb)
        .map(|call| {
            let body: serde_json::Value = serde_json::from_str(&call.body).expect("JSON");
            (call.action.clone(), body["Key"]["pk"]["S"].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    let expected = ["INTAKE_KEY", "INTEGRATION"].map(|pk| ("GetItem".to_owned(), pk.to_owned()));
    assert_eq!(read, expected);
    world.finish().await;
}

// Proves: finding A10, finding E3
#[tokio::test]
async fn the_address_without_a_path_leads_to_the_incidents() {
    let world = World::start().await;
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let answer = browser.get(format!("{}/", world.larkspur.base_url)).send().await.expect("an answer");
    let leads_to = answer.headers()["location"].to_str().expect("a text");
    assert_eq!((answer.status().as_u16(), leads_to), (303, "/incidents"));
    world.finish().await;
}
