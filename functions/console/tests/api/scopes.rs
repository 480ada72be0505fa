//! The scopes of the API: each operation is called with a key of each scope, without a key, and with a revoked key.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::actions::open;
use crate::world::{World, id};

/// Operations whose scope differs from the rule that reading needs `read` and any change needs `admin`.
const UNUSUAL: [(&str, &str, &str); 18] = [
    ("post", "/accounts/{id}/link-codes", "respond"),
    ("get", "/api-keys", "admin"),
    ("put", "/incidents/{id}", "respond"),
    ("post", "/incidents/{id}/acknowledge", "respond"),
    ("post", "/incidents/{id}/close", "respond"),
    ("post", "/incidents/{id}/comments", "respond"),
    ("post", "/incidents/{id}/deliveries/{destination}/resend", "respond"),
    ("post", "/incidents/{id}/escalate", "respond"),
    ("post", "/incidents/{id}/merge", "respond"),
    ("post", "/incidents/{id}/preview", "respond"),
    ("post", "/incidents/{id}/reassign", "respond"),
    ("post", "/incidents/{id}/reopen", "respond"),
    ("post", "/incidents/{id}/responders", "respond"),
    ("post", "/incidents/{id}/silence", "respond"),
    ("post", "/incidents/{id}/snooze", "respond"),
    ("post", "/incidents/{id}/unacknowledge", "respond"),
    ("get", "/sign-in/oidc", "admin"),
    ("delete", "/spaces/{id}/silences/{silence}", "respond"),
];

const SCOPES: [&str; 3] = ["read", "respond", "admin"];

async fn key(world: &World, scopes: &Value) -> Value {
    world.post("/api-keys", &json!({"name": "robot", "scopes": scopes})).await.is(201)
}

fn secret(key: &Value) -> String {
    key["key"].as_str().expect("a key is shown once").to_owned()
}

/// The lowest scope that may call an operation.
fn needed(method: &str, path: &str) -> &'static str {
    let unusual = UNUSUAL.iter().find(|row| (row.0, row.1) == (method, path)).map(|row| row.2);
    unusual.unwrap_or(if method == "get" { "read" } else { "admin" })
}

/// Every operation of the document, with the scope that it states.
async fn documented(world: &World) -> BTreeMap<(String, String), Value> {
    let document = world.bare("GET", "/api/v1/openapi.json", None, None).await.is(200);
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, item)| {
        let path = path.strip_prefix("/api/v1").expect("one base").to_owned();
        let methods = item.as_object().expect("a path item").iter();
        methods.map(move |(method, operation)| ((method.clone(), path.clone()), operation.clone())).collect::<Vec<_>>()
    });
    operations.collect()
}

#[tokio::test]
async fn the_document_says_of_every_operation_which_scope_it_needs() {
    let world = World::start().await;
    let documented = documented(&world).await;
    for (method, path, _) in UNUSUAL {
        assert!(documented.contains_key(&(method.to_owned(), path.to_owned())), "{method} {path}");
    }
    for ((method, path), operation) in documented {
        let needed = needed(&method, &path);
        let callers = json!([{"api_key": [needed]}, {"session": [needed], "csrf_token": []}]);
        assert_eq!(operation["security"], callers, "{method} {path}");
        let sentence = operation["description"].as_str().unwrap_or_default();
        assert!(sentence.ends_with(&format!("Needs the scope `{needed}`.")), "{method} {path}: {sentence}");
    }
}

