//! A row per sentence of what may happen to an incident.

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
use crate::incident::assignment::{Assigned, Assignment};
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

/// A change of the alert that was opened at `opened`, in the incident of the one that was opened at 1.
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

/// Level `level` of a rule of three: a person with two contacts and a group, told again twice, next after ten minutes.
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

/// What the changes, each ten seconds after the one before, leave; and what each was written down as.
struct Story {
    incident: Option<Incident>,
    kinds: Vec<Result<Option<EntryKind>, ActionError>>,
    last: Option<Entry>,
    now: i64,
}

fn no_level() -> Unreached {
    Unreached { rule: None, remarks: vec![Remark::NoLevel { rule: "Payments".to_owned(), level: 4 }] }
}

impl Story {
    fn of(changes: &[Change]) -> Self {
        let mut story = Self { incident: None, kinds: Vec::new(), last: None, now: 10 };
        changes.iter().for_each(|change| story.then(change));
        story
    }

    fn then(&mut self, change: &Change) {
        let rule = match assignment_query(self.incident.as_ref(), change) {
            Some(crate::incident::assignment::AssignmentQuery::Level { level: wanted, .. }) if wanted > 2 => {
                Some(Assigned::Nobody(no_level()))
            }
            Some(crate::incident::assignment::AssignmentQuery::Level { level: wanted, .. }) => Some(level(wanted)),
            Some(crate::incident::assignment::AssignmentQuery::Raised { level: wanted, .. }) => Some(level(wanted)),
            Some(crate::incident::assignment::AssignmentQuery::Rule) => Some(level(0)),
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

    fn told(&self) -> Vec<DestinationId> {
        match &self.last.as_ref().expect("something happened").told {
            Audience::Everyone => self.incident().destinations.clone(),
            Audience::Only(destinations) => destinations.clone(),
        }
    }

    /// What the last change has set timers for, and in how many seconds.
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
    let story = Story::of(&[trigger()]);
    assert_eq!(story.kinds, [Ok(Some(EntryKind::Triggered))]);
    let incident = story.incident();
    assert_eq!((incident.progress, incident.alerts.len(), incident.n), (Progress::Triggered, 1, 1));
}

#[test]
fn a_transition_that_is_carried_out_twice_takes_effect_once_and_is_told_under_the_same_number() {
    let joined = of_alert(5, 1, SourceKind::Trigger, Severity::Warning);
    let story = Story::of(&[trigger(), joined.clone(), source(2, SourceKind::RaiseSeverity)]);
    let incident = story.incident();
    for (change, entry) in [(trigger(), 0), (joined, 1), (source(2, SourceKind::RaiseSeverity), 2)] {
        let again = apply(Some(incident), &change, None, at(99)).expect("no action");
        assert_eq!(again, ChangeResult::Already(incident.timeline[entry].clone()));
    }
}

#[test]
fn a_trigger_that_is_carried_out_after_its_recovery_opens_nothing() {
    let story = Story::of(&[source(2, SourceKind::Recover), trigger()]);
    assert_eq!(story.kinds, [Ok(Some(EntryKind::Recovered)), Ok(None)]);
    let incident = story.incident();
    assert_eq!(incident.progress, Progress::Closed);
    assert_eq!(incident.timeline[0].detail, Some(Detail::RecoveredBefore), "it says why nobody was notified");
}

#[test]
fn acknowledged_twice_is_acknowledged_once_and_the_last_unacknowledge_returns_it_to_triggered() {
    let [acknowledge, unacknowledge] = [Action::Acknowledge, Action::Unacknowledge];
    let mut story = Story::of(&[
        trigger(),
        person("li", acknowledge.clone()),
        person("li", acknowledge.clone()),
        person("wang", acknowledge),
        person("li", unacknowledge.clone()),
    ]);
    assert_eq!(story.kinds[2], Ok(None));
    assert_eq!(story.incident().progress, Progress::Processing, "wang still works on it");
    let round = story.round();
    story.then(&person("wang", unacknowledge.clone()));
    assert_eq!((story.incident().progress, story.incident().acknowledged_at), (Progress::Triggered, None));
    assert_eq!(story.incident().assignees, ["mem_0"]);
    assert_eq!(story.round(), round + 1, "what was set before is void");
    let next = Work::Escalate { incident: story.incident().id.clone(), round: round + 1, level: 1 };
    assert!(story.timers().contains(&(600, next)), "its level starts to count anew: {:?}", story.timers());
    story.then(&person("wang", unacknowledge));
    assert_eq!(story.kinds.last(), Some(&Err(ActionError::NotAcknowledged)));
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
        let mut story = Story::of(&[trigger(), person("li", before), person("li", first.clone())]);
        story.now -= 9; // a second after the first
        story.then(&person("li", second));
        assert_eq!(story.kinds.pop(), Some(result), "{first:?} again");
    }
}

#[test]
fn what_was_meant_for_an_earlier_episode_is_refused_and_changes_nothing() {
    let in_first = |name: &str, action| match person(name, action) {
        Change::Person { actor, action, .. } => Change::Person { actor, action, episode: Some(0) },
        other => other,
    };
    let mut story = Story::of(&[trigger(), in_first("li", Action::Close), in_first("li", Action::Reopen)]);
    assert_eq!(story.incident().episode, 1);
    let before = story.incident().clone();
    for action in [Action::Acknowledge, Action::Close, Action::Comment { text: "late".to_owned() }] {
        story.then(&in_first("wang", action));
        assert_eq!(story.kinds.pop(), Some(Err(ActionError::Reopened)));
    }
    story.now = 30;
    story.then(&in_first("li", Action::Reopen));
    assert_eq!(story.kinds.pop(), Some(Err(ActionError::Reopened)), "without its name, the same request is a new one");
    assert_eq!(*story.incident(), before);
    story.then(&person("li", Action::Acknowledge));
    assert_eq!(story.kinds.pop(), Some(Ok(Some(EntryKind::Acknowledged))), "who names no episode means this one");
}

#[test]
fn whoever_does_not_work_on_it_takes_nothing_back() {
    let story = Story::of(&[trigger(), person("li", Action::Acknowledge), person("wang", Action::Unacknowledge)]);
    assert_eq!(story.kinds[2], Ok(None));
    assert_eq!(story.incident().acknowledged_by, ["li"]);
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
        let story = Story::of(&[trigger(), person("li", Action::Close), person("li", action.clone())]);
        assert_eq!(story.kinds[2], expected, "{action:?}");
    }
}

