//! Tests the real fold in two evaluators with everything that a queue allows: any order, copies, batches of any size,
//! and crashes between any two steps. Each ingredient of the protocol is necessary: without it, the test fails. The
//! ingredient is removed outside the fold, in its input or in the use of its result.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::{event, stamp};
use crate::base::ids::Stamp;
use crate::base::severity::Severity;
use crate::incident::alert::{
    AlertEvent, AlertState, AppliedMessages, Effect, EventKind, Folded, Status, Transition, fold, sort_key,
};

/// Enough cases to find every counter-example below early in the run.
const CASES: u32 = 5_000;

/// The ingredient that is left out of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The state does not remember which message was the newest.
    Watermark,
    /// A close while no episode is open is not written.
    Tombstone,
    /// The state does not remember its transitions.
    Ring,
    /// A write takes effect even if another write came first.
    Version,
    /// The transitions of a redelivered message are not carried out again.
    Republish,
    /// The transition of a redelivered message is carried out again only if the message is the newest.
    RepublishOfOvertaken,
    /// A transition that leaves the ring is not carried out before the write.
    Eviction,
    /// The state does not remember which messages it applied.
    Marks,
}

/// A condition that holds when all messages are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// The kind of the newest message decides the status.
    TheNewestDecides,
    /// The alert shows the newest trigger that was applied.
    TheNewestIsShown,
    CountedAtMostOnce,
    /// All committed transitions were carried out, and no others.
    CommittedIsCarriedOut,
    /// The number of messages that are recorded as triggers and updates equals the count of the alerts.
    CountedIsRecorded,
}

const PROMISES: [Promise; 5] = [
    Promise::TheNewestDecides,
    Promise::TheNewestIsShown,
    Promise::CountedAtMostOnce,
    Promise::CommittedIsCarriedOut,
    Promise::CountedIsRecorded,
];

/// The messages of a key, oldest first, and the steps. After the steps the remaining messages are processed in order.
#[derive(Debug, Clone)]
struct Case {
    messages: Vec<AlertEvent>,
    steps: Vec<Step>,
}

/// One step of one of the two evaluators.
#[derive(Debug, Clone, Copy)]
struct Step {
    who: usize,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// The evaluator makes the next step of its work, or takes messages if it has no work.
    Go {
        place: usize,
        size: usize,
        /// The queue delivers the first message again, because its visibility timeout is over.
        copy: bool,
    },
    Crash,
}

/// The phases of an evaluator, in order.
#[derive(Debug, Clone)]
enum Phase {
    Read,
    Fold(Option<AlertState>),
    Write(Option<AlertState>, Box<Folded>),
    CarryOut,
    Delete,
}

#[derive(Debug, Clone)]
struct Evaluator {
    /// The places of its messages, in the order in which they are applied.
    batch: Vec<usize>,
    taken: usize,
    to_carry_out: Vec<Transition>,
    /// The effect of each message taken.
    effects: Vec<Effect>,
    phase: Phase,
}

#[derive(Debug)]
struct World {
    without: Without,
    messages: Vec<AlertEvent>,
    visible: Vec<usize>,
    item: Option<AlertState>,
    evaluators: [Option<Evaluator>; 2],
    /// The message count of each episode.
    counts: BTreeMap<Stamp, u64>,
    committed: BTreeSet<(u64, Stamp)>,
    carried_out: BTreeSet<(u64, Stamp)>,
    /// The recorded effect of each message, by its place. Later records of the same message are ignored.
    recorded: BTreeMap<usize, Effect>,
    history: Vec<String>,
}

fn name(transition: &Transition) -> (u64, Stamp) {
    (transition.n, transition.stamp)
}

impl World {
    /// Runs all steps, and then processes the remaining messages.
    fn play(case: &Case, without: Without) -> Self {
        let mut world = Self {
            without,
            messages: case.messages.clone(),
            visible: (0..case.messages.len()).collect(),
            item: None,
            evaluators: [None, None],
            counts: BTreeMap::new(),
            committed: BTreeSet::new(),
            carried_out: BTreeSet::new(),
            recorded: BTreeMap::new(),
            history: Vec::new(),
        };
        for step in &case.steps {
            world.step(*step);
        }
        for who in [0, 1] {
            while world.evaluators[who].is_some() || !world.visible.is_empty() {
                world.step(Step { who, what: What::Go { place: 0, size: 1, copy: false } });
            }
        }
        world
    }

