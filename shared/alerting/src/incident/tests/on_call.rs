//! Tests of silences, severity rises, hand-overs and changed rules while an incident is open.

use super::*;
use crate::incident::assignment::AssignmentQuery;
use crate::incident::notice;

fn repeat(time: u32) -> Change {
    Change::Repeat { round: 1, time }
}

fn hold(until: i64) -> Hold {
    Hold { until: Some(at(until)), by: "Maintenance (sil_1)".to_owned() }
}

fn reviewed(hold: Option<Hold>) -> Change {
    Change::HoldReviewed { hold }
}

/// Level 0 of a rule that is not the rule of `level`.
fn critical_rule() -> Assigned {
    with(&level(0), |level| {
        (level.rule, level.rule_name) = (Some(id("esc_critical")), "Critical".to_owned());
        (level.people, level.groups) = (vec![reach("mem_9", &["dst_p9"])], vec![id("dst_g9")]);
    })
}

fn rise() -> Change {
    source(2, SourceKind::RaiseSeverity)
}

#[test]
fn an_incident_that_is_silenced_while_it_is_open_leaves_its_level_and_is_assigned_again_afterwards() {
    let mut history = History::of(&[trigger(), reviewed(Some(hold(500)))]);
    assert_eq!(history.kinds[1], Ok(Some(EntryKind::SilenceChanged)));
    assert_eq!(history.incident().escalation, None);
    let end = Work::HoldEnd { incident: history.incident().id.clone(), until: at(500) };
    assert_eq!(history.timers(), [(470, end)], "counted from the silence, which was made at 30");
    for due in [repeat(1), escalate(1, 1), escalate(2, 1)] {
        history.then(&due);
        assert_eq!(history.kinds.last(), Some(&Ok(None)), "{due:?}");
    }
    history.then(&reviewed(None));
    assert_eq!(history.last.as_ref().map(|entry| entry.kind), Some(EntryKind::SilenceEnded));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0"]));
    assert_eq!(history.timers().len(), 2, "its level starts again");
}

#[test]
fn an_acknowledged_incident_stays_at_its_level_through_a_silence() {
    let history =
        History::of(&[trigger(), person("li", Action::Acknowledge), reviewed(Some(hold(500))), reviewed(None)]);
    assert_eq!(history.incident().progress, Progress::Processing);
    assert!(history.incident().escalation.is_some());
    assert_eq!(history.notified(), []);
}

#[test]
fn a_snooze_that_ends_within_a_silence_notifies_nobody_before_the_silence_ends() {
    let snooze = person("li", Action::Snooze { until: at(99) });
    let mut history = History::of(&[trigger(), snooze, reviewed(Some(hold(500))), Change::SnoozeEnd { until: at(99) }]);
    assert_eq!((history.kinds[3].clone(), history.notified()), (Ok(Some(EntryKind::SnoozeEnded)), vec![]));
    history.then(&reviewed(None));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0"]));
}

#[test]
fn a_silenced_incident_takes_no_alert_that_is_not_silenced() {
    let mut history = History::of(&[trigger(), reviewed(Some(hold(500)))]);
    let join = |hold: Option<Hold>| {
        let Change::Source(source) = of_alert(2, 1, SourceKind::Trigger, Severity::Warning) else { panic!("a source") };
        Change::Source(SourceChange { hold, ..source })
    };
    assert_eq!(apply(history.incident.as_ref(), &join(None), None, at(60)), Ok(ChangeResult::CannotJoin));
    history.then(&join(Some(hold(500))));
    assert_eq!(history.last.as_ref().map(|entry| entry.kind), Some(EntryKind::AlertJoined));
}

#[test]
fn a_rise_is_taken_over_by_the_rule_for_its_severity() {
    let mut history = History::of(&[trigger()]);
    let asked = assignment_query(history.incident.as_ref(), &rise());
    assert_eq!(asked, Some(AssignmentQuery::Raised { rule: id("esc_a"), level: 0 }));
    history.then_assigned(&rise(), Some(&critical_rule()));
    assert_eq!(history.kinds[1], Ok(Some(EntryKind::SeverityRaised)));
    assert_eq!(
        history.notified(),
        ids(&["dst_g0", "dst_p0", "dst_g9", "dst_p9"]),
        "those who know of it, and the new level"
    );
    let escalation = history.incident().escalation.as_ref().expect("a rule");
    assert_eq!((escalation.rule_name.as_str(), history.round()), ("Critical", 2));
    let works: Vec<Work> = history.timers().into_iter().map(|(_, work)| work).collect();
    let incident = history.incident().id.clone();
    let due = [
        Work::Repeat { incident: incident.clone(), round: 2, time: 1 },
        Work::Escalate { incident, round: 2, level: 1 },
    ];
    assert_eq!(works, due);
}

#[test]
fn a_rise_within_the_same_rule_reaches_people_as_they_prefer_now_and_delays_no_level() {
    let mut history = History::of(&[trigger()]);
    let by_phone = with(&level(0), |level| level.people = vec![reach("mem_0", &["dst_phone0"])]);
    history.then_assigned(&rise(), Some(&by_phone));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0", "dst_phone0"]));
    assert_eq!((history.round(), history.timers()), (1, vec![]), "timers that are set stay set");
}

#[test]
fn a_rise_asks_for_no_rule_where_a_person_has_decided_or_works() {
    let by_hand = Action::Reassign { people: vec![reach("mem_5", &["dst_p5"])] };
    let silenced = reviewed(Some(hold(500)));
    let rows = [
        person("li", Action::Acknowledge),
        person("li", by_hand),
        person("li", Action::Snooze { until: at(999) }),
        silenced,
        person("li", Action::Close),
        person("li", Action::Edit { title: None, severity: Some(Severity::Info) }),
    ];
    for before in rows {
        let history = History::of(&[trigger(), before.clone()]);
        assert_eq!(assignment_query(history.incident.as_ref(), &rise()), None, "{before:?}");
    }
}