#[test]
fn closing_by_hand_closes_its_alerts_and_nothing_of_theirs_reopens_it() {
    let joined = of_alert(5, 1, SourceKind::Trigger, Severity::Warning);
    let story = Story::of(&[trigger(), joined, person("li", Action::Close), source(2, SourceKind::RaiseSeverity)]);
    assert_eq!(story.kinds[3], Ok(None));
    assert!(story.incident().alerts.iter().all(|linked| !linked.is_open));
}

#[test]
fn it_recovers_when_all_of_its_alerts_have() {
    let second = |n, kind| of_alert(5, n, kind, Severity::Warning);
    let story = Story::of(&[
        trigger(),
        second(1, SourceKind::Trigger),
        source(2, SourceKind::Recover),
        second(2, SourceKind::Recover),
    ]);
    let kinds = [EntryKind::Triggered, EntryKind::AlertJoined, EntryKind::AlertRecovered, EntryKind::Recovered];
    assert_eq!(story.kinds, kinds.map(|kind| Ok(Some(kind))));
    assert_eq!(story.incident().progress, Progress::Closed);
}

#[test]
fn its_severity_is_the_highest_of_its_alerts_and_a_threshold_warns() {
    let joins = |opened, severity| of_alert(opened, 1, SourceKind::Trigger, severity);
    let story = Story::of(&[trigger(), joins(5, Severity::Critical), joins(6, Severity::Info)]);
    let kinds = [EntryKind::Triggered, EntryKind::SeverityRaised, EntryKind::StormWarning];
    assert_eq!(story.kinds, kinds.map(|kind| Ok(Some(kind))));
    assert_eq!((story.incident().severity, story.incident().title.as_str()), (Severity::Critical, "title 1.1"));
}

#[test]
fn a_full_or_closed_incident_takes_no_alert() {
    let mut story = Story::of(&[trigger()]);
    let joins = of_alert(5, 1, SourceKind::Trigger, Severity::Warning);
    let mut full = story.incident().clone();
    full.alerts = (0..ALERTS)
        .map(|n| Linked { alert: AlertId::of(&id("int_b"), Stamp::from_parts(at(1), n as u128)), n: 1, is_open: true })
        .collect();
    assert_eq!(apply(Some(&full), &joins, None, at(9)), Ok(ChangeResult::CannotJoin));
    story.then(&person("li", Action::Close));
    assert_eq!(apply(story.incident.as_ref(), &joins, None, at(9)), Ok(ChangeResult::CannotJoin));
}

