//! Tests of merges: what a merge does, and that two separate writes would break its guarantees.

use proptest::prelude::*;

use super::*;
use crate::incident::merge::{Merge, merge};

fn incident(opened: i64) -> Incident {
    let Change::Source(source) = of_alert(opened, 1, SourceKind::Trigger, Severity::Warning) else {
        unreachable!("made so")
    };
    let own = SourceChange { incident: IncidentId::of(&id("spc_a"), stamp(opened)), ..source };
    let made = apply(None, &Change::Source(own), Some(&level(0)), at(10)).expect("a source is never refused");
    let ChangeResult::Changed(incident, _) = made else { panic!("it makes the incident") };
    incident
}

fn closed(incident: &Incident) -> Incident {
    let closed = apply(Some(incident), &person("li", Action::Close), None, at(20)).expect("allowed");
    let ChangeResult::Changed(incident, _) = closed else { panic!("it closes") };
    incident
}

fn merged(source: &Incident, target: &Incident) -> Merge {
    merge(source, target, &someone("li"), "m1", at(30)).expect("allowed").expect("it changes something")
}

#[test]
fn a_merged_incident_is_closed_and_what_its_alerts_do_belongs_to_the_other() {
    let (mut a, b) = (incident(1), incident(5));
    a.severity = Severity::Critical;
    let both = merged(&a, &b);
    let ((a, left), (b, joined)) = (both.source.expect("it leaves"), both.target);
    assert_eq!((a.progress, &a.merged_into), (Progress::Closed, &Some(b.id.clone())));
    assert_eq!((b.alerts.len(), b.severity, b.progress), (2, Severity::Critical, Progress::Triggered));
    assert_eq!((left.kind, joined.kind), (EntryKind::MergedAway, EntryKind::Merged));
    assert_eq!((left.action.as_deref(), joined.action.as_deref()), (Some("m1"), Some("m1")));

    let moved = apply(Some(&a), &source(2, SourceKind::Recover), None, at(99));
    assert_eq!(moved, Ok(ChangeResult::Moved(b.id.clone())));
    let refused = apply(Some(&a), &person("li", Action::Acknowledge), None, at(99));
    assert_eq!(refused, Err(ActionError::Merged(b.id.clone())));
    assert_eq!(merge(&a, &b, &someone("li"), "m2", at(40)), Ok(None), "pressed twice");
}

#[test]
fn a_merge_into_what_is_closed_or_merged_is_refused_and_names_the_other() {
    let (a, b, c) = (incident(1), incident(5), incident(7));
    let tries = |source: &Incident, target: &Incident| merge(source, target, &someone("li"), "m2", at(40)).err();
    assert_eq!(tries(&a, &closed(&b)), Some(ActionError::Closed));
    let Merge { source, target: (b, _) } = merged(&a, &b);
    let (a, _) = source.expect("it leaves");
    assert_eq!(tries(&a, &c), Some(ActionError::Merged(b.id.clone())));
    assert_eq!(tries(&b, &a), Some(ActionError::Merged(b.id.clone())));
    let mut full = c;
    full.alerts = vec![full.alerts[0].clone(); ALERTS];
    assert_eq!(tries(&b, &full), Some(ActionError::TooManyAlerts));
}

#[test]
fn what_an_earlier_version_merged_by_half_is_merged_wholly_by_pressing_again() {
    let (a, b) = (incident(1), incident(5));
    let (half, _) = merged(&a, &b).source.expect("it leaves");
    let Merge { source, target: (b, _) } = merged(&half, &b);
    assert_eq!((source, b.alerts.len()), (None, 2));
}

/// People merge and close three incidents at the same time, each action in two steps: read, then write.
#[derive(Debug, Clone)]
struct Race {
    actions: Vec<Act>,
    /// The order of the steps, as indexes of actions.
    turns: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Merge { from: usize, into: usize },
    Close(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Both incidents are written at once, if neither was changed since it was read.
    Together,
    /// The source is written first, and then the target as it is by then. An earlier version did this.
    Apart,
}

#[derive(Debug)]
enum Step {
    Start,
    Read(Box<(Incident, Incident)>),
    /// The source is written; its alerts are not in the target yet.
    Half(Box<Incident>),
    Done,
}

struct World {
    incidents: Vec<Incident>,
    written: Written,
}

impl World {
    fn play(race: &Race, written: Written) -> Self {
        let mut world = Self { incidents: [1, 5, 7].map(incident).to_vec(), written };
        let mut steps: Vec<Step> = race.actions.iter().map(|_| Step::Start).collect();
        let rest = (0..race.actions.len()).flat_map(|who| std::iter::repeat_n(who, 8));
        let turns = race.turns.iter().copied().filter(|who| *who < race.actions.len());
        for who in turns.chain(rest) {
            let step = std::mem::replace(&mut steps[who], Step::Done);
            steps[who] = world.step(race.actions[who], step);
        }
        world
    }

