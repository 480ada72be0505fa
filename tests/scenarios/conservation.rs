//! Every message has a recorded result, and the numbers of the ledger add up.

use lambda_kit::queue::Entry;
use scenarios::space::feishu_bot;
use scenarios::{World, minutes};
use serde_json::json;

// Proves: nothing-dropped
#[tokio::test]
async fn accepted_and_refused_messages_are_listed_with_outcome_and_reason_and_the_ledger_balances() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&ops).await;
    sender.says("disk full host=db-1").await;
    world.feishu("ops").expects("disk full").await;
    sender.says("disk fuller host=db-1").await;
    sender.says("no key here").await;
    world.feishu("ops").expects("no key here").await;
    sender.says("RESOLVED host=db-9").await;
    assert_eq!(sender.tries("{").await.status, 400);
    let card = json!({"msg_type": "interactive", "card": {"header": {"title": {"tag": "plain_text", "content": "x"}}}});
    let refused = sender.tries(card.to_string()).await;
    assert_eq!((refused.status, refused.body["code"].as_i64()), (400, Some(19002)));
    assert!(refused.body["msg"].as_str().expect("a text").contains("message_types"), "{}", refused.text);
    world.settle().await;

    let messages = sender.messages().await;
    let rows: Vec<_> = messages
        .iter()
        .map(|row| (row["outcome"].as_str().expect("an outcome"), row["reason"].as_str(), row["key_from"].as_str()))
        .collect();
    assert_eq!(
        rows,
        [
            ("refused", Some("message_type"), None),
            ("refused", Some("malformed"), None),
            ("discarded", Some("nothing_open"), Some("rule")),
            ("triggered", None, Some("title")),
            ("updated", None, Some("rule")),
            ("triggered", None, Some("rule")),
        ]
    );
    let ledger = world.api.get("/ledger?hours=2").await;
    let hours = ledger["items"].as_array().expect("hours");
    let total =
        |part: &str, name: &str| -> i64 { hours.iter().map(|hour| hour[part][name].as_i64().unwrap_or(0)).sum() };
    for (name, expected) in [
        ("received", 6),
        ("waiting", 0),
        ("refused", 2),
        ("discarded", 1),
        ("superseded", 0),
        ("updated", 1),
        ("triggered", 2),
    ] {
        assert_eq!(total("messages", name), expected, "{name} in {ledger:#}");
    }
    assert_eq!((total("notices", "created"), total("notices", "delivered"), total("notices", "pending")), (2, 2, 0));
    assert!(hours.iter().all(|hour| hour["balanced"] == true), "{ledger:#}");
    world.finish().await;
}

#[tokio::test]
async fn a_refused_message_is_replayed_once_the_setting_is_on() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&ops).await;
    let card = json!({"msg_type": "interactive", "card": {
        "header": {"title": {"tag": "plain_text", "content": "[FIRING] disk full"}, "template": "red"},
        "elements": [{"tag": "markdown", "content": "**db-1** used 96%"}],
    }});
    sender.tries(card.to_string()).await;
    world.settle().await;
    let refused = sender.messages().await[0]["id"].as_str().expect("an id").to_owned();

    let path = format!("/integrations/{}", sender.integration);
    let body = json!({"name": "a platform", "space": ops.id, "message_types": ["text", "post", "interactive"]});
    assert_eq!(world.api.call("PUT", &path, Some(&body)).await.status, 200);
    let replayed = world.api.call("POST", &format!("{path}/messages/{refused}/replay"), None).await;
    assert_eq!(replayed.status, 202, "{}", replayed.text);
    world.feishu("ops").expects_all(&["] INC #", " disk full", "db-1 used 96%"]).await;
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["triggered", "refused"]);
    let alert = &world.api.list("/alerts").await[0];
    assert_eq!(alert["labels"]["card_color"], "red");
    world.finish().await;
}

