//! API keys: who created them, when they were last used, and when they end.

use serde_json::{Value, json};

use crate::world::{World, id};

// Proves: finding D6
#[tokio::test]
async fn a_key_says_who_made_it_and_when_it_was_used_and_ends_when_it_should() {
    let world = World::start().await;
    let end = (world.now() + std::time::Duration::from_secs(3 * 3600)).rfc3339();
    let made = world.post("/api-keys", &json!({"name": "robot", "scopes": ["read"], "expires_at": end})).await.is(201);
    let key = made["key"].as_str().expect("a key").to_owned();
    assert_eq!((&made["expires_at"], &made["last_used_at"]), (&json!(end), &Value::Null));
    let maker = made["created_by"].as_str().expect("the key that asked for it");
    assert_ne!(maker, id(&made));
    let first = listed(&world, maker).await;
    assert_eq!((&first["created_by"], &first["expires_at"]), (&Value::Null, &Value::Null));

    world.bare("GET", "/api/v1/spaces", Some(&key), None).await.is(200);
    let used = listed(&world, &id(&made)).await["last_used_at"].clone();
    assert!(used.is_string(), "{used}");
    // The last use is recorded to the hour, so that not every request is a write.
    world.advance(1800);
    world.bare("GET", "/api/v1/spaces", Some(&key), None).await.is(200);
    assert_eq!(listed(&world, &id(&made)).await["last_used_at"], used);
    world.advance(1800);
    world.bare("GET", "/api/v1/spaces", Some(&key), None).await.is(200);
    assert_ne!(listed(&world, &id(&made)).await["last_used_at"], used);

    world.advance(2 * 3600 - 60);
    world.bare("GET", "/api/v1/spaces", Some(&key), None).await.is(200);
    world.advance(60);
    let refused = world.bare("GET", "/api/v1/spaces", Some(&key), None).await.refuses(401, "");
    assert!(refused.contains("expired"), "{refused}");
    let past = json!({"name": "robot", "expires_at": world.now().rfc3339()});
    world.post("/api-keys", &past).await.refuses(400, "expires_at");
}

async fn listed(world: &World, id: &str) -> Value {
    let all = world.get("/api-keys").await.is(200);
    let items = all["items"].as_array().expect("a list");
    items.iter().find(|item| item["id"] == *id).cloned().expect("it is listed")
}