    fn step(&mut self, step: Step) {
        let who = step.who;
        let next = match (self.evaluators[who].take(), step.what) {
            (None, What::Crash) => None,
            (None, What::Go { place, size, copy }) => self.take(who, place, size, copy),
            (Some(evaluator), What::Crash) => {
                self.log(who, "crashes");
                self.visible.extend(evaluator.batch);
                None
            }
            (Some(evaluator), What::Go { .. }) => self.go(who, evaluator),
        };
        self.evaluators[who] = next;
    }

    fn take(&mut self, who: usize, place: usize, size: usize, copy: bool) -> Option<Evaluator> {
        let mut batch = Vec::new();
        while batch.len() < size && !self.visible.is_empty() {
            batch.push(self.visible.remove(place.min(self.visible.len() - 1)));
        }
        self.visible.extend(batch.first().filter(|_| copy));
        batch.sort_by_key(|place| sort_key(&self.messages[*place]));
        if batch.is_empty() {
            return None;
        }
        let words = batch.iter().map(|place| word(&self.messages[*place])).collect::<Vec<_>>().join(" ");
        self.log(who, &format!("takes {words}{}", if copy { ", of which a copy stays" } else { "" }));
        Some(Evaluator { batch, taken: 0, to_carry_out: Vec::new(), effects: Vec::new(), phase: Phase::Read })
    }

    fn go(&mut self, who: usize, mut evaluator: Evaluator) -> Option<Evaluator> {
        evaluator.phase = match evaluator.phase.clone() {
            Phase::Read => {
                self.log(who, &format!("reads {}", shown(self.item.as_ref())));
                Phase::Fold(self.item.clone())
            }
            Phase::Fold(read) => {
                let folded = self.fold(&evaluator, read.clone());
                if self.without != Without::Eviction {
                    self.carried_out.extend(folded.evicted.iter().map(name));
                }
                Phase::Write(read, Box::new(folded))
            }
            Phase::Write(read, folded) => self.write(who, &mut evaluator, read, *folded),
            Phase::CarryOut => {
                self.log(who, &format!("carries out {}", evaluator.to_carry_out.len()));
                self.carried_out.extend(evaluator.to_carry_out.iter().map(name));
                Phase::Delete
            }
            Phase::Delete => {
                for (place, effect) in evaluator.batch.iter().zip(&evaluator.effects) {
                    self.recorded.entry(*place).or_insert(*effect);
                }
                return None;
            }
        };
        Some(evaluator)
    }

    /// Runs the real fold without the ingredient that is left out.
    fn fold(&self, evaluator: &Evaluator, mut read: Option<AlertState>) -> Folded {
        if let Some(state) = read.as_mut().filter(|_| self.without == Without::Watermark) {
            state.watermark = stamp(0);
        }
        let mut folded = fold(read.as_ref(), &self.rest(evaluator));
        match self.without {
            Without::Tombstone if folded.transitions.is_empty() => {
                let orphan = |(effect, _): &(Effect, _)| matches!(effect, Effect::NothingOpen | Effect::Superseded);
                folded.state = folded.state.filter(|_| !folded.effects.iter().all(orphan));
            }
            Without::Ring => {
                if let Some(state) = &mut folded.state {
                    state.ring.clear();
                }
            }
            Without::Republish => folded.again.clear(),
            Without::RepublishOfOvertaken => {
                let newest = read.map(|state| state.watermark);
                folded.again.retain(|(_, transition)| Some(transition.stamp) == newest);
            }
            Without::Marks => {
                if let Some(state) = &mut folded.state {
                    state.applied = AppliedMessages::default();
                }
            }
            Without::Nothing | Without::Tombstone | Without::Watermark | Without::Version | Without::Eviction => {}
        }
        folded
    }

    fn rest(&self, evaluator: &Evaluator) -> Vec<AlertEvent> {
        evaluator.batch[evaluator.taken..].iter().map(|place| self.messages[*place].clone()).collect()
    }

    fn write(&mut self, who: usize, evaluator: &mut Evaluator, read: Option<AlertState>, folded: Folded) -> Phase {
        let version = |state: Option<&AlertState>| state.map(|state| state.version);
        if let Some(state) = &folded.state {
            if version(self.item.as_ref()) != version(read.as_ref()) && self.without != Without::Version {
                self.log(who, "finds that the other has written");
                return Phase::Fold(self.item.clone());
            }
            self.log(who, &format!("writes {}", shown(Some(state))));
            self.item = Some(state.clone());
            let counts = folded.transitions.iter().map(|(_, transition)| (transition.episode, transition.count));
            self.counts.extend(counts.chain(state.episode.map(|episode| (episode, state.count))));
        }
        self.committed.extend(folded.transitions.iter().map(|(_, transition)| name(transition)));
        let all = folded.transitions.iter().chain(&folded.again);
        evaluator.to_carry_out.extend(all.map(|(_, transition)| *transition));
        evaluator.taken += folded.taken();
        evaluator.effects.extend(folded.effects.iter().map(|(effect, _)| *effect));
        if evaluator.taken == evaluator.batch.len() { Phase::CarryOut } else { Phase::Read }
    }

