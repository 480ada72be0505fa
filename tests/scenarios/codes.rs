//! An address is used only after the member has verified it. Until then the timeline states why the address was not
//! notified.

use scenarios::escalation::members;
use scenarios::mail::MailServer;
use scenarios::people::Member;
use scenarios::space::feishu_bot;
use scenarios::{World, minutes};
use serde_json::{Value, json};

async fn asks_for_a_code(world: &World, member: &Member) -> u16 {
    let path = format!("/members/{}/verification", member.id);
    world.api.call("POST", &path, Some(&json!({"field": "email"}))).await.status
}

async fn enters(world: &World, member: &Member, code: &str) -> (u16, Value) {
    let path = format!("/members/{}/verification", member.id);
    let answer = world.api.call("PUT", &path, Some(&json!({"field": "email", "code": code}))).await;
    world.forget().await;
    (answer.status, answer.body)
}

/// The code in the next mail, which must be addressed to `to`.
async fn code_to(server: &mut MailServer, to: &str) -> String {
    let mail = server.next().await;
    assert_eq!(mail["to"], json!([to]));
    let text = mail["text"].as_str().expect("text");
    text.split(' ').next().expect("a first word").to_owned()
}

/// A code of six digits that differs from this one.
fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

#[tokio::test]
async fn an_unverified_address_is_not_used_and_the_next_level_is_notified_at_once() {
    let world = World::start().await;
    let mut server = MailServer::start(&[]).await;
    world.mails_by(&server).await;
    let li = world.member("Li").unconfirmed_email("li@example.org").set("language", "zh").make().await;
    let wang = world.member("Wang").chat(feishu_bot("wang")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li]), members(&[&wang])]).await;
    let sender = world.feishu_alert().set("title_from", json!("first_line")).into(&payments).await;

    sender.says("disk full").await;
    world.feishu("wang").expects_all(&["Escalated", "disk full"]).await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed[0].contains("Li could not be notified by email (not_verified)"), "{failed:?}");

    assert_eq!(asks_for_a_code(&world, &li).await, 202);
    let code = code_to(&mut server, "li@example.org").await;
    let (status, member) = enters(&world, &li, &code).await;
    assert_eq!((status, &member["email_verified"]), (200, &json!(true)));

    sender.says("db-1 is down").await;
    let mail = server.next().await;
    assert_eq!(mail["to"], json!(["li@example.org"]));
    let subject = mail["subject"].as_str().expect("a subject");
    assert!(subject.contains("db-1 is down"), "the code was the only mail before: {subject}");
    world.finish().await;
}

#[tokio::test]
async fn a_code_is_locked_by_five_wrong_tries_and_expires_in_ten_minutes() {
    let world = World::start().await;
    let mut server = MailServer::start(&[]).await;
    world.mails_by(&server).await;
    let li = world.member("Li").unconfirmed_email("li@example.org").make().await;
    assert_eq!(asks_for_a_code(&world, &li).await, 202);
    let code = code_to(&mut server, "li@example.org").await;
    for _ in 0..5 {
        assert_eq!(enters(&world, &li, &wrong(&code)).await.0, 400);
    }
    assert_eq!(enters(&world, &li, &code).await.0, 409, "the right one comes too late");

    assert_eq!(asks_for_a_code(&world, &li).await, 202);
    let code = code_to(&mut server, "li@example.org").await;
    world.advance(minutes(10)).await;
    assert_eq!(enters(&world, &li, &code).await.0, 409, "expired");

    assert_eq!(asks_for_a_code(&world, &li).await, 202);
    let code = code_to(&mut server, "li@example.org").await;
    world.advance(minutes(9)).await;
    assert_eq!(enters(&world, &li, &code).await.0, 200);
    world.finish().await;
}

#[tokio::test]
async fn a_verified_address_is_informed_when_it_is_replaced_and_the_new_one_is_not_used_yet() {
    let world = World::start().await;
    let mut server = MailServer::start(&[]).await;
    world.mails_by(&server).await;
    let li = world.member("Li").email("old@example.org").chat(feishu_bot("li")).make().await;
    let chat = world.api.get(&format!("/members/{}", li.id)).await["preferences"]["Warning"][0].clone();
    let changed = json!({"name": "Li", "email": "new@example.org", "preferences": {"Warning": ["email", chat]}});
    assert_eq!(world.api.call("PUT", &format!("/members/{}", li.id), Some(&changed)).await.status, 200);
    world.forget().await;
    let mail = server.next().await;
    assert_eq!(mail["to"], json!(["old@example.org"]));
    let text = mail["text"].as_str().expect("text");
    assert!(text.contains("of Li") && !text.contains("new@example.org"), "{text}");

    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li])]).await;
    world.feishu_alert().into(&payments).await.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed[0].contains("Li could not be notified by email (not_verified)"), "{failed:?}");
    world.finish().await;
}