#[test]
fn what_a_person_sets_stays_so_whatever_the_alerts_say() {
    let edit = Action::Edit { title: Some("the database".to_owned()), severity: Some(Severity::Info) };
    let story = Story::of(&[
        trigger(),
        person("li", edit.clone()),
        person("li", edit),
        source(2, SourceKind::RaiseSeverity),
        of_alert(5, 1, SourceKind::Trigger, Severity::Critical),
    ]);
    assert_eq!(story.kinds[1], Ok(Some(EntryKind::Edited)));
    assert_eq!(story.kinds[2..], [Ok(None), Ok(None), Ok(Some(EntryKind::AlertJoined))]);
    assert_eq!((story.incident().severity, story.incident().title.as_str()), (Severity::Info, "the database"));
}

#[test]
fn a_silenced_incident_tells_nobody_until_the_silence_ends_and_then_assigns() {
    let Change::Source(source) = trigger() else { unreachable!("made so") };
    let hold = Some(Hold { until: Some(at(500)), by: "silence nights (sil_a)".to_owned() });
    let silenced = Change::Source(SourceChange { hold, ..source });
    let mut story = Story::of(std::slice::from_ref(&silenced));
    assert_eq!((story.told(), story.incident().destinations.len()), (vec![], 0));
    let end = Work::HoldEnd { incident: story.incident().id.clone(), until: at(500) };
    assert_eq!(story.timers(), [(500 - story.now, end)]);
    story.then(&Change::HoldReviewed { hold: None });
    assert_eq!((story.kinds[1].clone(), story.told()), (Ok(Some(EntryKind::SilenceEnded)), ids(&["dst_g0", "dst_p0"])));

    let mut recovered = Story::of(&[silenced, self::source(2, SourceKind::Recover)]);
    assert_eq!(recovered.told(), vec![]);
    recovered.then(&Change::HoldReviewed { hold: None });
    assert_eq!(recovered.kinds[2], Ok(None));
}

#[test]
fn reassigned_it_belongs_to_other_people_and_its_rule_ends() {
    let people = vec![reach("mem_b", &["dst_b"])];
    let mut story = Story::of(&[
        trigger(),
        person("li", Action::Acknowledge),
        person("li", Action::Reassign { people: people.clone() }),
    ]);
    let incident = story.incident();
    assert_eq!((incident.progress, incident.assignees.clone()), (Progress::Triggered, vec!["mem_b".to_owned()]));
    assert_eq!((story.told(), story.timers()), (ids(&["dst_b"]), vec![]));
    story.then(&escalate(1, 1));
    story.then(&person("li", Action::Escalate { level: None }));
    assert_eq!(story.kinds[3..], [Ok(None), Err(ActionError::NoRule)]);
}

#[test]
fn an_added_responder_is_told_alone_and_the_rule_goes_on() {
    let people = vec![reach("mem_b", &["dst_b"])];
    let mut story = Story::of(&[trigger(), person("li", Action::AddResponders { people: people.clone() })]);
    assert_eq!((story.told(), story.incident().assignees.len()), (ids(&["dst_b"]), 2));
    story.then(&person("li", Action::AddResponders { people }));
    story.then(&escalate(1, 1));
    assert_eq!(story.kinds[2..], [Ok(None), Ok(Some(EntryKind::Escalated))]);
}

#[test]
fn escalated_by_hand_beyond_the_last_level_is_refused_by_name() {
    let story = Story::of(&[trigger(), person("li", Action::Escalate { level: Some(3) })]);
    assert_eq!(story.kinds[1], Err(ActionError::NobodyThere(no_level())));
}

#[test]
fn what_another_silence_holds_stays_held_and_its_end_is_set_again() {
    let Change::Source(source) = trigger() else { unreachable!("made so") };
    let hold = |until: i64| Some(Hold { until: Some(at(until)), by: "silence nights (sil_a)".to_owned() });
    let mut story = Story::of(&[Change::Source(SourceChange { hold: hold(500), ..source })]);
    story.then(&Change::HoldReviewed { hold: hold(500) });
    story.then(&Change::HoldReviewed { hold: hold(900) });
    assert_eq!(story.kinds[1..], [Ok(None), Ok(Some(EntryKind::SilenceChanged))]);
    let end = Work::HoldEnd { incident: story.incident().id.clone(), until: at(900) };
    assert_eq!((story.timers(), story.told()), (vec![(900 - story.now, end)], vec![]));
    story.then(&self::source(2, SourceKind::RaiseSeverity));
    let review = Work::ReviewHold { incident: story.incident().id.clone() };
    assert_eq!(story.timers(), [(0, review)], "the silence may not hold what is critical");
}

