//! F. Authentication, forgery, scopes.

use std::time::Duration;

use scenarios::World;
use scenarios::api::Api;
use scenarios::escalation::group;
use scenarios::raw::{self, RawResponse};
use scenarios::space::feishu_bot;
use serde_json::json;
use store::guesses::OF_A_SOURCE;

/// Sends a request to the API with this key.
async fn asks(world: &World, key: &str) -> RawResponse {
    let url = format!("{}/api/v1/spaces", world.larkspur.base_url);
    raw::exchange(&url, &raw::request("GET", &url, &[("Authorization", &format!("Bearer {key}"))], b"")).await
}

/// Status, text and the header that asks for authentication: everything by which a caller could distinguish keys.
fn what_a_stranger_sees(response: &RawResponse) -> (u16, String, Option<String>) {
    (response.status, response.text.clone(), response.header("www-authenticate").map(str::to_owned))
}

// Proves: fault 71
#[tokio::test]
async fn a_key_that_was_revoked_or_belongs_elsewhere_is_answered_like_one_that_never_was() {
    let (world, elsewhere) = (World::start().await, World::start().await);
    let made = world.api.create("/api-keys", &json!({"name": "a", "scopes": ["read"]})).await;
    let revoked = made["key"].as_str().expect("a key").to_owned();
    assert_eq!(asks(&world, &revoked).await.status, 200);
    let path = format!("/api-keys/{}", made["id"].as_str().expect("an id"));
    assert_eq!(world.api.call("DELETE", &path, None).await.status, 204);

    let unknown = format!("lks_{}", "a".repeat(44));
    let expected = what_a_stranger_sees(&asks(&world, &unknown).await);
    assert_eq!((expected.0, expected.2.as_deref()), (401, Some("Bearer")));
    for key in [revoked.as_str(), elsewhere.larkspur.api_key.expose(), "lks_", "x", &"k".repeat(5_000)] {
        // The first request reads the key from the table, and the second one from the cache.
        for _ in 0..2 {
            assert_eq!(what_a_stranger_sees(&asks(&world, key).await), expected, "{key:.60}");
        }
    }
    world.finish().await;
    elsewhere.finish().await;
}

// Proves: fault 71
#[tokio::test]
async fn guessing_api_keys_is_throttled_and_a_caller_with_a_working_key_is_not() {
    let world = World::start().await;
    let mut waits = None;
    for guess in 0..2 * OF_A_SOURCE + 20 {
        let response = asks(&world, &format!("lks_{guess:044}")).await;
        if response.status == 429 {
            waits = response.header("retry-after").and_then(|wait| wait.parse().ok());
            break;
        }
        assert_eq!(response.status, 401);
    }
    let wait: u64 = waits.expect("after too many guesses the answer is 429 with a wait");
    assert!((1..=61).contains(&wait), "{wait}");
    // The caller with a working key has the same address.
    assert_eq!(world.api.call("GET", "/spaces", None).await.status, 200);
    world.advance(Duration::from_secs(wait)).await;
    assert_eq!(asks(&world, &"a".repeat(48)).await.status, 401);
    world.finish().await;
}

// Proves: fault 71
#[tokio::test]
async fn guessing_intake_keys_is_throttled_and_a_sender_with_a_working_key_is_not() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let sender = world.feishu_alert().into(&space).await;
    sender.says("before").await;
    let (base, _) = sender.url.rsplit_once('/').expect("a path");
    let mut throttled = false;
    for guess in 0..2 * OF_A_SOURCE + 20 {
        let response = world.api.post(&format!("{base}/{guess:018}"), "{}").await;
        match response.body["code"].as_i64() {
            Some(19001) => assert_eq!(response.status, 200),
            Some(9499) => throttled = true,
            _ => panic!("{}", response.text),
        }
    }
    assert!(throttled, "after too many guesses the answer asks to send later");
    sender.says("meanwhile").await;
    world.finish().await;
}

