//! Signing in and out with a password, and what a session permits.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::browser::{Browser, PASSWORD, form_token, location};
use crate::world::{BASE, World};

// Proves: fault 84
#[tokio::test]
async fn a_sign_in_leads_to_the_page_that_was_asked_for_and_to_no_other_site() {
    let world = World::start().await;
    world.account("ada@example.org", "responder").await;
    for (next, to) in [
        ("/members?a=b", "/members?a=b"),
        ("", "/incidents"),
        ("//evil.example/", "/incidents"),
        ("/\\evil.example", "/incidents"),
        ("https://evil.example", "/incidents"),
        ("/a\r\nx: y", "/incidents"),
    ] {
        let mut browser = Browser::new(&world);
        let fields = [("email", "Ada@Example.org"), ("password", PASSWORD), ("next", next)];
        assert_eq!(location(&browser.post("/sign-in", &fields).await), to, "{next:?}");
        assert!(browser.is_signed_in().await);
        let again = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        assert_eq!(location(&browser.get(&format!("/sign-in?{again}")).await), to, "already signed in, {next:?}");
    }
    let asked = location(&Browser::new(&world).get("/members?x=1&y=2").await);
    assert_eq!(asked, "/sign-in?next=%2Fmembers%3Fx%3D1%26y%3D2");
    let page = Browser::new(&world).get(&asked).await;
    assert!(page.text.contains("value=\"&#x2f;members?x=1&amp;y=2\""), "{}", page.text);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let world = World::start().await;
    world.account("ada@example.org", "responder").await;
    world.post("/members", &json!({"name": "Bob", "email": "bob@example.org"})).await.is(201);
    let mut answers = Vec::new();
    for email in ["ada@example.org", "bob@example.org", "nobody@example.org", ""] {
        let answer = Browser::new(&world).sign_in(email, "wrong horse battery").await;
        assert_eq!(answer.status, 401);
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
        answers.push(answer.text.replace(email, ""));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert!(answers[0].contains("The email address or the password is wrong."), "{}", answers[0]);
}

#[tokio::test]
async fn an_address_that_two_can_sign_in_with_signs_in_nobody() {
    let world = World::start().await;
    world.account("ops@example.org", "responder").await;
    let mut browser = Browser::new(&world);
    location(&browser.sign_in("ops@example.org", PASSWORD).await);
    world.account("OPS@example.org", "administrator").await;
    assert_eq!(Browser::new(&world).sign_in("ops@example.org", PASSWORD).await.status, 401);
}

// Proves: sign-in
#[tokio::test]
async fn after_ten_tries_a_source_waits_for_that_address_even_with_the_right_password() {
    let world = World::start().await;
    world.account("ada@example.org", "responder").await;
    world.account("bob@example.org", "responder").await;
    for _ in 0..10 {
        assert_eq!(Browser::new(&world).sign_in("ada@example.org", "wrong horse battery").await.status, 401);
    }
    world.advance(60);
    let refused = Browser::new(&world).sign_in("ADA@example.org", PASSWORD).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    let after: u64 = refused.headers[header::RETRY_AFTER].to_str().expect("text").parse().expect("seconds");
    assert!((800..=841).contains(&after), "{after}");
    assert!(refused.text.contains("Try again in 14 min."), "{}", refused.text);
    location(&Browser::new(&world).sign_in("bob@example.org", PASSWORD).await);
    world.advance(after);
    location(&Browser::new(&world).sign_in("ada@example.org", PASSWORD).await);
    let again = Browser::new(&world).sign_in("ada@example.org", "wrong horse battery").await;
    assert_eq!(again.status, 401, "a success resets the count");
}

// Proves: finding D4
#[tokio::test]
async fn a_stranger_s_guesses_keep_out_neither_another_source_nor_a_known_browser() {
    let world = World::start().await;
    world.account("ada@example.org", "responder").await;
    let mut known = Browser::new(&world);
    known.source = Some("198.51.100.1");
    location(&known.sign_in("ada@example.org", PASSWORD).await);
    let guess = async |source| {
        let mut stranger = Browser::new(&world);
        stranger.source = Some(source);
        stranger.sign_in("ada@example.org", "wrong horse battery").await.status
    };
    for _ in 0..10 {
        assert_eq!(guess("203.0.113.7").await, 401);
    }
    assert_eq!(guess("203.0.113.7").await, 429);
    let mut elsewhere = Browser::new(&world);
    elsewhere.source = Some("198.51.100.2");
    location(&elsewhere.sign_in("ada@example.org", PASSWORD).await);

    let sources = [
        "203.0.113.8",
        "203.0.113.9",
        "203.0.113.10",
        "203.0.113.11",
        "203.0.113.12",
        "203.0.113.13",
        "203.0.113.14",
        "203.0.113.15",
        "203.0.113.16",
    ];
    let mut last = 0;
    for source in sources {
        for _ in 0..10 {
            last = guess(source).await;
        }
    }
    assert_eq!(last, 429, "all strangers together have a limit");
    known.source = Some("203.0.113.7");
    location(&known.sign_in("ada@example.org", PASSWORD).await);
    assert_eq!(known.sign_in("bob@example.org", "wrong horse battery").await.status, 401);
    let mut forged = Browser::new(&world);
    forged.source = Some("203.0.113.7");
    let (nonce, _) = known.cookies["device"].split_once('.').expect("three parts");
    forged.cookies.insert("device".to_owned(), format!("{nonce}.9999999999.00"));
    assert_eq!(forged.sign_in("ada@example.org", PASSWORD).await.status, 429, "a forged cookie knows nobody");
}

#[tokio::test]
async fn tries_at_once_are_all_counted_and_a_source_has_a_limit_of_its_own() {
    let world = World::start().await;
    let tries = (0..25).map(|_| async { Browser::new(&world).sign_in("ada@example.org", "wrong").await.status });
    let answers = futures::future::join_all(tries).await;
    assert!(answers.iter().filter(|status| **status == 401).count() <= 10, "{answers:?}");
    let mut last = 0;
    for n in 0..60 {
        last = Browser::new(&world).sign_in(&format!("a{n}@example.org"), "wrong").await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_session_begins_with_a_token_of_its_own_and_ends_the_one_before() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    browser.cookies.insert("session".to_owned(), "chosen-by-somebody-else".to_owned());
    world.account("ada@example.org", "responder").await;
    location(&browser.sign_in("ada@example.org", PASSWORD).await);
    let first = browser.cookies["session"].clone();
    assert_ne!(first, "chosen-by-somebody-else");
    location(&browser.sign_in("ada@example.org", PASSWORD).await);
    assert_ne!(browser.cookies["session"], first);
    let mut stale = Browser::new(&world);
    stale.cookies.insert("session".to_owned(), first);
    assert!(!stale.is_signed_in().await && browser.is_signed_in().await);
    world.advance(7 * 24 * 3600);
    assert!(!browser.is_signed_in().await, "a session ends after a week");
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_alone() {
    let (mut app, _) = crate::world::app().await;
    app.base_url = Some("https://larkspur.test".to_owned());
    let url = console::set_up_link(&app).await.expect("made").expect("no administrator");
    let path = url.expose().strip_prefix("https://larkspur.test").expect("our own").to_owned();
    let router = console::router(app);
    let body = format!("name=Ada&email=ada%40example.org&password={}", PASSWORD.replace(' ', "+"));
    let request = Request::post(path).header(header::HOST, "internal").header(header::ORIGIN, "https://larkspur.test");
    let request = request.body(Body::from(body)).expect("a request");
    let response = tower::ServiceExt::oneshot(router, request).await.expect("an answer");
    let cookie = response.headers()[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.starts_with("__Host-session=") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().count();
    assert_eq!((response.status().as_u16(), cookies), (303, 2), "the session and the known browser");
}

// Proves: sign-in
#[tokio::test]
async fn a_form_counts_only_from_our_own_page_of_this_session() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let mut bob = world.signed_in("bob@example.org", "administrator").await;
    let page = ada.get("/members").await;
    let (own, out) = (form_token(&page, "/members#add"), form_token(&page, "/sign-out"));
    let bobs = form_token(&bob.get("/members").await, "/members#add");
    let long = "x".repeat(60_000);
    let before = world.get("/members").await.text;
    let rows = [
        (Some("https://evil.example"), own.as_str()),
        (Some("null"), own.as_str()),
        (None, own.as_str()),
        (Some(BASE), ""),
        (Some(BASE), "x"),
        (Some(BASE), long.as_str()),
        (Some(BASE), bobs.as_str()),
        (Some(BASE), out.as_str()),
    ];
    for (origin, token) in rows {
        let answer = ada.post_from(origin, "/members", &[("form_token", token), ("name", "Eve")]).await;
        assert_eq!(answer.status, 403, "{origin:?} {token:.20}");
    }
    let fields = [("form_token", own.as_str()), ("name", "Eve")];
    assert_eq!(Browser::new(&world).post("/members", &fields).await.status, 401);
    let too_long = "x".repeat(70_000);
    assert_eq!(ada.post("/members", &[("form_token", &own), ("name", &too_long)]).await.status, 413);
    assert_eq!(world.get("/members").await.text, before, "nothing was changed");

    let sign_in = [("email", "ada@example.org"), ("password", PASSWORD)];
    for origin in [Some("https://evil.example"), Some("null"), None] {
        let answer = Browser::new(&world).post_from(origin, "/sign-in", &sign_in).await;
        assert_eq!((answer.status, answer.headers.get(header::SET_COOKIE)), (403, None), "{origin:?}");
        assert_eq!(ada.post_from(origin, "/sign-out", &[("form_token", &out)]).await.status, 403);
    }
    assert_eq!(ada.get("/sign-out").await.status, 405);
    assert!(ada.is_signed_in().await);
    assert_eq!(location(&ada.post("/sign-out", &[("form_token", &out)]).await), "/sign-in");
    assert!(!ada.is_signed_in().await && bob.is_signed_in().await);
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::start().await;
    let mut here = world.signed_in("ada@example.org", "responder").await;
    let mut elsewhere = Browser::new(&world);
    location(&elsewhere.sign_in("ada@example.org", PASSWORD).await);
    let token = form_token(&here.get("/me/password").await, "/me/password");
    let new = "another horse battery";
    for (old, wanted, status) in [("wrong horse battery", new, 403), (PASSWORD, "short", 400)] {
        let fields = [("form_token", token.as_str()), ("old_password", old), ("password", wanted)];
        assert_eq!(here.post("/me/password", &fields).await.status, status);
    }
    assert!(elsewhere.is_signed_in().await);
    let fields = [("form_token", token.as_str()), ("old_password", PASSWORD), ("password", new)];
    location(&here.post("/me/password", &fields).await);
    assert!(here.is_signed_in().await && !elsewhere.is_signed_in().await);
    assert_eq!(elsewhere.sign_in("ada@example.org", PASSWORD).await.status, 401);
    location(&elsewhere.sign_in("ada@example.org", new).await);
}

#[tokio::test]
async fn a_removed_member_is_signed_out_at_once_and_cannot_sign_in_again() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let token = form_token(&ada.get("/members").await, "/members#add");
    let id = world.get("/members").await.is(200)["items"][0]["id"].as_str().expect("an id").to_owned();
    world.delete(&format!("/members/{id}")).await.is(204);
    assert_eq!(ada.post("/members", &[("form_token", &token), ("name", "Eve")]).await.status, 403);
    assert!(location(&ada.get("/members").await).starts_with("/sign-in"));
    assert_eq!(Browser::new(&world).sign_in("ada@example.org", PASSWORD).await.status, 401);
    world.post("/members", &json!({"name": "Ada", "email": "ada@example.org"})).await.is(201);
    assert_eq!(Browser::new(&world).sign_in("ada@example.org", PASSWORD).await.status, 401, "another member");
}

#[tokio::test]
async fn a_changed_address_signs_in_and_the_old_one_does_not() {
    let world = World::start().await;
    let id = world.account("ada@example.org", "responder").await;
    let body = json!({"name": "Ada", "email": "lovelace@example.org"});
    world.put(&format!("/members/{id}"), &body).await.is(200);
    assert_eq!(Browser::new(&world).sign_in("ada@example.org", PASSWORD).await.status, 401);
    location(&Browser::new(&world).sign_in("lovelace@example.org", PASSWORD).await);
}
