//! Who may what: each operation with a key of each scope, with none, and with one that was revoked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::actions::open;
use crate::world::{World, id};

/// Every operation, and the least scope that it takes. One that is added needs a row here.
const NEEDED: [(&str, &str, &str); 98] = [
    ("get", "/alerts", "read"),
    ("get", "/alerts/{id}", "read"),
    ("get", "/api-keys", "admin"),
    ("post", "/api-keys", "admin"),
    ("delete", "/api-keys/{id}", "admin"),
    ("get", "/channels/{channel}/template", "read"),
    ("get", "/dead-letters", "read"),
    ("post", "/dead-letters/resend", "admin"),
    ("delete", "/dead-letters/{id}", "admin"),
    ("post", "/dead-letters/{id}/resend", "admin"),
    ("get", "/destinations", "read"),
    ("post", "/destinations", "admin"),
    ("get", "/destinations/{id}", "read"),
    ("put", "/destinations/{id}", "admin"),
    ("delete", "/destinations/{id}", "admin"),
    ("post", "/destinations/{id}/test", "admin"),
    ("get", "/incidents", "read"),
    ("get", "/incidents/{id}", "read"),
    ("put", "/incidents/{id}", "respond"),
    ("post", "/incidents/{id}/acknowledge", "respond"),
    ("get", "/incidents/{id}/alerts", "read"),
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
    ("get", "/incidents/{id}/timeline", "read"),
    ("post", "/incidents/{id}/unacknowledge", "respond"),
    ("get", "/integrations", "read"),
    ("post", "/integrations", "admin"),
    ("get", "/integrations/{id}", "read"),
    ("put", "/integrations/{id}", "admin"),
    ("delete", "/integrations/{id}", "admin"),
    ("get", "/integrations/{id}/messages", "read"),
    ("get", "/integrations/{id}/messages/{message}", "read"),
    ("post", "/integrations/{id}/messages/{message}/replay", "admin"),
    ("get", "/integrations/{id}/messages/{message}/trace", "read"),
    ("post", "/integrations/{id}/rotate-key", "admin"),
    ("post", "/integrations/{id}/try", "admin"),
    ("get", "/ledger", "read"),
    ("get", "/mapping-tables", "read"),
    ("post", "/mapping-tables", "admin"),
    ("get", "/mapping-tables/{id}", "read"),
    ("put", "/mapping-tables/{id}", "admin"),
    ("delete", "/mapping-tables/{id}", "admin"),
    ("get", "/mapping-tables/{id}/rows.csv", "read"),
    ("put", "/mapping-tables/{id}/rows.csv", "admin"),
    ("get", "/members", "read"),
    ("post", "/members", "admin"),
    ("get", "/members/{id}", "read"),
    ("put", "/members/{id}", "admin"),
    ("delete", "/members/{id}", "admin"),
    ("post", "/members/{id}/invitation", "admin"),
    ("post", "/members/{id}/verification", "admin"),
    ("put", "/members/{id}/verification", "admin"),
    ("get", "/providers", "read"),
    ("get", "/providers/{channel}", "read"),
    ("put", "/providers/{channel}", "admin"),
    ("delete", "/providers/{channel}", "admin"),
    ("post", "/providers/{channel}/test", "admin"),
    ("get", "/schedules", "read"),
    ("post", "/schedules", "admin"),
    ("get", "/schedules/{id}", "read"),
    ("put", "/schedules/{id}", "admin"),
    ("delete", "/schedules/{id}", "admin"),
    ("get", "/schedules/{id}/on-call", "read"),
    ("post", "/schedules/{id}/overrides", "admin"),
    ("delete", "/schedules/{id}/overrides/{override}", "admin"),
    ("get", "/schedules/{id}/shifts", "read"),
    ("get", "/sign-in/oidc", "admin"),
    ("put", "/sign-in/oidc", "admin"),
    ("delete", "/sign-in/oidc", "admin"),
    ("get", "/spaces", "read"),
    ("post", "/spaces", "admin"),
    ("get", "/spaces/{id}", "read"),
    ("put", "/spaces/{id}", "admin"),
    ("delete", "/spaces/{id}", "admin"),
    ("get", "/spaces/{id}/escalation-rules", "read"),
    ("post", "/spaces/{id}/escalation-rules", "admin"),
    ("get", "/spaces/{id}/escalation-rules/{rule}", "read"),
    ("put", "/spaces/{id}/escalation-rules/{rule}", "admin"),
    ("delete", "/spaces/{id}/escalation-rules/{rule}", "admin"),
    ("get", "/spaces/{id}/silences", "read"),
    ("post", "/spaces/{id}/silences", "admin"),
    ("get", "/spaces/{id}/silences/{silence}", "read"),
    ("put", "/spaces/{id}/silences/{silence}", "admin"),
    ("delete", "/spaces/{id}/silences/{silence}", "respond"),
    ("get", "/teams", "read"),
    ("post", "/teams", "admin"),
    ("get", "/teams/{id}", "read"),
    ("put", "/teams/{id}", "admin"),
    ("delete", "/teams/{id}", "admin"),
];

const SCOPES: [&str; 3] = ["read", "respond", "admin"];

async fn key(world: &World, scopes: &Value) -> Value {
    world.post("/api-keys", &json!({"name": "robot", "scopes": scopes})).await.is(201)
}

fn secret(key: &Value) -> String {
    key["key"].as_str().expect("a key is shown once").to_owned()
}

/// Every operation of the document with what it says that it needs.
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
async fn every_operation_has_a_row_and_its_document_says_the_same() {
    let world = World::start().await;
    let documented = documented(&world).await;
    let there: BTreeSet<(&str, &str)> = documented.keys().map(|(method, path)| (&**method, &**path)).collect();
    let rows: BTreeSet<(&str, &str)> = NEEDED.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(there.difference(&rows).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "operations without a row");
    assert_eq!(rows.difference(&there).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "rows without an operation");
    for (method, path, needed) in NEEDED {
        let operation = &documented[&(method.to_owned(), path.to_owned())];
        let callers = json!([{"api_key": [needed]}, {"session": [needed], "csrf_token": []}]);
        assert_eq!(operation["security"], callers, "{method} {path}");
        let told = operation["description"].as_str().unwrap_or_default();
        assert!(told.ends_with(&format!("Needs the scope `{needed}`.")), "{method} {path}: {told}");
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
    for (method, path, needed) in NEEDED {
        // Nobody has this id, so that what is allowed changes nothing; and no body is complete.
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
