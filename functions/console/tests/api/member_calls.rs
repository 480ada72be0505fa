//! The API called by a signed-in member's browser: the session's cookie with the header `x-csrf-token`.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::actions::open;
use crate::browser::{Browser, PASSWORD, form_token, location};
use crate::world::{Answer, BASE, World, id};

/// The token that a page offers to scripts.
async fn token(browser: &mut Browser<'_>) -> String {
    let page = browser.get("/me").await;
    let (_, rest) = page.text.split_once("<meta name=\"csrf-token\" content=\"").expect("a page has the token");
    rest.split_once('"').expect("its end").0.to_owned()
}

/// Sends a request below `/api/v1` with the browser's cookies and these headers.
async fn call(
    world: &World,
    browser: &Browser<'_>,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::builder().method(method).uri(format!("/api/v1{path}")).header(header::HOST, "larkspur.test");
    let mut request = request.header(header::COOKIE, cookies.join("; "));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

#[tokio::test]
async fn a_session_calls_the_api_only_with_its_own_token_and_from_our_own_pages() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let incident = open(&world, None, &[&space]).await.incidents.remove(0);
    let mut ann = world.signed_in("ann@example.org", "responder").await;
    let mut eve = world.signed_in("eve@example.org", "responder").await;
    let (own, of_other) = (token(&mut ann).await, token(&mut eve).await);
    let of_a_form = form_token(&ann.get("/me").await, "/me");
    let ours = ("origin", BASE);
    let acknowledge = format!("/incidents/{incident}/acknowledge");
    let before = world.dump().await;
    for (name, headers, named) in [
        ("no token", &[ours][..], "x-csrf-token"),
        ("an empty token", &[ours, ("x-csrf-token", "")], "x-csrf-token"),
        ("another session's token", &[ours, ("x-csrf-token", &of_other)], "x-csrf-token"),
        ("the token of a form", &[ours, ("x-csrf-token", &of_a_form)], "x-csrf-token"),
        ("a foreign page", &[("origin", "https://evil.example"), ("x-csrf-token", &own)], "own pages"),
        ("no origin", &[("x-csrf-token", &own)], "own pages"),
    ] {
        let refused = call(&world, &ann, ("POST", &acknowledge), headers, &json!({})).await.refuses(403, "");
        assert!(refused.contains(named), "{name}: {refused}");
    }
    let refused = call(&world, &ann, ("GET", "/incidents"), &[], &json!({})).await;
    assert_eq!(refused.json()["error"]["code"], "csrf_token_required", "reading needs the header too");
    assert_eq!(world.dump().await, before);

    let read = call(&world, &ann, ("GET", "/incidents"), &[("x-csrf-token", &own)], &json!({})).await.is(200);
    assert_eq!(read["items"].as_array().map(Vec::len), Some(1));
    let done = call(&world, &ann, ("POST", &acknowledge), &[ours, ("x-csrf-token", &own)], &json!({})).await.is(200);
    assert_eq!(done["progress"], "processing");
    let last = done["timeline"].as_array().and_then(|entries| entries.last()).expect("an entry").clone();
    assert_eq!((&last["actor_ref"]["type"], &last["actor_ref"]["via"]), (&json!("member"), &json!("page")), "{last}");

    let other = world.account("bob@example.org", "responder").await;
    let body = json!({"member": other});
    call(&world, &ann, ("POST", &acknowledge), &[ours, ("x-csrf-token", &own)], &body).await.refuses(400, "member");
    let sign_out = form_token(&ann.get("/me").await, "/sign-out");
    let cookies = ann.cookies.clone();
    assert_eq!(location(&ann.post("/sign-out", &[("form_token", &sign_out)]).await), "/sign-in");
    ann.cookies = cookies;
    let answer = call(&world, &ann, ("GET", "/incidents"), &[("x-csrf-token", &own)], &json!({})).await;
    assert_eq!(answer.status, 401, "the session has ended");
}

#[tokio::test]
async fn a_member_may_by_a_session_what_the_role_allows_and_a_key_is_never_mixed_with_it() {
    let world = World::start().await;
    let incident = open(&world, None, &[&world.space(&[]).await]).await.incidents.remove(0);
    let acknowledge = format!("/incidents/{incident}/acknowledge");
    for (role, statuses) in
        [("viewer", [200, 403, 403]), ("responder", [200, 200, 403]), ("administrator", [200, 200, 201])]
    {
        let mut browser = world.signed_in(&format!("{role}@example.org"), role).await;
        let token = token(&mut browser).await;
        let headers = [("origin", BASE), ("x-csrf-token", token.as_str())];
        let rows = [
            ("GET", "/spaces", json!({})),
            ("POST", &acknowledge, json!({})),
            ("POST", "/teams", json!({"name": role})),
        ];
        for ((method, path, body), status) in rows.into_iter().zip(statuses) {
            let answer = call(&world, &browser, (method, path), &headers, &body).await;
            assert_eq!(answer.status, status, "{role} {method} {path}: {}", answer.text);
        }
        let headers = [&headers[..], &[("authorization", "Bearer lks_nobody")]].concat();
        let answer = call(&world, &browser, ("GET", "/spaces"), &headers, &json!({})).await;
        assert_eq!(answer.status, 401, "a wrong key is refused although a member is signed in");
    }
}

#[tokio::test]
async fn what_outlasts_a_session_is_done_only_after_its_member_confirmed() {
    let world = World::start().await;
    let mut ada = world.signed_in("ada@example.org", "administrator").await;
    let body = json!({"name": "deploy bot"});
    let first = token(&mut ada).await;
    let headers = [("origin", BASE), ("x-csrf-token", first.as_str())];
    let refused = call(&world, &ada, ("POST", "/api-keys"), &headers, &body).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (403, &json!("confirmation_required")));

    let page = ada.get("/me/confirm?next=%2Fmembers").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token_of_form = form_token(&page, "&#x2f;me&#x2f;confirm?next=%2Fmembers");
    let wrong = [("form_token", token_of_form.as_str()), ("confirm_password", "not the right one")];
    assert_eq!(ada.post("/me/confirm?next=%2Fmembers", &wrong).await.status, 403);
    let right = [("form_token", token_of_form.as_str()), ("confirm_password", PASSWORD)];
    assert_eq!(location(&ada.post("/me/confirm?next=%2Fmembers", &right).await), "/members");

    let confirmed = token(&mut ada).await;
    let headers = [("origin", BASE), ("x-csrf-token", confirmed.as_str())];
    let made = call(&world, &ada, ("POST", "/api-keys"), &headers, &body).await.is(201);
    let members = world.get("/members").await.is(200);
    assert_eq!((&made["created_by"], &made["created_by_member"]), (&Value::Null, &json!(id(&members["items"][0]))));
    world.advance(11 * 60);
    let late = call(&world, &ada, ("POST", "/api-keys"), &headers, &body).await;
    assert_eq!(late.status, 403, "ten minutes later it has to be confirmed again: {}", late.text);
}
