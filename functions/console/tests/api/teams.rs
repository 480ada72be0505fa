//! Teams.

use serde_json::json;

use crate::world::{World, id};

#[tokio::test]
async fn a_team_lives_from_201_to_204() {
    let world = World::start().await;
    let (ada, grace) = (world.member("Ada").await, world.member("Grace").await);
    let made = world.post("/teams", &json!({"name": "DBA", "members": [grace, ada]})).await.is(201);
    let path = format!("/teams/{}", id(&made));
    assert_eq!(made["members"], json!([grace, ada]));
    assert_eq!(world.get(&path).await.is(200), made);
    assert_eq!(world.get("/teams").await.is(200), json!({"items": [made], "next": null}));

    let replaced = world.put(&path, &json!({"name": "Night", "members": [ada]})).await.is(200);
    assert_eq!((&replaced["name"], &replaced["members"]), (&json!("Night"), &json!([ada])));
    assert_eq!(replaced["created_at"], made["created_at"]);

    world.delete(&path).await.is(204);
    world.get(&path).await.refuses(404, "");
    world.delete(&path).await.refuses(404, "");
}

#[tokio::test]
async fn a_team_names_members_who_are_there_each_once() {
    let world = World::start().await;
    let ada = world.member("Ada").await;
    let rows = [
        (json!({"name": "DBA", "members": [ada, ada]}), "members[1]"),
        (json!({"name": "DBA", "members": [ada, "mem_absent"]}), "members[1]"),
        (json!({"name": "DBA", "members": ["team_1"]}), "members[0]"),
        (json!({"name": "DBA", "members": null}), "members"),
        (json!({"name": "", "members": []}), "name"),
        (json!({"name": "DBA", "people": []}), "people"),
    ];
    for (body, field) in rows {
        world.post("/teams", &body).await.refuses(400, field);
    }
}
