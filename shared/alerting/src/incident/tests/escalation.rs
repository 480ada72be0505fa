//! Tests of levels, their timers, repetition, snooze, and contacts that fail.

use super::*;

#[test]
fn the_first_level_is_notified_at_once_and_the_timer_of_the_next_is_set() {
    let history = History::of(&[trigger()]);
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0"]));
    assert_eq!(history.incident().assignees, ["mem_0"]);
    let incident = history.incident().id.clone();
    let repeat = Work::Repeat { incident: incident.clone(), round: 1, time: 1 };
    assert_eq!(history.timers(), [(60, repeat), (600, Work::Escalate { incident, round: 1, level: 1 })]);
}

#[test]
fn a_level_with_a_delay_notifies_nobody_until_it_starts() {
    let delayed = with(&level(0), |level| level.delay = Duration::from_secs(300));
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&delayed));
    assert_eq!((history.notified(), history.incident().assignees.len()), (vec![], 0));
    let start = Work::Escalate { incident: history.incident().id.clone(), round: 1, level: 0 };
    assert_eq!(history.timers(), [(300, start)]);
    history.then_assigned(&escalate(1, 0), Some(&delayed));
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0"]), "the delay is over, and is not waited for again");
    assert_eq!(history.timers().len(), 2);
}

#[test]
fn an_escalation_acts_once_in_its_round_and_only_while_it_is_due() {
    let acknowledged = [trigger(), person("li", Action::Acknowledge)];
    let rows = [
        ("due", vec![trigger()], Ok(Some(EntryKind::Escalated))),
        ("acknowledged", acknowledged.to_vec(), Ok(None)),
        ("closed", vec![trigger(), person("li", Action::Close)], Ok(None)),
        ("snoozed", vec![trigger(), person("li", Action::Snooze { until: at(999) })], Ok(None)),
        ("twice", vec![trigger(), escalate(1, 1)], Ok(None)),
        ("escalated by hand", vec![trigger(), person("li", Action::Escalate { level: None })], Ok(None)),
    ];
    for (name, before, expected) in rows {
        let mut history = History::of(&before);
        history.then(&escalate(1, 1));
        assert_eq!(history.kinds.last(), Some(&expected), "{name}");
    }
}

#[test]
fn a_level_that_waits_for_the_close_takes_over_although_someone_acknowledged() {
    let until_closed = with(&level(0), |level| {
        level.next = Some(Next { after_minutes: 10, unless: Unless::Closed });
    });
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&until_closed));
    history.then(&person("li", Action::Acknowledge));
    history.then(&escalate(1, 1));
    assert_eq!(history.kinds[2], Ok(Some(EntryKind::Escalated)));
    assert_eq!(history.incident().progress, Progress::Processing);
}

#[test]
fn an_escalation_notifies_only_the_next_level() {
    let history = History::of(&[trigger(), escalate(1, 1)]);
    assert_eq!(history.notified(), ids(&["dst_g1", "dst_p1"]));
    assert_eq!(history.incident().destinations, ids(&["dst_g0", "dst_p0", "dst_g1", "dst_p1"]));
    assert_eq!(history.incident().assignees, ["mem_0", "mem_1"]);
    let last = history.incident().escalation.as_ref().expect("escalated");
    assert_eq!((last.level, history.round()), (1, 2));
}

#[test]
fn a_level_that_reaches_nobody_says_so_and_ends_the_escalation() {
    let mut history = History::of(&[trigger()]);
    history.then_assigned(&escalate(1, 1), Some(&Assigned::Nobody(no_level())));
    assert_eq!(history.kinds[1], Ok(Some(EntryKind::NobodyReached)));
    assert_eq!((history.notified(), history.timers()), (vec![], vec![]));
}

#[test]
fn repetition_counts_stops_at_its_limit_and_on_acknowledge() {
    let repeat = |time| Change::Repeat { round: 1, time };
    let mut history = History::of(&[trigger(), repeat(1), repeat(1), repeat(2), repeat(3)]);
    let repeated = Ok(Some(EntryKind::Repeated));
    assert_eq!(history.kinds[1..], [repeated.clone(), Ok(None), repeated, Ok(None)]);
    assert_eq!(history.timers(), [], "two of two");
    history = History::of(&[trigger(), repeat(1)]);
    assert_eq!(history.notified(), ids(&["dst_g0", "dst_p0"]));
    assert_eq!(history.timers(), [(60, Work::Repeat { incident: history.incident().id.clone(), round: 1, time: 2 })]);
    for stops in [person("li", Action::Acknowledge), escalate(1, 1), person("li", Action::Snooze { until: at(99) })] {
        let history = History::of(&[trigger(), stops, repeat(1)]);
        assert_eq!(history.kinds[2], Ok(None));
    }
}

