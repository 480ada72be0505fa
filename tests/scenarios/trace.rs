//! The trace of a message explains why someone was, or was not, notified: the steps that were evaluated, and the result
//! of each notice.

use scenarios::escalation::{members, team};
use scenarios::sender::Sender;
use scenarios::space::{Space, feishu_bot};
use scenarios::{World, hours, minutes};
use serde_json::{Value, json};
use vendors::group::Fault;
use vendors::reply::Reply;

fn has(field: &str, pattern: &str) -> Value {
    json!({"any": [{"all": [{"field": field, "op": "match", "values": [pattern]}]}]})
}

/// Creates a space that notifies the group "ops", and a sender whose texts contain key, host and level.
async fn ops(world: &World) -> (Space, Sender) {
    let space = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&space).await;
    (space, sender)
}

/// The trace of the newest message. Checks that the rules have not changed since.
async fn newest(world: &World, sender: &Sender) -> Value {
    world.rest().await;
    let trace = sender.trace(0).await;
    assert_eq!((&trace["configuration_changed"], &trace["notes"]), (&json!(false), &json!([])), "{trace:#}");
    trace
}

/// The values of these fields for each item of a list, joined into one text per item.
fn texts(list: &Value, names: &[&str]) -> Vec<String> {
    let text = |item: &Value| names.iter().map(|name| item[name].as_str().unwrap_or("-")).collect::<Vec<_>>().join(" ");
    list.as_array().expect("a list").iter().map(text).collect()
}

// Proves: trace
#[tokio::test]
async fn the_trace_of_a_trigger_an_update_and_a_recovery_shows_rule_key_pipeline_route_and_the_group_s_answer() {
    let world = World::start().await;
    let (space, sender) = ops(&world).await;
    sender.says("disk full\nkey=a host=db-1").await;
    world.feishu("ops").expects("disk full").await;
    let trace = newest(&world, &sender).await;
    let own = "In Ops: the space has no escalation rules, so its own destinations hear of it: told ops (feishu_bot).";
    assert_eq!(trace["summary"], own);
    let steps = &trace["push_mode"]["steps"];
    assert_eq!(texts(steps, &["step", "result"]), ["close[0] no_match", "trigger[0] match", "key[0] found"]);
    assert_eq!(steps[1]["because"], "it takes everything");
    assert_eq!((&trace["push_mode"]["alert_key"], &trace["push_mode"]["key_from"]), (&json!("a"), &json!("rule")));
    let pipeline = ["pipeline[0] no_match", "pipeline[1] changed", "pipeline[2] found_nothing"];
    assert_eq!(texts(&trace["pipeline"], &["step", "result"]), pipeline);
    assert_eq!(trace["routes"][0]["spaces"], json!([space.id]));
    let space = &trace["spaces"][0];
    assert_eq!(
        (&space["silence"]["result"], &space["grouping"]["result"]),
        (&json!("none"), &json!("off")),
        "{space:#}"
    );
    assert_eq!((&space["incident"]["made"], &space["escalation"]["rules"]), (&json!(true), &json!([])));
    assert_eq!(texts(&space["notices"], &["name", "change", "state"]), ["ops triggered delivered"]);
    assert_eq!(texts(&space["notices"][0]["attempts"], &["outcome"]), ["delivered"]);
    assert_eq!(space["escalation"]["told"][0]["to"], json!(["ops"]));

    sender.says("disk full\nkey=a host=db-1 again").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(
        trace["summary"],
        "Nobody was told: the message updated an open alert, and an update alone tells nobody."
    );
    assert_eq!(texts(&trace["routes"], &["step", "result"]), ["space match", "alert match"]);
    assert_eq!((&trace["spaces"][0]["silence"], &trace["spaces"][0]["notices"]), (&Value::Null, &json!([])));
    sender.says("disk fuller\nkey=a host=db-1 level=critical").await;
    world.feishu("ops").expects("Severity raised").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(trace["summary"], "The message raised the severity; in Ops: told ops (feishu_bot).");
    sender.says("RESOLVED\nkey=a").await;
    world.feishu("ops").expects("Recovered").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(trace["summary"], "The message closed the alert; in Ops: told ops (feishu_bot).");
    assert_eq!(texts(&trace["spaces"][0]["notices"], &["change", "state"]), ["recovered delivered"]);
    assert_eq!(texts(&trace["push_mode"]["steps"], &["step", "result"])[0], "close[0] match");

    // The trace explains the state at that time, although the alert has changed since.
    let first = sender.trace(3).await;
    assert_eq!((&first["summary"], &first["configuration_changed"]), (&json!(own), &json!(false)), "{first:#}");
    world.finish().await;
}

