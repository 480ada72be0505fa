//! C. AWS that throttles, times out, answers wrongly or not at all, between the functions and the embedded services.

use std::time::Instant;

use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::wire::{Fault, Refusal, Wire, dynamodb, sns, sqs};
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};

/// One space that is told in one group, and a platform whose messages have keys.
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

#[tokio::test]
async fn while_the_queue_takes_nothing_the_sender_is_told_within_three_seconds_to_send_again() {
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
        rule.lift();
        assert_eq!((answer.status, answer.body["code"].as_i64()), (503, Some(9499)), "{case}: {}", answer.text);
        assert!(took < seconds(3), "{case}: {took:?}");
        assert_eq!(wire.calls(&sqs("SendMessage")).len() - before, 2, "{case}: two attempts");
    }
    sender.says("disk full key=a").await;
    world.feishu("ops").expects("disk full").await;
    world.finish().await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_recognised_as_ones_own() {
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

#[tokio::test]
async fn of_a_batch_only_what_failed_is_sent_again() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").telling(feishu_bot("ops")).notify(feishu_bot("dba")).await;
    let sender = world.feishu_alert().into(&ops).await;
    let (notices, changes) = (sqs("SendMessageBatch").on("NoticesQueue"), sns("PublishBatch"));
    wire.before(notices.clone().first(1), Fault::FirstEntryFails);
    wire.before(changes.clone().first(1), Fault::FirstEntryFails);
    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("dba").expects("disk full").await;
    world.rest().await;
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
    world.leave().await;
}