// Proves: fault 76
#[tokio::test]
async fn an_id_of_another_space_of_another_integration_or_of_another_kind_is_not_there() {
    let world = World::start().await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let [one, other] = [world.space("One").make().await, world.space("Other").make().await];
    let rule = world.rule(&other, "Others").levels([group(&ops.destinations[0])]).await;
    let nothing = json!({"any": [{"all": [{"field": "title", "op": "match", "values": ["nothing"]}]}]});
    let silence = world.silence(&other.id, &world.silence_for(60, &nothing)).await;
    let sender = world.feishu_alert().into(&other).await;
    let stranger = world.feishu_alert().into(&one).await;
    sender.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    let message = sender.messages().await[0]["id"].as_str().expect("an id").to_owned();
    let body = json!({"name": "Mine", "levels": [{"groups": [{"destination": ops.destinations[0]}]}]});

    let before = world.dump().await;
    for (method, path, body) in [
        ("GET", format!("/spaces/{}/escalation-rules/{rule}", one.id), None),
        ("PUT", format!("/spaces/{}/escalation-rules/{rule}", one.id), Some(&body)),
        ("DELETE", format!("/spaces/{}/escalation-rules/{rule}", one.id), None),
        ("GET", format!("/spaces/{}/silences/{silence}", one.id), None),
        ("DELETE", format!("/spaces/{}/silences/{silence}", one.id), None),
        ("GET", format!("/integrations/{}/messages/{message}", stranger.integration), None),
        ("POST", format!("/integrations/{}/messages/{message}/replay", stranger.integration), None),
        ("GET", format!("/spaces/{}", ops.destinations[0]), None),
        ("GET", format!("/destinations/{}", one.id), None),
        ("DELETE", format!("/members/{}", one.id), None),
        ("GET", format!("/incidents/{}", one.id), None),
    ] {
        let answer = world.api.call(method, &path, body).await;
        assert_eq!((answer.status, answer.body["error"]["code"].as_str()), (404, Some("not_found")), "{method} {path}");
    }
    // A message with this id may be so new that it is not recorded yet. The answer reveals nothing else.
    let trace = world.api.get(&format!("/integrations/{}/messages/{message}/trace", stranger.integration)).await;
    let known = world.api.get(&format!("/integrations/{}/messages/{message}/trace", sender.integration)).await;
    assert!(known.to_string().contains("disk full") && !trace.to_string().contains("disk full"), "{trace:#}");
    assert_eq!(world.dump().await, before, "nothing was changed");
    world.finish_with_timers().await;
}

// Proves: fault 82
#[tokio::test]
async fn a_signature_a_key_or_a_cookie_of_any_length_is_refused_and_never_our_fault() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let sender = world.feishu_alert().set("security", json!({"secret": "s3cr3t"})).into(&space).await;
    let now = world.larkspur.clock.now().secs().to_string();
    for sign in ["", "=", &"A".repeat(43), &format!("{}=", "A".repeat(43)), &"A".repeat(200_000), "\u{0}", "告警"] {
        let body = json!({"timestamp": now, "sign": sign, "msg_type": "text", "content": {"text": "x"}});
        let answer = sender.tries(body.to_string()).await;
        assert_eq!((answer.status, answer.body["code"].as_i64()), (200, Some(19021)), "{sign:.50}");
    }
    let url = format!("{}/api/v1/spaces", world.larkspur.base_url);
    for (name, value) in [
        ("Authorization", format!("Bearer {}", "k".repeat(60_000))),
        ("Authorization", format!("Bearer {}", "k".repeat(600_000))),
        ("Authorization", "Bearer".to_owned()),
        ("Authorization", "Basic a2V5Og==".to_owned()),
        ("Cookie", format!("session={}", "s".repeat(60_000))),
    ] {
        for url in [&url, &format!("{}/incidents", world.larkspur.base_url)] {
            let response = raw::exchange(url, &raw::request("GET", url, &[(name, &value)], b"")).await;
            assert!((300..500).contains(&response.status), "{name} of {} bytes: {}", value.len(), response.status);
        }
    }
    assert_eq!(world.api.call("GET", "/spaces", None).await.status, 200);
    world.finish().await;
}

/// Scopes apply to the deployment: each key sees every space, and its scope is the same in each.
// Proves: fault 76
#[tokio::test]
async fn a_key_of_any_scope_sees_every_space_and_acts_in_each_alike() {
    let world = World::start().await;
    for (name, groups) in [("One", "one"), ("Other", "other")] {
        let space = world.space(name).notify(feishu_bot(groups)).await;
        world.feishu_alert().into(&space).await.says("disk full").await;
        world.feishu(groups).expects("disk full").await;
    }
    let incidents = world.incidents().await;
    for (scope, status) in [("read", 403), ("respond", 200)] {
        let made = world.api.create("/api-keys", &json!({"name": scope, "scopes": [scope]})).await;
        let key = Api::new(&world.larkspur.base_url, made["key"].as_str().expect("a key"));
        for incident in &incidents {
            assert_eq!(key.call("GET", &format!("/incidents/{}", incident.id), None).await.status, 200);
            let path = format!("/incidents/{}/comments", incident.id);
            let answer = key.call("POST", &path, Some(&json!({"text": "looked at"}))).await;
            assert_eq!(answer.status / 100 * 100, status / 100 * 100, "{scope} {path}: {}", answer.text);
        }
    }
    world.finish_with_timers().await;
}
