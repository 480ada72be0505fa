//! The actions of people on an incident. Each action is applied once, recorded with its actor, and notified to the
//! right people.

use scenarios::escalation::members;
use scenarios::people::Member;
use scenarios::sender::Sender;
use scenarios::space::feishu_bot;
use scenarios::{World, hours, minutes, seconds};
use serde_json::json;

/// Creates a member with a private chat of the same name.
async fn person(world: &World, name: &str) -> Member {
    world.member(name).chat(feishu_bot(name)).make().await
}

/// A space with three levels: Li at once, Wang after half an hour, and Zhao after another half hour.
struct Payments {
    li: Member,
    wang: Member,
    zhao: Member,
    sender: Sender,
}

impl Payments {
    async fn of(world: &World) -> Self {
        let [li, wang, zhao] = [person(world, "li").await, person(world, "wang").await, person(world, "zhao").await];
        let space = world.space("Payments").make().await;
        world.rule(&space, "Always").levels([members(&[&li]), members(&[&wang]), members(&[&zhao])]).await;
        let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)");
        let steps = json!([
            {"when": {"any": [{"all": [{"field": "content", "op": "match", "values": ["/CRIT/"]}]}]}, "set_severity": "Critical"},
        ]);
        let sender = sender.set("pipeline", steps).into(&space).await;
        Self { li, wang, zhao, sender }
    }

    /// The same space with an incident of which Li was notified.
    async fn with_an_incident(world: &World) -> Self {
        let payments = Self::of(world).await;
        payments.sender.says("disk full host=db-1").await;
        world.feishu("li").expects("disk full").await;
        payments
    }
}

