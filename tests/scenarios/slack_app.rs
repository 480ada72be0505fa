//! Cards of a Slack app: acknowledged, snoozed and closed in the chat, and true everywhere.

use scenarios::slack_app::{Answered, SlackApp, labels};
use scenarios::{World, hours, seconds};
use serde_json::{Value, json};
use vendors::seen::Seen;

const OPS: &str = "C0123456789";
const WEB: &str = "C9876543210";
const OFFERED: [&str; 6] = ["Acknowledge", "Snooze 2 h", "Snooze 4 h", "Snooze 12 h", "Close", "Details"];

/// The newest message of a conversation, once it shows the text.
async fn shown(app: &SlackApp<'_>, channel: &str, text: &str) -> Seen {
    for _ in 0..500 {
        let newest = app.conversation(channel).messages().pop();
        if let Some(seen) = newest.filter(|seen| seen.everything().contains(text)) {
            return seen;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{channel} does not show {text}: {:#?}", app.conversation(channel).messages());
}

fn ok() -> Answered {
    Answered { status: 200, body: String::new() }
}

// Proves: fault 73, fault 74
#[tokio::test]
async fn an_incident_is_acknowledged_snoozed_and_closed_in_slack_and_every_copy_shows_it() {
    let world = World::start().await;
    let app = world.slack_app().await;
    let (ops, web) = (app.channel(OPS).await, app.channel(WEB).await);
    let ada = world.member("Ada").make().await;
    app.link("U1", &ada.id).await;
    assert!(shown(&app, "D1", "linked to Ada").await.text().contains("You are now linked"));
    let space = world.space("Payments").set("destinations", json!([ops, web])).make().await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    let incident = world.incident().await.id;
    for channel in [OPS, WEB] {
        assert_eq!(labels(&shown(&app, channel, "[Triggered").await), OFFERED, "{channel}");
    }

    assert_eq!(app.press("U1", OPS, "Acknowledge").await, ok());
    for channel in [OPS, WEB] {
        let card = shown(&app, channel, "[Processing").await;
        assert!(card.everything().contains("(Ada)"), "{card:#?}");
        assert_eq!(labels(&card)[0], "Take back", "{channel}");
    }
    let acknowledged = world.api.get(&format!("/incidents/{incident}")).await;
    assert_eq!(acknowledged["acknowledged_by"], json!([ada.id]));
    let entries = acknowledged["timeline"].as_array().expect("entries");
    let entry = entries.iter().find(|entry| entry["kind"] == "acknowledged").expect("one");
    assert_eq!(entry["actor_ref"], json!({"type": "member", "id": ada.id, "via": "slack"}));

    assert_eq!(app.press("U1", WEB, "Snooze 2 h").await, ok());
    for channel in [OPS, WEB] {
        assert_eq!(labels(&shown(&app, channel, "[Snoozed").await), ["Take back", "Close", "Details"], "{channel}");
    }
    world.advance(hours(2) + seconds(1)).await;
    let again = shown(&app, OPS, "Snooze 2 h").await;
    assert_eq!(labels(&again)[1..], OFFERED[1..], "a snooze that is over sends a new card");

    assert_eq!(app.press("U1", OPS, "Close").await, ok());
    for channel in [OPS, WEB] {
        assert_eq!(labels(&shown(&app, channel, "[Closed").await), ["Details"], "{channel}");
    }
    for channel in [OPS, WEB, "D1"] {
        app.conversation(channel).accept_all();
    }
    world.finish_with_timers().await;
}

/// The state of the incident, and how many entries its timeline has.
async fn state(world: &World) -> (Value, usize) {
    let id = world.incident().await.id;
    let incident = world.api.get(&format!("/incidents/{id}")).await;
    (incident["progress"].clone(), incident["timeline"].as_array().expect("entries").len())
}

// Proves: fault 73, fault 81
#[tokio::test]
async fn a_press_that_comes_again_an_unlinked_user_and_a_viewer_change_nothing() {
    let world = World::start().await;
    let app = world.slack_app().await;
    let ops = app.channel(OPS).await;
    let ada = world.member("Ada").make().await;
    let eve = world.member("Eve").set("role", "viewer").make().await;
    app.link("U1", &ada.id).await;
    app.link("U3", &eve.id).await;
    let space = world.space("Payments").set("destinations", json!([ops])).make().await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    shown(&app, OPS, "[Triggered").await;
    let before = state(&world).await;

    let unlinked = app.callback("U2", OPS, "Acknowledge");
    assert_eq!(app.send("actions", &unlinked).await, ok());
    shown(&app, "D2", "does not know who you are").await;
    let bob = world.member("Bob").make().await;
    app.link("U2", &bob.id).await;
    assert_eq!(app.send("actions", &unlinked).await, ok(), "a press that was answered does not act after a link");
    assert_eq!(app.press("U3", OPS, "Close").await, ok());
    shown(&app, "D3", "you may read incidents, but not act on them").await;
    assert_eq!(state(&world).await, before);

    let acknowledge = app.callback("U1", OPS, "Acknowledge");
    assert_eq!(app.send("actions", &acknowledge).await, ok());
    shown(&app, OPS, "[Processing").await;
    assert_eq!(app.press("U1", OPS, "Take back").await, ok());
    shown(&app, OPS, "[Triggered").await;
    let after = state(&world).await;
    assert_eq!(app.send("actions", &acknowledge).await, ok(), "the vendor sends the first press again");
    world.rest().await;
    assert_eq!(state(&world).await, after);
    for channel in [OPS, "D1", "D2", "D3"] {
        app.conversation(channel).accept_all();
    }
    world.finish_with_timers().await;
}

// Proves: fault 72
#[tokio::test]
async fn a_callback_of_nobody_known_gets_one_answer_and_writes_nothing() {
    let world = World::start().await;
    let mut app = world.slack_app().await;
    let ops = app.channel(OPS).await;
    let ada = world.member("Ada").make().await;
    app.link("U1", &ada.id).await;
    let space = world.space("Payments").set("destinations", json!([ops])).make().await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    shown(&app, OPS, "[Triggered").await;
    let before = state(&world).await;
    let refused = Answered { status: 401, body: String::new() };
    let mut forged = app.callback("U1", OPS, "Acknowledge");
    forged.body = forged.body.replace("U1", "U9");
    assert_eq!(app.send("actions", &forged).await, refused);
    let right = app.callback("U1", OPS, "Acknowledge");
    let known = std::mem::replace(&mut app.account, "app_unknown123".to_owned());
    assert_eq!(app.send("actions", &right).await, refused);
    app.account = known;
    world.rest().await;
    assert_eq!(state(&world).await, before);
    for channel in [OPS, "D1"] {
        app.conversation(channel).accept_all();
    }
    world.finish_with_timers().await;
}
