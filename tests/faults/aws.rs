//! C. AWS throttles, times out, or returns wrong answers or none, between the functions and the embedded services.

use std::time::{Duration, Instant};

use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::wire::{Fault, Refusal, Wire, dynamodb, secrets, sns, sqs};
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};

mod broken;

/// The call that releases the lease of a delivery and marks it as sent.
const MARK: &str = "REMOVE #owner, #lease";

/// One space that notifies one group, and a platform whose messages have keys.
async fn deployment() -> (Wire, World, Space, Sender) {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&ops).await;
    (wire, world, ops, sender)
}

fn text(text: &str) -> String {
    json!({"msg_type": "text", "content": {"text": text}}).to_string()
}

// Proves: fault 29, fault 30
#[tokio::test]
async fn while_the_queue_is_down_a_sender_gets_a_retry_answer_within_three_seconds() {
    let (wire, world, _, sender) = deployment().await;
    let faults = [
        Fault::Refuse(Refusal::THROTTLED),
        Fault::Refuse(Refusal::INTERNAL),
        Fault::Answer(200, "<html>not SQS</html>".to_owned()),
        Fault::Drop,
        Fault::Hang,
        Fault::Delay(seconds(29)),
    ];
    for fault in faults {
        let case = format!("{fault:?}");
        let before = wire.calls(&sqs("SendMessage")).len();
        let rule = wire.before(sqs("SendMessage"), fault);
        let started = Instant::now();
        let answer = sender.tries(text("disk full key=a")).await;
        let took = started.elapsed();
        rule.remove();
        assert_eq!((answer.status, answer.body["code"].as_i64()), (503, Some(9499)), "{case}: {}", answer.text);
        assert!(took < seconds(3), "{case}: {took:?}");
        assert_eq!(wire.calls(&sqs("SendMessage")).len() - before, 2, "{case}: two attempts");
    }
    sender.says("disk full key=a").await;
    world.feishu("ops").expects("disk full").await;
    world.finish().await;
}

// Proves: fault 31
#[tokio::test]
async fn a_throttled_partition_holds_up_its_own_messages_and_no_others() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("title_from", json!("first_line")).into(&ops).await;
    let hot = dynamodb("PutItem").on("AlertsTable").holding("hot partition");
    let rule = wire.before(hot.clone(), Fault::Refuse(Refusal::THROUGHPUT));
    tokio::join!(sender.says("hot partition"), sender.says("cold partition"));
    world.feishu("ops").expects("cold partition").await;
    wire.wait_until_quiet().await;
    let tried: Vec<Instant> = wire.calls(&hot).iter().map(|call| call.at).collect();
    assert_eq!(tried.len(), 3, "the SDK's three attempts, and the queue does the rest");
    assert!(tried.windows(2).all(|pair| pair[1] - pair[0] > Duration::from_millis(1)), "none at once: {tried:?}");
    assert_eq!(world.api.list("/alerts").await.len(), 1);
    rule.remove();
    wire.redeliver(&world).await;
    world.feishu("ops").expects("hot partition").await;
    assert_eq!(sender.outcomes().await, ["triggered", "triggered"]);
    world.finish().await;
}

/// Sends the messages of a source one after the other while a rule of the wire makes random calls fail. Then removes
/// the faults.
async fn said_through(wire: &Wire, world: &World, sender: &Sender) {
    for text_sent in ["disk full\nkey=a", "disk fuller\nkey=a", "load high\nkey=b", "all well\nRESOLVED key=a"] {
        loop {
            let answer = sender.tries(text(text_sent)).await;
            if answer.body["code"] == 0 {
                break;
            }
        }
        wire.wait_until_quiet().await;
    }
    // Delivers the messages once more while calls fail, and then twice without faults.
    wire.redeliver(world).await;
    wire.remove_faults();
    wire.redeliver(world).await;
    wire.redeliver(world).await;
}