#[test]
fn a_severity_that_fell_and_rises_again_is_notified_again() {
    let mut history = History::of(&[trigger(), of_alert(1, 2, SourceKind::RaiseSeverity, Severity::Warning)]);
    assert_eq!(
        (history.kinds[1].clone(), history.notified()),
        (Ok(Some(EntryKind::SeverityRaised)), ids(&["dst_g0", "dst_p0"]))
    );
    assert_eq!(history.timers(), [], "timers that are set stay set");
    history.then(&of_alert(1, 3, SourceKind::RaiseSeverity, Severity::Info));
    assert_eq!(history.kinds[2], Ok(None), "people know of worse");
}

#[test]
fn an_alert_that_returns_to_the_severity_of_the_others_notifies_nobody() {
    let mut history = History::of(&[trigger(), of_alert(2, 1, SourceKind::Trigger, Severity::Warning)]);
    history.then(&of_alert(2, 2, SourceKind::RaiseSeverity, Severity::Warning));
    assert_eq!(history.kinds[2], Ok(None));
}

#[test]
fn a_repetition_notifies_the_person_on_call_then() {
    let mut history = History::of(&[trigger()]);
    let asked = assignment_query(history.incident.as_ref(), &repeat(1));
    assert_eq!(asked, Some(AssignmentQuery::Level { rule: id("esc_a"), level: 0 }));
    let handed_over = with(&level(0), |level| level.people = vec![reach("mem_7", &["dst_p7"])]);
    history.then_assigned(&repeat(1), Some(&handed_over));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p7"]));
    assert_eq!(history.incident().assignees, ["mem_7"]);
    assert_eq!(
        history.incident().destinations,
        ids(&["dst_g0", "dst_p0", "dst_p7"]),
        "people who were notified are notified of its end"
    );
}

#[test]
fn a_repetition_leaves_the_contact_that_was_reached_and_the_people_whom_somebody_added() {
    let failed = Change::ContactFailed { destination: id("dst_p0"), name: "Li".to_owned(), reason: "gone".to_owned() };
    let added = person("li", Action::AddResponders { people: vec![reach("mem_5", &["dst_p5"])] });
    let mut history = History::of(&[trigger(), failed, added]);
    history.then(&repeat(1));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_q0", "dst_p5"]));
    let elsewhere = [Assigned::Nobody(no_level()), level(1), critical_rule()];
    for assigned in elsewhere {
        let mut history = History::of(&[trigger()]);
        history.then_assigned(&repeat(1), Some(&assigned));
        assert_eq!(
            history.notified(),
            ids(&["dst_g0", "dst_p0"]),
            "after a change of the rule the level keeps its people"
        );
    }
}

#[test]
fn a_level_of_a_rule_that_was_deleted_gives_way_to_the_rule_that_matches_now() {
    let mut history = History::of(&[trigger()]);
    history.then_assigned(&escalate(1, 1), Some(&critical_rule()));
    assert_eq!(history.notified(), ids(&["dst_g9", "dst_p9"]));
    let mut history = History::of(&[trigger()]);
    history.then_assigned(&escalate(1, 1), Some(&Assigned::Space(Vec::new())));
    assert_eq!(history.kinds[1], Ok(Some(EntryKind::NobodyReached)), "and says so where none does");
}

#[test]
fn a_severity_that_a_person_raises_is_notified_and_one_that_a_person_lowers_is_not() {
    let set = |severity| person("li", Action::Edit { title: None, severity: Some(severity) });
    let history = History::of(&[trigger(), set(Severity::Critical)]);
    let last = history.last.as_ref().expect("an entry");
    assert_eq!((last.kind, last.actor.as_str()), (EntryKind::SeverityRaised, "li"));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0"]));
    for (before, severity) in [(trigger(), Severity::Info), (person("li", Action::Close), Severity::Critical)] {
        let history = History::of(&[trigger(), before, set(severity)]);
        assert_eq!(history.last.as_ref().map(|entry| entry.kind), Some(EntryKind::Edited), "{severity:?}");
    }
}

// Proves: finding E6
#[test]
fn nobody_is_notified_of_what_they_did_themselves() {
    let member = |name: &str| NamedActor::member(id(&format!("mem_{name}")), name, Via::Page);
    let own: DestinationId = "dst_email_0".parse().expect("a member's own");
    let by_mail = with(&level(0), |level| level.people = vec![reach("mem_0", &["dst_email_0"])]);
    for (actor, action, expected) in [
        (member("0"), Action::Acknowledge, vec!["dst_g0"]),
        (member("0"), Action::Close, vec!["dst_g0"]),
        (member("1"), Action::Acknowledge, vec!["dst_g0", "dst_email_0"]),
        (member("0"), Action::Edit { title: None, severity: Some(Severity::Critical) }, vec!["dst_g0"]),
    ] {
        let mut history = History::of(&[]);
        history.then_assigned(&trigger(), Some(&by_mail));
        assert!(history.incident().destinations.contains(&own));
        history.then_assigned(&Change::Person { actor, action, episode: None }, Some(&by_mail));
        let entry = history.last.clone().expect("an entry");
        let notices = notice::plan(history.incident(), &entry, &notice::Subject::default());
        let notified: Vec<DestinationId> = notices.into_iter().map(|notice| notice.destination).collect();
        assert_eq!(notified, ids(&expected), "{:?}", entry.kind);
    }
}
