//! Traces of messages that end before they become an alert: why nobody was notified, and which decisions are repeated.
//! The scenarios run all functions and test the traces of alerts.

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::base::limits;
use alerting::rules::message::RawBody;
use alerting::rules::push_mode::KeyFrom;
use lambda_kit::random::StampSource;
use serde_json::{Value, json};
use store::log::{JudgedBy, LogEntry, MessageOutcome};

use crate::world::{CANARY, World, id};

fn has(field: &str, value: &str) -> Value {
    json!({"any": [{"all": [{"field": field, "op": "match", "values": [value]}]}]})
}

fn by_rules() -> Value {
    json!({"push_mode": {"type": "by_rules", "close": [has("content", "/RESOLVED/")],
        "trigger": [has("content", "/FIRING/"), has("title", "/never/")],
        "key": [{"field": "content", "pattern": r"/id=(\S+)/"}, {"field": "content", "pattern": r"/host=(\S+)/"}]},
        "pipeline": [{"set_severity": "Critical"}, {"when": has("content", "/test/"), "drop": true}]})
}

/// Creates an integration with these fields, and returns its id.
async fn integration(world: &World, more: &Value) -> IntegrationId {
    let space = world.space(&[]).await;
    let mut body = json!({"name": "Disks", "space": space});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    id(&world.post("/integrations", &body).await.is(201)).parse().expect("an id")
}

/// A text message as the log stores it, with the result "discarded". Tests set the other recorded fields.
fn logged(world: &World, integration: &IntegrationId, text: &str) -> LogEntry {
    LogEntry {
        stamp: StampSource::new().next(world.now()),
        integration: integration.clone(),
        title: "Feishu Alert".to_owned(),
        content: text.to_owned(),
        msg_type: Some("text".to_owned()),
        outcome: MessageOutcome::Discarded,
        reason: None,
        alert_key: None,
        key_from: None,
        rule: None,
        alert: None,
        flags: Vec::new(),
        cut_labels: Vec::new(),
        times: 1,
        notices: Vec::new(),
        body: RawBody::Text(json!({"msg_type": "text", "content": {"text": text}}).to_string()),
        replay_of: None,
        judged_by: Some(JudgedBy { integration: 1, ..JudgedBy::default() }),
    }
}

fn path(integration: &IntegrationId, stamp: Stamp) -> String {
    format!("/integrations/{integration}/messages/{stamp}/trace")
}