/// Checks that nothing was lost, nothing was counted twice, and nobody was notified twice without a reason.
async fn check_result(wire: &Wire, world: &World, sender: &Sender) {
    let group = world.feishu("ops");
    let alerts = world.api.list("/alerts").await;
    let of = |key: &str| -> Vec<&Value> { alerts.iter().filter(|alert| alert["alert_key"] == key).collect() };
    let (disk, load) = (of("a"), of("b"));
    assert_eq!((load.len(), load[0]["status"].as_str(), load[0]["count"].as_u64()), (1, Some("open"), Some(1)));
    assert!(disk.iter().all(|alert| alert["status"] == "closed"), "{disk:#?}");
    let counted: u64 = disk.iter().map(|alert| alert["count"].as_u64().expect("a count")).sum();
    let messages = sender.messages().await;
    let superseded = messages.iter().filter(|message| message["outcome"] == "superseded").count() as u64;
    // The intake may have asked a sender to retry although the message was already queued. The retry is then another
    // message.
    let copies = messages.len() as u64 - 4;
    assert!((2..=2 + copies).contains(&(counted + superseded)) || counted == 2, "{disk:#?} {messages:#?}");
    group.expects("load high").await;
    let shown: Vec<String> = group.messages().iter().map(|message| message.everything()).collect();
    // Delivery is at least once: a notice is sent once more each time that it could not be marked as sent.
    let unmarked = wire.calls(&dynamodb("UpdateItem").holding(MARK)).iter().filter(|call| call.struck).count();
    let times = shown.iter().filter(|message| message.contains("load high")).count();
    assert!((1..=1 + unmarked).contains(&times), "{unmarked} marks went wrong: {shown:#?}");
    assert!(
        world.api.get("/ledger?hours=2").await["items"]
            .as_array()
            .is_some_and(|hours| { hours.iter().all(|hour| hour["messages"]["waiting"].as_u64().unwrap_or(0) == 0) })
    );
    group.accept_all();
}

// Proves: fault 32
#[tokio::test]
async fn a_write_with_a_lost_answer_is_recognised_as_ones_own() {
    let (wire, world, _, sender) = deployment().await;
    let states = dynamodb("PutItem").on("AlertsTable").holding("STATE#");
    let rule = wire.after(states.clone().first(1), Fault::Drop);
    sender.says("disk full\nkey=a").await;
    world.feishu("ops").expects("disk full").await;
    world.rest().await;
    assert_eq!((rule.count(), wire.calls(&states).len()), (1, 2), "written, and tried again");
    let other = wire.after(states.clone().first(1), Fault::Hang);
    sender.says("disk fuller\nkey=a").await;
    other.reached().await;
    world.rest().await;
    let alerts = world.api.list("/alerts").await;
    assert_eq!((alerts.len(), alerts[0]["count"].as_u64()), (1, Some(2)), "{alerts:#?}");
    assert_eq!(sender.outcomes().await, ["updated", "triggered"]);
    world.finish().await;
}

// Proves: fault 33
#[tokio::test]
async fn with_half_of_all_table_calls_failing_every_message_takes_effect_in_the_end() {
    let (wire, world, _, sender) = deployment().await;
    let alerts = || dynamodb("").on("AlertsTable");
    wire.before(alerts().chance(0.15), Fault::Refuse(Refusal::THROUGHPUT));
    wire.before(alerts().chance(0.15), Fault::Refuse(Refusal::INTERNAL));
    wire.before(alerts().chance(0.1), Fault::Refuse(Refusal { status: 400, code: "TransactionCanceledException" }));
    wire.after(alerts().chance(0.1), Fault::Drop);
    wire.after(alerts().chance(0.1), Fault::Cut);
    said_through(&wire, &world, &sender).await;
    check_result(&wire, &world, &sender).await;
    world.finish().await;
}

// Proves: fault 35
#[tokio::test]
async fn notices_that_the_queue_or_the_topic_refused_are_sent_when_the_message_is_retried() {
    let (wire, world, _, sender) = deployment().await;
    let notices = sqs("SendMessageBatch").on("NoticesQueue");
    wire.before(notices.clone(), Fault::Refuse(Refusal::THROTTLED));
    sender.says("disk full\nkey=a").await;
    wire.wait_until_quiet().await;
    assert_eq!(world.api.list("/alerts").await.len(), 1, "it is written");
    assert!(world.feishu("ops").messages().is_empty() && sender.messages().await.is_empty(), "and still waits");
    wire.remove_faults();
    let changes = sns("PublishBatch");
    wire.before(changes.clone(), Fault::Refuse(Refusal { status: 400, code: "Throttling" }));
    wire.redeliver(&world).await;
    world.feishu("ops").expects("disk full").await;
    assert!(sender.messages().await.is_empty(), "it waits for the topic");
    wire.remove_faults();
    wire.redeliver(&world).await;
    assert!(wire.calls(&changes).iter().any(|call| call.passed_on && call.body.contains("alert")));
    assert_eq!(sender.outcomes().await, ["triggered"]);
    world.finish().await;
}

