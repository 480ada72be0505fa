//! Integrations: their URL, the key in it, and their secret fields.

use serde_json::{Value, json};

use crate::world::{CANARY, World, id};

/// The key at the end of an integration's URL.
#[track_caller]
fn key_of(integration: &Value) -> String {
    let url = integration["url"].as_str().expect("a URL");
    let key = url.strip_prefix("http://larkspur.test/open-apis/bot/v2/hook/").expect("the intake's path");
    assert!(key.len() == 18 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{url}");
    key.to_owned()
}

async fn opens(world: &World, key: &str) -> Option<String> {
    let found = world.store.intake(key, "203.0.113.7", world.now()).await.expect("read").known();
    found.map(|stored| stored.integration.id.to_string())
}

#[tokio::test]
async fn the_url_is_whole_for_one_integration_and_masked_in_lists() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let made = world.post("/integrations", &json!({"name": "Disks", "space": space})).await.is(201);
    let key = key_of(&made);
    assert_eq!(opens(&world, &key).await, Some(id(&made)));
    assert_eq!(world.get(&format!("/integrations/{}", id(&made))).await.is(200), made);

    let listed = world.get("/integrations").await;
    assert!(!listed.text.contains(&key), "{}", listed.text);
    assert_eq!(listed.json()["items"][0]["url"], format!("…{}", &key[14..]));

    let stored = world.store.integrations().get(&id(&made).parse().expect("an id")).await.expect("read");
    assert!(!serde_json::to_string(&stored).expect("JSON").contains(&key), "the key is sealed");
}

#[tokio::test]
async fn a_put_keeps_the_url_and_the_secret_that_it_leaves_out() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let body = json!({"name": "Disks", "space": space, "security": {"secret": CANARY, "keywords": ["disk"]}});
    let made = world.post("/integrations", &body).await.is(201);
    assert_eq!(made["security"], json!({"secret": "…6789", "keywords": ["disk"], "sources": []}));
    let path = format!("/integrations/{}", id(&made));

    let shared = json!({"name": "All", "routes": [{"spaces": [space], "then": "stop"}], "default_spaces": [space],
        "push_mode": {"type": "by_title"}});
    let replaced = world.put(&path, &shared).await.is(200);
    assert_eq!(replaced["url"], made["url"]);
    assert_eq!(replaced["space"], Value::Null);
    assert_eq!(replaced["routes"], json!([{"filter": {}, "spaces": [space], "then": "stop"}]));
    assert_eq!(replaced["security"], json!({"secret": "…6789", "keywords": [], "sources": []}));

    let removed = json!({"name": "Disks", "space": space, "security": {"secret": null}});
    let removed = world.put(&path, &removed).await.is(200);
    assert_eq!(removed["security"], json!({"keywords": [], "sources": []}));

    let masked = json!({"name": "Disks", "space": space, "security": {"secret": "…6789"}});
    world.put(&path, &masked).await.refuses(400, "security.secret");
}

#[tokio::test]
async fn a_rotated_key_works_beside_the_new_one_for_the_overlap_and_no_longer() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let made = world.post("/integrations", &json!({"name": "Disks", "space": space})).await.is(201);
    let path = format!("/integrations/{}/rotate-key", id(&made));
    let old = key_of(&made);

    let rotated = world.post(&path, &json!({"overlap_minutes": 60})).await.is(200);
    let new = key_of(&rotated);
    assert_ne!(new, old);
    assert!(rotated["old_key_until"].is_string());
    assert_eq!(opens(&world, &old).await, Some(id(&made)));
    assert_eq!(opens(&world, &new).await, Some(id(&made)));
    world.advance(61 * 60);
    assert_eq!(opens(&world, &old).await, None);
    assert_eq!(opens(&world, &new).await, Some(id(&made)));
    assert_eq!(world.get(&format!("/integrations/{}", id(&made))).await.is(200)["old_key_until"], Value::Null);

    let at_once = world.post(&path, &json!({"overlap_minutes": 0})).await.is(200);
    assert_eq!(at_once["old_key_until"], Value::Null);
    assert_eq!(opens(&world, &new).await, None);
    world.post(&path, &json!({"overlap_minutes": 10081})).await.refuses(400, "overlap_minutes");
    world.post(&path, &json!({})).await.refuses(400, "overlap_minutes");
}

#[tokio::test]
async fn a_deleted_integrations_url_is_unknown_at_once() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let made = world.post("/integrations", &json!({"name": "Disks", "space": space})).await.is(201);
    assert!(opens(&world, &key_of(&made)).await.is_some());
    world.delete(&format!("/integrations/{}", id(&made))).await.is(204);
    assert_eq!(opens(&world, &key_of(&made)).await, None);
}

#[tokio::test]
async fn what_cannot_work_is_refused_by_field() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let with = |more: Value| {
        let mut body = json!({"name": "Disks", "space": space});
        body.as_object_mut().expect("an object").append(&mut more.as_object().cloned().expect("an object"));
        body
    };
    let by_rules = |mode: Value| {
        let mut mode = mode;
        mode["type"] = "by_rules".into();
        with(json!({"push_mode": mode}))
    };
    let key = json!([{"field": "title", "pattern": "/(.*)/"}]);
    let rows = [
        (by_rules(json!({"trigger": [], "key": key})), "push_mode.trigger"),
        (by_rules(json!({"trigger": [{}], "key": []})), "push_mode.key"),
        (
            by_rules(json!({"trigger": [{}], "key": [{"field": "title", "pattern": "/host=(/"}]})),
            "push_mode.key[0].pattern",
        ),
        (with(json!({"space": "spc_absent"})), "space"),
        (
            json!({"name": "a", "routes": [{"spaces": [space, "spc_absent"]}], "default_spaces": [space]}),
            "routes[0].spaces[1]",
        ),
        (json!({"name": "a", "routes": [], "default_spaces": ["spc_absent"]}), "default_spaces[0]"),
        (with(json!({"pipeline": [{"map_labels": {"table": "map_absent"}}]})), "pipeline[0].map_labels.table"),
        (with(json!({"pipeline": [{"set_title": "{{ title"}]})), "pipeline[0].set_title"),
        (with(json!({"security": {"sources": ["nowhere"]}})), "security.sources[0]"),
        (with(json!({"limits": {"per_second": 0}})), "limits.per_second"),
    ];
    for (body, field) in rows {
        let answer = world.post("/integrations", &body).await;
        assert_eq!(answer.json()["error"]["field"], field, "{body} {}", answer.text);
        assert_eq!(answer.status, 400);
    }
    let valid = by_rules(json!({"trigger": [{}], "key": key, "close": [
        {"any": [{"all": [{"field": "content", "op": "match", "values": ["/RESOLVED/"]}]}]}]}));
    world.post("/integrations", &valid).await.is(201);
}
