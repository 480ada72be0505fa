//! The timeline shows every event, the person who caused it, and every attempt to notify with its result.

use scenarios::escalation::members;
use scenarios::space::feishu_bot;
use scenarios::{World, minutes, seconds};
use serde_json::{Value, json};
use vendors::group::Fault;
use vendors::reply::Reply;

#[tokio::test]
async fn the_timeline_shows_every_event_in_order() {
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li's chat")).make().await;
    let wang = world.member("Wang").chat(feishu_bot("wang's chat")).make().await;
    let space = world.space("Payments").make().await;
    world.rule(&space, "Always").levels([members(&[&li]).repeated(1, 60).for_minutes(5), members(&[&wang])]).await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&space).await;
    let busy =
        json!({"code": 11232, "data": {}, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"});
    world.feishu("li's chat").answers([Fault::reply(Reply::json(200, &busy))]);

    sender.says("disk full host=db-1").await;
    world.feishu("li's chat").expects("disk full").await;
    world.advance(seconds(61)).await;
    world.feishu("li's chat").expects("Still open").await;
    world.advance(minutes(4)).await;
    world.feishu("wang's chat").expects("Escalated").await;
    let incident = world.incident().await;
    incident.does("comments", &json!({"text": "my turn", "member": wang.id})).await;
    incident.press_as("acknowledge", &wang).await;
    world.advance(seconds(1)).await;
    sender.says("RESOLVED host=db-1").await;
    for chat in ["li's chat", "wang's chat"] {
        world.feishu(chat).expects_all(&["Acknowledged", "(Wang"]).await;
        world.feishu(chat).expects("Recovered").await;
    }

    let mut entries: Vec<String> = Vec::new();
    for entry in incident.entries().await {
        let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
        entries.push(format!("{} | {} | {}", text("kind"), text("actor"), text("detail")));
    }
    let delivered = |who: &str| format!("notified | {who}'s chat | feishu_bot: delivered");
    let to_both = [delivered("li"), delivered("wang")];
    for range in [9..11, 12..14] {
        entries[range].sort(); // the two members are notified at the same time
    }
    let expected = [
        "triggered | source | Always, level 1".to_owned(),
        "notified | li's chat | feishu_bot: retry (rate_limited)".to_owned(),
        delivered("li"),
        "repeated | timer | 1 of 1".to_owned(),
        delivered("li"),
        "escalated | timer | Always, level 2".to_owned(),
        delivered("wang"),
        "commented | Wang | my turn".to_owned(),
        "acknowledged | Wang | -".to_owned(),
        to_both[0].clone(),
        to_both[1].clone(),
        "recovered | source | -".to_owned(),
        to_both[0].clone(),
        to_both[1].clone(),
    ];
    assert_eq!(entries, expected);
    let deliveries = incident.now().await["deliveries"].as_array().expect("deliveries").clone();
    let states: Vec<&Value> = deliveries.iter().map(|delivery| &delivery["state"]).collect();
    assert_eq!(states, ["delivered", "delivered"]);
    world.finish().await;
}
