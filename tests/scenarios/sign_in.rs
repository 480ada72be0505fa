//! Signing in: from a new deployment to a member with a password, and through an external provider.

use std::path::Path;

use scenarios::World;
use scenarios::minutes;
use scenarios::oidc::{Browser, Provider};
use scenarios::process::Process;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn from_a_fresh_start_to_an_invited_member_who_is_signed_in() {
    let world = World::start().await;
    let url = world.larkspur.set_up_url.as_ref().expect("nobody can sign in yet").expose().to_owned();
    let mut ada = world.browser();
    assert!(ada.get(&url).await.text.contains("The first administrator"));
    let path = url.strip_prefix(&world.larkspur.base_url).expect("our own address").to_owned();
    let form = [("name", "Ada"), ("email", "ada@example.org"), ("password", PASSWORD)];
    assert_eq!(ada.post(&path, &form).await.to.as_deref(), Some("/incidents"));

    let token = ada.get("/members").await.form_token("/members#add");
    let form = [("form_token", token.as_str()), ("name", "Li Lei"), ("email", "li@example.org"), ("language", "zh")];
    assert_eq!(ada.post_confirmed("/members", &form, PASSWORD).await.to.as_deref(), Some("/members"));
    let li = world.api.list("/members").await.into_iter().find(|one| one["name"] == "Li Lei").expect("added");
    let action = format!("/members/{}/invitation", li["id"].as_str().expect("an id"));
    let token = ada.get("/members").await.form_token(&action);
    let shown = ada.post(&action, &[("form_token", &token)]).await;
    let (_, link) = shown.text.split_once("readonly value=\"").expect("the link");
    let link = link.split_once('"').expect("its end").0.replace("&#x2f;", "/");
    let path = link.strip_prefix(&world.larkspur.base_url).expect("our own address");

    let mut li = world.browser();
    assert!(li.get(path).await.text.contains("li@example.org"));
    assert_eq!(li.post(path, &[("password", PASSWORD)]).await.to.as_deref(), Some("/incidents"));
    assert!(li.get("/members").await.text.contains("退出登录"), "in the member's own language");
    let token = li.get("/members").await.form_token("/sign-out");
    assert_eq!(li.post("/sign-out", &[("form_token", &token)]).await.to.as_deref(), Some("/sign-in"));
    let form = [("email", "li@example.org"), ("password", PASSWORD), ("next", "/members")];
    assert_eq!(li.post("/sign-in", &form).await.to.as_deref(), Some("/members"));
    assert!(li.is_signed_in().await);
    world.finish().await;
}

#[tokio::test]
async fn the_program_prints_a_set_up_link_until_one_was_used() {
    let data = tempfile::tempdir().expect("a directory");
    let (first, _) = started(data.path()).await;
    let (second, url) = started(data.path()).await;
    assert!(first && second, "until it is used");
    let larkspur = Process::start(data.path(), &[]).await.expect("started");
    let used = larkspur.start_line["setup_url"].as_str().expect("a link").to_owned();
    assert_ne!(url, used, "each start replaces it");
    let form = [("name", "Ada"), ("email", "ada@example.org"), ("password", PASSWORD)];
    let answer = Browser::at(&larkspur.base_url).post(&used, &form).await;
    assert_eq!(answer.to.as_deref(), Some("/incidents"), "{}", answer.text);
    larkspur.kill().await.expect("killed");
    assert!(!started(data.path()).await.0, "an administrator can sign in");
}

/// Whether a start prints a link, and the link.
async fn started(data: &Path) -> (bool, String) {
    let larkspur = Process::start(data, &[]).await.expect("started");
    let url = larkspur.start_line["setup_url"].as_str().map(str::to_owned);
    larkspur.kill().await.expect("killed");
    (url.is_some(), url.unwrap_or_default())
}

#[tokio::test]
async fn a_member_signs_in_by_a_provider_that_has_verified_the_address() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.member("Ada").email("ada@example.org").make().await;
    provider.knows("ada", json!({"email": "Ada@Example.org", "email_verified": true})).await;
    let mut ada = world.browser();
    assert!(ada.get("/sign-in").await.text.contains("Example Inc."));
    let authorize = ada.goes_to_the_provider("/members?a=b").await;
    for parameter in ["code_challenge_method=S256", "code_challenge=", "state=", "nonce=", "response_type=code"] {
        assert!(authorize.contains(parameter), "{authorize}");
    }
    let back = ada.authenticate_as(&authorize, "ada").await;
    let page = ada.get(&back).await;
    assert_eq!((page.status, page.to.as_deref()), (303, Some("/members?a=b")), "{}", page.text);
    assert!(ada.is_signed_in().await && ada.cookies.len() == 1, "{:?}", ada.cookies.keys());

    let again = ada.get(&back).await;
    assert!(again.status == 400 && again.text.contains("took too long"), "a callback is used once: {}", again.text);
    world.finish().await;
}

