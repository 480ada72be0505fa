//! Tests of what each change does to an incident.

mod actions;
mod escalation;
mod merging;
mod on_call;

use std::time::Duration;

use crate::base::actor::{Actor, NamedActor, Via};
use crate::base::ids::{AlertId, DestinationId, IncidentId, Stamp};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::action::{Action, ActionError};
use crate::incident::apply::{Change, apply, assignment_query};
use crate::incident::assignment::{Assigned, Assignment, AssignmentQuery};
use crate::incident::change_result::{ChangeResult, entry_of_action};
use crate::incident::detail::{Detail, Left, Remark, Unreached};
use crate::incident::escalation::{Next, Repeat, Unless};
use crate::incident::source::{SourceChange, SourceKind};
use crate::incident::timeline::{Audience, Entry, EntryKind};
use crate::incident::timer::{Work, timers};
use crate::incident::{ALERTS, Hold, Incident, Linked, Progress, Reach, TIMELINE_INLINE};

fn at(secs: i64) -> Moment {
    Moment::from_secs(secs)
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("valid")
}

fn stamp(secs: i64) -> Stamp {
    Stamp::from_parts(at(secs), 0)
}

/// A change by the alert that was opened at `opened`, in the incident of the alert that was opened at 1.
fn of_alert(opened: i64, alert_n: u64, kind: SourceKind, severity: Severity) -> Change {
    Change::Source(SourceChange {
        incident: IncidentId::of(&id("spc_a"), stamp(1)),
        alert: AlertId::of(&id("int_a"), stamp(opened)),
        opened_by: stamp(opened),
        space: id("spc_a"),
        alert_n,
        kind,
        title: format!("title {opened}.{alert_n}"),
        severity,
        hold: None,
        flapping: false,
        storm_thresholds: vec![3],
    })
}

fn source(alert_n: u64, kind: SourceKind) -> Change {
    let severity = if kind == SourceKind::RaiseSeverity { Severity::Critical } else { Severity::Warning };
    of_alert(1, alert_n, kind, severity)
}

fn trigger() -> Change {
    source(1, SourceKind::Trigger)
}

fn someone(name: &str) -> NamedActor {
    NamedActor::api_key(id(&format!("key_{name}")), name)
}

fn person(name: &str, action: Action) -> Change {
    Change::Person { actor: someone(name), action, episode: None }
}

fn reach(member: &str, contacts: &[&str]) -> Reach {
    Reach { member: id(member), contacts: contacts.iter().map(|contact| id(contact)).collect(), at: 0, added: false }
}

/// A level of a rule with three levels: a person with two contacts, a group, two repetitions, and the next level after
/// ten minutes.
fn level(level: u32) -> Assigned {
    Assigned::Level(Box::new(Assignment {
        rule: Some(id("esc_a")),
        rule_name: "Payments".to_owned(),
        level,
        delay: Duration::ZERO,
        repeat: Some(Repeat { times: 2, every_seconds: 60 }),
        next: (level < 2).then_some(Next { after_minutes: 10, unless: Unless::Acknowledged }),
        people: vec![reach(&format!("mem_{level}"), &[&format!("dst_p{level}"), &format!("dst_q{level}")])],
        groups: vec![id(&format!("dst_g{level}"))],
        remarks: Vec::new(),
    }))
}

fn with(assigned: &Assigned, change: impl FnOnce(&mut Assignment)) -> Assigned {
    let Assigned::Level(mut assignment) = assigned.clone() else { panic!("a level") };
    change(&mut assignment);
    Assigned::Level(assignment)
}

/// An incident after changes at intervals of ten seconds, with the kind of entry that each change wrote.
struct History {
    incident: Option<Incident>,
    kinds: Vec<Result<Option<EntryKind>, ActionError>>,
    last: Option<Entry>,
    now: i64,
}

fn no_level() -> Unreached {
    Unreached { rule: None, remarks: vec![Remark::NoLevel { rule: "Payments".to_owned(), level: 4 }] }
}

impl History {
    fn of(changes: &[Change]) -> Self {
        let mut history = Self { incident: None, kinds: Vec::new(), last: None, now: 10 };
        changes.iter().for_each(|change| history.then(change));
        history
    }

