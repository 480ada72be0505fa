//! Accounts of apps, and codes that link chat users.

use serde_json::{Value, json};

use crate::world::{World, id};

fn slack() -> Value {
    let settings =
        json!({"team_id": "T012", "app_id": "A012", "signing_secret": "c4nary-signing", "token": "xoxb-c4nary"});
    json!({"name": "Acme", "channel": "slack_app", "settings": settings})
}

fn changed(name: &str, value: Value) -> Value {
    let mut body = slack();
    body["settings"][name] = value;
    body
}

#[tokio::test]
async fn an_account_lives_from_201_to_204_and_shows_no_secret() {
    let world = World::start().await;
    let made = world.post("/accounts", &slack()).await.is(201);
    let path = format!("/accounts/{}", id(&made));
    assert_eq!(made["settings"]["team_id"], "T012");
    assert!(!made.to_string().contains("c4nary"), "{made}");
    assert_eq!(world.get(&path).await.is(200), made);
    assert_eq!(world.get("/accounts").await.is(200), json!({"items": [made], "next": null}));

    let mut kept = slack();
    kept["name"] = "Acme Inc.".into();
    kept["settings"] = json!({"team_id": "T013", "app_id": "A012"});
    let replaced = world.put(&path, &kept).await.is(200);
    assert_eq!((&replaced["name"], &replaced["settings"]["team_id"]), (&json!("Acme Inc."), &json!("T013")));
    assert_eq!(replaced["settings"]["token"], made["settings"]["token"]);

    let room = json!({"name": "ops", "channel": "slack_app", "settings": {"account": id(&made), "channel": "C012"}});
    let room = world.post("/destinations", &room).await.is(201);
    world.delete(&path).await.refuses(409, "");
    world.delete(&format!("/destinations/{}", id(&room))).await.is(204);
    world.delete(&path).await.is(204);
    world.get(&path).await.refuses(404, "");
}

#[tokio::test]
async fn an_account_has_the_settings_of_its_channel_and_stays_on_it() {
    let world = World::start().await;
    let rows = [
        (json!({"name": "Acme", "channel": "slack_webhook", "settings": {}}), "channel"),
        (json!({"name": "Acme", "channel": "fax", "settings": {}}), "channel"),
        (changed("team_id", json!("acme")), "settings.team_id"),
        (changed("app_id", Value::Null), "settings.app_id"),
        (changed("token", json!("xoxp-1")), "settings.token"),
        (changed("signing_secret", json!("")), "settings.signing_secret"),
        (changed("color", json!("red")), "settings.color"),
        (json!({"name": "", "channel": "slack_app", "settings": {}}), "name"),
    ];
    for (body, field) in rows {
        world.post("/accounts", &body).await.refuses(400, field);
    }
    let made = world.post("/accounts", &slack()).await.is(201);
    let mut moved = slack();
    moved["channel"] = "email".into();
    world.put(&format!("/accounts/{}", id(&made)), &moved).await.refuses(400, "channel");
}

#[tokio::test]
async fn a_code_is_for_a_member_and_a_link_that_is_not_there_can_be_ended() {
    let world = World::start().await;
    let ada = world.member("Ada").await;
    let account = world.post("/accounts", &slack()).await.is(201);
    let codes = format!("/accounts/{}/link-codes", id(&account));
    world.post(&codes, &json!({})).await.refuses(400, "member");
    world.post(&codes, &json!({"member": "mem_absent"})).await.refuses(404, "");
    world.post("/accounts/app_absent/link-codes", &json!({"member": ada})).await.refuses(404, "");
    let (one, other) = (
        world.post(&codes, &json!({"member": ada})).await.is(201),
        world.post(&codes, &json!({"member": ada})).await.is(201),
    );
    assert!(one["command"].as_str().is_some_and(|command| command.starts_with("linkUser ")), "{one}");
    assert_ne!(one["command"], other["command"]);
    assert_eq!(world.get(&format!("/members/{ada}")).await.is(200)["links"], json!([]));
    world.delete(&format!("/accounts/{}/links/{ada}", id(&account))).await.is(204);
    world.delete(&format!("/accounts/{}/links/mem_absent", id(&account))).await.refuses(404, "");
}
