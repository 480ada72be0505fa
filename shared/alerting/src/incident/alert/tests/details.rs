//! Tests the alert and the incident of a key while two evaluators carry out committed transitions. The test uses the
//! real fold, the real changes of the alert, and one incident per episode in one space. `races.rs` tests the write of
//! the state, so here a fold is one step; its follow-up takes several steps.

use std::collections::{BTreeMap, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::event;
use crate::base::ids::{IntegrationId, Stamp};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::alert::{
    Alert, AlertEvent, AlertState, EventKind, RING, Status, Transition, TransitionKind, fold, sort_key,
};

const NOW: Moment = Moment::from_secs(1_767_607_200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// A trigger does not change the spaces of an existing alert.
    SpacesByTheTrigger,
    /// The worker that opens a closed alert does not carry out its closing.
    LateRecovery,
    /// A close changes the texts.
    TextsOfTriggersOnly,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Take { who: usize, place: usize, size: usize },
    Go { who: usize },
    Crash { who: usize },
}

/// A remaining task of an evaluator for its messages.
#[derive(Debug, Clone)]
enum Work {
    Change(AlertEvent, Transition),
    Show(AlertEvent, Stamp, u64),
    /// Applies a transition in the spaces that the alert had when it was changed.
    Follow {
        episode: Stamp,
        n: u64,
        recovers: bool,
        spaces: usize,
    },
}

#[derive(Debug, Default)]
struct Evaluator {
    batch: Vec<usize>,
    work: VecDeque<Work>,
}

struct World {
    without: Without,
    messages: Vec<AlertEvent>,
    visible: Vec<usize>,
    state: Option<AlertState>,
    alerts: BTreeMap<Stamp, Alert>,
    /// For each episode: the number of the last transition, and whether the incident is open.
    incidents: BTreeMap<Stamp, (u64, bool)>,
    evaluators: [Evaluator; 2],
}

fn integration() -> IntegrationId {
    "int_4fJk2LmNpQ".parse().expect("an id")
}

impl World {
    fn play(messages: &[AlertEvent], steps: &[Step], without: Without) -> Self {
        let mut world = Self {
            without,
            messages: messages.to_vec(),
            visible: (0..messages.len()).collect(),
            state: None,
            alerts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            evaluators: [Evaluator::default(), Evaluator::default()],
        };
        steps.iter().for_each(|step| world.step(*step));
        for who in [0, 1] {
            while !world.evaluators[who].batch.is_empty() || !world.visible.is_empty() {
                world.step(Step::Take { who, place: 0, size: 1 });
                world.step(Step::Go { who });
            }
        }
        world
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Take { who, place, size } if self.evaluators[who].batch.is_empty() => {
                let mut batch = Vec::new();
                while batch.len() < size && !self.visible.is_empty() {
                    batch.push(self.visible.remove(place.min(self.visible.len() - 1)));
                }
                batch.sort_by_key(|place| sort_key(&self.messages[*place]));
                self.evaluators[who].work = self.commit(&batch);
                self.evaluators[who].batch = batch;
            }
            Step::Take { .. } => {}
            Step::Go { who } => match self.evaluators[who].work.pop_front() {
                Some(work) => self.carry_out(who, work),
                None => self.evaluators[who].batch.clear(),
            },
            Step::Crash { who } => {
                let Evaluator { batch, .. } = std::mem::take(&mut self.evaluators[who]);
                self.visible.extend(batch);
            }
        }
    }

    /// Folds the batch into the state. Returns the follow-up work, in the order of `evaluate`.
    fn commit(&mut self, batch: &[usize]) -> VecDeque<Work> {
        let events: Vec<AlertEvent> = batch.iter().map(|place| self.messages[*place].clone()).collect();
        let mut work = VecDeque::new();
        if events.is_empty() {
            return work;
        }
        let folded = fold(self.state.as_ref(), &events);
        assert_eq!((folded.taken(), folded.evicted.len()), (events.len(), 0), "fewer messages than the ring holds");
        self.state = folded.state.clone().or(self.state.take());
        let state = self.state.as_ref().expect("a message was folded");
        for (index, transition) in folded.transitions.iter().chain(&folded.again) {
            work.push_back(Work::Change(events[*index].clone(), *transition));
        }
        let newest = events.iter().rfind(|event| state.is_newest_trigger(event));
        if let (Some(event), Some(episode)) = (newest, state.episode) {
            work.push_back(Work::Show(event.clone(), episode, state.count));
        }
        work
    }

    fn carry_out(&mut self, who: usize, work: Work) {
        match work {
            Work::Change(event, transition) => self.change(who, &event, transition),
            Work::Show(event, episode, count) => {
                self.alert(&event, episode, |alert| drop(alert.show(&event, count, NOW)));
            }
            Work::Follow { spaces: 0, .. } => {}
            Work::Follow { episode, n, recovers, .. } => match self.incidents.get_mut(&episode) {
                None => drop(self.incidents.insert(episode, (n, !recovers))),
                Some((known, open)) if n > *known => {
                    *known = n;
                    *open &= !recovers;
                }
                Some(_) => {}
            },
        }
    }

    fn change(&mut self, who: usize, event: &AlertEvent, transition: Transition) {
        let Transition { episode, n, count, kind, .. } = transition;
        let alert = self.alert(event, episode, |alert| match kind {
            TransitionKind::Open => drop(alert.show(event, count, NOW)),
            TransitionKind::Raise => {}
            TransitionKind::Close => alert.close(event, count, NOW),
        });
        let spaces = alert.spaces.len();
        let recovers = kind == TransitionKind::Close;
        let mut following = vec![Work::Follow { episode, n, recovers, spaces }];
        let late = kind == TransitionKind::Open && alert.closing.is_some() && self.without != Without::LateRecovery;
        if late {
            let ring = &self.state.as_ref().expect("a transition was committed").ring;
            let closing = ring.iter().find(|one| one.episode == episode && one.kind == TransitionKind::Close);
            let n = closing.expect("the ring holds it").n;
            following.insert(0, Work::Follow { episode, n, recovers: true, spaces });
        }
        following.into_iter().rev().for_each(|work| self.evaluators[who].work.push_front(work));
    }

    fn alert(&mut self, event: &AlertEvent, episode: Stamp, change: impl FnOnce(&mut Alert)) -> Alert {
        let before = self.alerts.get(&episode).cloned();
        let mut alert = before.clone().unwrap_or_else(|| Alert::new(&integration(), event, episode, NOW));
        change(&mut alert);
        if let Some(before) = before.filter(|_| self.without == Without::SpacesByTheTrigger) {
            alert.spaces = before.spaces;
        }
        if event.kind == EventKind::Close && self.without == Without::TextsOfTriggersOnly {
            alert.title.clone_from(&event.title);
        }
        self.alerts.insert(episode, alert.clone());
        alert
    }

    /// A violated promise, after all work is done.
    fn broken(&self) -> Option<String> {
        let state = self.state.as_ref()?;
        for (episode, alert) in &self.alerts {
            let is_open = state.episode == Some(*episode) && state.status == Status::Open;
            let incident = self.incidents.get(episode);
            if incident.map(|(_, open)| *open) != Some(is_open) || (alert.status == Status::Open) != is_open {
                return Some(format!("{} rests as {:?} with the incident {incident:?}", alert.title, alert.status));
            }
            let shown = self.messages.iter().find(|event| event.title == alert.title).expect("one of the messages");
            if shown.kind == EventKind::Close || (state.episode == Some(*episode) && shown.stamp != state.texts) {
                return Some(format!("{} is shown", alert.title));
            }
        }
        None
    }
}