    fn then(&mut self, change: &Change) {
        let rule = match assignment_query(self.incident.as_ref(), change) {
            Some(AssignmentQuery::Level { level: wanted, .. }) if wanted > 2 => Some(Assigned::Nobody(no_level())),
            Some(AssignmentQuery::Level { level: wanted, .. }) => Some(level(wanted)),
            Some(AssignmentQuery::Raised { level: wanted, .. }) => Some(level(wanted)),
            Some(AssignmentQuery::Rule) => Some(level(0)),
            None => None,
        };
        self.then_assigned(change, rule.as_ref());
    }

    fn then_assigned(&mut self, change: &Change, assigned: Option<&Assigned>) {
        self.now += 10;
        let applied = apply(self.incident.as_ref(), change, assigned, at(self.now));
        self.kinds.push(applied.map(|applied| match applied {
            ChangeResult::Changed(next, entry) => {
                (self.incident, self.last) = (Some(next), Some(entry.clone()));
                Some(entry.kind)
            }
            ChangeResult::Already(_) | ChangeResult::Nothing | ChangeResult::Moved(_) | ChangeResult::CannotJoin => {
                None
            }
        }));
    }

    fn incident(&self) -> &Incident {
        self.incident.as_ref().expect("some change made it")
    }

    fn notified(&self) -> Vec<DestinationId> {
        match &self.last.as_ref().expect("something happened").audience {
            Audience::Everyone => self.incident().destinations.clone(),
            Audience::Only(destinations) => destinations.clone(),
        }
    }

    /// The timers of the last change, with the seconds until each of them is due.
    fn timers(&self) -> Vec<(i64, Work)> {
        let timers = timers(self.incident(), self.last.as_ref().expect("something happened"));
        timers.into_iter().map(|timer| (timer.due.secs() - self.now, timer.work)).collect()
    }

    fn round(&self) -> u32 {
        self.incident().round
    }
}

fn ids(texts: &[&str]) -> Vec<DestinationId> {
    texts.iter().map(|text| id(text)).collect()
}

fn escalate(round: u32, level: u32) -> Change {
    Change::Escalate { round, level }
}

#[test]
fn without_grouping_one_alert_routed_to_a_space_is_one_incident_there() {
    let history = History::of(&[trigger()]);
    assert_eq!(history.kinds, [Ok(Some(EntryKind::Triggered))]);
    let incident = history.incident();
    assert_eq!((incident.progress, incident.alerts.len(), incident.n), (Progress::Triggered, 1, 1));
}

#[test]
fn a_transition_that_is_carried_out_twice_takes_effect_once_and_notifies_under_the_same_number() {
    let joined = of_alert(5, 1, SourceKind::Trigger, Severity::Warning);
    let history = History::of(&[trigger(), joined.clone(), source(2, SourceKind::RaiseSeverity)]);
    let incident = history.incident();
    for (change, entry) in [(trigger(), 0), (joined, 1), (source(2, SourceKind::RaiseSeverity), 2)] {
        let again = apply(Some(incident), &change, None, at(99)).expect("no action");
        assert_eq!(again, ChangeResult::Already(incident.timeline[entry].clone()));
    }
}

#[test]
fn a_trigger_that_is_carried_out_after_its_recovery_opens_nothing() {
    let history = History::of(&[source(2, SourceKind::Recover), trigger()]);
    assert_eq!(history.kinds, [Ok(Some(EntryKind::Recovered)), Ok(None)]);
    let incident = history.incident();
    assert_eq!(incident.progress, Progress::Closed);
    assert_eq!(incident.timeline[0].detail, Some(Detail::RecoveredBefore), "it says why nobody was notified");
}

#[test]
fn acknowledged_twice_is_acknowledged_once_and_the_last_unacknowledge_returns_it_to_triggered() {
    let [acknowledge, unacknowledge] = [Action::Acknowledge, Action::Unacknowledge];
    let mut history = History::of(&[
        trigger(),
        person("li", acknowledge.clone()),
        person("li", acknowledge.clone()),
        person("wang", acknowledge),
        person("li", unacknowledge.clone()),
    ]);
    assert_eq!(history.kinds[2], Ok(None));
    assert_eq!(history.incident().progress, Progress::Processing, "wang still works on it");
    let round = history.round();
    history.then(&person("wang", unacknowledge.clone()));
    assert_eq!((history.incident().progress, history.incident().acknowledged_at), (Progress::Triggered, None));
    assert_eq!(history.incident().assignees, ["mem_0"]);
    assert_eq!(history.round(), round + 1, "earlier timers have no effect");
    let next = Work::Escalate { incident: history.incident().id.clone(), round: round + 1, level: 1 };
    assert!(history.timers().contains(&(600, next)), "its level counts from now: {:?}", history.timers());
    history.then(&person("wang", unacknowledge));
    assert_eq!(history.kinds.last(), Some(&Err(ActionError::NotAcknowledged)));
}