    /// Describes how the promise is violated after all messages are processed. `None`: it holds.
    fn broken(&self, promise: Promise) -> Option<String> {
        let newest = self.messages.last().expect("a case has a message");
        let state = self.item.as_ref();
        match promise {
            Promise::TheNewestDecides => {
                let expected = if newest.kind == EventKind::Trigger { Status::Open } else { Status::Closed };
                let status = state.map_or(Status::Closed, |state| state.status);
                (status != expected)
                    .then(|| format!("it rests as {}, and the newest is {}", shown(state), word(newest)))
            }
            Promise::TheNewestIsShown => {
                let texts = state.and_then(|state| self.messages.iter().find(|event| state.is_newest_trigger(event)));
                let content = texts.map(AlertEvent::content_hash).unwrap_or_default();
                let is_newest = newest.kind == EventKind::Close || texts == Some(newest);
                (!is_newest || state.is_none_or(|state| state.content != content))
                    .then(|| format!("it rests as {}, and the newest is {}", shown(state), word(newest)))
            }
            Promise::CountedAtMostOnce => {
                let triggers = self.messages.iter().filter(|event| event.kind == EventKind::Trigger).count();
                let counted: u64 = self.counts.values().sum();
                (counted > triggers as u64).then(|| format!("{triggers} messages count as {counted}"))
            }
            Promise::CommittedIsCarriedOut => (self.committed != self.carried_out)
                .then(|| format!("committed {:?}, carried out {:?}", self.committed, self.carried_out)),
            Promise::CountedIsRecorded => {
                let counted: u64 = self.counts.values().sum();
                let counts = |effect: &&Effect| matches!(effect, Effect::Triggered | Effect::Updated);
                let recorded = self.recorded.values().filter(counts).count() as u64;
                (counted != recorded).then(|| format!("{counted} are counted and {recorded} recorded as counted"))
            }
        }
    }

    fn log(&mut self, who: usize, what: &str) {
        self.history.push(format!("{} {what}", ["one", "the other"][who]));
    }
}

/// An event as text: `T1`, `C2` and `R3` are a warning, a critical and a recovery.
fn word(event: &AlertEvent) -> String {
    let letter = match (event.kind, event.severity) {
        (EventKind::Close, _) => 'R',
        (EventKind::Trigger, Severity::Critical) => 'C',
        (EventKind::Trigger, _) => 'T',
    };
    format!("{letter}{}", event.stamp.received_at().millis())
}

fn shown(state: Option<&AlertState>) -> String {
    state.map_or_else(
        || "nothing".to_owned(),
        |state| format!("{} as of {}", state.status.as_str(), state.watermark.received_at().millis()),
    )
}