#[tokio::test]
async fn two_members_who_acknowledge_at_once_both_work_on_it() {
    let world = World::start().await;
    let Payments { li, wang, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    let (one, other) = tokio::join!(incident.press_as("acknowledge", &li), incident.press_as("acknowledge", &wang));
    assert_eq!((&one["progress"], &other["progress"]), (&json!("processing"), &json!("processing")));

    let mut actors = incident.actors("acknowledged").await;
    actors.sort();
    assert_eq!(actors, ["li", "wang"]);
    let shown = incident.now().await;
    assert_eq!(shown["acknowledged_by"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["assignees"].as_array().map(Vec::len), Some(2));
    world.feishu("li").accept_all(); // the two changes, in one message or in two
    world.advance(hours(2)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "acknowledged", "acknowledged"]);
    world.finish().await;
}

#[tokio::test]
async fn two_api_keys_that_acknowledge_at_once_are_both_on_the_timeline_by_name() {
    let world = World::start().await;
    Payments::with_an_incident(&world).await;
    let mut keys = Vec::new();
    for name in ["deploy bot", "chat bot"] {
        let key = world.api.create("/api-keys", &json!({"name": name})).await;
        keys.push(key["key"].as_str().expect("a key").to_owned());
    }
    let incident = world.incident().await;
    let (deploy, chat) = (incident.with_key(&keys[0]), incident.with_key(&keys[1]));
    tokio::join!(deploy.press("acknowledge"), chat.press("acknowledge"), deploy.press("acknowledge"));

    let mut actors = incident.actors("acknowledged").await;
    actors.sort();
    assert_eq!(actors, ["chat bot", "deploy bot"], "each once, although one of them pressed twice");
    assert_eq!(incident.now().await["progress"], "processing");
    world.feishu("li").accept_all();
    world.finish().await;
}

#[tokio::test]
async fn escalated_by_hand_the_next_level_is_notified_at_once_and_its_own_time_runs() {
    let world = World::start().await;
    let Payments { li, wang, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    world.advance(minutes(20)).await;
    incident.does_twice("escalate", &json!({"member": li.id})).await;
    world.feishu("wang").expects_all(&["Escalated", "(li", "disk full"]).await;
    assert_eq!(incident.actors("escalated").await, ["li"]);
    assert_eq!(incident.details("escalated").await, ["Always, level 2"]);

    world.advance(minutes(29)).await;
    assert!(world.feishu("zhao").messages().is_empty(), "the second level has half an hour of its own");
    world.advance(minutes(1)).await;
    world.feishu("zhao").expects("Escalated").await;
    let beyond = incident.tries("escalate", &json!({"member": wang.id})).await;
    assert_eq!(beyond.status, 409, "{}", beyond.text);
    assert!(beyond.text.contains("no level 4"), "{}", beyond.text);

    incident.does_twice("escalate", &json!({"level": 1, "member": wang.id})).await;
    world.feishu("li").expects_all(&["Escalated", "(wang"]).await;
    assert_eq!(incident.actors("escalated").await, ["li", "timer", "wang"]);
    world.finish_with_timers().await;
}

// Proves: finding F14
#[tokio::test]
async fn escalating_past_the_last_level_is_refused_and_not_offered() {
    let world = World::start().await;
    let Payments { li, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    let page = format!("/incidents/{}", incident.id);
    let visitor = world.visitor_as(&li).await;
    assert!(visitor.opens(&page).await.text.contains("/escalate\""));
    incident.press_as("escalate", &li).await;
    world.feishu("wang").expects_all(&["Escalated", "(li"]).await;
    incident.does("escalate", &json!({"level": 3, "member": li.id})).await;
    world.feishu("zhao").expects_all(&["Escalated", "(li"]).await;
    for body in [json!({"member": li.id}), json!({"level": 4, "member": li.id})] {
        let beyond = incident.tries("escalate", &body).await;
        assert!(beyond.status == 409 && beyond.text.contains("no level 4"), "{}", beyond.text);
    }
    assert!(!visitor.opens(&page).await.text.contains("/escalate\""));
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_reassigned_incident_belongs_to_the_other_person_and_its_rule_ends() {
    let world = World::start().await;
    let Payments { li, zhao, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    incident.press_as("acknowledge", &li).await;
    world.feishu("li").expects("Acknowledged").await;
    let to_zhao = json!({"members": [zhao.id], "member": li.id});
    let shown = incident.does_twice("reassign", &to_zhao).await;
    world.feishu("zhao").expects_all(&["Reassigned", "(li", "disk full"]).await;
    assert_eq!((&shown["assignees"], &shown["progress"]), (&json!([zhao.id]), &json!("triggered")));
    assert_eq!(incident.actors("reassigned").await, ["li"]);
    world.advance(hours(3)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "acknowledged", "reassigned"]);

    let nobody = incident.tries("reassign", &json!({"members": []})).await;
    assert_eq!((nobody.status, nobody.body["error"]["field"].as_str()), (400, Some("members")), "{}", nobody.text);
    let unknown = incident.tries("reassign", &json!({"members": ["mem_nobody"]})).await;
    assert_eq!(
        (unknown.status, unknown.body["error"]["field"].as_str()),
        (400, Some("members[0]")),
        "{}",
        unknown.text
    );
    world.finish().await;
}

#[tokio::test]
async fn only_an_added_responder_is_notified_and_the_escalation_goes_on() {
    let world = World::start().await;
    let Payments { li, wang, zhao, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    let more = json!({"members": [zhao.id, li.id], "member": li.id});
    incident.does("responders", &more).await;
    let shown = incident.does("responders", &more).await; // the same request is sent twice
    world.feishu("zhao").expects_all(&["Responder added", "(li", "disk full"]).await;
    assert_eq!(shown["assignees"], json!([li.id, zhao.id]));
    world.advance(minutes(30)).await;
    world.feishu("wang").expects("Escalated").await;
    assert_eq!(incident.event_kinds().await, ["triggered", "responder_added", "escalated"]);
    assert_eq!(incident.now().await["assignees"], json!([li.id, zhao.id, wang.id]));
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_comment_stands_on_the_timeline_once_and_notifies_nobody() {
    let world = World::start().await;
    let Payments { li, wang, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    let comment = |text: &str, member: &Member| json!({"text": text, "member": member.id});
    incident.does_twice("comments", &comment(" looking at it ", &li)).await;
    incident.does("comments", &comment("looking at it", &wang)).await;
    incident.does("comments", &comment("found it", &wang)).await;
    world.advance(minutes(1)).await;
    incident.does("comments", &comment("found it", &wang)).await; // sent again on purpose
    assert_eq!(incident.actors("commented").await, ["li", "wang", "wang", "wang"]);
    assert_eq!(
        incident.details("commented").await,
        ["looking at it", "looking at it", "found it", "found it"],
        "each as it was written, without the blanks around it"
    );
    for text in ["", " \n ", &"x".repeat(4001)] {
        assert_eq!(incident.tries("comments", &json!({"text": text})).await.status, 400);
    }
    world.finish_with_timers().await;
}

#[tokio::test]
async fn title_and_severity_that_a_person_sets_are_not_overwritten_by_the_source() {
    let world = World::start().await;
    let Payments { li, sender, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    let edit = json!({"title": "The ledger's disk", "severity": "Info", "member": li.id});
    incident.edit(&edit).await;
    incident.edit(&edit).await; // the same request is sent twice
    assert_eq!(incident.actors("edited").await, ["li"]);
    let words = &incident.details("edited").await[0];
    assert!(words.starts_with("title was: ") && words.ends_with("; severity was: Warning"), "{words}");

    sender.says("CRIT disk full host=db-1").await; // without the edit, this raises the severity and notifies
    let shown = world.incident().await.now().await;
    assert_eq!((&shown["title"], &shown["severity"]), (&json!("The ledger's disk"), &json!("Info")));
    assert_eq!(incident.event_kinds().await, ["triggered", "edited"]);

    // The severity of the other incident rises.
    sender.says("disk full host=db-2").await;
    world.feishu("li").expects_all(&["[Warning]", "host=db-2"]).await;
    sender.says("CRIT disk full host=db-2").await;
    world.feishu("li").expects("Severity raised").await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_second_press_of_unacknowledge_changes_nothing() {
    let world = World::start().await;
    let Payments { li, wang, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    let early = incident.tries("unacknowledge", &json!({"member": li.id})).await;
    assert_eq!(early.status, 409, "nobody has acknowledged: {}", early.text);
    for member in [&li, &wang] {
        incident.press_as("acknowledge", member).await;
        world.feishu("li").expects("Acknowledged").await;
    }
    incident.press_as("unacknowledge", &li).await;
    world.advance(minutes(1)).await;
    incident.press_as("unacknowledge", &li).await;
    assert_eq!(incident.actors("unacknowledged").await, ["li"]);
    assert_eq!(incident.does_twice("unacknowledge", &json!({"member": wang.id})).await["progress"], "triggered");
    assert_eq!(incident.actors("unacknowledged").await, ["li", "wang"]);
    world.finish_with_timers().await;
}

#[tokio::test]
async fn reopened_it_is_assigned_again_from_the_first_level_on() {
    let world = World::start().await;
    let Payments { li, wang, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    world.advance(minutes(30)).await;
    world.feishu("wang").expects("Escalated").await;
    incident.press_as("close", &wang).await;
    incident.press_as("close", &wang).await;
    for name in ["li", "wang"] {
        world.feishu(name).expects_all(&["Closed", "(wang"]).await;
    }
    for (action, body) in [("acknowledge", json!({})), ("snooze", json!({"minutes": 5})), ("escalate", json!({}))] {
        assert_eq!(incident.tries(action, &body).await.status, 409, "{action}");
    }

    world.advance(minutes(40)).await;
    let shown = incident.does_twice("reopen", &json!({"member": wang.id})).await;
    assert_eq!((&shown["assignees"], &shown["escalation"]["level"]), (&json!([li.id]), &json!(1)));
    world.feishu("li").expects_all(&["Reopened", "(wang", "disk full"]).await;
    assert_eq!(incident.actors("reopened").await, ["wang"]);
    assert_eq!(incident.actors("closed").await, ["wang"]);
    world.advance(minutes(29)).await;
    assert_eq!(
        world.feishu("wang").messages().len(),
        2,
        "of the escalation and the close, and nothing yet of this round"
    );
    world.advance(minutes(1)).await;
    world.feishu("wang").expects("Escalated").await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_snooze_stops_levels_and_repetition_and_when_it_runs_out_everything_begins_again() {
    let world = World::start().await;
    let [li, wang] = [person(&world, "li").await, person(&world, "wang").await];
    let space = world.space("Payments").make().await;
    world.rule(&space, "Always").levels([members(&[&li]).repeated(50, 600).for_minutes(25), members(&[&wang])]).await;
    // The integration has a key, because an alert without a key closes automatically after a day.
    let sender = world.feishu_alert().key("(disk) full").into(&space).await;
    sender.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    let incident = world.incident().await;
    world.advance(minutes(10)).await;
    world.feishu("li").expects("Still open").await;
    for wrong in [0, 24 * 60 + 1] {
        let refused = incident.tries("snooze", &json!({"minutes": wrong})).await;
        assert_eq!(
            (refused.status, refused.body["error"]["field"].as_str()),
            (400, Some("minutes")),
            "{}",
            refused.text
        );
    }

    let snooze = json!({"minutes": 24 * 60, "member": li.id});
    incident.does_twice("snooze", &snooze).await;
    assert_eq!(incident.actors("snoozed").await, ["li"]);
    world.advance(hours(24) - seconds(5)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "repeated", "snoozed"]);
    world.advance(seconds(6)).await;
    world.feishu("li").expects_all(&["Snooze ended", "disk full"]).await;
    assert_eq!(incident.now().await["escalation"]["level"], 1);

    for _ in 0..2 {
        world.advance(seconds(601)).await;
        world.feishu("li").expects("Still open").await;
    }
    world.advance(minutes(5)).await;
    world.feishu("wang").expects("Escalated").await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn a_longer_snooze_replaces_a_shorter_one_and_an_escalation_by_hand_ends_it() {
    let world = World::start().await;
    let Payments { li, .. } = Payments::with_an_incident(&world).await;
    let incident = world.incident().await;
    incident.does("snooze", &json!({"minutes": 10, "member": li.id})).await;
    incident.does("snooze", &json!({"minutes": 120, "member": li.id})).await;
    world.advance(minutes(60)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "snoozed", "snoozed"]);
    incident.press_as("escalate", &li).await;
    world.feishu("wang").expects_all(&["Escalated", "(li"]).await;
    assert_eq!(incident.now().await["snoozed_until"], json!(null));
    world.advance(minutes(30)).await;
    world.feishu("zhao").expects("Escalated").await;
    world.advance(hours(2)).await;
    assert_eq!(incident.event_kinds().await, ["triggered", "snoozed", "snoozed", "escalated", "escalated"]);
    world.finish().await;
}

#[tokio::test]
async fn without_a_rule_there_is_no_next_level_but_someone_can_be_given_the_incident() {
    let world = World::start().await;
    let li = person(&world, "li").await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    world.feishu_alert().into(&ops).await.says("disk full").await;
    world.feishu("ops").expects("disk full").await;
    let incident = world.incident().await;
    let refused = incident.tries("escalate", &json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("reassign it to someone instead"), "{}", refused.text);
    incident.does("reassign", &json!({"members": [li.id]})).await;
    world.feishu("li").expects_all(&["Reassigned", "(local", "disk full"]).await;
    incident.press_as("acknowledge", &li).await;
    for name in ["li", "ops"] {
        world.feishu(name).expects_all(&["Acknowledged", "(li"]).await;
    }
    world.finish().await;
}
