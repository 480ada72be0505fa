use serde_json::{Value, json};

use super::*;

const NOW: Moment = Moment::from_secs(1_767_607_200);

fn space(destinations: &Value, rules: &Value) -> Space {
    let space = json!({"id": "spc_4fJk2LmNpQ", "name": "Ops", "version": 1, "destinations": destinations,
        "escalation_rules": rules, "created_at": NOW});
    serde_json::from_value(space).expect("a space")
}

fn rule(filter: &Value, levels: &Value) -> Value {
    json!({"id": "esc_4fJk2LmNpQ", "name": "r", "filter": filter, "levels": levels})
}

// Proves: finding E1
#[test]
fn a_space_whose_incidents_may_notify_nobody_is_warned_of() {
    let some = json!({"any": [{"all": [{"field": "title", "op": "match", "values": ["disk*"]}]}]});
    let levels = json!([{"groups": [{"destination": "dst_4fJk2LmNpQ"}]}]);
    for (name, destinations, rules, warned) in [
        ("nothing at all", json!([]), json!([]), true),
        ("a rule for some", json!([]), json!([rule(&some, &levels)]), true),
        ("a rule for all", json!([]), json!([rule(&json!({}), &levels)]), false),
        ("a destination", json!(["dst_4fJk2LmNpQ"]), json!([]), false),
    ] {
        let warnings = of_space(&space(&destinations, &rules));
        assert_eq!(
            warnings.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(),
            if warned { vec!["destinations"] } else { vec![] },
            "{name}"
        );
    }
}

// Proves: finding E1
#[test]
fn a_level_that_reaches_nobody_is_warned_of_by_its_place_and_severity() {
    let levels = json!([
        {"groups": [{"destination": "dst_4fJk2LmNpQ"}]}, {"members": ["mem_gone"]}, {"members": ["mem_li"]},
    ]);
    let rule: EscalationRule = serde_json::from_value(rule(&json!({}), &levels)).expect("a rule");
    let li = json!({"id": "mem_li", "version": 1, "name": "Li", "email": "li@example.com", "phone": null,
        "language": "en", "time_zone": "UTC", "role": "responder", "preferences": {"Info": []}, "identities": {},
        "created_at": NOW});
    let li: crate::people::Member = serde_json::from_value(li).expect("a member");
    let people = People { members: [(li.id.clone(), li)].into(), ..People::default() };
    let warnings = of_rule(&rule, &people, NOW);
    let seen: Vec<&str> = warnings.iter().map(|warning| warning.field.as_str()).collect();
    assert_eq!(seen, ["levels[1]", "levels[2]"]);
    assert!(warnings[0].message.contains("any severity"), "{}", warnings[0].message);
    assert!(warnings[1].message.contains("severity Info,"), "{}", warnings[1].message);
}

// Proves: finding E1
#[test]
fn a_schedule_with_a_gap_is_warned_of_with_its_time() {
    let schedule = json!({"id": "sch_4fJk2LmNpQ", "version": 1, "name": "Primary", "time_zone": "UTC", "layers": [],
        "overrides": [], "created_at": NOW});
    let schedule: Schedule = serde_json::from_value(schedule).expect("a schedule");
    let until = NOW + std::time::Duration::from_secs(86_400);
    let warnings = of_schedule(&schedule, &[(NOW, until)], NOW);
    assert_eq!(warnings[0].message, "nobody is on call until 2026-01-06T10:00:00Z, or longer");
    assert_eq!(of_schedule(&schedule, &[], NOW), []);
}