#[tokio::test]
async fn the_trace_names_the_step_that_discarded_a_message_and_every_route_that_was_tried() {
    let world = World::start().await;
    let [db, rest] =
        [world.space("DB").notify(feishu_bot("db")).await, world.space("Rest").notify(feishu_bot("rest")).await];
    let push_mode = json!({"type": "by_rules", "close": [has("content", "/RESOLVED/")], "trigger": [has("content", "/slow|full/")],
        "key": [{"field": "content", "pattern": r"id=(\d+)"}]});
    let routes = json!([{"filter": has("title", "/web/"), "spaces": [rest.id]}, {"filter": has("description", "/db/"), "spaces": [db.id], "then": "stop"},
        {"filter": {}, "spaces": [rest.id]}]);
    let drop = json!([{"when": has("content", "/test/"), "drop": true}]);
    let plan = world.feishu_alert().set("push_mode", push_mode).set("routes", routes).set("pipeline", drop);
    let sender = plan.set("default_spaces", json!([rest.id])).make().await;

    sender.says("nothing of note").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(
        trace["summary"],
        "Nobody was told: no rule matched the message, and the integration discards such messages."
    );
    sender.says("a test is slow").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(trace["summary"], "Nobody was told: the step pipeline[0] dropped the message.");
    sender.says("RESOLVED").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(
        trace["summary"],
        "Nobody was told: the message says that “Feishu Alert” is over, and no such alert was open."
    );
    let title = trace["push_mode"]["steps"].as_array().and_then(|steps| steps.last()).expect("a step");
    assert_eq!(title["because"], "no extractor found a key, so the title is the alert key");

    sender.says("db is slow").await;
    world.feishu("db").expects("db is slow").await;
    let trace = newest(&world, &sender).await;
    let routed = ["routes[0] no_match", "routes[1] match", "routes[2] not_reached", "default_spaces not_reached"];
    assert_eq!(texts(&trace["routes"], &["step", "result"]), routed);
    assert_eq!(trace["routes"][2]["because"], "routes[1] matched and says stop");
    assert_eq!(texts(&trace["spaces"], &["name"]), ["DB"]);
    world.finish().await;
}

#[tokio::test]
async fn a_silence_that_keeps_or_drops_is_named_and_judged_by_the_time_of_the_message() {
    let world = World::start().await;
    let (space, sender) = ops(&world).await;
    let mut drops = world.silence_for(30, &has("labels.host", "db-9"));
    drops["then"] = json!("drop");
    let drops = world.silence(&space.id, &drops).await;
    let keeps = world.silence(&space.id, &world.silence_for(30, &has("labels.host", "db-*"))).await;

    sender.says("disk full\nkey=a host=db-9").await;
    let trace = newest(&world, &sender).await;
    let dropped = format!("In Ops: nobody was told, because Maintenance ({drops}) made no incident of it.");
    assert_eq!((&trace["summary"], &trace["spaces"][0]["incident"]), (&json!(dropped), &Value::Null));
    assert_eq!(texts(&trace["spaces"][0]["silence"]["silences"], &["result"]), ["match", "not_reached"]);

    sender.says("disk full\nkey=b host=db-1").await;
    let trace = newest(&world, &sender).await;
    let summary = trace["summary"].as_str().expect("a text");
    let by = format!("because silence Maintenance ({keeps}) holds it back.");
    assert!(summary.starts_with("In Ops: nobody is told until 20") && summary.ends_with(&by), "{summary}");
    let silence = &trace["spaces"][0]["silence"];
    assert_eq!(
        (&silence["result"], texts(&silence["silences"], &["result"])),
        (&json!("kept"), vec!["no_match".to_owned(), "match".to_owned()])
    );
    assert_eq!(silence["silences"][0]["because"], "labels.host does not match db-9");
    assert_eq!(trace["spaces"][0]["escalation"]["asked_at"], Value::Null, "nobody was asked for yet");

    // The incident is notified when the silence ends. The silence is evaluated as of the time of the message, not as of
    // now.
    world.advance(minutes(31)).await;
    world.feishu("ops").expects_all(&["Silence ended", "disk full"]).await;
    let trace = newest(&world, &sender).await;
    assert_eq!(trace["spaces"][0]["silence"]["silences"][1]["result"], "match");
    assert_eq!(texts(&trace["spaces"][0]["notices"], &["change", "state"]), ["silence_ended delivered"]);
    assert!(trace["spaces"][0]["escalation"]["asked_at"].is_string(), "{trace:#}");
    sender.says("disk full\nkey=c host=db-1").await;
    world.feishu("ops").expects("key=c").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(texts(&trace["spaces"][0]["silence"]["silences"], &["result"]), ["not_now", "not_now"]);
    world.finish().await;
}