#[test]
fn an_action_is_judged_by_the_present_state_alone() {
    let comment = || Action::Comment { text: "seen".to_owned() };
    let reassign = || Action::Reassign { people: vec![reach("mem_b", &["dst_b"])] };
    let snooze = |until: i64| Action::Snooze { until: at(until) };
    for (first, second, result) in [
        (comment(), comment(), Ok(Some(EntryKind::Commented))),
        (Action::Escalate { level: Some(1) }, Action::Escalate { level: Some(1) }, Ok(Some(EntryKind::Escalated))),
        (reassign(), reassign(), Ok(Some(EntryKind::Reassigned))),
        (snooze(600), snooze(603), Ok(Some(EntryKind::Snoozed))),
        (Action::Acknowledge, Action::Acknowledge, Ok(None)),
        (Action::Unacknowledge, Action::Unacknowledge, Err(ActionError::NotAcknowledged)),
        (Action::Close, Action::Close, Ok(None)),
        (Action::Reopen, Action::Reopen, Err(ActionError::NotClosed)),
    ] {
        let before = if first == Action::Reopen { Action::Close } else { Action::Acknowledge };
        let mut history = History::of(&[trigger(), person("li", before), person("li", first.clone())]);
        history.now -= 9; // one second after the first change
        history.then(&person("li", second));
        assert_eq!(history.kinds.pop(), Some(result), "{first:?} again");
    }
}

#[test]
fn what_was_meant_for_an_earlier_episode_is_refused_and_changes_nothing() {
    let in_first = |name: &str, action| match person(name, action) {
        Change::Person { actor, action, .. } => Change::Person { actor, action, episode: Some(0) },
        other => other,
    };
    let mut history = History::of(&[trigger(), in_first("li", Action::Close), in_first("li", Action::Reopen)]);
    assert_eq!(history.incident().episode, 1);
    let before = history.incident().clone();
    for action in [Action::Acknowledge, Action::Close, Action::Comment { text: "late".to_owned() }] {
        history.then(&in_first("wang", action));
        assert_eq!(history.kinds.pop(), Some(Err(ActionError::Reopened)));
    }
    history.now = 30;
    history.then(&in_first("li", Action::Reopen));
    assert_eq!(
        history.kinds.pop(),
        Some(Err(ActionError::Reopened)),
        "without its name, the same request is a new one"
    );
    assert_eq!(*history.incident(), before);
    history.then(&person("li", Action::Acknowledge));
    assert_eq!(history.kinds.pop(), Some(Ok(Some(EntryKind::Acknowledged))), "who names no episode means this one");
}

#[test]
fn only_a_person_who_acknowledged_can_take_it_back() {
    let history = History::of(&[trigger(), person("li", Action::Acknowledge), person("wang", Action::Unacknowledge)]);
    assert_eq!(history.kinds[2], Ok(None));
    assert_eq!(history.incident().acknowledged_by, ["li"]);
}

#[test]
fn what_a_closed_incident_cannot_do_is_refused_by_name() {
    for (action, expected) in [
        (Action::Acknowledge, Err(ActionError::Closed)),
        (Action::Snooze { until: at(99) }, Err(ActionError::Closed)),
        (Action::Escalate { level: None }, Err(ActionError::Closed)),
        (Action::Reassign { people: vec![reach("mem_b", &["dst_b"])] }, Err(ActionError::Closed)),
        (Action::Close, Ok(None)),
        (Action::Comment { text: "seen".to_owned() }, Ok(Some(EntryKind::Commented))),
        (Action::Reopen, Ok(Some(EntryKind::Reopened))),
    ] {
        let history = History::of(&[trigger(), person("li", Action::Close), person("li", action.clone())]);
        assert_eq!(history.kinds[2], expected, "{action:?}");
    }
}

