//! Dead letters: failed notices are listed with their reason, and are sent again on request.

use alerting::incident::notice::NoticeRecord;
use lambda_kit::queue::{Entry, Queue};
use scenarios::World;
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use serde_json::{Value, json};
use vendors::group::Fault;
use vendors::reply::Reply;

/// Feishu's answer for a bot that was removed.
fn gone() -> Fault {
    let body = json!({"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"});
    Fault::reply(Reply::json(200, &body))
}

/// A world with one failed notice and its dead letter.
async fn with_a_dead_notice() -> (World, Space, Sender, Value) {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&space).await;
    world.feishu("ops").answers([gone()]);
    sender.says("disk full host=db-1").await;
    world.settle().await;
    let mut dead = world.dead_letters().await;
    assert_eq!(dead.len(), 1, "{dead:#?}");
    (world, space, sender, dead.remove(0))
}

async fn state(world: &World) -> String {
    let incident = world.only_incident().await.now().await;
    incident["deliveries"][0]["state"].as_str().expect("a state").to_owned()
}

async fn post(world: &World, path: &str) -> u16 {
    let status = world.api.call("POST", path, Some(&json!({}))).await.status;
    world.settle().await;
    status
}

// Proves: finding A3
#[tokio::test]
async fn a_dead_notice_is_listed_with_its_reason_and_sent_again() {
    let (world, space, _, letter) = with_a_dead_notice().await;
    let incident = world.only_incident().await.id;
    let expected = [("kind", "notice"), ("reason", "bad_destination"), ("incident", &incident)];
    for (field, value) in expected.into_iter().chain([("destination", space.destinations[0].as_str())]) {
        assert_eq!(letter[field], value, "{letter:#}");
    }
    let path = format!("/dead-letters/{}/resend", letter["id"].as_str().expect("an id"));
    assert_eq!(post(&world, &path).await, 202);
    world.feishu("ops").expects("disk full").await;
    assert_eq!(state(&world).await, "delivered");
    assert_eq!(post(&world, &path).await, 404, "it is not there any more");
    world.finish().await;
}

#[tokio::test]
async fn a_dead_notice_that_fails_again_is_a_dead_letter_again() {
    let (world, _, _, letter) = with_a_dead_notice().await;
    world.feishu("ops").answers([gone()]);
    let path = format!("/dead-letters/{}/resend", letter["id"].as_str().expect("an id"));
    assert_eq!(post(&world, &path).await, 202);
    assert_eq!(state(&world).await, "failed");
    world.finish_with_dead_letters(1).await;
}

// Proves: finding A3
#[tokio::test]
async fn a_dead_notice_that_is_put_back_into_its_queue_by_hand_is_sent() {
    let (world, _, _, letter) = with_a_dead_notice().await;
    let id = letter["id"].as_str().expect("an id");
    let stored = world.store().dead_letter(id).await.expect("read").expect("there");
    let record: NoticeRecord = serde_json::from_str(&stored.body).expect("a notice");
    let notify = world.larkspur.stack.function("NotifyFunction").expect("deployed");
    let client = aws_sdk_sqs::Client::new(&world.larkspur.aws().sdk_config());
    let queue = Queue::new(client, notify.variable("NOTICES_QUEUE_URL").expect("set"));
    let again = Entry { deduplication_id: Some("by-hand".to_owned()), ..Entry::of_notice(&record) };
    queue.send(again).await.expect("sent");
    world.settle().await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(state(&world).await, "delivered");
    world.finish().await;
}

#[tokio::test]
async fn a_dead_notice_is_not_sent_behind_a_newer_one_of_its_incident() {
    let (world, _, sender, letter) = with_a_dead_notice().await;
    sender.says("RESOLVED host=db-1").await;
    world.feishu("ops").expects("Recovered").await;
    world.settle().await;
    let path = format!("/dead-letters/{}", letter["id"].as_str().expect("an id"));
    assert_eq!(post(&world, &format!("{path}/resend")).await, 409);
    assert_eq!(world.api.call("DELETE", &path, None).await.status, 204);
    assert_eq!(world.api.call("DELETE", &path, None).await.status, 404);
    world.finish().await;
}

#[tokio::test]
async fn a_destination_is_sent_the_newest_notice_of_an_incident_once_more_for_each_request() {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    let incident = world.only_incident().await.id;
    let path = format!("/incidents/{incident}/deliveries/{}/resend", space.destinations[0]);
    for _ in 0..2 {
        assert_eq!(post(&world, &path).await, 202);
        world.feishu("ops").expects("disk full").await;
    }
    let other = format!("/incidents/{incident}/deliveries/dst_unknown/resend");
    assert_eq!(post(&world, &other).await, 404);
    world.finish().await;
}

// Proves: finding A3
#[tokio::test]
async fn a_record_that_its_queue_gave_up_is_listed_sent_again_and_deleted() {
    let world = World::start().await;
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&space).await;
    let poison = Entry { body: "no message".to_owned(), group: Some(sender.integration.clone()), ..Entry::default() };
    world.messages_queue().send(poison).await.expect("sent");
    world.settle().await;
    let dead = world.dead_letters().await;
    assert!(dead.len() == 1 && dead[0]["kind"] == "message", "{dead:#?}");
    assert_eq!(world.dead_letters().await, dead, "it is recorded once");
    let id = dead[0]["id"].as_str().expect("an id");
    assert_eq!(post(&world, &format!("/dead-letters/{id}/resend")).await, 202);
    let dead = world.dead_letters().await;
    assert_eq!(dead.len(), 1, "it is still no message");
    let path = format!("/dead-letters/{}", dead[0]["id"].as_str().expect("an id"));
    assert_eq!(world.api.call("DELETE", &path, None).await.status, 204);
    world.finish().await;
}