// Proves: fault 76
#[tokio::test]
async fn every_operation_takes_the_scopes_from_its_own_on_and_nobody_else() {
    let world = World::start().await;
    let mut keys = Vec::new();
    for scope in SCOPES {
        keys.push(secret(&key(&world, &json!([scope])).await));
    }
    let revoked = key(&world, &json!(["admin"])).await;
    world.delete(&format!("/api-keys/{}", id(&revoked))).await.is(204);
    let revoked = secret(&revoked);
    for (method, path) in documented(&world).await.into_keys() {
        let needed = needed(&method, &path);
        // No object has this id, and no body is complete, so that even allowed calls change nothing.
        let path = format!("/api/v1{}", path.replace(['{', '}'], ""));
        let needed_at = SCOPES.iter().position(|scope| *scope == needed).expect("a scope");
        for key in [None, Some(revoked.as_str()), Some("lks_nobody")] {
            let answer = world.bare(&method.to_uppercase(), &path, key, None).await;
            assert_eq!(answer.status, 401, "{method} {path}");
        }
        for (at, key) in keys.iter().enumerate() {
            let answer = world.bare(&method.to_uppercase(), &path, Some(key), None).await;
            let (scope, status) = (SCOPES[at], answer.status);
            if at < needed_at {
                let sentence = answer.refuses(403, "");
                assert!(sentence.contains(&format!("`{needed}`")), "{method} {path}: {sentence}");
            } else {
                assert!(![401, 403, 405].contains(&status) && status < 500, "{method} {path} with {scope}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused_with_405() {
    let world = World::start().await;
    let key = secret(&key(&world, &json!(["read"])).await);
    let documented = documented(&world).await;
    let mut undeclared = 0;
    for path in documented.keys().map(|(_, path)| path).collect::<BTreeSet<_>>() {
        for method in ["get", "put", "post", "patch", "delete"] {
            if documented.contains_key(&(method.to_owned(), path.clone())) {
                continue;
            }
            undeclared += 1;
            let path = format!("/api/v1{}", path.replace(['{', '}'], ""));
            let answer = world.bare(&method.to_uppercase(), &path, Some(&key), None).await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
    assert!(undeclared > 100, "{undeclared}");
}

#[tokio::test]
async fn a_keys_scopes_are_the_ones_it_was_made_with_and_the_most_of_them_counts() {
    let world = World::start().await;
    let made = world.post("/api-keys", &json!({"name": "as before"})).await.is(201);
    assert_eq!(made["scopes"], json!(["admin"]));
    let both = key(&world, &json!(["respond", "read", "read"])).await;
    assert_eq!(both["scopes"], json!(["read", "respond"]));
    let answer = world.bare("POST", "/api/v1/incidents/x/close", Some(&secret(&both)), None).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    for (scopes, field) in [(json!([]), "scopes"), (json!(["root"]), "scopes[0]"), (json!(null), "scopes")] {
        world.post("/api-keys", &json!({"name": "robot", "scopes": scopes})).await.refuses(400, field);
    }
    let listed = world.get("/api-keys").await.is(200).to_string();
    assert!(!listed.contains(&secret(&both)), "{listed}");
}

#[tokio::test]
async fn an_integrations_whole_url_is_an_administrators() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let body = json!({"name": "Prometheus", "space": space, "push_mode": {"type": "each_message"}});
    let made = world.post("/integrations", &body).await.is(201);
    let path = format!("/api/v1/integrations/{}", id(&made));
    for scope in SCOPES {
        let key = secret(&key(&world, &json!([scope])).await);
        let shown = world.bare("GET", &path, Some(&key), None).await.is(200)["url"].clone();
        assert_eq!(shown == made["url"], scope == "admin", "{scope}: {shown}");
        assert!(scope == "admin" || shown.as_str().is_some_and(|url| url.starts_with('…')), "{scope}: {shown}");
    }
}

#[tokio::test]
async fn a_key_gives_no_member_more_than_the_role_does() {
    let world = World::start().await;
    let viewer = id(&world.post("/members", &json!({"name": "Vi", "role": "viewer"})).await.is(201));
    let space = world.space(&[]).await;
    let incident = &open(&world, None, &[&space]).await.incidents[0];
    let key = secret(&key(&world, &json!(["respond"])).await);
    for (action, extra) in
        [("acknowledge", json!({})), ("snooze", json!({"minutes": 5})), ("comments", json!({"text": "x"}))]
    {
        let mut body = extra;
        body["member"] = json!(viewer);
        let path = format!("/api/v1/incidents/{incident}/{action}");
        let sentence = world.bare("POST", &path, Some(&key), Some(body.to_string())).await.refuses(400, "member");
        assert!(sentence.contains("viewer"), "{sentence}");
    }
    assert_eq!(world.get(&format!("/incidents/{incident}")).await.is(200)["progress"], "triggered");
}

// Proves: finding F13
#[tokio::test]
async fn the_scope_that_silences_an_incident_also_ends_a_silence() {
    let world = World::start().await;
    let documented = documented(&world).await;
    let rows = [
        ("post", "/incidents/{id}/silence", "respond"),
        ("delete", "/spaces/{id}/silences/{silence}", "respond"),
        ("put", "/spaces/{id}/silences/{silence}", "admin"),
    ];
    for (method, path, scope) in rows {
        let operation = &documented[&(method.to_owned(), path.to_owned())];
        assert_eq!(operation["security"][0]["api_key"][0], scope, "{method} {path}");
    }
}