#[test]
fn closing_by_hand_closes_its_alerts_and_nothing_of_theirs_reopens_it() {
    let joined = of_alert(5, 1, SourceKind::Trigger, Severity::Warning);
    let history = History::of(&[trigger(), joined, person("li", Action::Close), source(2, SourceKind::RaiseSeverity)]);
    assert_eq!(history.kinds[3], Ok(None));
    assert!(history.incident().alerts.iter().all(|linked| !linked.is_open));
}

#[test]
fn an_incident_recovers_when_all_of_its_alerts_have() {
    let second = |n, kind| of_alert(5, n, kind, Severity::Warning);
    let history = History::of(&[
        trigger(),
        second(1, SourceKind::Trigger),
        source(2, SourceKind::Recover),
        second(2, SourceKind::Recover),
    ]);
    let kinds = [EntryKind::Triggered, EntryKind::AlertJoined, EntryKind::AlertRecovered, EntryKind::Recovered];
    assert_eq!(history.kinds, kinds.map(|kind| Ok(Some(kind))));
    assert_eq!(history.incident().progress, Progress::Closed);
}

#[test]
fn the_severity_of_an_incident_is_the_highest_of_its_alerts_and_a_threshold_warns() {
    let joins = |opened, severity| of_alert(opened, 1, SourceKind::Trigger, severity);
    let history = History::of(&[trigger(), joins(5, Severity::Critical), joins(6, Severity::Info)]);
    let kinds = [EntryKind::Triggered, EntryKind::SeverityRaised, EntryKind::StormWarning];
    assert_eq!(history.kinds, kinds.map(|kind| Ok(Some(kind))));
    assert_eq!((history.incident().severity, history.incident().title.as_str()), (Severity::Critical, "title 1.1"));
}

#[test]
fn a_full_or_closed_incident_takes_no_alert() {
    let mut history = History::of(&[trigger()]);
    let joins = of_alert(5, 1, SourceKind::Trigger, Severity::Warning);
    let mut full = history.incident().clone();
    full.alerts = (0..ALERTS)
        .map(|n| Linked { alert: AlertId::of(&id("int_b"), Stamp::from_parts(at(1), n as u128)), n: 1, is_open: true })
        .collect();
    assert_eq!(apply(Some(&full), &joins, None, at(9)), Ok(ChangeResult::CannotJoin));
    history.then(&person("li", Action::Close));
    assert_eq!(apply(history.incident.as_ref(), &joins, None, at(9)), Ok(ChangeResult::CannotJoin));
}

#[test]
fn what_a_person_sets_is_not_changed_by_alerts() {
    let edit = Action::Edit { title: Some("the database".to_owned()), severity: Some(Severity::Info) };
    let history = History::of(&[
        trigger(),
        person("li", edit.clone()),
        person("li", edit),
        source(2, SourceKind::RaiseSeverity),
        of_alert(5, 1, SourceKind::Trigger, Severity::Critical),
    ]);
    assert_eq!(history.kinds[1], Ok(Some(EntryKind::Edited)));
    assert_eq!(history.kinds[2..], [Ok(None), Ok(None), Ok(Some(EntryKind::AlertJoined))]);
    assert_eq!((history.incident().severity, history.incident().title.as_str()), (Severity::Info, "the database"));
}

#[test]
fn a_silenced_incident_notifies_nobody_until_the_silence_ends_and_is_then_assigned() {
    let Change::Source(source) = trigger() else { unreachable!("made so") };
    let hold = Some(Hold { until: Some(at(500)), by: "silence nights (sil_a)".to_owned() });
    let silenced = Change::Source(SourceChange { hold, ..source });
    let mut history = History::of(std::slice::from_ref(&silenced));
    assert_eq!((history.notified(), history.incident().destinations.len()), (vec![], 0));
    let end = Work::HoldEnd { incident: history.incident().id.clone(), until: at(500) };
    assert_eq!(history.timers(), [(500 - history.now, end)]);
    history.then(&Change::HoldReviewed { hold: None });
    assert_eq!(
        (history.kinds[1].clone(), history.notified()),
        (Ok(Some(EntryKind::SilenceEnded)), ids(&["dst_g0", "dst_p0"]))
    );

    let mut recovered = History::of(&[silenced, self::source(2, SourceKind::Recover)]);
    assert_eq!(recovered.notified(), vec![]);
    recovered.then(&Change::HoldReviewed { hold: None });
    assert_eq!(recovered.kinds[2], Ok(None));
}

