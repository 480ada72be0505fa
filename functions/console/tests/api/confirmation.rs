//! Changes that would outlive a stolen session need the password again.

use axum::http::header;
use serde_json::json;

use crate::browser::{Browser, PASSWORD, form_token, hidden_fields, location};
use crate::mailbox::Mailbox;
use crate::world::World;

async fn members(world: &World) -> String {
    world.get("/members").await.text
}

// Proves: finding D1
#[tokio::test]
async fn a_stolen_session_changes_no_address_adds_no_member_and_makes_no_invitation() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let bob = world.account("bob@example.org", "responder").await;
    let (me, list) = (ada.get("/me").await, ada.get("/members").await);
    let invite = format!("/members/{bob}/invitation");
    let rows = [
        ("/me", form_token(&me, "/me"), vec![("name", "Ada"), ("email", "eve@example.org"), ("time_zone", "UTC")]),
        ("/members", form_token(&list, "/members#add"), vec![("name", "Eve"), ("role", "administrator")]),
        (&invite, form_token(&list, &invite), vec![]),
    ];
    let mut thief = Browser::new(&world);
    thief.cookies.clone_from(&ada.cookies);
    let before = members(&world).await;
    for (path, token, mut fields) in rows {
        fields.push(("form_token", &token));
        let asked = thief.post(path, &fields).await;
        assert_eq!((asked.status, asked.headers.get(header::SET_COOKIE)), (403, None), "{path}");
        assert!(asked.text.contains("Confirm that it is you"), "{}", asked.text);
        assert!(!asked.text.contains("/set-up/"), "{}", asked.text);
        fields.push(("confirm_password", "wrong horse battery"));
        let wrong = thief.post(path, &fields).await;
        assert!(wrong.status == 403 && wrong.text.contains("The current password is wrong."), "{}", wrong.text);
    }
    assert_eq!(members(&world).await, before);
    assert!(ada.is_signed_in().await);
}

#[tokio::test]
async fn the_password_confirms_a_new_session_for_ten_minutes_and_the_stolen_one_ends() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let mut thief = Browser::new(&world);
    thief.cookies.clone_from(&ada.cookies);
    let token = form_token(&ada.get("/members").await, "/members#add");
    let fields =
        [("form_token", token.as_str()), ("name", "李雷 <b> \"&"), ("email", "li@example.org"), ("language", "zh")];
    let asked = ada.post("/members", &fields).await;
    let kept = hidden_fields(&asked);
    assert!(kept.contains(&("name".to_owned(), "李雷 <b> \"&".to_owned())), "what was typed is kept: {kept:?}");
    assert_eq!(location(&ada.post_confirmed("/members", &fields).await), "/members");
    assert!(!thief.is_signed_in().await, "a copy of the session from before has ended");

    let token = form_token(&ada.get("/members").await, "/members#add");
    let again = [("form_token", token.as_str()), ("name", "Han")];
    assert_eq!(location(&ada.post("/members", &again).await), "/members", "within ten minutes");
    world.advance(600);
    assert_eq!(ada.post("/members", &again).await.status, 403, "after ten minutes");
}

// Proves: finding E6
#[tokio::test]
async fn a_wrong_form_after_the_password_keeps_the_new_session() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let token = form_token(&ada.get("/members").await, "/members#add");
    let page = ada.post_confirmed("/members", &[("form_token", &token), ("name", "Li"), ("phone", "138")]).await;
    assert!(page.status == 400 && page.text.contains("id=\"wrong-phone\""), "{}", page.text);
    let token = form_token(&page, "/members#add");
    let right = [("form_token", token.as_str()), ("name", "Li"), ("phone", "+8613800000000")];
    assert_eq!(location(&ada.post("/members", &right).await), "/members");
    let bob = format!("/members/{}/invitation", world.member("Bob").await);
    let refused = ada.post(&bob, &[("form_token", &token)]).await;
    assert_eq!(refused.status, 403, "a token is for one subject");
    assert!(ada.is_signed_in().await);
}