#[test]
fn only_the_snooze_that_ran_out_ends_and_it_assigns_again() {
    let snoozed = [trigger(), person("li", Action::Acknowledge), person("li", Action::Snooze { until: at(99) })];
    for (until, expected) in [(at(99), Ok(Some(EntryKind::SnoozeEnded))), (at(50), Ok(None))] {
        let mut history = History::of(&snoozed);
        history.then(&Change::SnoozeEnd { until });
        assert_eq!(history.kinds[3], expected);
    }
    let mut history = History::of(&snoozed);
    history.then(&escalate(1, 1));
    history.then(&Change::SnoozeEnd { until: at(99) });
    let incident = history.incident();
    assert_eq!((incident.progress, incident.assignees.clone()), (Progress::Triggered, vec!["mem_0".to_owned()]));
    assert_eq!((history.notified(), history.round()), (ids(&["dst_g0", "dst_p0"]), 2));
}

#[test]
fn a_failed_contact_gives_way_to_the_next_and_the_last_one_to_the_next_level() {
    let failed = |destination| Change::ContactFailed {
        destination: id(destination),
        name: "Li".to_owned(),
        reason: "bad_destination".to_owned(),
    };
    let alone = with(&level(0), |level| level.groups.clear());
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&alone));
    history.then(&failed("dst_p0"));
    assert_eq!((history.notified(), history.timers()), (ids(&["dst_q0"]), vec![]));
    history.then(&failed("dst_p0"));
    assert_eq!(history.kinds[2], Ok(None), "it stands at the other contact already");
    history.then(&failed("dst_q0"));
    let detail = Detail::ContactFailed {
        name: "Li".to_owned(),
        by: Some("dst_q0".to_owned()),
        reason: "bad_destination".to_owned(),
        left: Left::Nobody,
    };
    assert_eq!(history.last.as_ref().and_then(|entry| entry.detail.clone()), Some(detail));
    let now = Work::Escalate { incident: history.incident().id.clone(), round: 1, level: 1 };
    assert_eq!((history.notified(), history.timers()), (vec![], vec![(0, now)]));
}

#[test]
fn a_contact_that_several_share_fails_for_all_of_them() {
    let failed = |destination| Change::ContactFailed {
        destination: id(destination),
        name: "Li, Wang".to_owned(),
        reason: "bad_destination".to_owned(),
    };
    let shared = with(&level(0), |level| {
        level.people = ["mem_a", "mem_b"].map(|member| reach(member, &["dst_a", "dst_b"])).to_vec();
        level.groups.clear();
    });
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&shared));
    history.then(&failed("dst_a"));
    assert_eq!((history.notified(), history.timers()), (ids(&["dst_b"]), vec![]));
    history.then(&failed("dst_b"));
    assert_eq!((history.notified(), history.timers().len()), (vec![], 1), "the next level takes over");
}

#[test]
fn a_contact_that_fails_after_an_acknowledgement_gives_way_only_if_it_was_assigned_afterwards() {
    let failed = |destination| Change::ContactFailed {
        destination: id(destination),
        name: "Li".to_owned(),
        reason: "bad_destination".to_owned(),
    };
    let acknowledge = person("li", Action::Acknowledge);
    let history = History::of(&[trigger(), acknowledge.clone(), failed("dst_p0")]);
    assert_eq!(history.kinds[2], Ok(None), "someone works on it");
    let added = Action::AddResponders { people: vec![reach("mem_b", &["dst_b", "dst_c"])] };
    let history = History::of(&[trigger(), acknowledge.clone(), person("li", added), failed("dst_b")]);
    assert_eq!((history.kinds[3].clone(), history.notified()), (Ok(Some(EntryKind::ContactFailed)), ids(&["dst_c"])));

    let until_closed = Some(Next { after_minutes: 10, unless: Unless::Closed });
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&with(&level(0), |level| level.next = until_closed)));
    [acknowledge, escalate(1, 1), failed("dst_p1")].iter().for_each(|change| history.then(change));
    assert_eq!((history.kinds[3].clone(), history.notified()), (Ok(Some(EntryKind::ContactFailed)), ids(&["dst_q1"])));
}

#[test]
fn a_level_that_stands_in_for_one_that_waited_has_its_own_delay() {
    let delayed = |number| with(&level(number), |level| level.delay = Duration::from_secs(300));
    for (stands_in, is_waiting) in [(delayed(0), false), (delayed(1), true)] {
        let mut history = History::of(&[]);
        history.then_assigned(&trigger(), Some(&delayed(0)));
        history.then_assigned(&escalate(1, 0), Some(&stands_in));
        let escalation = history.incident().escalation.as_ref().expect("a level");
        assert_eq!((escalation.is_waiting, history.notified().is_empty()), (is_waiting, is_waiting));
    }
}

#[test]
fn the_next_level_waits_if_a_group_was_notified_or_a_person_is_left() {
    let failed = |destination| Change::ContactFailed {
        destination: id(destination),
        name: "Li".to_owned(),
        reason: "timed_out".to_owned(),
    };
    let history = History::of(&[trigger(), failed("dst_p0"), failed("dst_q0")]);
    assert_eq!((history.kinds[2].clone(), history.timers()), (Ok(Some(EntryKind::ContactFailed)), vec![]));
}
