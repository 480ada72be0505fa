//! The page "My account" as a browser receives it.

use axum::http::HeaderValue;
use serde_json::{Value, json};

use crate::mailbox::Mailbox;
use crate::pages::hidden;
use crate::world::{Answer, Person, World};

async fn form_token(person: &Person<'_>) -> String {
    let page = person.opens("/me").await;
    assert_eq!(page.status, 200, "{}", page.text);
    hidden(&page, "form_token")
}

#[track_caller]
fn leads_to(answer: &Answer, address: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(answer.headers["location"], HeaderValue::from_str(address).expect("text"));
}

async fn stored(world: &World, person: &Person<'_>) -> Value {
    world.get(&format!("/members/{}", person.member)).await.is(200)
}

#[tokio::test]
async fn members_change_themselves_but_not_what_they_may() {
    let world = World::start().await;
    let destination = world.destination().await;
    let ada = world.person("Ada", "viewer", "zh").await;
    let body = json!({"name": "Ada <b>", "role": "viewer", "language": "zh", "time_zone": "Asia/Shanghai",
        "preferences": {"Critical": [destination]}, "identities": {"zoom_jid": "ada"}});
    world.put(&format!("/members/{}", ada.member), &body).await.is(200);
    let page = ada.opens("/me").await;
    assert!(page.text.contains("我的账号") && page.text.contains("Ada &lt;b&gt;"), "{}", page.text);
    let chosen = format!("<option value=\"{destination}\" selected>");
    assert_eq!(page.text.matches(&chosen).count(), 1, "{}", page.text);

    let token = form_token(&ada).await;
    let mut form = vec![
        ("form_token", token.as_str()),
        ("name", "Ada"),
        ("email", "ada@example.org"),
        ("phone", "+8613800000000"),
        ("language", "en"),
        ("time_zone", "UTC"),
        ("role", "administrator"),
        ("email_verified", "true"),
        ("Critical-0", "email"),
        ("Critical-1", destination.as_str()),
        ("Info-0", "nobody"),
        ("Warning-0", "default"),
    ];
    leads_to(&ada.posts("/me", &form).await, "/me?done=saved");
    let saved = stored(&world, &ada).await;
    let expected = json!({"name": "Ada", "email": "ada@example.org", "email_verified": false,
        "phone": "+8613800000000", "language": "en", "time_zone": "UTC", "role": "viewer",
        "preferences": {"Critical": ["email", destination], "Info": []}, "identities": {"zoom_jid": "ada"}});
    for (field, value) in expected.as_object().expect("fields") {
        assert_eq!(&saved[field], value, "{field}");
    }
    let page = ada.opens("/me?done=saved").await;
    assert!(page.text.contains("Saved.") && page.text.contains("Not confirmed"), "{}", page.text);

    world.post("/members", &json!({"name": "Boss", "email": "boss@example.org"})).await.is(201);
    form[2] = ("email", "Boss@Example.org");
    assert_eq!(ada.posts("/me", &form).await.status, 400, "two members with one address would both be locked out");
    (form[2], form[5]) = (("email", "ada@example.org"), ("time_zone", "Mars"));
    assert_eq!(ada.posts("/me", &form).await.status, 400);
    assert_eq!(stored(&world, &ada).await, saved);
}

#[tokio::test]
async fn an_address_is_confirmed_on_the_page() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let ada = world.person("Ada", "viewer", "en").await;
    let body = json!({"name": "Ada", "role": "viewer", "email": "ada@example.org"});
    world.put(&format!("/members/{}", ada.member), &body).await.is(200);
    let token = form_token(&ada).await;
    let form = [("form_token", token.as_str()), ("field", "email")];
    leads_to(&ada.posts("/me/code", &form).await, "/me?done=sent");
    let mail = mailbox.take_one();
    assert!(mail.raw.contains("Ada asked for it"), "{}", mail.raw);
    let code = mail.code();
    assert_eq!(ada.posts("/me/verify", &[form[0], form[1], ("code", "12345")]).await.status, 400);
    leads_to(&ada.posts("/me/verify", &[form[0], form[1], ("code", &code)]).await, "/me?done=verified");
    assert_eq!(stored(&world, &ada).await["email_verified"], true);
    let page = ada.opens("/me").await;
    assert!(!page.text.contains("/me/verify"), "{}", page.text);
    assert_eq!(ada.posts("/me/code", &[form[0], ("field", "fax")]).await.status, 404);
}

#[tokio::test]
async fn only_the_members_own_forms_from_our_own_pages_change_anything() {
    let world = World::start().await;
    let ada = world.person("Ada", "responder", "en").await;
    let eve = world.person("Eve", "responder", "en").await;
    let token = form_token(&ada).await;
    let form = [("form_token", token.as_str()), ("name", "Mallory"), ("time_zone", "UTC")];
    for headers in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")], &[]] {
        assert_eq!(ada.asks("POST", "/me", headers, Some(&form)).await.status, 403, "{headers:?}");
    }
    assert_eq!(ada.posts("/me", &form[1..]).await.status, 403, "no token");
    assert_eq!(eve.posts("/me", &form).await.status, 403, "another session's token");
    assert_eq!(stored(&world, &ada).await["name"], "Ada");
    assert_eq!(stored(&world, &eve).await["name"], "Eve");
}

#[tokio::test]
async fn without_a_session_or_after_removal_nothing_is_shown_or_changed() {
    let world = World::start().await;
    leads_to(&world.stranger().opens("/me").await, "/sign-in?next=%2Fme");
    let ada = world.person("Ada", "administrator", "en").await;
    let token = form_token(&ada).await;
    world.delete(&format!("/members/{}", ada.member)).await.is(204);
    assert!(!ada.opens("/me").await.text.contains("Ada"));
    let answer = ada.posts("/me", &[("form_token", token.as_str()), ("name", "Eve"), ("time_zone", "UTC")]).await;
    assert!([401, 403].contains(&answer.status), "{}", answer.status);
}
