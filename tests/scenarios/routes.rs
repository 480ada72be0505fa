//! A shared integration sends each alert to the spaces that its routes name.

use scenarios::World;
use scenarios::space::feishu_bot;
use serde_json::json;

#[tokio::test]
async fn an_alert_in_two_spaces_makes_an_incident_in_each_and_recovery_follows_it_there() {
    let world = World::start().await;
    let db = world.space("DB").notify(feishu_bot("db")).await;
    let web = world.space("Web").notify(feishu_bot("web")).await;
    let rest = world.space("Rest").notify(feishu_bot("rest")).await;
    let has = |word: &str| json!({"any": [{"all": [{"field": "description", "op": "match", "values": [format!("/{word}/")]}]}]});
    let shared = world
        .feishu_alert()
        .set(
            "routes",
            json!([
                {"filter": has("db"), "spaces": [db.id]},
                {"filter": has("web"), "spaces": [web.id], "then": "stop"},
            ]),
        )
        .set("default_spaces", json!([rest.id]))
        .close_when("RESOLVED")
        .key(r"id=(\d+)")
        .make()
        .await;

    shared.says("db and web are slow id=1").await;
    world.feishu("db").expects("slow").await;
    world.feishu("web").expects("slow").await;
    shared.says("the coffee machine is empty id=2").await;
    world.feishu("rest").expects("coffee").await;

    // No route matches the recovery, so it goes to the spaces of its alert.
    shared.says("RESOLVED id=1").await;
    world.feishu("db").expects("Recovered").await;
    world.feishu("web").expects("Recovered").await;

    assert_eq!(world.api.list("/incidents?progress=closed").await.len(), 2);
    assert_eq!(world.api.list(&format!("/alerts?space={}", rest.id)).await.len(), 1);
    world.finish().await;
}