#[tokio::test]
async fn try_says_what_a_message_would_do_and_does_nothing() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&ops).await;
    let body = json!({"body": {"msg_type": "text", "content": {"text": "disk full host=db-1"}}});
    let path = format!("/integrations/{}/try", sender.integration);
    let tried = world.api.call("POST", &path, Some(&body)).await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    assert_eq!(tried.body["outcome"], "triggered");
    assert_eq!((&tried.body["alert_key"], &tried.body["key_from"]), (&json!("db-1"), &json!("rule")));
    assert_eq!(tried.body["title"], "Feishu Alert");
    assert_eq!(tried.body["spaces"], json!([ops.id]));
    assert_eq!(tried.body["answer"]["status"], 200);
    world.settle().await;
    assert!(world.api.list("/alerts").await.is_empty());
    assert!(sender.messages().await.is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_rotated_key_leaves_the_old_one_working_for_as_long_as_was_asked() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&ops).await;
    let path = format!("/integrations/{}/rotate-key", sender.integration);
    let rotated = world.api.call("POST", &path, Some(&json!({"overlap_minutes": 60}))).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let new = rotated.body["url"].as_str().expect("a url").to_owned();
    assert_ne!(new, sender.url);
    assert!(rotated.body["old_key_until"].is_string());

    let body = r#"{"msg_type":"text","content":{"text":"one"}}"#;
    for url in [&sender.url, &new] {
        assert_eq!(world.api.post(url, body).await.body["code"], 0);
        world.feishu("ops").expects("one").await;
    }
    world.advance(minutes(61)).await;
    assert_eq!(world.api.post(&sender.url, body).await.body["code"], 19001);
    assert_eq!(world.api.post(&new, body).await.body["code"], 0);
    world.feishu("ops").expects("one").await;
    world.finish().await;
}

#[tokio::test]
async fn an_unknown_key_is_answered_as_feishu_does_and_leaves_no_trace() {
    let world = World::start().await;
    let url = format!("{}/open-apis/bot/v2/hook/000000000000000000", world.larkspur.base_url);
    let answer = world.api.post(&url, r#"{"msg_type":"text","content":{"text":"x"}}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text, r#"{"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}"#);
    world.settle().await;
    let ledger = world.api.get("/ledger?hours=1").await;
    assert_eq!(ledger["items"][0]["messages"]["received"].as_i64().unwrap_or(0), 0, "{ledger:#}");
    world.finish().await;
}

// Proves: nothing-dropped
#[tokio::test]
async fn a_record_that_is_no_message_reaches_the_dead_letters_while_its_batch_mate_opens_its_alert() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&ops).await;
    let poison = Entry { body: "no message".to_owned(), group: Some(sender.integration.clone()), ..Entry::default() };
    world.messages_queue().send(poison).await.expect("sent");
    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    world.settle().await;
    assert_eq!(sender.outcomes().await, ["triggered"]);
    assert_eq!(world.dead_letters().await.len(), 1);
    world.larkspur.stop().await;
}

// Proves: fault 100
#[tokio::test]
async fn a_notice_whose_destination_was_deleted_is_recorded_as_failed_and_not_sent_again() {
    let world = World::start().await;
    let ops = world.space("Ops").notifying(feishu_bot("ops")).notify(feishu_bot("others")).await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&ops).await;
    sender.says("disk full host=db-1").await;
    world.feishu("ops").expects("disk full").await;
    world.feishu("others").expects("disk full").await;
    let gone = world.api.call("DELETE", &format!("/destinations/{}", ops.destinations[0]), None).await;
    assert_eq!(gone.status, 204, "{}", gone.text);

    sender.says("RESOLVED host=db-1").await;
    world.feishu("others").expects("Recovered").await;
    world.settle().await;
    let incident = world.api.list("/incidents").await[0]["id"].as_str().expect("an id").to_owned();
    let incident = world.api.get(&format!("/incidents/{incident}")).await;
    let states: Vec<_> =
        incident["deliveries"].as_array().expect("deliveries").iter().map(|one| one["state"].clone()).collect();
    assert!(states.contains(&json!("failed")) && states.contains(&json!("delivered")), "{incident:#}");
    world.finish().await;
}
