//! Every error has the same shape and names the invalid field.

use serde_json::json;

use crate::world::{CANARY, World};

#[tokio::test]
async fn nothing_is_served_without_a_known_key() {
    let world = World::start().await;
    for key in [None, Some(""), Some("lks_unknown"), Some("Bearer")] {
        let answer = world.bare("GET", "/api/v1/spaces", key, None).await;
        answer.refuses(401, "");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn a_key_without_the_scope_is_known_and_refused() {
    let world = World::start().await;
    let key = store::api_keys::ApiKey {
        id: "key_other".parse().expect("an id"),
        name: "of a later version".to_owned(),
        scopes: vec!["billing".to_owned()],
        created_at: world.now(),
        last4: "ther".to_owned(),
        expires_at: None,
        used_at: None,
        created_by: None,
        created_by_member: None,
    };
    world.store.api_keys().put(&store::keys::secret_hash("lks_other"), &key).await.expect("written");
    world.bare("GET", "/api/v1/spaces", Some("lks_other"), None).await.refuses(403, "");
}

#[tokio::test]
async fn unknown_fields_and_parameters_are_refused_by_name() {
    let world = World::start().await;
    let destination = json!({"name": "a", "channel": "feishu_bot", "settings": {"url": CANARY, "token": "x"}});
    let rows = [
        (world.post("/spaces", &json!({"name": "a", "colour": "red"})).await, "colour"),
        (world.post("/destinations", &destination).await, "settings.token"),
        (world.post("/destinations", &json!({"name": "a", "kind": "feishu_bot"})).await, "kind"),
        (world.post("/integrations", &json!({"name": "a", "spaces": []})).await, "spaces"),
        (world.post("/mapping-tables", &json!({"columns": []})).await, "columns"),
        (world.get("/spaces?order=name").await, "order"),
        (world.get("/alerts?state=open").await, "state"),
        (world.get("/incidents?progres=closed").await, "progres"),
        (world.get("/ledger?days=1").await, "days"),
    ];
    for (answer, field) in rows {
        answer.refuses(400, field);
    }
}

#[tokio::test]
async fn wrong_values_name_the_field_and_what_is_expected() {
    let world = World::start().await;
    let rows = [
        (world.get("/spaces?limit=101").await, "limit"),
        (world.get("/alerts?status=broken").await, "status"),
        (world.get("/alerts?space=dst_1").await, "space"),
        (world.get("/alerts?after=yesterday").await, "after"),
        (world.get("/incidents?progress=open").await, "progress"),
        (world.get("/ledger?hours=1000").await, "hours"),
        (world.post("/spaces", &json!({"name": ""})).await, "name"),
        (world.post("/spaces", &json!({"name": "a", "destinations": ["spc_1"]})).await, "destinations[0]"),
        (world.post("/spaces", &json!({"name": "a", "destinations": ["dst_absent"]})).await, "destinations[0]"),
        (world.post("/destinations", &json!({"name": "a", "channel": "pigeon"})).await, "channel"),
        (world.post("/destinations", &json!({"name": "a", "channel": "feishu_bot"})).await, "settings.url"),
    ];
    for (answer, field) in rows {
        answer.refuses(400, field);
    }
    let elsewhere =
        json!({"name": "a", "channel": "feishu_bot", "settings": {"url": format!("https://{CANARY}.example/")}});
    world.post("/destinations", &elsewhere).await.refuses(400, "settings.url");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_done_that_way_or_is_too_large_says_so() {
    let world = World::start().await;
    world.get("/nothing").await.refuses(404, "");
    world.get("/spaces/spc_absent").await.refuses(404, "");
    world.get("/spaces/dst_absent").await.refuses(404, "");
    world.get("/alerts/alt_absent").await.refuses(404, "");
    world.get("/incidents/inc_absent").await.refuses(404, "");
    world.post("/incidents/inc_absent/close", &json!({})).await.refuses(404, "");
    world.call("PATCH", "/spaces", None).await.refuses(405, "");
    world.call("POST", "/spaces", Some("{".to_owned())).await.refuses(400, "");
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    world.call("POST", "/spaces", Some(large)).await.refuses(413, "");
}
