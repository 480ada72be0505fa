//! Tests people's actions in processes that may stop at any step: the follow-up of every written action is carried out.
//! Each ingredient of the protocol is necessary: without it, the test fails.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::*;

const CASES: u32 = 3_000;

/// The ingredient that is left out of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// No due work is written, so after a crash a person must repeat the action.
    DueWork,
    /// The due work is written after the action.
    WorkFirst,
    /// The entry has no action name, so the due work uses the newest entry instead.
    Name,
    /// The due work is deleted before the follow-up is carried out.
    DeleteLast,
    /// The request itself closes the alerts after its notices, and the due work does not include this.
    CloseAsWork,
}

/// Actions, each with a request that carries it out in steps. A request may stop after any step.
#[derive(Debug, Clone)]
struct Case {
    actions: Vec<Action>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Go(usize),
    Crash(usize),
    /// The source raises the severity. The follow-up of this change must not be lost either.
    Source,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Announce,
    Write,
    FollowUp,
    Delete,
}

impl Without {
    /// The phases of a request, in order.
    const fn order(self) -> [Phase; 4] {
        match self {
            Without::WorkFirst => [Phase::Write, Phase::Announce, Phase::FollowUp, Phase::Delete],
            Without::DeleteLast => [Phase::Announce, Phase::Write, Phase::Delete, Phase::FollowUp],
            _ => [Phase::Announce, Phase::Write, Phase::FollowUp, Phase::Delete],
        }
    }
}

#[derive(Debug)]
struct Request {
    action: Action,
    /// The number of finished phases. A request that crashed counts as finished with all phases.
    done: usize,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct World {
    without: Without,
    incident: Incident,
    now: i64,
    requests: Vec<Request>,
    /// The actions that have due work.
    due: BTreeSet<usize>,
    followed_up: BTreeSet<u64>,
    alerts_closed: bool,
}

impl World {
    fn play(case: &Case, without: Without) -> Self {
        let mut world = Self {
            without,
            incident: History::of(&[trigger()]).incident().clone(),
            now: 100,
            requests: case
                .actions
                .iter()
                .map(|action| Request { action: action.clone(), done: 0, entry: None })
                .collect(),
            due: BTreeSet::new(),
            followed_up: BTreeSet::new(),
            alerts_closed: false,
        };
        for step in &case.steps {
            match *step {
                Step::Go(who) if who < world.requests.len() => world.go(who),
                Step::Crash(who) if who < world.requests.len() => world.requests[who].done = 4,
                Step::Go(_) | Step::Crash(_) => {}
                Step::Source => world.source(),
            }
        }
        for who in 0..world.requests.len() {
            while world.requests[who].done < 4 {
                world.go(who);
            }
        }
        world.due_work();
        world
    }

    fn source(&mut self) {
        let n = self.incident.alerts[0].n + 1;
        let raised = apply(Some(&self.incident), &source(n, SourceKind::RaiseSeverity), None, at(self.now));
        if let Ok(ChangeResult::Changed(next, entry)) = raised {
            self.followed_up.insert(entry.n); // evaluate keeps its remaining work in the ring of the alert
            self.incident = next;
        }
    }

    fn go(&mut self, who: usize) {
        self.now += 10;
        let Some(phase) = self.without.order().get(self.requests[who].done).copied() else { return };
        self.requests[who].done += 1;
        match phase {
            Phase::Announce if self.without == Without::DueWork => {}
            Phase::Announce => drop(self.due.insert(who)),
            Phase::Write => self.write(who),
            Phase::FollowUp => {
                if let Some(entry) = self.requests[who].entry.clone() {
                    self.follow_up(&entry);
                }
            }
            Phase::Delete => drop(self.due.remove(&who)),
        }
    }

    fn write(&mut self, who: usize) {
        let change = person(&format!("member{who}"), self.requests[who].action.clone());
        let assigned = assignment_query(Some(&self.incident), &change).map(|_| level(1));
        let applied = apply(Some(&self.incident), &change, assigned.as_ref(), at(self.now));
        let name = (self.without != Without::Name).then(|| who.to_string());
        if let Ok(ChangeResult::Changed(next, entry)) = applied.map(|applied| applied.named(name.as_deref())) {
            (self.incident, self.requests[who].entry) = (next, Some(entry));
        }
    }

