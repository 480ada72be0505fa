//! The OpenAPI document describes exactly the routes of the router.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

/// The routes that clients depend on, except those that read, replace and delete an object.
const FIXED: [(&str, &str); 27] = [
    ("post", "/spaces"),
    ("post", "/destinations"),
    ("post", "/destinations/{id}/test"),
    ("post", "/integrations"),
    ("get", "/integrations"),
    ("get", "/integrations/{id}"),
    ("put", "/integrations/{id}"),
    ("delete", "/integrations/{id}"),
    ("post", "/integrations/{id}/rotate-key"),
    ("post", "/integrations/{id}/try"),
    ("get", "/integrations/{id}/messages"),
    ("get", "/integrations/{id}/messages/{message}/trace"),
    ("post", "/integrations/{id}/messages/{message}/replay"),
    ("get", "/alerts"),
    ("get", "/alerts/{id}"),
    ("get", "/incidents"),
    ("get", "/incidents/{id}"),
    ("post", "/incidents/{id}/acknowledge"),
    ("post", "/incidents/{id}/unacknowledge"),
    ("post", "/incidents/{id}/snooze"),
    ("post", "/incidents/{id}/close"),
    ("post", "/incidents/{id}/reopen"),
    ("post", "/incidents/{id}/preview"),
    ("get", "/channels/{channel}/template"),
    ("get", "/ledger"),
    ("get", "/mapping-tables/{id}/rows.csv"),
    ("put", "/mapping-tables/{id}/rows.csv"),
];

async fn document(world: &World) -> Value {
    let answer = world.bare("GET", "/api/v1/openapi.json", None, None).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.is(200)
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path item").iter();
        methods.map(move |(method, operation)| (method.clone(), path.clone(), operation.clone()))
    });
    operations.collect()
}

#[tokio::test]
async fn the_document_holds_every_fixed_route() {
    let world = World::start().await;
    let document = document(&world).await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    let there: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    for (method, path) in FIXED {
        assert!(there.contains(&(method.to_owned(), format!("/api/v1{path}"))), "{method} {path}");
    }
}

#[tokio::test]
async fn every_operation_of_the_document_is_served_and_asks_for_a_key() {
    let world = World::start().await;
    for (method, path, operation) in operations(&document(&world).await) {
        let answer = world.bare(&method.to_uppercase(), &path.replace(['{', '}'], ""), None, None).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{method} {path}");
        assert!(operation["responses"]["default"].is_object(), "{method} {path} says how its errors look");
    }
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let world = World::start().await;
    let document = document(&world).await;
    let mut rest = vec![&document];
    let mut seen = 0;
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("references stay in the document");
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    seen += 1;
                }
                rest.extend(map.values());
            }
            Value::Array(list) => rest.extend(list),
            _ => {}
        }
    }
    assert!(seen > 50, "{seen}");
    let scheme = &document["components"]["securitySchemes"]["api_key"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&Value::from("http"), &Value::from("bearer")));
}

#[tokio::test]
async fn every_action_on_an_incident_describes_its_idempotency_key() {
    let world = World::start().await;
    let mut described = BTreeSet::new();
    for (method, path, operation) in operations(&document(&world).await) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let key = parameters.into_iter().find(|parameter| parameter["name"] == "Idempotency-Key");
        let Some(key) = key else { continue };
        assert_eq!((&key["in"], &key["required"]), (&"header".into(), &false.into()), "{key}");
        let path = path.split("/incidents/{id}").nth(1).expect("an incident's").trim_start_matches('/');
        described.insert(format!("{method} {path}"));
    }
    let actions = "acknowledge close comments escalate merge reassign reopen responders silence snooze unacknowledge";
    let actions = actions.split(' ').map(|action| format!("post {action}"));
    assert_eq!(described, actions.chain(["put ".to_owned()]).collect());
}