prop_compose! {
    fn case()(
        kinds in vec((prop_oneof![Just(EventKind::Close), Just(EventKind::Trigger)], any::<bool>()), 1..14),
        steps in vec(step(), 0..80),
    ) -> Case {
        let severity = |critical| if critical { Severity::Critical } else { Severity::Warning };
        let messages = (1..).zip(kinds).map(|(n, (kind, critical))| event(n, kind, severity(critical)));
        Case { messages: messages.collect(), steps }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let go = (0..14_usize, 1..10_usize, prop::bool::weighted(0.1));
    let go = go.prop_map(|(place, size, copy)| What::Go { place, size, copy });
    (0..2_usize, prop_oneof![12 => go, 1 => Just(What::Crash)]).prop_map(|(who, what)| Step { who, what })
}

/// The smallest case found in which one of the promises does not hold. The search is deterministic.
fn counter_example(without: Without, promises: &[Promise]) -> Option<Case> {
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 200_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let broken = |case: &Case| {
        let world = World::play(case, without);
        promises.iter().find_map(|promise| world.broken(*promise))
    };
    let found = runner.run(&case(), |case| match broken(&case) {
        Some(broken) => Err(TestCaseError::fail(broken)),
        None => Ok(()),
    });
    match found {
        Ok(()) => None,
        Err(TestError::Fail(_, case)) => Some(smallest(case, |case| broken(case).is_some())),
        Err(TestError::Abort(reason)) => panic!("the search was given up: {reason}"),
    }
}

/// Removes messages and steps as long as the promise stays violated. The messages that a step takes depend on the
/// earlier steps and on the number of messages, so proptest's own shrinking stops early.
fn smallest(mut case: Case, breaks: impl Fn(&Case) -> bool) -> Case {
    loop {
        let without_message = |place, shift| {
            let mut smaller = case.clone();
            smaller.messages.remove(place);
            for step in &mut smaller.steps {
                if let What::Go { place, .. } = &mut step.what {
                    *place = place.saturating_sub(shift);
                }
            }
            smaller
        };
        let without_step = |place| {
            let mut smaller = case.clone();
            smaller.steps.remove(place);
            smaller
        };
        let fewer_messages = (0..2 * case.messages.len())
            .map(|index| without_message(index / 2, index % 2))
            .filter(|case| !case.messages.is_empty());
        let fewer_steps = (0..case.steps.len()).map(without_step);
        match fewer_messages.chain(fewer_steps).find(&breaks) {
            Some(smaller) => case = smaller,
            None => return case,
        }
    }
}

/// Checks that the promise is violated without the ingredient, in a case with at most this many messages and steps.
fn needs(ingredient: Without, promise: Promise, messages: usize, steps: usize) {
    let Some(case) = counter_example(ingredient, &[promise]) else {
        panic!("{promise:?} holds without {ingredient:?} in {CASES} cases")
    };
    let world = World::play(&case, ingredient);
    let messages_text = case.messages.iter().map(word).collect::<Vec<_>>().join(" ");
    let history = world.history.join("\n  ");
    let broken = world.broken(promise).expect("it is a counter-example");
    let counter_example = format!("{ingredient:?} left out, {messages_text}:\n  {history}\n  {broken}");
    #[expect(clippy::print_stdout, reason = "the counter-example, for who wants to read it")]
    {
        println!("{counter_example}");
    }
    assert!(
        case.messages.len() <= messages && world.history.len() <= steps,
        "there is a shorter one: {counter_example}"
    );
    assert_eq!(World::play(&case, Without::Nothing).broken(promise), None, "the whole protocol survives it");
}

#[test]
fn the_whole_protocol_has_no_counter_example_among_the_cases_that_show_what_each_ingredient_prevents() {
    let found = counter_example(Without::Nothing, &PROMISES);
    let history = found.as_ref().map(|case| World::play(case, Without::Nothing).history);
    assert!(found.is_none(), "{history:#?}");
}

#[test]
fn without_the_watermark_an_older_message_decides_and_a_copy_counts_twice() {
    needs(Without::Watermark, Promise::TheNewestDecides, 2, 14);
    needs(Without::Watermark, Promise::CountedAtMostOnce, 1, 10);
}

#[test]
fn without_the_tombstone_a_trigger_overtaken_by_its_recovery_opens() {
    needs(Without::Tombstone, Promise::TheNewestDecides, 2, 10);
}

#[test]
fn without_the_ring_a_crash_between_write_and_carrying_out_loses_a_transition() {
    needs(Without::Ring, Promise::CommittedIsCarriedOut, 1, 10);
}

#[test]
fn without_the_version_an_evaluator_overwrites_what_the_other_has_written() {
    needs(Without::Version, Promise::TheNewestDecides, 3, 14);
}

#[test]
fn without_republishing_a_crash_between_write_and_carrying_out_loses_a_transition() {
    needs(Without::Republish, Promise::CommittedIsCarriedOut, 1, 10);
}

#[test]
fn without_republishing_what_was_overtaken_a_newer_message_hides_a_transition_that_nobody_carried_out() {
    needs(Without::RepublishOfOvertaken, Promise::CommittedIsCarriedOut, 2, 14);
}

#[test]
fn without_carrying_out_what_leaves_the_ring_seven_transitions_hide_the_first() {
    needs(Without::Eviction, Promise::CommittedIsCarriedOut, 7, 32);
}

// Proves: finding C9
#[test]
fn without_the_marks_a_crash_between_write_and_record_makes_an_update_superseded() {
    needs(Without::Marks, Promise::CountedIsRecorded, 3, 16);
}

proptest! {
    #![proptest_config(Config { cases: 2_000, ..Config::default() })]

    /// Tests different cases on every run.
    // Proves: newest-decides, finding C7
    #[test]
    fn at_rest_the_newest_message_decides_each_counts_at_most_once_and_no_committed_transition_is_lost(case in case()) {
        let world = World::play(&case, Without::Nothing);
        for promise in PROMISES {
            prop_assert_eq!(world.broken(promise), None, "{:#?}", world.history);
        }
    }
}
