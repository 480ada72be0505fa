use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_767_607_200_000;

/// A triggered incident with these fields changed.
fn incident(changes: &Value) -> Incident {
    let entry = json!({"n": 1, "at": NOW, "kind": "triggered", "actor": "source"});
    let mut fields = json!({
        "id": "inc_01KE6W5Z000000000000000001abc", "space": "spc_4fJk2LmNpQ", "num": "7KQ2MD", "title": "disk full",
        "severity": "Critical", "progress": "triggered", "alerts": [], "n": 7, "triggered_at": NOW,
        "acknowledged_at": null, "closed_at": null, "snoozed_until": null, "assignees": [],
        "destinations": [], "episode": 2, "timeline": [entry],
    });
    for (field, value) in changes.as_object().expect("an object") {
        fields[field] = value.clone();
    }
    serde_json::from_value(fields).expect("an incident")
}

/// The offered actions, as text.
fn offered(card: &Card) -> String {
    let word = |act: &Act| match act {
        Act::Acknowledge => "acknowledge".to_owned(),
        Act::Unacknowledge => "take back".to_owned(),
        Act::Snooze(Hours(hours)) => format!("{hours} h"),
        Act::Close => "close".to_owned(),
    };
    card.acts.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_card_shows_the_state_and_offers_what_can_be_done_in_it() {
    let later = NOW + 3_600_000;
    let closed = |kind: &str, at: i64| {
        let entry = json!({"n": 7, "at": at, "kind": kind, "actor": "Li Lei"});
        json!({"progress": "closed", "closed_at": NOW, "timeline": [entry]})
    };
    let mut merged = closed("merged_away", NOW);
    merged["merged_into"] = "inc_01KE6W5Z000000000000000002abc".into();
    let acknowledged =
        |name: &str, id: Value| json!({"n": 6, "at": NOW, "kind": "acknowledged", "actor": name, "by": id});
    let member = |id: &str| json!({"member": {"id": id, "via": "slack"}});
    let entries = [acknowledged("Ada", member("mem_1")), acknowledged("Li Lei", member("mem_2"))];
    let processing = json!({"progress": "processing", "acknowledged_at": NOW, "acknowledged_by": ["mem_1", "mem_2"],
        "timeline": entries});
    let by_key = json!({"progress": "processing", "acknowledged_at": NOW, "acknowledged_by": ["deploy bot", "mem_3"],
        "timeline": [acknowledged("deploy bot", Value::Null)]});
    let and = |changes: &Value, field: &str, value: Value| {
        let mut changes = changes.clone();
        changes[field] = value;
        changes
    };
    let held = |until: Value| json!({"until": until, "by": "Night (slc_1)"});
    let into = "inc_01KE6W5Z000000000000000002abc".parse().expect("valid");
    let work = "2 h, 4 h, 12 h, close";
    let rows = [
        ("triggered", json!({}), State::Triggered, format!("acknowledge, {work}"), None, None),
        ("processing", processing.clone(), State::Processing, format!("take back, {work}"), Some("Ada, Li Lei"), None),
        ("by an API key", by_key, State::Processing, format!("take back, {work}"), Some("deploy bot"), None),
        (
            "snoozed",
            json!({"snoozed_until": later}),
            State::Snoozed,
            "acknowledge, close".to_owned(),
            None,
            Some(later),
        ),
        (
            "snoozed by who works on it",
            and(&processing, "snoozed_until", later.into()),
            State::Snoozed,
            "take back, close".to_owned(),
            Some("Ada, Li Lei"),
            Some(later),
        ),
        ("held", json!({"held": held(later.into())}), State::Held, "acknowledge, close".to_owned(), None, Some(later)),
        (
            "held without end",
            json!({"held": held(Value::Null)}),
            State::Held,
            "acknowledge, close".to_owned(),
            None,
            None,
        ),
        (
            "held and snoozed",
            json!({"held": held(Value::Null), "snoozed_until": later}),
            State::Held,
            "acknowledge, close".to_owned(),
            None,
            None,
        ),
        ("closed by a person", closed("closed", NOW), State::Closed, String::new(), Some("Li Lei"), None),
        ("closed by a person before", closed("closed", NOW - 1), State::Closed, String::new(), None, None),
        ("recovered", closed("recovered", NOW), State::Closed, String::new(), None, None),
        ("merged", merged, State::Merged { into }, String::new(), None, None),
    ];
    for (row, changes, state, acts, by, until) in rows {
        let card = of(&incident(&changes));
        assert_eq!(card.state, state, "{row}");
        assert_eq!(offered(&card), acts, "{row}");
        assert_eq!(card.by.as_deref(), by, "{row}");
        assert_eq!(card.until.map(Moment::millis), until, "{row}");
        assert_eq!((card.n, card.episode, card.severity), (7, 2, Severity::Critical), "{row}");
    }
}

#[test]
fn a_card_never_offers_more_than_six_buttons() {
    for changes in [json!({}), json!({"progress": "processing"}), json!({"snoozed_until": NOW})] {
        assert!(of(&incident(&changes)).acts.len() <= 6);
    }
}
