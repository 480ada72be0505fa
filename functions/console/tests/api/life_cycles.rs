//! Every kind of object is created, read, listed, replaced and deleted.

use serde_json::{Value, json};

use crate::world::{CANARY, World, id, without_warnings};

#[tokio::test]
async fn a_space_lives_from_201_to_204() {
    let world = World::start().await;
    let destination = world.destination().await;
    let made = world.post("/spaces", &json!({"name": "Payments", "destinations": [destination]})).await.is(201);
    let path = format!("/spaces/{}", id(&made));
    assert_eq!(made["destinations"], json!([destination]));
    assert_eq!(world.get(&path).await.is(200), made);
    assert_eq!(made["warnings"], json!([]));
    let listed = world.get("/spaces").await.is(200);
    assert_eq!(listed, json!({"items": [without_warnings(&made)], "next": null}));

    let replaced = world.put(&path, &json!({"name": "Billing"})).await.is(200);
    assert_eq!((&replaced["name"], &replaced["destinations"]), (&json!("Billing"), &json!([])));
    assert_eq!(replaced["created_at"], made["created_at"]);

    world.delete(&path).await.is(204);
    world.get(&path).await.refuses(404, "");
    world.delete(&path).await.refuses(404, "");
}

#[tokio::test]
async fn a_space_in_use_is_not_deleted_and_the_answer_says_by_what() {
    let world = World::start().await;
    let space = world.space(&[]).await;
    let integration = world.post("/integrations", &json!({"name": "Disks", "space": space})).await.is(201);
    let sentence = world.delete(&format!("/spaces/{space}")).await.refuses(409, "");
    assert!(sentence.contains("Disks") && sentence.contains(&id(&integration)), "{sentence}");
    world.delete(&format!("/integrations/{}", id(&integration))).await.is(204);
    world.delete(&format!("/spaces/{space}")).await.is(204);
}

#[tokio::test]
async fn a_destinations_secrets_go_in_and_never_come_out() {
    let world = World::start().await;
    let destination = world.destination().await;
    let path = format!("/destinations/{destination}");
    let shown = world.get(&path).await.is(200);
    assert_eq!(shown["settings"], json!({"url": "…6789", "secret": "…6789"}));
    assert_eq!((&shown["language"], &shown["time_zone"]), (&json!("en"), &json!("+00:00")));

    // A PUT without a secret keeps it. A PUT with `null` removes it.
    let body = |settings: Value| json!({"name": "ops", "channel": "feishu_bot", "settings": settings, "language": "zh", "time_zone": "+08:00"});
    let kept = world.put(&path, &body(json!({}))).await.is(200);
    assert_eq!(kept["settings"], json!({"url": "…6789", "secret": "…6789"}));
    assert_eq!((&kept["language"], &kept["time_zone"]), (&json!("zh"), &json!("+08:00")));
    let removed = world.put(&path, &body(json!({"secret": null}))).await.is(200);
    assert_eq!(removed["settings"], json!({"url": "…6789"}));
    let changed = world.put(&path, &body(json!({"secret": format!("{CANARY}wxyz")}))).await.is(200);
    assert_eq!(changed["settings"], json!({"url": "…6789", "secret": "…wxyz"}));

    // The stored value is sealed.
    let stored = world.store.destinations().get(&destination.parse().expect("an id")).await.expect("read");
    assert!(!serde_json::to_string(&stored).expect("JSON").contains(CANARY));
    assert!(!format!("{stored:?}").contains(CANARY));
}

#[tokio::test]
async fn another_channel_keeps_nothing_of_the_one_before() {
    let world = World::start().await;
    let path = format!("/destinations/{}", world.destination().await);
    let body = json!({"name": "ops", "channel": "slack_webhook", "settings": {}});
    world.put(&path, &body).await.refuses(400, "settings.url");
}

#[tokio::test]
async fn a_destination_in_use_by_a_person_is_not_deleted_and_one_of_a_space_is_removed_from_it() {
    let world = World::start().await;
    let destination = world.destination().await;
    let path = format!("/destinations/{destination}");
    let space = world.space(&[&destination]).await;
    let member = json!({"name": "Ada", "preferences": {"Critical": [destination]}});
    let member = id(&world.post("/members", &member).await.is(201));
    let sentence = world.delete(&path).await.refuses(409, "");
    assert!(sentence.contains(&member), "{sentence}");

    world.put(&format!("/members/{member}"), &json!({"name": "Ada"})).await.is(200);
    world.delete(&path).await.is(204);
    assert_eq!(world.get(&format!("/spaces/{space}")).await.is(200)["destinations"], json!([]));
}