    fn step(&mut self, act: Act, step: Step) -> Step {
        match (act, step) {
            (Act::Close(which), Step::Start) => {
                let close = person("li", Action::Close);
                if let Ok(ChangeResult::Changed(next, _)) = apply(Some(&self.incidents[which]), &close, None, at(50)) {
                    self.incidents[which] = next;
                }
                Step::Done
            }
            (Act::Merge { from, into }, Step::Start) => {
                Step::Read(Box::new((self.incidents[from].clone(), self.incidents[into].clone())))
            }
            (Act::Merge { from, into }, Step::Read(read)) => self.merge(from, into, &read.0, &read.1),
            (Act::Merge { into, .. }, Step::Half(source)) => {
                // An incident that was closed or merged in the meantime does not receive the alerts.
                if let Ok(Some(Merge { target, .. })) =
                    merge(&source, &self.incidents[into], &someone("li"), "m", at(50))
                {
                    self.incidents[into] = target.0;
                }
                Step::Done
            }
            (_, step) => step,
        }
    }

    fn merge(&mut self, from: usize, into: usize, source: &Incident, target: &Incident) -> Step {
        let is_current = |which: usize, read: &Incident| self.incidents[which].n == read.n;
        let (same_source, same_target) = (is_current(from, source), is_current(into, target));
        if !same_source || (self.written == Written::Together && !same_target) {
            return Step::Start; // read again
        }
        let Ok(Some(Merge { source: Some(left), target: joined })) = merge(source, target, &someone("li"), "m", at(50))
        else {
            return Step::Done;
        };
        self.incidents[from] = left.0.clone();
        match self.written {
            Written::Apart => Step::Half(Box::new(left.0)),
            Written::Together => {
                self.incidents[into] = joined.0;
                Step::Done
            }
        }
    }

    /// Checks, after all actions, that merges form no circle and that every alert is in an incident that is not merged
    /// away.
    fn broken(&self) -> Option<String> {
        for incident in &self.incidents {
            let mut stands = incident;
            for _ in 0..=self.incidents.len() {
                let Some(target) = &stands.merged_into else { break };
                stands = self.incidents.iter().find(|one| one.id == *target).expect("one of them");
            }
            if stands.merged_into.is_some() {
                return Some(format!("{} is in a circle of merges", incident.id));
            }
            let orphan = incident.alerts.iter().find(|linked| stands.linked(&linked.alert).is_none());
            if let Some(orphan) = orphan {
                return Some(format!("{} is in no incident", orphan.alert));
            }
        }
        None
    }
}

fn race() -> impl Strategy<Value = Race> {
    let merge = (0..3_usize, 1..3_usize).prop_map(|(from, step)| Act::Merge { from, into: (from + step) % 3 });
    let act = prop_oneof![3 => merge, 1 => (0..3_usize).prop_map(Act::Close)];
    (prop::collection::vec(act, 1..5), prop::collection::vec(0..4_usize, 0..16))
        .prop_map(|(actions, turns)| Race { actions, turns })
}

// Proves: finding F4
#[test]
fn halves_written_apart_leave_a_circle_or_an_orphan_and_one_write_of_both_does_not() {
    let merge = |from, into| Act::Merge { from, into };
    let races = [
        ("each into the other", vec![merge(0, 1), merge(1, 0)], vec![0, 1, 0, 1]),
        ("three in a circle", vec![merge(0, 1), merge(1, 2), merge(2, 0)], vec![0, 1, 2, 0, 1, 2]),
        ("into one that closes", vec![merge(0, 1), Act::Close(1)], vec![0, 0, 1]),
    ];
    for (name, actions, turns) in races {
        let race = Race { actions, turns };
        assert!(World::play(&race, Written::Apart).broken().is_some(), "{name}");
        assert_eq!(World::play(&race, Written::Together).broken(), None, "{name}");
    }
}

proptest! {
    // Proves: finding F4
    #[test]
    fn after_concurrent_merges_and_closes_every_alert_has_one_incident_that_is_not_merged_away(race in race()) {
        let world = World::play(&race, Written::Together);
        prop_assert_eq!(world.broken(), None);
    }
}

#[test]
fn an_incident_taken_out_of_a_circle_is_open_again_if_one_of_its_alerts_is() {
    let (half, _) = merged(&incident(1), &incident(5)).source.expect("it leaves");
    let stands = half.clone().out_of_circle();
    assert_eq!((stands.progress, stands.closed_at, &stands.merged_into), (Progress::Triggered, None, &None));
    let mut over = half;
    over.alerts.iter_mut().for_each(|linked| linked.is_open = false);
    assert_eq!(over.out_of_circle().progress, Progress::Closed);
}