#[tokio::test]
async fn an_alert_that_joins_an_open_incident_says_which_and_by_what() {
    let world = World::start().await;
    let space = world.space("Ops").grouped_by(&["labels.host"]).notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().monitoring().into(&space).await;
    sender.says("disk full\nkey=a host=db-1").await;
    world.feishu("ops").expects("disk full").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(trace["spaces"][0]["grouping"]["result"], "first");
    let incident = trace["spaces"][0]["incident"].clone();

    sender.says("cpu hot\nkey=b host=db-1").await;
    let trace = newest(&world, &sender).await;
    let num = incident["num"].as_str().expect("a number");
    let joined = format!(
        "In Ops: nobody was told, because the alert joined the open incident {num}, and an alert that joins tells nobody."
    );
    assert_eq!(trace["summary"], joined);
    let grouping = &trace["spaces"][0]["grouping"];
    assert_eq!(
        (&grouping["result"], &grouping["by"]),
        (&json!("joined"), &json!([{"field": "labels.host", "value": "db-1"}]))
    );
    let shown = &trace["spaces"][0]["incident"];
    assert_eq!((&shown["id"], &shown["made"]), (&incident["id"], &json!(false)));
    assert_eq!(trace["spaces"][0]["notices"], json!([]));

    sender.says("fan broken\nkey=c host=db-1 level=critical").await;
    world.feishu("ops").expects("Severity raised").await;
    let trace = newest(&world, &sender).await;
    assert_eq!(trace["summary"], format!("In Ops: the alert joined the open incident {num}: told ops (feishu_bot)."));
    sender.says("no host\nkey=d").await;
    world.feishu("ops").expects("no host").await;
    assert_eq!(newest(&world, &sender).await["spaces"][0]["grouping"]["result"], "alone");
    world.finish().await;
}

#[tokio::test]
async fn the_trace_shows_the_escalation_rules_the_current_level_and_everyone_notified() {
    let world = World::start().await;
    let (space, sender) = ops(&world).await;
    let [li, wang] = [
        world.member("li").chat(feishu_bot("li")).make().await,
        world.member("wang").chat(feishu_bot("wang")).make().await,
    ];
    let empty = world.team("Empty", &[]).await;
    let never = json!({"time_zone": "UTC", "windows": [{"weekdays": ["mon"], "from": "00:00", "until": "00:01"}]});
    world.rule(&space, "Mondays").set("hours", never).levels([members(&[&wang])]).await;
    let delayed = members(&[&li]).delayed(5);
    world.rule(&space, "Slow").when("title", "/slow/").levels([delayed]).await;
    world.rule(&space, "Nobody").when("title", "/nobody/").levels([team(&empty)]).await;
    world.rule(&space, "Databases").when("labels.host", "db-*").levels([members(&[&li]), members(&[&wang])]).await;

    sender.says("disk full\nkey=a host=web-1").await;
    world.feishu("ops").expects("disk full").await;
    let trace = newest(&world, &sender).await;
    let own = "In Ops: no escalation rule matched, so the space's own destinations hear of it: told ops (feishu_bot).";
    assert_eq!(trace["summary"], own);
    let rules = &trace["spaces"][0]["escalation"]["rules"];
    let tried = ["Mondays not_now", "Slow no_match", "Nobody no_match", "Databases no_match"];
    assert_eq!(texts(rules, &["name", "result"]), tried);
    assert_eq!(rules[3]["because"], "labels.host does not match db-*");

    sender.says("disk full\nkey=b host=db-1").await;
    world.feishu("li").expects("disk full").await;
    world.advance(minutes(30)).await;
    world.feishu("wang").expects("Escalated").await;
    let trace = newest(&world, &sender).await;
    let notified = "In Ops: by the escalation rule Databases, at level 2: told li (feishu_bot), wang (feishu_bot).";
    let shown = trace["summary"].as_str().expect("a text");
    assert!(
        shown == notified || shown == notified.replace("li (feishu_bot), wang", "wang (feishu_bot), li"),
        "{shown}"
    );
    let escalation = &trace["spaces"][0]["escalation"];
    assert_eq!((&escalation["rule"], &escalation["level"]), (&json!("Databases"), &json!(2)));
    let each = ["triggered Databases, level 1", "escalated Databases, level 2"];
    assert_eq!(texts(&escalation["told"], &["change", "detail"]), each);
    assert_eq!((&escalation["told"][0]["to"], &escalation["told"][1]["to"]), (&json!(["li"]), &json!(["wang"])));

    sender.says("slow\nkey=c").await;
    let trace = newest(&world, &sender).await;
    let summary = trace["summary"].as_str().expect("a text");
    let waits = "because level 1 of the escalation rule Slow waits that long.";
    assert!(summary.starts_with("In Ops: nobody is told until 20") && summary.ends_with(waits), "{summary}");
    sender.says("nobody\nkey=d").await;
    let nobody = "In Ops: nobody is told: Nobody: level 1 reaches nobody (the team Empty has no members).";
    assert_eq!(newest(&world, &sender).await["summary"], nobody);
    world.advance(minutes(5)).await;
    world.feishu("li").expects("slow").await;
    world.finish_with_timers().await;
}

