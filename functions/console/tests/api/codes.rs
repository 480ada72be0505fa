//! The verification of members' addresses: by a code that the address receives, or by an administrator.

use serde_json::{Value, json};

use crate::mailbox::Mailbox;
use crate::world::{World, id};

const MINUTE: u64 = 60;

/// Creates Ada, whose email address is not verified, and returns the path of her codes.
async fn ada(world: &World) -> String {
    let made = world.post("/members", &json!({"name": "Ada", "email": "ada@example.org"})).await.is(201);
    assert_eq!(made["email_verified"], false);
    format!("/members/{}/verification", id(&made))
}

fn email() -> Value {
    json!({"field": "email"})
}

fn entered(code: &str) -> Value {
    json!({"field": "email", "code": code})
}

/// A code of six digits that differs from this one.
fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

#[tokio::test]
async fn the_code_that_was_sent_verifies_once_and_is_kept_nowhere_in_the_open() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let path = ada(&world).await;
    world.put(&path, &entered("123456")).await.refuses(409, "");
    world.post(&path, &email()).await.is(202);
    let mail = mailbox.take_one();
    assert_eq!(mail.to, "ada@example.org");
    assert!(mail.raw.contains("http://larkspur.test/me") && mail.raw.contains("first key"), "{}", mail.raw);
    let code = mail.code();
    let rows: Vec<String> = world.dump().await.into_iter().filter(|row| row.contains("CODE")).collect();
    assert_eq!(rows.len(), 3, "the code, and what was sent to the member and to the address: {rows:?}");
    for row in rows {
        let numbers = row.split(|c: char| !c.is_ascii_digit());
        assert!(!row.contains("ada@example.org") && numbers.into_iter().all(|number| number != code), "{row}");
    }

    let sentence = world.put(&path, &entered(&wrong(&code))).await.refuses(400, "code");
    assert!(sentence.contains("4 tries are left"), "{sentence}");
    for nonsense in ["12345", "1234567", "12345a", ""] {
        world.put(&path, &entered(nonsense)).await.refuses(400, "code");
    }
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let member = world.put(&path, &entered(&spaced)).await.is(200);
    assert_eq!((&member["email_verified"], &member["email_vouched_by"]), (&json!(true), &Value::Null));
    assert_eq!(world.put(&path, &entered(&code)).await.is(200), member, "pressed twice");
    world.post(&path, &email()).await.refuses(409, "");
    assert!(mailbox.take().is_empty());
}

#[tokio::test]
async fn five_wrong_tries_or_ten_minutes_and_even_the_right_code_is_refused() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let path = ada(&world).await;
    world.post(&path, &email()).await.is(202);
    let first = mailbox.take_one().code();
    for _ in 0..5 {
        world.put(&path, &entered(&wrong(&first))).await.refuses(400, "code");
    }
    let sentence = world.put(&path, &entered(&first)).await.refuses(409, "");
    assert!(sentence.contains("5 times"), "{sentence}");

    world.post(&path, &email()).await.is(202);
    let second = mailbox.take_one().code();
    if first != second {
        world.put(&path, &entered(&first)).await.refuses(400, "code");
    }
    world.advance(10 * MINUTE);
    let sentence = world.put(&path, &entered(&second)).await.refuses(409, "");
    assert!(sentence.contains("expired"), "{sentence}");
    let member = world.get(path.trim_end_matches("/verification")).await.is(200);
    assert_eq!(member["email_verified"], false);
}

#[tokio::test]
async fn three_codes_in_a_quarter_of_an_hour_and_the_answer_says_how_long_to_wait() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let path = ada(&world).await;
    for _ in 0..3 {
        world.post(&path, &email()).await.is(202);
    }
    let refused = world.post(&path, &email()).await;
    refused.refuses(429, "");
    let after: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((800..=901).contains(&after), "{after}");
    assert_eq!(mailbox.take().len(), 3);

    let other = json!({"name": "Eve", "email": "Ada@Example.org"});
    let other = format!("/members/{}/verification", id(&world.post("/members", &other).await.is(201)));
    world.post(&other, &email()).await.refuses(429, "");
    world.advance(after);
    world.post(&path, &email()).await.is(202);
}