fn messages() -> impl Strategy<Value = Vec<AlertEvent>> {
    let kind = prop_oneof![Just(EventKind::Close), Just(EventKind::Trigger)];
    vec(kind, 1..=RING).prop_map(|kinds| {
        let event = |(n, kind)| AlertEvent {
            spaces: vec!["spc_a".parse().expect("an id")],
            ..event(n, kind, Severity::Warning)
        };
        (1..).zip(kinds).map(event).collect()
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2_usize, 0..6_usize, 1..4_usize).prop_map(|(who, place, size)| Step::Take { who, place, size }),
        8 => (0..2_usize).prop_map(|who| Step::Go { who }),
        1 => (0..2_usize).prop_map(|who| Step::Crash { who }),
    ]
}

fn counter_example(without: Without) -> Option<String> {
    let config = Config { cases: 5_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let found = runner.run(&(messages(), vec(step(), 0..60)), |(messages, steps)| {
        World::play(&messages, &steps, without).broken().map_or(Ok(()), |broken| Err(TestCaseError::fail(broken)))
    });
    found.err().map(|error| error.to_string())
}

// Proves: finding C3
#[test]
fn at_rest_every_alert_shows_its_newest_trigger_and_its_incident_is_as_open_as_it_is() {
    assert_eq!(counter_example(Without::Nothing), None);
}

#[test]
fn unless_the_trigger_brings_the_spaces_a_quicker_close_leaves_an_alert_without_an_incident() {
    let found = counter_example(Without::SpacesByTheTrigger).expect("a counter-example");
    assert!(found.contains("with the incident None"), "{found}");
}

#[test]
fn unless_the_opening_carries_out_the_closing_a_quicker_close_leaves_an_open_incident() {
    let found = counter_example(Without::LateRecovery).expect("a counter-example");
    assert!(found.contains("rests as Closed with the incident Some"), "{found}");
}

// Proves: finding C7
#[test]
fn unless_only_triggers_are_shown_a_recovery_hides_the_problem() {
    assert!(counter_example(Without::TextsOfTriggersOnly).is_some_and(|found| found.contains("is shown")));
}