    fn follow_up(&mut self, entry: &Entry) {
        self.followed_up.insert(entry.n);
        let close = |work: &Work| matches!(work, Work::CloseAlerts { .. });
        let is_work = timers(&self.incident, entry).iter().any(|timer| close(&timer.work));
        self.alerts_closed |= is_work && self.without != Without::CloseAsWork;
    }

    /// Carries out the due work, after every request has ended or crashed.
    fn due_work(&mut self) {
        for who in std::mem::take(&mut self.due) {
            let found = match self.without {
                Without::Name => self.incident.timeline.last().cloned(),
                _ => entry_of_action(&self.incident, &who.to_string()).cloned(),
            };
            if let Some(entry) = found {
                self.follow_up(&entry);
            }
        }
    }

    fn broken(&self) -> Option<String> {
        let by_people = self.incident.timeline.iter().filter(|entry| entry.is_by_person());
        let lost: Vec<EntryKind> =
            by_people.clone().filter(|entry| !self.followed_up.contains(&entry.n)).map(|entry| entry.kind).collect();
        if !lost.is_empty() {
            return Some(format!("nothing followed from {lost:?}"));
        }
        let was_closed = by_people.clone().any(|entry| entry.kind == EntryKind::Closed);
        (was_closed && !self.alerts_closed).then(|| "it was closed, and its alerts are open".to_owned())
    }
}

fn case() -> impl Strategy<Value = Case> {
    let people = || vec![reach("mem_b", &["dst_b"])];
    let action = prop_oneof![
        Just(Action::Acknowledge),
        Just(Action::Unacknowledge),
        Just(Action::Snooze { until: at(9_000) }),
        Just(Action::Close),
        Just(Action::Reopen),
        Just(Action::Escalate { level: None }),
        Just(Action::Reassign { people: people() }),
        Just(Action::AddResponders { people: people() }),
        Just(Action::Comment { text: "hm".to_owned() }),
        Just(Action::Edit { title: Some("the database".to_owned()), severity: None }),
    ];
    let step = prop_oneof![
        12 => (0..4_usize).prop_map(Step::Go),
        2 => (0..4_usize).prop_map(Step::Crash),
        1 => Just(Step::Source),
    ];
    (prop::collection::vec(action, 1..5), prop::collection::vec(step, 0..20))
        .prop_map(|(actions, steps)| Case { actions, steps })
}

/// The smallest case found in which a follow-up is lost. The search is deterministic.
fn counter_example(without: Without) -> Option<Case> {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let found = runner.run(&case(), |case| match World::play(&case, without).broken() {
        Some(broken) => Err(TestCaseError::fail(broken)),
        None => Ok(()),
    });
    match found {
        Ok(()) => None,
        Err(TestError::Fail(_, case)) => Some(case),
        Err(TestError::Abort(reason)) => panic!("the search was given up: {reason}"),
    }
}

#[test]
fn the_whole_protocol_loses_nothing_that_follows_from_an_action() {
    let found = counter_example(Without::Nothing);
    assert!(found.is_none(), "{found:?}");
}

// Proves: actions-survive, finding F1
#[test]
fn without_any_ingredient_a_request_that_dies_loses_what_follows() {
    for without in [Without::DueWork, Without::WorkFirst, Without::Name, Without::DeleteLast, Without::CloseAsWork] {
        let case = counter_example(without).unwrap_or_else(|| panic!("nothing is lost without {without:?}"));
        assert!(case.actions.len() <= 3, "there is a shorter one: {without:?} {case:?}");
        assert_eq!(World::play(&case, Without::Nothing).broken(), None, "the whole protocol survives it");
    }
}

#[test]
fn the_shortest_loss_is_an_action_whose_request_died_after_its_write() {
    let died = Case { actions: vec![Action::Close], steps: vec![Step::Go(0), Step::Go(0), Step::Crash(0)] };
    let broken = World::play(&died, Without::DueWork).broken();
    assert_eq!(broken.as_deref(), Some("nothing followed from [Closed]"));
    assert_eq!(World::play(&died, Without::Nothing).broken(), None);
}