#[test]
fn a_reassigned_incident_belongs_to_other_people_and_its_rule_ends() {
    let people = vec![reach("mem_b", &["dst_b"])];
    let mut history = History::of(&[
        trigger(),
        person("li", Action::Acknowledge),
        person("li", Action::Reassign { people: people.clone() }),
    ]);
    let incident = history.incident();
    assert_eq!((incident.progress, incident.assignees.clone()), (Progress::Triggered, vec!["mem_b".to_owned()]));
    assert_eq!((history.notified(), history.timers()), (ids(&["dst_b"]), vec![]));
    history.then(&escalate(1, 1));
    history.then(&person("li", Action::Escalate { level: None }));
    assert_eq!(history.kinds[3..], [Ok(None), Err(ActionError::NoRule)]);
}

#[test]
fn only_an_added_responder_is_notified_and_the_rule_continues() {
    let people = vec![reach("mem_b", &["dst_b"])];
    let mut history = History::of(&[trigger(), person("li", Action::AddResponders { people: people.clone() })]);
    assert_eq!((history.notified(), history.incident().assignees.len()), (ids(&["dst_b"]), 2));
    history.then(&person("li", Action::AddResponders { people }));
    history.then(&escalate(1, 1));
    assert_eq!(history.kinds[2..], [Ok(None), Ok(Some(EntryKind::Escalated))]);
}

#[test]
fn escalated_by_hand_beyond_the_last_level_is_refused_by_name() {
    let history = History::of(&[trigger(), person("li", Action::Escalate { level: Some(3) })]);
    assert_eq!(history.kinds[1], Err(ActionError::NobodyThere(no_level())));
}

#[test]
fn what_another_silence_holds_stays_held_and_its_end_is_set_again() {
    let Change::Source(source) = trigger() else { unreachable!("made so") };
    let hold = |until: i64| Some(Hold { until: Some(at(until)), by: "silence nights (sil_a)".to_owned() });
    let mut history = History::of(&[Change::Source(SourceChange { hold: hold(500), ..source })]);
    history.then(&Change::HoldReviewed { hold: hold(500) });
    history.then(&Change::HoldReviewed { hold: hold(900) });
    assert_eq!(history.kinds[1..], [Ok(None), Ok(Some(EntryKind::SilenceChanged))]);
    let end = Work::HoldEnd { incident: history.incident().id.clone(), until: at(900) };
    assert_eq!((history.timers(), history.notified()), (vec![(900 - history.now, end)], vec![]));
    history.then(&self::source(2, SourceKind::RaiseSeverity));
    let review = Work::ReviewHold { incident: history.incident().id.clone() };
    assert_eq!(history.timers(), [(0, review)], "the silence may not hold what is critical");
}

#[test]
fn an_action_is_found_by_its_name_after_later_entries() {
    let mut history = History::of(&[trigger()]);
    let applied = apply(history.incident.as_ref(), &person("li", Action::Acknowledge), None, at(30)).expect("allowed");
    let ChangeResult::Changed(incident, entry) = applied.named(Some("a1")) else { panic!("it changes something") };
    history.incident = Some(incident);
    history.then(&person("wang", Action::Comment { text: "hm".to_owned() }));
    assert_eq!(entry_of_action(history.incident(), "a1"), Some(&entry));
    assert_eq!(entry_of_action(history.incident(), "a2"), None);
}

#[test]
fn closed_by_a_person_its_alerts_are_closed_even_if_it_was_reopened_since() {
    let mut history = History::of(&[trigger(), person("li", Action::Close)]);
    let closed = history.last.clone().expect("closed");
    let close = Work::CloseAlerts { incident: history.incident().id.clone(), n: 2, by: someone("li") };
    assert_eq!(history.timers(), [(0, close.clone())]);
    history.then(&person("li", Action::Reopen));
    let again = timers(history.incident(), &closed);
    assert_eq!(again.into_iter().map(|timer| timer.work).collect::<Vec<_>>(), [close]);
}

