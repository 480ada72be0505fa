//! "My account", with a session that is begun in the store.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use store::keys::secret_hash;
use store::sessions::Session;

use crate::mailbox::Mailbox;
use crate::world::{Answer, World, id};

/// A browser in which a member is signed in.
struct Browser<'a> {
    world: &'a World,
    token: String,
}

impl<'a> Browser<'a> {
    async fn of(world: &'a World, member: &str) -> Self {
        let (token, now) = (format!("token of {member}").replace(' ', "_"), world.now());
        let member = member.parse().expect("a member's id");
        let session = Session { member, created_at: now, expires_at: now + Duration::from_secs(3600) };
        world.store.begin_session(&secret_hash(&token), &session).await.expect("written");
        Self { world, token }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookie = format!("session={}", self.token);
        Request::builder().method(method).uri(path).header(header::HOST, "larkspur.test").header(header::COOKIE, cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        self.world.send(self.request("GET", path).body(Body::empty()).expect("a request")).await
    }

    /// Posts a form as the page's own.
    async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.request("POST", path).header("sec-fetch-site", "same-origin");
        self.world.send(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    /// What the page's forms carry.
    async fn form_token(&self) -> String {
        let page = self.get("/me").await;
        assert_eq!(page.status, 200, "{}", page.text);
        let (_, rest) = page.text.split_once("action=\"/me\">").expect("the form");
        let (_, rest) = rest.split_once("name=\"form_token\" value=\"").expect("its token");
        rest.split_once('"').expect("an attribute").0.to_owned()
    }
}

#[track_caller]
fn leads_to(answer: &Answer, address: &str) {
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (303, &header::HeaderValue::from_str(address).expect("text")),
        "{}",
        answer.text
    );
}

async fn make(world: &World, body: &Value) -> String {
    id(&world.post("/members", body).await.is(201))
}

#[tokio::test]
async fn members_change_themselves_but_not_what_they_may() {
    let world = World::start().await;
    let destination = world.destination().await;
    let body = json!({"name": "Ada <b>", "role": "viewer", "language": "zh", "time_zone": "Asia/Shanghai",
        "preferences": {"Critical": [destination]}, "identities": {"zoom_jid": "ada"}});
    let member = make(&world, &body).await;
    let browser = Browser::of(&world, &member).await;
    let page = browser.get("/me").await;
    assert!(page.text.contains("我的账号") && page.text.contains("Ada &lt;b&gt;"), "{}", page.text);
    let chosen = format!("<option value=\"{destination}\" selected>");
    assert_eq!(page.text.matches(&chosen).count(), 1, "{}", page.text);

    let form = format!(
        "form_token={}&name=Ada&email=ada%40example.org&phone=%2B8613800000000&language=en&time_zone=UTC&role=administrator\
         &email_verified=true&Critical-0=email&Critical-1={destination}&Info-0=nobody&Warning-0=default",
        browser.form_token().await
    );
    leads_to(&browser.post("/me", &form).await, "/me?done=saved");
    let saved = world.get(&format!("/members/{member}")).await.is(200);
    let expected = json!({"name": "Ada", "email": "ada@example.org", "email_verified": false,
        "phone": "+8613800000000", "language": "en", "time_zone": "UTC", "role": "viewer",
        "preferences": {"Critical": ["email", destination], "Info": []}, "identities": {"zoom_jid": "ada"}});
    for (field, value) in expected.as_object().expect("fields") {
        assert_eq!(&saved[field], value, "{field}");
    }
    let page = browser.get("/me?done=saved").await;
    assert!(page.text.contains("Saved.") && page.text.contains("Not confirmed"), "{}", page.text);

    let wrong = form.replace("time_zone=UTC", "time_zone=Mars");
    assert_eq!(browser.post("/me", &wrong).await.status, 400);
    assert_eq!(world.get(&format!("/members/{member}")).await.is(200), saved);
}

#[tokio::test]
async fn an_address_is_confirmed_on_the_page() {
    let world = World::start().await;
    let mailbox = Mailbox::of(&world).await;
    let member = make(&world, &json!({"name": "Ada", "role": "viewer", "email": "ada@example.org"})).await;
    let browser = Browser::of(&world, &member).await;
    let form = format!("form_token={}&field=email", browser.form_token().await);
    leads_to(&browser.post("/me/code", &form).await, "/me?done=sent");
    let mail = mailbox.take_one();
    assert!(mail.raw.contains("Ada asked for it"), "{}", mail.raw);
    let answer = browser.post("/me/verify", &format!("{form}&code=12345")).await;
    assert_eq!(answer.status, 400);
    leads_to(&browser.post("/me/verify", &format!("{form}&code={}", mail.code())).await, "/me?done=verified");
    assert_eq!(world.get(&format!("/members/{member}")).await.is(200)["email_verified"], true);
    let page = browser.get("/me").await;
    assert!(!page.text.contains("/me/verify"), "{}", page.text);
    assert_eq!(browser.post("/me/code", &form.replace("email", "fax")).await.status, 404);
}

#[tokio::test]
async fn only_the_members_own_forms_from_our_own_pages_change_anything() {
    let world = World::start().await;
    let member = make(&world, &json!({"name": "Ada"})).await;
    let stranger = make(&world, &json!({"name": "Eve"})).await;
    let browser = Browser::of(&world, &member).await;
    let form = format!("form_token={}&name=Eve&time_zone=UTC", browser.form_token().await);

    let request = browser.request("POST", "/me").header("sec-fetch-site", "cross-site");
    let foreign = world.send(request.body(Body::from(form.clone())).expect("a request")).await;
    assert_eq!(foreign.status, 403);
    let request = browser.request("POST", "/me").body(Body::from(form.clone())).expect("a request");
    assert_eq!(world.send(request).await.status, 403, "whoever does not say where it comes from");
    assert_eq!(browser.post("/me", "name=Eve&time_zone=UTC").await.status, 403, "no token");
    assert_eq!(Browser::of(&world, &stranger).await.post("/me", &form).await.status, 403, "another session's token");
    assert_eq!(world.get(&format!("/members/{member}")).await.is(200)["name"], "Ada");
}

#[tokio::test]
async fn who_is_not_signed_in_or_was_removed_sees_nothing_and_changes_nothing() {
    let world = World::start().await;
    leads_to(&world.bare("GET", "/me", None, None).await, "/sign-in?next=%2Fme");
    let member = make(&world, &json!({"name": "Ada"})).await;
    let browser = Browser::of(&world, &member).await;
    let form = format!("form_token={}&name=Eve&time_zone=UTC", browser.form_token().await);
    world.delete(&format!("/members/{member}")).await.is(204);
    leads_to(&browser.get("/me").await, "/sign-in?next=%2Fme");
    assert_eq!(browser.post("/me", &form).await.status, 401);
}
