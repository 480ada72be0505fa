use serde_json::{Value, json};

use super::*;
use crate::incident::timeline::Entry;

fn at(text: &str) -> Time {
    Time(Moment::parse_rfc3339(text).expect("a moment"))
}

/// Every kind of detail with its stored form.
fn all() -> Vec<(Detail, Value)> {
    let silence = HeldBy::Silence { id: "sil_4fJk2LmNpQ".parse().expect("valid"), name: "Backups".to_owned() };
    let level = Remark::LevelReachesNobody {
        level: 1,
        why: vec![
            Remark::ScheduleDeleted { schedule: "sch_1".parse().expect("valid") },
            Remark::NobodyOnCall { schedule: "Primary".to_owned() },
            Remark::TeamDeleted { team: "team_1".parse().expect("valid") },
            Remark::TeamEmpty { team: "DBA".to_owned() },
            Remark::MemberDeleted { member: "mem_1".parse().expect("valid") },
            Remark::NoContact { member: "Li".to_owned() },
        ],
    };
    let level_stored = json!({"type": "level_reaches_nobody", "level": 1, "why": [
        {"type": "schedule_deleted", "schedule": "sch_1"},
        {"type": "nobody_on_call", "schedule": "Primary"},
        {"type": "team_deleted", "team": "team_1"},
        {"type": "team_empty", "team": "DBA"},
        {"type": "member_deleted", "member": "mem_1"},
        {"type": "no_contact", "member": "Li"},
    ]});
    let until = "2026-11-22T05:00:00Z";
    let failed = |by: Option<&str>, left| Detail::ContactFailed {
        name: "Li".to_owned(),
        by: by.map(str::to_owned),
        reason: "bad_destination".to_owned(),
        left,
    };
    vec![
        (Detail::Comment { text: "on it".to_owned() }, json!({"type": "comment", "text": "on it"})),
        (Detail::Alert { title: "disk full".to_owned() }, json!({"type": "alert", "title": "disk full"})),
        (Detail::Alerts { count: 100 }, json!({"type": "alerts", "count": 100})),
        (Detail::SevereAgain, json!({"type": "severe_again"})),
        (Detail::RecoveredBefore, json!({"type": "recovered_before"})),
        (
            Detail::Held { until: Some(at(until)), by: silence },
            json!({"type": "held", "until": "2026-11-22T05:00:00Z",
                "by": {"type": "silence", "id": "sil_4fJk2LmNpQ", "name": "Backups"}}),
        ),
        (Detail::Held { until: None, by: HeldBy::Flapping }, json!({"type": "held", "by": {"type": "flapping"}})),
        (Detail::Held { until: None, by: HeldBy::Other("x".to_owned()) }, json!({"type": "held", "by": "x"})),
        (Detail::NoRule, json!({"type": "no_rule"})),
        (
            Detail::Unreached(Unreached { rule: Some("Night".to_owned()), remarks: vec![level.clone()] }),
            json!({"type": "unreached", "rule": "Night", "remarks": [level_stored.clone()]}),
        ),
        (
            Detail::Unreached(Unreached { rule: None, remarks: vec![Remark::SpaceDeleted, Remark::AlertGone] }),
            json!({"type": "unreached", "remarks": [{"type": "space_deleted"}, {"type": "alert_gone"}]}),
        ),
        (
            Detail::Level { rule: "Night".to_owned(), level: 2, starts_at: Some(at(until)), remarks: vec![level] },
            json!({"type": "level", "rule": "Night", "level": 2, "starts_at": "2026-11-22T05:00:00Z",
                "remarks": [level_stored]}),
        ),
        (
            Detail::Level { rule: "Night".to_owned(), level: 1, starts_at: None, remarks: Vec::new() },
            json!({"type": "level", "rule": "Night", "level": 1}),
        ),
        (Detail::Repeated { time: 1, times: 3 }, json!({"type": "repeated", "time": 1, "times": 3})),
        (
            failed(Some("email"), Left::Next { contacts: vec!["sms".to_owned()] }),
            json!({"type": "contact_failed", "name": "Li", "by": "email", "reason": "bad_destination",
                "left": {"type": "next", "contacts": ["sms"]}}),
        ),
        (
            failed(None, Left::Others),
            json!({"type": "contact_failed", "name": "Li", "reason": "bad_destination", "left": {"type": "others"}}),
        ),
        (
            failed(None, Left::Nobody),
            json!({"type": "contact_failed", "name": "Li", "reason": "bad_destination", "left": {"type": "nobody"}}),
        ),
        (Detail::SnoozedUntil { until: at(until) }, json!({"type": "snoozed_until", "until": "2026-11-22T05:00:00Z"})),
        (
            Detail::Edited { title_was: Some("disk".to_owned()), severity_was: Some(Severity::Warning) },
            json!({"type": "edited", "title_was": "disk", "severity_was": "Warning"}),
        ),
        (Detail::Edited { title_was: None, severity_was: None }, json!({"type": "edited"})),
        (Detail::MergedInto { num: "7KQ2MD".to_owned() }, json!({"type": "merged_into", "num": "7KQ2MD"})),
        (
            Detail::Merged { num: "7KQ2MD".to_owned(), alerts: 2 },
            json!({"type": "merged", "num": "7KQ2MD", "alerts": 2}),
        ),
        (
            Detail::Several { parts: vec![Detail::Alerts { count: 2 }, Detail::SevereAgain] },
            json!({"type": "several", "parts": [{"type": "alerts", "count": 2}, {"type": "severe_again"}]}),
        ),
        (Detail::Sentence("1 of 3".to_owned()), json!("1 of 3")),
    ]
}