#[tokio::test]
async fn a_code_for_one_address_is_worth_nothing_for_another() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let path = ada(&world).await;
    let member = path.trim_end_matches("/verification");
    world.post(&path, &email()).await.is(202);
    let code = mailbox.take_one().code();
    world.put(member, &json!({"name": "Ada", "email": "somebody@example.org"})).await.is(200);
    world.put(&path, &entered(&code)).await.refuses(400, "code");
    assert_eq!(world.get(member).await.is(200)["email_verified"], false);
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let world = World::start().await;
    let path = ada(&world).await;
    let sentence = world.post(&path, &email()).await.refuses(409, "");
    assert!(sentence.contains("`email` has no provider"), "{sentence}");
    world.post(&path, &json!({"field": "phone"})).await.refuses(400, "field");
    world.post(&path, &json!({"field": "fax"})).await.refuses(400, "field");
    let body = json!({"name": "Ada", "phone": "+8613800000000"});
    world.put(path.trim_end_matches("/verification"), &body).await.is(200);
    let sentence = world.post(&path, &json!({"field": "phone"})).await.refuses(409, "");
    assert_eq!(sentence, "no channel for phone numbers is configured");
    world.post("/members/mem_gone/verification", &email()).await.refuses(404, "");

    let settings = json!({"host": "127.0.0.1", "port": 1, "tls": "none", "from": "alerts@example.com"});
    world.put("/providers/email", &json!({"settings": settings})).await.is(200);
    let path = ada(&world).await;
    let sentence = world.post(&path, &email()).await.refuses(409, "");
    assert!(sentence.starts_with("the code could not be sent"), "{sentence}");
}

#[tokio::test]
async fn an_administrators_key_vouches_by_name_and_another_address_needs_a_word_of_its_own() {
    let world = World::start().await;
    let body = json!({"name": "Ada", "email": "ada@example.org", "email_verified": true});
    let made = world.post("/members", &body).await.is(201);
    assert_eq!((&made["email_verified"], &made["email_vouched_by"]), (&json!(true), &json!("first key")));
    let path = format!("/members/{}", id(&made));
    let rows = [
        (json!({"name": "Ada L.", "email": "ada@example.org"}), true),
        (json!({"name": "Ada", "email": "ada@example.com"}), false),
        (json!({"name": "Ada", "email": "ada@example.com", "email_verified": true}), true),
        (json!({"name": "Ada", "email": "ada@example.com", "email_verified": false}), false),
        (json!({"name": "Ada", "phone": "+8613800000000", "phone_verified": true}), false),
    ];
    for (body, verified) in rows {
        assert_eq!(world.put(&path, &body).await.is(200)["email_verified"], verified, "{body}");
    }
    assert_eq!(world.get(&path).await.is(200)["phone_vouched_by"], "first key");
}

#[tokio::test]
async fn the_old_address_is_notified_of_who_changed_it_and_a_failure_stops_nothing() {
    let world = World::start().await;
    let body = json!({"name": "Ada", "email": "old@example.org", "email_verified": true, "phone": "+8613800000000",
        "phone_verified": true});
    let path = format!("/members/{}", id(&world.post("/members", &body).await.is(201)));
    let other_phone = json!({"name": "Ada", "email": "old@example.org", "phone": "+8613900000000"});
    assert_eq!(
        world.put(&path, &other_phone).await.is(200)["phone_verified"],
        false,
        "no channel can notify the old one"
    );

    let mailbox = Mailbox::of(&world).await;
    world.put(&path, &json!({"name": "Ada", "email": "new@example.org"})).await.is(200);
    let mail = mailbox.take_one();
    assert_eq!(mail.to, "old@example.org");
    assert!(mail.raw.contains("first key") && !mail.raw.contains("new@example.org"), "{}", mail.raw);
    world.put(&path, &json!({"name": "Ada"})).await.is(200);
    assert!(mailbox.take().is_empty(), "an address that was never verified is not notified");
}