// Proves: fault 36
#[tokio::test]
async fn of_a_batch_only_what_failed_is_sent_again() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notifying(feishu_bot("ops")).notify(feishu_bot("dba")).await;
    let sender = world.feishu_alert().into(&ops).await;
    let (notices, changes) = (sqs("SendMessageBatch").on("NoticesQueue"), sns("PublishBatch"));
    wire.before(notices.clone().first(1), Fault::FirstEntryFails);
    wire.before(changes.clone().first(1), Fault::FirstEntryFails);
    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("dba").expects("disk full").await;
    wire.wait_until_quiet().await;
    let entries = |body: &str| -> Vec<Value> {
        let json: Value = serde_json::from_str(body).expect("JSON");
        json["Entries"].as_array().expect("entries").iter().map(|entry| entry["MessageBody"].clone()).collect()
    };
    let sent: Vec<Vec<Value>> = wire.calls(&notices).iter().map(|call| entries(&call.body)).collect();
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(sent[1][0], sent[0][0], "the first, which had failed");
    let published = wire.calls(&changes);
    let ids = |body: &str| body.matches(".Id=").count();
    assert_eq!(published.iter().map(|call| ids(&call.body)).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(sender.outcomes().await, ["triggered"]);
    world.finish().await;
}

// Proves: fault 37
#[tokio::test]
async fn a_timer_that_is_swept_and_handed_over_twice_acts_once() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let (first, second) = (feishu_bot("first").make(&world).await, feishu_bot("second").make(&world).await);
    let space = world.space("Ops").make().await;
    let level = |group: &str| json!({"groups": [{"destination": group}], "next": {"after_minutes": 30}});
    let rule = json!({"name": "Always", "levels": [level(&first), level(&second)]});
    world.api.create(&format!("/spaces/{}/escalation-rules", space.id), &rule).await;
    let sender = world.feishu_alert().into(&space).await;
    let put = wire.before(dynamodb("PutItem").holding("TIMER#"), Fault::Duplicate);
    let handed_over = wire.before(sqs("SendMessageBatch").on("DueQueue"), Fault::Duplicate);
    let kept = wire.before(dynamodb("BatchWriteItem").holding("TIMER#").first(3), Fault::Refuse(Refusal::INTERNAL));
    sender.says("disk full").await;
    world.feishu("first").expects("disk full").await;
    for _ in 0..4 {
        world.advance(minutes(10)).await;
    }
    world.feishu("second").expects("disk full").await;
    assert!(put.count() > 0 && handed_over.count() > 1 && kept.count() == 3, "{put:?} {handed_over:?} {kept:?}");
    let shown = world.feishu("second").messages().len() + world.feishu("first").messages().len();
    assert_eq!(shown, 2, "each level once");
    world.finish_with_timers().await;
}

// Proves: fault 38
#[tokio::test]
async fn credentials_that_expired_lose_nothing_and_what_comes_after_new_ones_works() {
    let (wire, world, _, sender) = deployment().await;
    sender.says("before\nkey=a").await;
    world.feishu("ops").expects("before").await;
    wire.wait_until_quiet().await;
    wire.before(dynamodb(""), Fault::Refuse(Refusal::EXPIRED));
    wire.before(sqs("SendMessageBatch"), Fault::Refuse(Refusal::EXPIRED));
    // Key and integration are cached, so the message is accepted.
    sender.says("meanwhile\nkey=b").await;
    wire.wait_until_quiet().await;
    assert_eq!(world.feishu("ops").messages().len(), 1);
    wire.remove_faults();
    wire.redeliver(&world).await;
    world.feishu("ops").expects("meanwhile").await;
    assert_eq!(sender.outcomes().await, ["triggered", "triggered"]);
    world.finish().await;
}