#[test]
fn an_action_is_found_by_its_name_whatever_was_written_after_it() {
    let mut story = Story::of(&[trigger()]);
    let applied = apply(story.incident.as_ref(), &person("li", Action::Acknowledge), None, at(30)).expect("allowed");
    let ChangeResult::Changed(incident, entry) = applied.named(Some("a1")) else { panic!("it changes something") };
    story.incident = Some(incident);
    story.then(&person("wang", Action::Comment { text: "hm".to_owned() }));
    assert_eq!(entry_of_action(story.incident(), "a1"), Some(&entry));
    assert_eq!(entry_of_action(story.incident(), "a2"), None);
}

#[test]
fn closed_by_a_person_its_alerts_are_closed_even_if_it_was_reopened_since() {
    let mut story = Story::of(&[trigger(), person("li", Action::Close)]);
    let closed = story.last.clone().expect("closed");
    let close = Work::CloseAlerts { incident: story.incident().id.clone(), n: 2, by: someone("li") };
    assert_eq!(story.timers(), [(0, close.clone())]);
    story.then(&person("li", Action::Reopen));
    let again = timers(story.incident(), &closed);
    assert_eq!(again.into_iter().map(|timer| timer.work).collect::<Vec<_>>(), [close]);
}

#[test]
fn an_older_change_that_is_carried_out_again_sets_no_timer_of_a_newer_level() {
    let mut story = Story::of(&[trigger()]);
    let triggered = story.last.clone().expect("triggered");
    story.then(&escalate(1, 1));
    assert_eq!(timers(story.incident(), &triggered), []);
    assert_eq!(story.timers().len(), 2, "the newer one sets its own");
}

#[test]
fn a_member_is_recognised_by_id_and_a_name_gives_nobody_anothers_actions() {
    let named = |member: &str, via| NamedActor::member(id(member), "timer", via);
    let acts = |actor| Change::Person { actor, action: Action::Acknowledge, episode: None };
    let now = at(40);
    let acknowledge = |incident: &Incident, actor| apply(Some(incident), &acts(actor), None, now).expect("allowed");
    let first = acknowledge(Story::of(&[trigger()]).incident(), named("mem_a", Via::Page));
    let ChangeResult::Changed(incident, entry) = first else { panic!("acknowledged") };
    assert_eq!(entry.by, Some(Actor::Member { id: id("mem_a"), via: Via::Page }));
    assert!(entry.is_by_person());
    assert_eq!(acknowledge(&incident, named("mem_a", Via::Link)), ChangeResult::Nothing, "the same member");
    assert!(matches!(acknowledge(&incident, named("mem_b", Via::Page)), ChangeResult::Changed(..)), "somebody else");
}

#[test]
fn a_space_without_rules_tells_its_own_destinations_and_one_without_any_says_so() {
    let mut story = Story::of(&[]);
    story.then_assigned(&trigger(), Some(&Assigned::Space(ids(&["dst_a"]))));
    assert_eq!((story.told(), story.timers()), (ids(&["dst_a"]), vec![]));
    let mut story = Story::of(&[]);
    story.then_assigned(&trigger(), Some(&Assigned::Space(vec![])));
    assert_eq!(story.last.and_then(|entry| entry.detail), Some(Detail::NoRule));
}

#[test]
fn an_incident_by_default_stays_within_one_write_unit() {
    let mut story = Story::of(&[]);
    story.then_assigned(&trigger(), Some(&Assigned::Space(ids(&["dst_8Zp1QeRtYu"]))));
    let bytes = serde_json::to_vec(story.incident()).expect("JSON").len();
    assert!(bytes <= 900, "{bytes} bytes, and the item has its keys beside it");
}

#[test]
fn a_long_timeline_gives_its_oldest_entries_away_and_keeps_what_may_have_to_be_told_again() {
    let mut story = Story::of(&[trigger()]);
    for n in 0..TIMELINE_INLINE {
        story.then(&person("li", Action::Comment { text: n.to_string() }));
    }
    let mut incident = story.incident().clone();
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
    assert_eq!(incident.timeline[0].told, Audience::Everyone);
}