/// Stores this entry, and returns the trace of its message. Checks that its page shows the same steps.
async fn traced(world: &World, entry: &LogEntry) -> Value {
    world.store.log_message(entry, world.now(), limits::MESSAGE_LOG).await.expect("written");
    let trace = world.get(&path(&entry.integration, entry.stamp)).await.is(200);
    let page = world.person("Ada", "viewer", "en").await.opens(&path(&entry.integration, entry.stamp)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for steps in [&trace["intake"]["steps"], &trace["push_mode"]["steps"], &trace["pipeline"]] {
        for step in steps.as_array().into_iter().flatten() {
            let step = format!("<code>{}</code>", step["step"].as_str().expect("a step has a name"));
            assert!(page.text.contains(&step), "{step}: {}", page.text);
        }
    }
    trace
}

/// The steps of a list, as `step result`.
fn results(steps: &Value) -> Vec<String> {
    let text = |step: &Value, name: &str| step[name].as_str().expect("a text").to_owned();
    let steps = steps.as_array().expect("a list").iter();
    steps.map(|step| format!("{} {}", text(step, "step"), text(step, "result"))).collect()
}

#[tokio::test]
async fn of_a_discarded_message_every_rule_says_why_it_did_not_match() {
    let world = World::start().await;
    let integration = integration(&world, &by_rules()).await;
    let entry = LogEntry {
        reason: Some("unmatched".to_owned()),
        rule: Some("unmatched".to_owned()),
        ..logged(&world, &integration, "all is well")
    };
    let trace = traced(&world, &entry).await;
    assert_eq!(
        trace["summary"],
        "Nobody was told: no rule matched the message, and the integration discards such messages."
    );
    assert_eq!((&trace["configuration_changed"], &trace["changes"]), (&json!(false), &json!([])), "{trace:#}");
    assert_eq!((&trace["message"]["id"], &trace["message"]["outcome"]), (&json!(entry.stamp), &json!("discarded")));
    assert_eq!(trace["push_mode"]["type"], "by_rules");
    let expected = [
        "close[0] no_match",
        "trigger[0] no_match",
        "trigger[1] no_match",
        "unmatched discard",
        "key[0] not_reached",
        "key[1] not_reached",
    ];
    assert_eq!(results(&trace["push_mode"]["steps"]), expected);
    assert_eq!(trace["push_mode"]["steps"][0]["because"], "content does not match /RESOLVED/");
    assert_eq!(trace["push_mode"]["steps"][2]["because"], "title does not match /never/");
    assert_eq!(results(&trace["pipeline"]), ["pipeline[0] not_reached", "pipeline[1] not_reached"]);
    assert_eq!(results(&trace["routes"]), ["space not_reached"]);
    assert_eq!((&trace["alert"], &trace["spaces"]), (&Value::Null, &json!([])));
    let all = ["size", "source", "json", "signature", "rate", "message_type", "content", "keyword"];
    assert_eq!(results(&trace["intake"]["steps"]), all.map(|check| format!("{check} passed")));
}

#[tokio::test]
async fn of_a_dropped_message_the_step_that_dropped_it_and_the_key_that_it_would_have_had_are_shown() {
    let world = World::start().await;
    let integration = integration(&world, &by_rules()).await;
    let entry = LogEntry {
        reason: Some("dropped".to_owned()),
        rule: Some("pipeline[1]".to_owned()),
        ..logged(&world, &integration, "FIRING test host=db-1")
    };
    let trace = traced(&world, &entry).await;
    assert_eq!(trace["summary"], "Nobody was told: the step pipeline[1] dropped the message.");
    assert_eq!(trace["configuration_changed"], false, "{trace:#}");
    let expected =
        ["close[0] no_match", "trigger[0] match", "trigger[1] not_reached", "key[0] found_nothing", "key[1] found"];
    let steps = &trace["push_mode"]["steps"];
    assert_eq!(results(steps), expected);
    assert_eq!(steps[2]["because"], "trigger[0] had decided before it");
    assert_eq!(steps[3]["because"], r"content does not match /id=(\S+)/");
    assert_eq!(steps[4]["because"], "content gives “db-1”");
    assert_eq!(results(&trace["pipeline"]), ["pipeline[0] changed", "pipeline[1] dropped"]);
    let severity = json!([{"field": "severity", "before": "Warning", "after": "Critical"}]);
    assert_eq!(trace["pipeline"][0]["changes"], severity);
    assert_eq!(trace["pipeline"][1]["because"], "it drops the message: content matches /test/");
}

#[tokio::test]
async fn every_other_end_of_a_message_has_its_sentence_in_both_languages() {
    let world = World::start().await;
    let integration = integration(&world, &by_rules()).await;
    let of = |outcome, reason: Option<&str>, text: &str| LogEntry {
        outcome,
        reason: reason.map(str::to_owned),
        rule: Some("close[0]".to_owned()),
        alert_key: Some("db-1".to_owned()),
        key_from: Some(KeyFrom::Rule),
        ..logged(&world, &integration, text)
    };
    let resolved = "RESOLVED host=db-1";
    for (outcome, reason, english, chinese) in [
        (
            MessageOutcome::Discarded,
            Some("nothing_open"),
            "Nobody was told: the message says that “db-1” is over, and no such alert was open.",
            "没有对应的未关闭告警",
        ),
        (
            MessageOutcome::Superseded,
            None,
            "Nobody was told of this message: a newer one of the key “db-1” was applied before it.",
            "更新消息先行生效",
        ),
        (
            MessageOutcome::Recovered,
            None,
            "Nobody is known to have been told: where the alert went is not kept any more.",
            "告警去向已不再保留",
        ),
    ] {
        let entry = of(outcome, reason, resolved);
        let trace = traced(&world, &entry).await;
        assert_eq!(trace["summary"], english);
        assert_eq!(trace["configuration_changed"], false, "{trace:#}");
        assert_eq!(trace["push_mode"]["alert_key"], "db-1");
        let chinese_trace = world.get(&format!("{}?language=zh", path(&integration, entry.stamp))).await.is(200);
        let summary = chinese_trace["summary"].as_str().expect("a text");
        assert!(summary.contains(chinese) && summary.ends_with('。'), "{summary}");
        assert_eq!(results(&chinese_trace["push_mode"]["steps"]), results(&trace["push_mode"]["steps"]));
    }
    let some = of(MessageOutcome::Discarded, Some("nothing_open"), resolved);
    traced(&world, &some).await;
    world.get(&format!("{}?language=fr", path(&integration, some.stamp))).await.refuses(400, "language");
    world.get(&format!("{}?lang=zh", path(&integration, some.stamp))).await.refuses(400, "lang");
}

#[tokio::test]
async fn what_the_intake_refused_names_the_check_and_nothing_behind_it() {
    let world = World::start().await;
    let keywords = json!({"security": {"keywords": ["disk"], "secret": CANARY, "sources": ["203.0.113.0/24"]}});
    let integration = integration(&world, &keywords).await;
    let refused = |reason: &str, body: Value| LogEntry {
        outcome: MessageOutcome::Refused,
        reason: Some(reason.to_owned()),
        body: RawBody::Text(body.to_string()),
        judged_by: None,
        ..logged(&world, &integration, "")
    };
    let text = json!({"msg_type": "text", "content": {"text": "cpu"}});
    for (reason, body, check, because) in [
        ("too_large", text.clone(), "size", "the body is over 256 KiB"),
        ("rate_limited", text.clone(), "rate", "more messages came than the integration's limits allow"),
        ("source", text.clone(), "source", "the sender's address is not on the integration's list"),
        ("signature", text.clone(), "signature", "the signature does not match, or its time is more than an hour off"),
        ("malformed", json!([]), "json", "the body is not a JSON object (the body is not a JSON object)"),
    ] {
        let trace = traced(&world, &refused(reason, body)).await;
        assert_eq!(
            trace["summary"],
            format!("Nobody was told: the intake refused the message, because {because}."),
            "{reason}"
        );
        assert_eq!(trace["intake"]["result"], "refused");
        assert_eq!(trace["configuration_changed"], false, "{reason}: {trace:#}");
        assert_eq!((&trace["push_mode"], &trace["pipeline"]), (&Value::Null, &json!([])), "{reason}");
        let steps = results(&trace["intake"]["steps"]);
        let failed = steps.iter().position(|step| *step == format!("{check} failed")).expect(reason);
        assert!(steps[..failed].iter().all(|step| step.ends_with(" passed")), "{reason}: {steps:?}");
        assert!(steps[failed + 1..].iter().all(|step| step.ends_with(" not_reached")), "{reason}: {steps:?}");
    }
}

#[tokio::test]
async fn a_signature_is_judged_by_the_time_of_the_message_and_a_message_taken_in_by_hand_is_not_asked_for_it() {
    let world = World::start().await;
    let signed = integration(&world, &json!({"security": {"secret": CANARY}})).await;
    let by_hand = LogEntry {
        outcome: MessageOutcome::Superseded,
        replay_of: Some(StampSource::new().next(world.now())),
        ..logged(&world, &signed, "disk full")
    };
    let trace = traced(&world, &by_hand).await;
    assert_eq!(trace["configuration_changed"], false, "{trace:#}");
    let steps = results(&trace["intake"]["steps"]);
    assert!(
        steps.contains(&"signature not_asked".to_owned()) && steps.contains(&"keyword passed".to_owned()),
        "{steps:?}"
    );
    // The same body from a sender could not have been accepted under this secret.
    let accepted = LogEntry { outcome: MessageOutcome::Superseded, ..logged(&world, &signed, "disk full") };
    let trace = traced(&world, &accepted).await;
    assert_eq!(trace["configuration_changed"], true);
    assert_eq!(trace["changes"][0], "Taken in again, the message is refused (signature); recorded is accepted.");
}

#[tokio::test]
async fn a_message_that_is_refused_no_more_says_so() {
    let world = World::start().await;
    let integration = integration(&world, &json!({"message_types": ["text", "interactive"]})).await;
    let entry = LogEntry {
        outcome: MessageOutcome::Refused,
        reason: Some("message_type".to_owned()),
        judged_by: None,
        ..logged(&world, &integration, "disk full")
    };
    let trace = traced(&world, &entry).await;
    assert_eq!(trace["configuration_changed"], true);
    assert_eq!(trace["changes"][0], "Taken in again, the message is accepted; recorded is refused (message_type).");
    assert!(trace["changes"][1].as_str().is_some_and(|last| last.starts_with("What is recorded stands")), "{trace:#}");
}

#[tokio::test]
async fn rules_that_were_changed_since_are_never_passed_off_as_those_that_decided() {
    let world = World::start().await;
    let integration = integration(&world, &by_rules()).await;
    let entry = LogEntry {
        reason: Some("unmatched".to_owned()),
        rule: Some("unmatched".to_owned()),
        ..logged(&world, &integration, "all is well")
    };
    assert_eq!(traced(&world, &entry).await["configuration_changed"], false);
    let at = format!("/integrations/{integration}");
    let mut now = json!({"name": "Disks", "space": world.get(&at).await.is(200)["space"]});
    now.as_object_mut().expect("an object").extend(by_rules().as_object().expect("an object").clone());
    now["name"] = json!("Disks and more");
    world.put(&at, &now).await.is(200);
    let trace = world.get(&path(&integration, entry.stamp)).await.is(200);
    let saved = "The integration was saved again since: it judged the message in version 1, and is now in version 2.";
    assert_eq!(trace["changes"][0], saved, "a new name alone: {trace:#}");
    assert_eq!(trace["changes"].as_array().map(Vec::len), Some(2));
    now["push_mode"]["trigger"] = json!([{}]);
    world.put(&at, &now).await.is(200);
    let trace = world.get(&path(&integration, entry.stamp)).await.is(200);
    let differs =
        "Judged again, the message comes to trigger[0] with the key Feishu Alert; recorded is discarded (unmatched).";
    assert_eq!(trace["changes"][1], differs, "{trace:#}");
    assert_eq!(trace["message"]["outcome"], "discarded", "what is recorded stands");

    world.delete(&at).await.is(204);
    let trace = world.get(&path(&integration, entry.stamp)).await.is(200);
    assert_eq!(trace["changes"][0], "The integration was deleted since; its rules cannot be asked any more.");
    assert_eq!((&trace["push_mode"], &trace["routes"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_body_that_was_not_kept_whole_cannot_be_judged_again() {
    let world = World::start().await;
    let integration = integration(&world, &by_rules()).await;
    let entry = LogEntry {
        reason: Some("unmatched".to_owned()),
        body: RawBody::Deflated("not base64".to_owned()),
        ..logged(&world, &integration, "all is well")
    };
    let trace = traced(&world, &entry).await;
    assert!(trace["notes"][0].as_str().is_some_and(|note| note.starts_with("The body of the message was not kept")));
    assert_eq!((&trace["push_mode"], &trace["configuration_changed"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn what_is_not_recorded_yet_waits_and_what_never_was_is_not_found() {
    let world = World::start().await;
    let integration = integration(&world, &by_rules()).await;
    let stamp = StampSource::new().next(world.now());
    let trace = world.get(&path(&integration, stamp)).await.is(200);
    assert_eq!((&trace["message"], &trace["intake"]["result"]), (&Value::Null, &json!("unknown")));
    assert!(
        trace["summary"].as_str().is_some_and(|summary| summary.starts_with("Nothing is recorded of this message"))
    );
    world.advance(3601);
    world.get(&path(&integration, stamp)).await.refuses(404, "");
    let nowhere: IntegrationId = "int_nowhere".parse().expect("an id");
    world.get(&path(&nowhere, StampSource::new().next(world.now()))).await.refuses(404, "");
}