#[tokio::test]
async fn a_test_of_a_destination_shows_the_providers_answer() {
    let world = World::start().await;
    let path = format!("/destinations/{}/test", world.destination().await);
    let tested = world.post(&path, &json!({})).await.is(200);
    assert_eq!((&tested["outcome"], &tested["reason"]), (&json!("delivered"), &Value::Null));
    assert_eq!(tested["provider"]["status"], 200);
    assert_eq!(world.take_sent("/open-apis/bot/v2/hook/").len(), 1);

    // Test messages count against the limit of the group.
    let mut last = world.post(&path, &json!({})).await;
    while last.status == 200 {
        last = world.post(&path, &json!({})).await;
    }
    last.refuses(429, "");
    assert!(last.headers.contains_key("retry-after"));
    assert!(world.take_sent("/open-apis/bot/v2/hook/").len() < 5);
}

#[tokio::test]
async fn a_mapping_table_is_edited_as_json_and_as_csv() {
    let world = World::start().await;
    let body = json!({"name": "teams", "source_labels": ["host"], "result_labels": ["team"],
        "rows": [{"host": "db-1", "team": "dba"}]});
    let made = world.post("/mapping-tables", &body).await.is(201);
    let path = format!("/mapping-tables/{}", id(&made));
    assert_eq!(world.get(&path).await.is(200)["rows"], body["rows"]);
    let listed = world.get("/mapping-tables").await.is(200);
    assert_eq!((&listed["items"][0]["row_count"], &listed["items"][0]["rows"]), (&json!(1), &Value::Null));

    let csv = format!("{path}/rows.csv");
    let file = "host,team\nweb-1,\"front, end\"\n";
    let uploaded = world.call("PUT", &csv, Some(file.to_owned())).await.is(200);
    assert_eq!(uploaded["rows"], json!([{"host": "web-1", "team": "front, end"}]));
    let downloaded = world.get(&csv).await;
    assert_eq!((downloaded.status, downloaded.text.as_str()), (200, file));
    assert!(downloaded.headers["content-type"].to_str().expect("text").starts_with("text/csv"));

    // A PUT without rows keeps the rows and changes the other fields.
    let renamed = json!({"name": "owners", "source_labels": ["host"], "result_labels": ["team"]});
    let renamed = world.put(&path, &renamed).await.is(200);
    assert_eq!((&renamed["name"], &renamed["row_count"]), (&json!("owners"), &json!(1)));

    let space = world.space(&[]).await;
    let pipeline = json!([{"map_labels": {"table": id(&made)}}]);
    let user = json!({"name": "Disks", "space": space, "pipeline": pipeline});
    let user = id(&world.post("/integrations", &user).await.is(201));
    world.delete(&path).await.refuses(409, "");
    world.delete(&format!("/integrations/{user}")).await.is(204);
    world.delete(&path).await.is(204);
}

#[tokio::test]
async fn an_api_key_is_shown_once_and_opens_nothing_once_revoked() {
    let world = World::start().await;
    let made = world.post("/api-keys", &json!({"name": "deploy bot"})).await.is(201);
    let key = made["key"].as_str().expect("the key").to_owned();
    let listed = world.get("/api-keys").await;
    assert!(!listed.text.contains(&key) && !listed.text.contains(&world.key));
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(2));

    assert_eq!(world.bare("GET", "/api/v1/spaces", Some(&key), None).await.status, 200);
    let path = format!("/api-keys/{}", id(&made));
    let own = world.bare("DELETE", &format!("/api/v1{path}"), Some(&key), None).await;
    own.refuses(409, "");
    world.delete(&path).await.is(204);
    assert_eq!(world.bare("GET", "/api/v1/spaces", Some(&key), None).await.status, 401);
    world.delete(&path).await.refuses(404, "");
}

#[tokio::test]
async fn lists_are_newest_first_and_come_in_pages() {
    let world = World::start().await;
    let mut made = Vec::new();
    for n in 0..5 {
        world.advance(1);
        made.push(id(&world.post("/spaces", &json!({"name": format!("space {n}")})).await.is(201)));
    }
    made.reverse();
    let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = world.get(&format!("/spaces?limit=2{after}")).await.is(200);
        found.extend(page["items"].as_array().expect("items").iter().map(id));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!((found, pages), (made, 3));
}