#[test]
fn an_older_change_that_is_carried_out_again_sets_no_timer_of_a_newer_level() {
    let mut history = History::of(&[trigger()]);
    let triggered = history.last.clone().expect("triggered");
    history.then(&escalate(1, 1));
    assert_eq!(timers(history.incident(), &triggered), []);
    assert_eq!(history.timers().len(), 2, "the newer one sets its own");
}

#[test]
fn a_member_is_recognised_by_id_and_not_by_name() {
    let named = |member: &str, via| NamedActor::member(id(member), "timer", via);
    let acts = |actor| Change::Person { actor, action: Action::Acknowledge, episode: None };
    let now = at(40);
    let acknowledge = |incident: &Incident, actor| apply(Some(incident), &acts(actor), None, now).expect("allowed");
    let first = acknowledge(History::of(&[trigger()]).incident(), named("mem_a", Via::Page));
    let ChangeResult::Changed(incident, entry) = first else { panic!("acknowledged") };
    assert_eq!(entry.by, Some(Actor::Member { id: id("mem_a"), via: Via::Page }));
    assert!(entry.is_by_person());
    assert_eq!(acknowledge(&incident, named("mem_a", Via::Link)), ChangeResult::Nothing, "the same member");
    assert!(matches!(acknowledge(&incident, named("mem_b", Via::Page)), ChangeResult::Changed(..)), "somebody else");
}

#[test]
fn a_space_without_rules_notifies_its_own_destinations_and_one_without_any_says_so() {
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&Assigned::Space(ids(&["dst_a"]))));
    assert_eq!((history.notified(), history.timers()), (ids(&["dst_a"]), vec![]));
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&Assigned::Space(vec![])));
    assert_eq!(history.last.and_then(|entry| entry.detail), Some(Detail::NoRule));
}

#[test]
fn an_incident_by_default_stays_within_one_write_unit() {
    let mut history = History::of(&[]);
    history.then_assigned(&trigger(), Some(&Assigned::Space(ids(&["dst_8Zp1QeRtYu"]))));
    let bytes = serde_json::to_vec(history.incident()).expect("JSON").len();
    assert!(bytes <= 900, "{bytes} bytes, and the item has its keys beside it");
}

#[test]
fn a_long_timeline_spills_its_oldest_entries_and_keeps_those_that_may_notify_again() {
    let mut history = History::of(&[trigger()]);
    for n in 0..TIMELINE_INLINE {
        history.then(&person("li", Action::Comment { text: n.to_string() }));
    }
    let mut incident = history.incident().clone();
    let all: Vec<u64> = incident.timeline.iter().map(|entry| entry.n).collect();
    let spilled = incident.spill();
    assert_eq!(incident.timeline[0].kind, EntryKind::Triggered);
    assert_eq!(incident.spilled, spilled.len() as u64);
    let mut together: Vec<u64> = spilled.iter().chain(&incident.timeline).map(|entry| entry.n).collect();
    together.sort_unstable();
    assert_eq!(together, all);
    assert!(incident.timeline.len() <= TIMELINE_INLINE && incident.spill().is_empty());
}

#[test]
fn what_an_earlier_version_stored_is_read_as_this_one_would_have_written_it() {
    let old = serde_json::json!({
        "id": "inc_01ARZ3NDEKTSV4RRFFQ69G5FAVa", "space": "spc_a", "num": "7KQ2MD", "title": "disk full",
        "severity": "Warning", "progress": "processing", "alerts": ["alt_01ARZ3NDEKTSV4RRFFQ69G5FAVa"], "n": 3,
        "alert_n": 2, "triggered_at": 1, "acknowledged_at": 2, "closed_at": null, "snoozed_until": null,
        "assignees": ["li"], "destinations": ["dst_a"],
        "timeline": [{"n": 1, "at": 1, "kind": "triggered", "actor": "source", "alert_n": 1}]
    });
    let incident = serde_json::from_value::<Incident>(old).expect("readable").upgraded();
    assert_eq!((incident.alerts[0].n, incident.alerts[0].is_open), (2, true));
    assert_eq!((incident.alert_n, incident.acknowledged_by.clone()), (None, vec!["li".to_owned()]));
    assert_eq!(incident.timeline[0].audience, Audience::Everyone);
}
