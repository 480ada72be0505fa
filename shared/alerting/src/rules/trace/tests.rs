//! Tests of what a trace records for each kind of rule, and that an observer changes no decision.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::base::ids::Stamp;
use crate::base::moment::Moment;
use crate::incident::alert::EventKind;
use crate::rules::integration::{Integration, MappingTable};
use crate::rules::message::{Message, MsgType};
use crate::rules::policy::{Decision, Judgement, Policy};

fn integration(fields: &Value) -> Integration {
    let mut all = json!({
        "id": "int_1", "name": "test", "version": 1, "routing": { "dedicated": { "space": "spc_1" } },
        "message_types": ["text"], "title_from": "default", "push_mode": { "type": "each_message" },
        "security": { "secret": null, "keywords": [], "sources": [] }, "pipeline": [],
        "limits": {}, "auto_close_hours": 24, "created_at": 0,
    });
    all.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    serde_json::from_value(all).expect("an integration")
}

fn tables() -> Vec<MappingTable> {
    let table = json!({
        "id": "map_1", "name": "owners", "version": 1, "created_at": 0, "source_labels": ["host"],
        "result_labels": ["team"], "rows": [{ "host": "db-1", "team": "DBA" }],
    });
    vec![serde_json::from_value(table).expect("a table")]
}

fn message(title: &str, content: &str) -> Message {
    let labels = [("card_color".to_owned(), "red".to_owned())].into();
    Message { msg_type: MsgType::Text, title: title.to_owned(), content: content.to_owned(), labels }
}

fn trace_of(fields: &Value, title: &str, content: &str) -> (Judgement, Trace) {
    let (message, stamp) = (message(title, content), Stamp::from_parts(Moment::from_secs(1_800_000_000), 1));
    let policy = Policy::lenient(&integration(fields), &tables());
    let (judgement, trace) = policy.trace(&message, stamp);
    assert_eq!(policy.judge(&message, stamp), judgement, "someone looks on: {fields}");
    (judgement, trace)
}

/// Checks what is tried for the message `title` / `content`, each as `place outcome`.
#[track_caller]
fn check(fields: &Value, (title, content): (&str, &str), expected: &[&str]) {
    let (_, trace) = trace_of(fields, title, content);
    let shown = trace.tried.iter().map(|tried| format!("{:?} {:?}", tried.place, tried.outcome));
    assert_eq!(shown.collect::<Vec<_>>(), expected, "{title:?} / {content:?}");
}

fn has(field: &str, value: &str) -> Value {
    one(field, "match", &[value])
}

fn one(field: &str, op: &str, values: &[&str]) -> Value {
    json!({ "any": [{ "all": [{ "field": field, "op": op, "values": values }] }] })
}

fn by_rules(trigger: Value, close: Value, key: Value) -> Value {
    json!({ "push_mode": { "type": "by_rules", "trigger": trigger, "close": close, "key": key } })
}

#[test]
fn every_rule_is_there_up_to_the_one_that_decides_also_those_that_no_text_led_to() {
    let fields = by_rules(
        json!([has("content", "/full/"), has("content", "/slow/"), {}]),
        json!([has("content", "/RESOLVED/"), has("title", "/(/")]),
        json!([{ "field": "content", "pattern": r"host=(\S+)" }, { "field": "title", "pattern": "(" },
               { "field": "title", "pattern": "/db(-?)/" }, { "field": "title", "pattern": "/.+/" }]),
    );
    check(
        &fields,
        ("db is slow", "the disk is slow"),
        &[
            "Close(0) NoMatch",
            "Close(1) Unusable",
            "Trigger(0) NoMatch",
            "Trigger(1) Matched",
            "Key(0) FoundNothing",
            "Key(1) Unusable",
            "Key(2) FoundEmpty",
            "Key(3) Found(\"db is slow\")",
        ],
    );
    check(&fields, ("db", "RESOLVED host=db-1"), &["Close(0) Matched", "Key(0) Found(\"db-1\")"]);
}