// Proves: finding D1
#[tokio::test]
async fn after_the_first_sign_in_a_member_is_that_subject_and_no_other() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    let member = world.member("Ada").email("ada@example.org").make().await;
    let claims = json!({"email": "ada@example.org", "email_verified": true});
    provider.knows("ada", claims.clone()).await;
    assert_eq!(world.browser().signs_in_as("ada").await.status, 303);
    let path = format!("/members/{}", member.id);
    let stored = world.api.get(&path).await;
    assert_eq!((&stored["sign_in"]["issuer"], &stored["sign_in"]["subject"]), (&json!(provider.issuer), &json!("ada")));

    provider.knows("mallory", claims.clone()).await;
    let page = world.browser().signs_in_as("mallory").await;
    assert!(page.status == 403 && page.text.contains("another person at the sign-in provider"), "{}", page.text);
    provider.knows("ada", json!({"email": "lovelace@example.org", "email_verified": false})).await;
    assert_eq!(world.browser().signs_in_as("ada").await.status, 303, "the address does not matter any more");

    let body = json!({"name": "Ada", "email": "ada@example.org", "sign_in": null});
    assert_eq!(world.api.call("PUT", &path, Some(&body)).await.status, 200);
    assert_eq!(world.browser().signs_in_as("mallory").await.status, 303, "an administrator's key has forgotten it");
    world.finish().await;
}

// Proves: finding D1
#[tokio::test]
async fn an_address_that_was_not_confirmed_here_signs_in_nobody() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.member("Ada").unconfirmed_email("ada@example.org").make().await;
    provider.knows("ada", json!({"email": "ada@example.org", "email_verified": true})).await;
    let page = world.browser().signs_in_as("ada").await;
    assert!(page.status == 403 && page.text.contains("have not confirmed your email address"), "{}", page.text);
    world.finish().await;
}

// Proves: finding D1
#[tokio::test]
async fn a_member_without_a_password_confirms_at_the_provider() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.member("Ada").email("ada@example.org").set("role", "administrator").make().await;
    provider.knows("ada", json!({"email": "ada@example.org", "email_verified": true})).await;
    let mut ada = world.browser();
    assert_eq!(ada.signs_in_as("ada").await.status, 303);
    let stolen = ada.cookies.clone();
    let token = ada.get("/members").await.form_token("/members#add");
    let asked = ada.post("/members", &[("form_token", &token), ("name", "Li")]).await;
    let again = "/sign-in/oidc?next=%2Fmembers&amp;again=1";
    assert!(asked.status == 403 && asked.text.replace("&#x2f;", "/").contains(again), "{}", asked.text);
    let authorize = ada.get(&again.replace("&amp;", "&")).await.to.expect("an address");
    assert!(authorize.contains("max_age=0"), "{authorize}");
    let back = ada.authenticate_as(&authorize, "ada").await;
    assert_eq!(ada.get(&back).await.to.as_deref(), Some("/members"));
    let token = ada.get("/members").await.form_token("/members#add");
    let added = ada.post("/members", &[("form_token", &token), ("name", "Li")]).await;
    assert_eq!(added.to.as_deref(), Some("/members"), "{}", added.text);
    let mut thief = world.browser();
    thief.cookies = stolen;
    assert!(!thief.is_signed_in().await, "the session from before has ended");
    world.finish().await;
}

// Proves: finding D3
#[tokio::test]
async fn the_description_of_a_provider_is_read_once_and_again_after_a_while() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.browser().goes_to_the_provider("/").await;
    drop(provider);
    world.browser().goes_to_the_provider("/").await;
    world.advance(minutes(10)).await;
    assert_eq!(world.browser().get("/sign-in/oidc").await.status, 502, "its description is read again after a while");
    world.finish().await;
}

