//! Mail to people: each notice is a mail of its own, in the language and time zone of the person. The reason is stated
//! if a mail cannot be sent.

use scenarios::World;
use scenarios::escalation::{group, members};
use scenarios::mail::MailServer;
use scenarios::minutes;
use scenarios::space::feishu_bot;
use serde_json::json;

#[tokio::test]
async fn every_assigned_member_gets_a_mail_in_their_language_and_time_zone() {
    let world = World::start().await;
    let mut server = MailServer::start(&[]).await;
    world.mails_by(&server).await;
    let li = world.member("Li Lei").email("lilei@example.org").set("language", "zh");
    let li = li.set("time_zone", "Asia/Shanghai").make().await;
    let wang = world.member("Wang").email("wang@example.org").make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li]), members(&[&wang])]).await;
    world.feishu_alert().set("title_from", json!("first_line")).into(&payments).await.says("disk full\n97%").await;

    let mail = server.next().await;
    let subject = mail["subject"].as_str().expect("a subject");
    assert!(subject.starts_with("[警告] INC #") && subject.ends_with("disk full"), "{subject}");
    assert_eq!(mail["to"], json!(["lilei@example.org"]));
    let text = mail["text"].as_str().expect("text");
    assert!(text.contains("+08:00") && text.contains("分派给：Li Lei") && text.contains("97%"), "{text}");

    world.advance(minutes(30)).await;
    let mail = server.next().await;
    let subject = mail["subject"].as_str().expect("a subject");
    assert!(subject.starts_with("[Escalated · Warning] INC #"), "{subject}");
    assert_eq!(mail["to"], json!(["wang@example.org"]));
    world.finish().await;
}

#[tokio::test]
async fn a_mailbox_that_is_busy_gets_its_mail_later() {
    let world = World::start().await;
    let mut server = MailServer::start(&["--busy-once"]).await;
    world.mails_by(&server).await;
    let li = world.member("Li").email("li@example.org").make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li])]).await;
    world.feishu_alert().into(&payments).await.says("disk full").await;
    assert_eq!(server.next().await["to"], json!(["li@example.org"]));
    let attempts: Vec<_> = world.incident().await.details("notified").await;
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    assert!(attempts[0].starts_with("email: retry") && attempts[1] == "email: delivered", "{attempts:?}");
    world.finish().await;
}

#[tokio::test]
async fn without_a_mail_server_or_an_address_the_next_contact_and_the_next_level_are_notified_at_once() {
    let world = World::start().await;
    let li = world.member("Li").email("li@example.org").chat(feishu_bot("li")).make().await;
    let chat = world.api.get(&format!("/members/{}", li.id)).await["preferences"]["Warning"][0].clone();
    let prefers = json!({"name": "Li", "email": "li@example.org", "preferences": {"Warning": ["email", chat]}});
    assert_eq!(world.api.call("PUT", &format!("/members/{}", li.id), Some(&prefers)).await.status, 200);
    let nomail = world.member("Wang").make().await;
    let ops = feishu_bot("ops").make(&world).await;
    let payments = world.space("Payments").make().await;
    let rule = world.rule(&payments, "Databases").when("description", "/db/");
    rule.levels([members(&[&nomail]).unified(&["email"]), group(&ops)]).await;
    world.rule(&payments, "The rest").levels([members(&[&li])]).await;
    let sender = world.feishu_alert().into(&payments).await;

    sender.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed[0].contains("Li could not be notified by email (not_configured)"), "{failed:?}");

    sender.says("db-1 is down").await;
    world.feishu("ops").expects_all(&["Escalated", "db-1 is down"]).await;
    let failed = world.incident().await.details("contact_failed").await;
    assert!(failed[0].contains("Wang could not be notified by email"), "{failed:?}");
    world.finish().await;
}

#[tokio::test]
async fn a_notice_that_calls_on_people_is_a_message_of_its_own_in_a_group() {
    let world = World::start().await;
    let ops = feishu_bot("ops").make(&world).await;
    let li = world.member("Li").chat(feishu_bot("li")).make().await;
    let payments = world.space("Payments").make().await;
    world.rule(&payments, "Always").levels([members(&[&li]), group(&ops)]).await;
    let sender = world.feishu_alert().into(&payments).await;
    for name in ["db-1", "db-2", "db-3"] {
        sender.says(name).await;
    }
    world.settle().await;
    world.feishu("li").accept_all();
    world.advance(minutes(30)).await;
    for name in ["db-1", "db-2", "db-3"] {
        let shown = world.feishu("ops").expects_all(&["Escalated", name]).await;
        assert!(shown.title().contains("Escalated"), "alone, with a headline of its own: {}", shown.everything());
    }
    world.finish().await;
}