#[tokio::test]
async fn the_trace_shows_what_the_provider_of_an_unreachable_group_answered() {
    let world = World::start().await;
    let (_, sender) = ops(&world).await;
    let throttled = json!({"code": 11232, "data": {}, "msg": "frequency limited"});
    let gone = json!({"code": 19001, "data": {}, "msg": "param invalid: incoming webhook access token invalid"});
    let answers = [throttled, gone].map(|body| Fault::reply(Reply::json(200, &body)));
    world.feishu("ops").answers(answers);
    sender.says("disk full\nkey=a").await;
    world.settle().await;
    let trace = newest(&world, &sender).await;
    let failed = "In Ops: the space has no escalation rules, so its own destinations hear of it: \
                  could not tell ops (feishu_bot: bad_destination).";
    assert_eq!(trace["summary"], failed);
    let notice = &trace["spaces"][0]["notices"][0];
    assert_eq!(notice["state"], "failed");
    assert_eq!(texts(&notice["attempts"], &["outcome", "reason"]), ["retry rate_limited", "rejected bad_destination"]);
    world.finish_with_dead_letters(1).await;
}

#[tokio::test]
async fn the_trace_names_later_changes_of_the_configuration_and_keeps_what_is_recorded() {
    let world = World::start().await;
    let (space, sender) = ops(&world).await;
    let li = world.member("li").chat(feishu_bot("li")).make().await;
    sender.says("disk full\nkey=a host=db-1").await;
    world.feishu("ops").expects("disk full").await;
    assert_eq!(newest(&world, &sender).await["changes"], json!([]));

    world.rule(&space, "Always").levels([members(&[&li])]).await;
    world.silence(&space.id, &world.silence_for(30, &json!({}))).await;
    world.advance(hours(1)).await;
    let trace = sender.trace(0).await;
    assert_eq!(trace["configuration_changed"], true);
    let changes = trace["changes"].as_array().expect("a list");
    let starts = [
        "The space Ops was saved again since",
        "Asked again, the escalation rules of Ops come to Always; recorded is none",
    ];
    for (change, start) in changes.iter().zip(starts) {
        assert!(change.as_str().is_some_and(|change| change.starts_with(start)), "{changes:#?}");
    }
    assert_eq!(changes.len(), 3, "the silence did not hold when the message came: {changes:#?}");
    assert_eq!(texts(&trace["spaces"][0]["notices"], &["name", "state"]), ["ops delivered"]);
    let notified = "told ops (feishu_bot).";
    assert!(trace["summary"].as_str().is_some_and(|summary| summary.ends_with(notified)), "{trace:#}");
    world.finish().await;
}