#[test]
fn of_a_filter_is_seen_which_condition_of_which_group_failed_and_which_value_matched() {
    let asked = |filter: Value| {
        let fields = by_rules(json!([filter]), json!([]), json!([{ "field": "title", "pattern": "/.+/" }]));
        trace_of(&fields, "disk full", "on db-1").1.tried.swap_remove(0)
    };
    let seen = |group, condition, value, exists, holds| Asked { group, condition, value, exists, cut: false, holds };
    let title = |value: &str| json!({ "field": "title", "op": "match", "values": [value] });
    let rack = |op: &str| json!({ "field": "labels.rack", "op": op, "values": ["a"] });
    let both = asked(json!({ "any": [{ "all": [title("/disk/"), rack("match")] }, { "all": [title("/cpu/")] }] }));
    assert_eq!(both.outcome, TriedResult::NoMatch);
    assert_eq!(
        both.asked,
        [seen(0, 0, Some(0), true, true), seen(0, 1, None, false, false), seen(1, 0, None, true, false)]
    );
    let second = asked(one("title", "match", &["cpu", "disk*"]));
    assert_eq!((second.outcome, second.asked), (TriedResult::Matched, vec![seen(0, 0, Some(1), true, true)]));
    let not = asked(one("title", "not_match", &["cpu", "disk*"]));
    assert_eq!((not.outcome, not.asked), (TriedResult::NoMatch, vec![seen(0, 0, Some(1), true, false)]));
    let absent = asked(json!({ "any": [{ "all": [rack("not_match")] }] }));
    assert_eq!((absent.outcome, absent.asked), (TriedResult::Matched, vec![seen(0, 0, None, false, true)]));
    let everything = asked(json!({}));
    assert_eq!((everything.outcome, everything.asked), (TriedResult::Matched, vec![]));
}

#[test]
fn a_step_shows_what_it_has_changed_or_why_it_has_not() {
    let steps = json!([
        { "when": has("title", "/cpu/"), "set_title": "x" },
        { "set_title": "storage" },
        { "add_label": { "name": "host", "from": "content", "pattern": r"host=(\S+)" } },
        { "add_label": { "name": "rack", "from": "content", "pattern": r"rack=(\S+)" } },
        { "map_labels": { "table": "map_1" } },
        { "delete_label": "card_color" },
        { "delete_label": "card_color" },
        { "set_title": "{{ labels.rack }}" },
        { "set_severity": "{{ title }}" },
        { "set_severity": "Critical" },
        { "map_labels": { "table": "map_2" } },
        { "when": has("severity", "Critical"), "drop": true },
        { "set_title": "never" },
    ]);
    let changed = |field: &str, before: Option<&str>, after: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        TriedResult::Changed(vec![FieldChange { field: field.to_owned(), before: owned(before), after: owned(after) }])
    };
    let (_, trace) = trace_of(&json!({ "pipeline": steps }), "disk", "host=db-1");
    let outcomes: Vec<TriedResult> = trace.tried.iter().map(|tried| tried.outcome.clone()).collect();
    let expected = [
        TriedResult::NoMatch,
        changed("title", Some("disk"), Some("storage")),
        changed("labels.host", None, Some("db-1")),
        TriedResult::FoundNothing,
        changed("labels.team", None, Some("DBA")),
        changed("labels.card_color", Some("red"), None),
        TriedResult::Unchanged,
        TriedResult::TemplateFailed,
        TriedResult::TemplateFailed,
        changed("severity", Some("Warning"), Some("Critical")),
        TriedResult::Unusable,
        TriedResult::Dropped,
    ];
    assert_eq!(outcomes, expected, "and the step behind the drop was not come to");
}

#[test]
fn a_long_text_is_shown_cut() {
    let (_, trace) = trace_of(&json!({ "pipeline": [{ "set_title": "x" }] }), &"告".repeat(10_000), "");
    let TriedResult::Changed(changes) = &trace.tried[0].outcome else { panic!("{trace:?}") };
    assert_eq!(changes[0].before.as_ref().map(|text| text.chars().count()), Some(SHOWN_CHARS));
}

#[test]
fn routes_are_there_up_to_the_one_that_says_stop() {
    let route =
        |pattern: &str, then: &str| json!({ "filter": has("title", pattern), "spaces": ["spc_a"], "then": then });
    let routes = json!([
        route("/cpu/", "continue"),
        route("/disk/", "continue"),
        route("/full/", "stop"),
        route("/disk/", "stop")
    ]);
    let fields = json!({ "routing": { "shared": { "routes": routes, "default_spaces": ["spc_d"] } } });
    check(&fields, ("disk full", ""), &["Route(0) NoMatch", "Route(1) Matched", "Route(2) Matched"]);
    let all = ["Route(0) NoMatch", "Route(1) NoMatch", "Route(2) NoMatch", "Route(3) NoMatch"];
    check(&fields, ("fan", ""), &all);
}