#[test]
fn details_are_stored_in_a_form_that_stays() {
    for (detail, stored) in all() {
        assert_eq!(serde_json::to_value(&detail).expect("JSON"), stored);
        assert_eq!(serde_json::from_value::<Detail>(stored).expect("read"), detail);
    }
}

#[test]
fn a_sentence_of_an_earlier_version_is_kept_and_understood() {
    let read = |text: &str| serde_json::from_value::<Detail>(json!(text)).expect("read");
    let nobody = read("nobody is told: no escalation rule matches, and the space has no destinations");
    assert!(nobody.is_nobody() && nobody.is_no_rule() && !nobody.is_muted());
    let muted = read("nobody is told until 2026-11-22T05:00:00Z: flapping");
    assert!(muted.is_muted() && !muted.is_nobody());
    assert_eq!(read("checked the disk").comment(), Some("checked the disk"));
}

/// During an upgrade two versions run at once, and each reads what the other has written.
#[test]
fn an_entry_is_read_by_an_earlier_version_without_its_detail() {
    let detail = Detail::Repeated { time: 1, times: 3 };
    let stored = json!({"n": 2, "at": 1_767_607_200_000_i64, "kind": "repeated", "actor": "timer"});
    let mut entry: Entry = serde_json::from_value(stored.clone()).expect("an entry");
    assert_eq!(entry.detail, None);
    entry.detail = Some(detail.clone());
    let mut with_data = stored.clone();
    with_data["data"] = json!({"type": "repeated", "time": 1, "times": 3});
    assert_eq!(serde_json::to_value(&entry).expect("JSON"), with_data, "no `detail`, which would have to be a text");
    assert_eq!(serde_json::from_value::<Entry>(with_data).expect("an entry"), entry);
    let mut sentence = stored;
    sentence["detail"] = json!("1 of 3");
    let before: Entry = serde_json::from_value(sentence).expect("an entry");
    assert_eq!(before.detail, Some(Detail::Sentence("1 of 3".to_owned())));
}

#[test]
fn a_detail_takes_no_more_bytes_than_its_weight() {
    for (detail, stored) in all() {
        assert!(stored.to_string().len() <= detail.weight(), "{detail:?}");
    }
    let long = Detail::Comment { text: "x".repeat(4000) };
    assert!((4000..4200).contains(&long.weight()));
}

#[test]
fn a_hold_is_of_a_silence_or_of_the_mute_for_any_name_of_the_silence() {
    let silence = |name: &str| HeldBy::Silence { id: "sil_1".parse().expect("valid"), name: name.to_owned() };
    for (stored, by) in [
        ("silence Backups (sil_1)", silence("Backups")),
        ("silence flapping (old) (sil_1)", silence("flapping (old)")),
        ("flapping", HeldBy::Flapping),
        ("a silence", HeldBy::Other("a silence".to_owned())),
    ] {
        assert_eq!(HeldBy::of(stored), by);
    }
}