#[tokio::test]
async fn tries_of_a_stolen_session_are_limited_and_do_not_keep_the_owner_out() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let mut elsewhere = Browser::new(&world);
    location(&elsewhere.sign_in("ada@example.org", PASSWORD).await);
    let token = form_token(&ada.get("/members").await, "/members#add");
    let fields = |password| [("form_token", token.as_str()), ("name", "Eve"), ("confirm_password", password)];
    for _ in 0..10 {
        assert_eq!(ada.post("/members", &fields("wrong horse battery")).await.status, 403);
    }
    let refused = ada.post("/members", &fields(PASSWORD)).await;
    assert!(refused.status == 429 && refused.headers.contains_key(header::RETRY_AFTER), "{}", refused.text);
    let token = form_token(&elsewhere.get("/members").await, "/members#add");
    let own = [("form_token", token.as_str()), ("name", "Li"), ("confirm_password", PASSWORD)];
    assert_eq!(location(&elsewhere.post("/members", &own).await), "/members");
}

// Proves: finding D1
#[tokio::test]
async fn the_old_address_stays_until_the_new_one_is_confirmed_and_is_informed() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let mut ada = world.signed_in("ada@example.org", "responder").await;
    let id = world.get("/members").await.is(200)["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/members/{id}");
    let vouched = json!({"name": "Ada", "email": "ada@example.org", "email_verified": true});
    world.put(&path, &vouched).await.is(200);
    let token = form_token(&ada.get("/me").await, "/me");
    let form = [("form_token", token.as_str()), ("name", "Ada"), ("email", "new@example.org"), ("time_zone", "UTC")];
    assert_eq!(location(&ada.post_confirmed("/me", &form).await), "/me?done=asked");
    let asked = world.get(&path).await.is(200);
    assert_eq!((&asked["email"], &asked["email_verified"]), (&json!("ada@example.org"), &json!(true)));
    assert_eq!(asked["email_pending"], "new@example.org");
    assert_eq!(Browser::new(&world).sign_in("new@example.org", PASSWORD).await.status, 401);
    let page = ada.get("/me?done=asked").await;
    assert!(
        page.text.contains("until then the old one stays") && page.text.contains("new@example.org"),
        "{}",
        page.text
    );

    let token = form_token(&page, "/me/code");
    let code = [("form_token", token.as_str()), ("field", "email")];
    location(&ada.post("/me/code", &code).await);
    let mail = mailbox.take_one();
    assert!(mail.raw.contains("new@example.org"), "{}", mail.raw);
    let wrong = ada.post("/me/verify", &[code[0], code[1], ("code", "12345")]).await;
    assert!(wrong.status == 400 && wrong.text.contains("id=\"wrong-code-email\""), "{}", wrong.text);
    location(&ada.post("/me/verify", &[code[0], code[1], ("code", &mail.code())]).await);
    let now = world.get(&path).await.is(200);
    assert_eq!((&now["email"], &now["email_verified"]), (&json!("new@example.org"), &json!(true)));
    assert_eq!((&now["email_pending"], &now["email_vouched_by"]), (&json!(null), &json!(null)));
    let informed = mailbox.take_one();
    assert!(
        informed.raw.contains("ada@example.org") && informed.raw.contains("replaced or removed"),
        "{}",
        informed.raw
    );
    location(&Browser::new(&world).sign_in("new@example.org", PASSWORD).await);
}

#[tokio::test]
async fn a_new_address_can_be_given_up_and_an_administrator_s_key_replaces_it_at_once() {
    let world = World::start().await;
    let _mailbox = Mailbox::of(&world).await;
    let mut ada = world.signed_in("ada@example.org", "responder").await;
    let id = world.get("/members").await.is(200)["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/members/{id}");
    let token = form_token(&ada.get("/me").await, "/me");
    let form = [("form_token", token.as_str()), ("name", "Ada"), ("email", "new@example.org"), ("time_zone", "UTC")];
    assert_eq!(
        location(&ada.post_confirmed("/me", &form).await),
        "/me?done=asked",
        "unconfirmed, and codes can be sent"
    );
    assert_eq!(world.get(&path).await.is(200)["email_pending"], "new@example.org");
    let token = form_token(&ada.get("/me").await, "/me/discard");
    location(&ada.post("/me/discard", &[("form_token", &token), ("field", "email")]).await);
    assert_eq!(world.get(&path).await.is(200)["email_pending"], json!(null));

    let token = form_token(&ada.get("/me").await, "/me");
    let form = [("form_token", token.as_str()), ("name", "Ada"), ("email", "new@example.org"), ("time_zone", "UTC")];
    location(&ada.post("/me", &form).await);
    let saved = world.put(&path, &json!({"name": "Ada", "email": "other@example.org"})).await.is(200);
    assert_eq!((&saved["email"], &saved["email_pending"]), (&json!("other@example.org"), &json!(null)));
}