#[test]
fn what_would_cost_too_much_says_so_and_ends_the_trying() {
    let rules: Vec<Value> = (0..99).map(|n| has("content", &format!("/[ab]*[^ab]?[ab]{{{}}}!/", 300 + n))).collect();
    let fields = by_rules(json!(rules), json!([]), json!([{ "field": "title", "pattern": "/(.*)/" }]));
    let (_, trace) = trace_of(&fields, "disk", &"abba".repeat(16 * 1024));
    let (last, before) = trace.tried.split_last().expect("something was tried");
    assert_eq!(last.outcome, TriedResult::TooCostly);
    assert!(before.iter().all(|tried| tried.outcome == TriedResult::NoMatch) && before.len() < 98, "{}", before.len());
}

fn a_filter() -> impl Strategy<Value = Value> {
    let field = prop::sample::select(vec!["title", "content", "description", "severity", "labels.host"]);
    let values = vec![
        "*",
        "disk full",
        "/disk/",
        "/DISK/i",
        "/(?:cpu|disk) (full|slow)/",
        "db-?",
        "*full*",
        "/(/",
        "num:gt:9",
        "Warning",
    ];
    let op = prop::sample::select(vec!["match", "not_match"]);
    let condition = (field, op, prop::collection::vec(prop::sample::select(values), 1..3))
        .prop_map(|(field, op, values)| json!({ "field": field, "op": op, "values": values }));
    let group = prop::collection::vec(condition, 1..3).prop_map(|all| json!({ "all": all }));
    prop::collection::vec(group, 0..3).prop_map(|any| if any.is_empty() { json!({}) } else { json!({ "any": any }) })
}

fn a_step() -> impl Strategy<Value = Value> {
    let actions = vec![
        json!({ "set_title": "cpu slow" }),
        json!({ "set_title": "{{ labels.rack }}" }),
        json!({ "set_description": "{{ title }} db-1" }),
        json!({ "set_severity": "Critical" }),
        json!({ "add_label": { "name": "host", "from": "content", "pattern": r"(db-\d)" } }),
        json!({ "map_labels": { "table": "map_1" } }),
        json!({ "delete_label": "host" }),
        json!({ "drop": true }),
    ];
    (a_filter(), prop::sample::select(actions)).prop_map(|(filter, mut action)| {
        action["when"] = filter;
        action
    })
}

fn an_integration() -> impl Strategy<Value = Value> {
    let filters = || prop::collection::vec(a_filter(), 0..4);
    let then = prop::sample::select(vec!["continue", "stop"]);
    let route =
        (a_filter(), then).prop_map(|(filter, then)| json!({ "filter": filter, "spaces": ["spc_a"], "then": then }));
    let routes = prop::collection::vec(route, 0..4);
    let unmatched = prop::sample::select(vec!["discard", "trigger"]);
    (filters(), filters(), prop::collection::vec(a_step(), 0..5), routes, unmatched).prop_map(
        |(trigger, close, steps, routes, unmatched)| {
            let mut fields =
                by_rules(json!(trigger), json!(close), json!([{ "field": "content", "pattern": r"db-(\d)" }]));
            fields["push_mode"]["unmatched"] = json!(unmatched);
            fields["pipeline"] = json!(steps);
            fields["routing"] = json!({ "shared": { "routes": routes, "default_spaces": ["spc_d"] } });
            fields
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    // Proves: trace
    #[test]
    fn an_observer_changes_no_decision_and_records_what_decided(
        fields in an_integration(),
        title in prop::sample::select(vec!["Feishu Alert", "disk full", "DISK slow", "cpu full", "db-1"]),
        content in prop::sample::select(vec!["", "disk full on db-1", "cpu slow", "10", "Warning"]),
    ) {
        let (judgement, trace) = trace_of(&fields, title, content);
        let matched = |tried: &&Tried| tried.outcome == TriedResult::Matched;
        let rule = trace.tried.iter().filter(|tried| matches!(tried.place, Place::Close(_) | Place::Trigger(_))).find(matched);
        let named = match rule.map(|tried| tried.place) {
            Some(Place::Close(n)) => format!("close[{n}]"),
            Some(Place::Trigger(n)) => format!("trigger[{n}]"),
            _ => "unmatched".to_owned(),
        };
        let dropped = trace.tried.iter().find(|tried| tried.outcome == TriedResult::Dropped);
        let decided = match dropped.map(|tried| tried.place) {
            Some(Place::Step(n)) => format!("pipeline[{n}]"),
            _ => named,
        };
        prop_assert_eq!(judgement.rule.as_deref(), Some(decided.as_str()));
        if let Decision::Event(event) = &judgement.decision
            && event.kind == EventKind::Trigger
        {
            let routed = trace.tried.iter().filter(|tried| matches!(tried.place, Place::Route(_))).any(|tried| tried.outcome == TriedResult::Matched);
            prop_assert_eq!(event.spaces[0].as_str(), if routed { "spc_a" } else { "spc_d" });
        }
    }
}