#[tokio::test]
async fn a_subject_that_is_noted_of_a_member_needs_no_address() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.member("Ada").set("identities", json!({"oidc_subject": "subject-7"})).make().await;
    provider.knows("subject-7", json!({})).await;
    assert_eq!(world.browser().signs_in_as("subject-7").await.status, 303);
    world.finish().await;
}

// Proves: sign-in
#[tokio::test]
async fn nobody_is_signed_in_by_an_answer_that_does_not_hold() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.member("Ada").email("ada@example.org").make().await;
    let verified = json!({"email": "ada@example.org", "email_verified": true});
    let rows = [
        ("nonce", json!("another"), 403, "does not hold"),
        ("iss", json!("https://elsewhere.example"), 403, "does not hold"),
        ("aud", json!("another client"), 403, "does not hold"),
        ("exp", json!(1_700_000_000), 403, "does not hold"),
        ("email_verified", json!(false), 403, "has not verified"),
        ("email", json!("eve@example.org"), 403, "Ask an administrator to add you."),
    ];
    for (claim, value, status, says) in rows {
        let mut claims = verified.clone();
        claims[claim] = value;
        provider.knows("mallory", claims).await;
        let mut browser = world.browser();
        let page = browser.signs_in_as("mallory").await;
        assert!(page.status == status && page.text.contains(says), "{claim}: {} {}", page.status, page.text);
        assert!(!browser.is_signed_in().await, "{claim}");
    }
    provider.knows("mallory", json!({"email": "ada@example.org"})).await;
    let page = world.browser().signs_in_as("mallory").await;
    assert!(page.text.contains("has not verified"), "without the claim the address is not verified: {}", page.text);
    world.signs_in_by(&provider, json!({"trust_email": true})).await;
    assert_eq!(world.browser().signs_in_as("mallory").await.status, 303, "but this provider is trusted now");
    provider.knows("mallet", json!({"email": "ada@example.org", "email_verified": false})).await;
    let page = world.browser().signs_in_as("mallet").await;
    assert!(page.text.contains("has not verified"), "what is called unverified never counts: {}", page.text);
    world.finish().await;
}

#[tokio::test]
async fn a_code_or_a_state_of_another_sign_in_signs_in_nobody() {
    let world = World::start().await;
    let provider = Provider::start().await;
    world.signs_in_by(&provider, json!({})).await;
    world.member("Ada").email("ada@example.org").make().await;
    provider.knows("ada", json!({"email": "ada@example.org", "email_verified": true})).await;
    let parameter = |url: &str, name: &str| {
        let url = reqwest::Url::parse(url).expect("a URL");
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).expect("there")
    };
    let stale = "took too long, or began in another browser";

    let (mut ada, mut eve) = (world.browser(), world.browser());
    let hers = ada.goes_to_the_provider("/").await;
    eve.goes_to_the_provider("/").await;
    let back = ada.authenticate_as(&hers, "ada").await;
    assert!(eve.get(&back).await.text.contains(stale), "another browser's cookie");
    assert!(world.browser().get(&back).await.text.contains(stale), "no cookie");
    let code = parameter(&back, "code");
    assert!(ada.get(&format!("/sign-in/oidc/callback?code={code}&state=x")).await.text.contains(stale));

    // Ada's code with a state that Eve's browser expects: the token has Ada's nonce, but the exchange lacks Ada's
    // verifier.
    let mut eve = world.browser();
    let state = parameter(&eve.goes_to_the_provider("/").await, "state");
    let page = eve.get(&format!("/sign-in/oidc/callback?code={code}&state={state}")).await;
    assert!(page.status == 403 && page.text.contains("does not hold"), "{}", page.text);
    assert!(!eve.is_signed_in().await);

    let mut ada = world.browser();
    let back = ada.signs_in_twice_with_one_code("ada").await;
    assert!(back.status == 403 && back.text.contains("does not hold"), "a code is used once: {}", back.text);

    let mut late = world.browser();
    let authorize = late.goes_to_the_provider("/").await;
    let back = late.authenticate_as(&authorize, "ada").await;
    world.advance(minutes(10)).await;
    assert!(late.get(&back).await.text.contains(stale), "too late");

    let mut denied = world.browser();
    let state = parameter(&denied.goes_to_the_provider("/").await, "state");
    let page = denied.get(&format!("/sign-in/oidc/callback?error=access_denied&state={state}")).await;
    assert!(page.status == 403 && page.text.contains("did not let you in"), "{}", page.text);
    world.finish().await;
}
