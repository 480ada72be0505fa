use serde_json::{Value, json};

use super::Notified::{NotNeeded, Pending, Somebody};
use super::Sent::{Arrived, Failed};
use super::WhyNobody::{AllFailed, NoRule, NobodyReached};
use super::*;

/// A triggered incident with this number of destinations and these fields changed.
fn incident(destinations: usize, changes: &Value) -> Incident {
    let destinations: Vec<String> = (0..destinations).map(|n| format!("dst_{n}FJk2LmNpQ")).collect();
    let at = 1_767_607_200_000_i64;
    let entry = json!({"n": 1, "at": at, "kind": "triggered", "actor": "source", "detail": null});
    let mut fields = json!({
        "id": "inc_01KE6W5Z000000000000000001abc", "space": "spc_4fJk2LmNpQ", "num": "7KQ2MD", "title": "disk full",
        "severity": "Critical", "progress": "triggered", "alerts": [], "n": 1, "triggered_at": at,
        "acknowledged_at": null, "closed_at": null, "snoozed_until": null, "assignees": [],
        "destinations": destinations, "timeline": [entry],
    });
    for (field, value) in changes.as_object().expect("an object") {
        fields[field] = value.clone();
    }
    serde_json::from_value(fields).expect("an incident")
}

fn entry(kind: &str, detail: &Value) -> Value {
    json!([{"n": 1, "at": 1_767_607_200_000_i64, "kind": kind, "actor": "source", "detail": detail}])
}

// Proves: finding E1
#[test]
fn an_incident_says_whether_anybody_was_notified_and_if_not_why() {
    let none = json!({});
    let closed = json!({"progress": "closed"});
    let level = |is_waiting: bool| {
        json!({"escalation": {"rule": "esc_4fJk2LmNpQ", "rule_name": "r", "level": 0, "is_waiting": is_waiting,
            "since": 1_767_607_500_000_i64, "repeated": 0, "repeat": null, "next": null, "people": [], "groups": []}})
    };
    let rows = [
        ("one arrived", 1, none.clone(), vec![Arrived], Somebody),
        ("one of two arrived", 2, none.clone(), vec![Failed, Arrived], Somebody),
        ("arrived, then closed", 1, closed.clone(), vec![Arrived], Somebody),
        ("nothing tried yet", 2, none.clone(), vec![], Pending),
        ("one failed, one not tried", 2, none.clone(), vec![Failed], Pending),
        ("one failed, one on its way", 2, none.clone(), vec![Failed, Sent::Pending], Pending),
        ("its level waits", 0, level(true), vec![], Pending),
        ("all failed", 2, none.clone(), vec![Failed, Failed], Notified::Nobody(AllFailed)),
        ("all failed, then closed", 2, closed.clone(), vec![Failed, Failed], Notified::Nobody(AllFailed)),
        (
            "no rule matched",
            0,
            json!({"timeline": entry("triggered", &json!({"type": "no_rule"}))}),
            vec![],
            Notified::Nobody(NoRule),
        ),
        ("no level reaches anybody", 0, none.clone(), vec![], Notified::Nobody(NobodyReached)),
        ("over before anything was tried", 2, closed.clone(), vec![], NotNeeded),
        (
            "over when it was made",
            0,
            json!({"progress": "closed", "timeline": entry("recovered", &json!(""))}),
            vec![],
            NotNeeded,
        ),
        ("silenced", 0, json!({"held": {"by": "a silence", "until": null}}), vec![], NotNeeded),
        ("snoozed", 0, json!({"snoozed_until": 1_767_614_400_000_i64}), vec![], NotNeeded),
    ];
    for (name, destinations, changes, sent, expected) in rows {
        assert_eq!(Notified::of(&incident(destinations, &changes), sent), expected, "{name}");
    }
}
