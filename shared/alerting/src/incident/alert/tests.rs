use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::ids::Stamp;
use crate::base::moment::Moment;
use crate::base::severity::Severity;

mod details;
mod races;

fn stamp(n: u64) -> Stamp {
    Stamp::from_parts(Moment::from_millis(i64::try_from(n).expect("small")), 0)
}

fn event(n: u64, kind: EventKind, severity: Severity) -> AlertEvent {
    AlertEvent {
        stamp: stamp(n),
        kind,
        key: AlertKey::Named("disk".to_owned()),
        title: format!("title {n}"),
        description: format!("text {n}"),
        severity,
        labels: BTreeMap::new(),
        spaces: Vec::new(),
    }
}

/// Events from a script: `T1 R2 C3` is a warning, a recovery and a critical, with their stamps.
fn events(script: &str) -> Vec<AlertEvent> {
    script
        .split_whitespace()
        .map(|word| {
            let n = word[1..].parse().expect("a number");
            match &word[..1] {
                "T" => event(n, EventKind::Trigger, Severity::Warning),
                "C" => event(n, EventKind::Trigger, Severity::Critical),
                "R" => event(n, EventKind::Close, Severity::Warning),
                other => panic!("unknown kind {other}"),
            }
        })
        .collect()
}

/// Folds each batch (separated by `|`) into the state after the previous one. Returns all effects and all transitions.
fn run(script: &str) -> (Option<AlertState>, Vec<Effect>, Vec<(TransitionKind, u64)>) {
    let mut state = None;
    let mut effects = Vec::new();
    let mut transitions = Vec::new();
    for batch in script.split('|') {
        let mut rest = events(batch);
        rest.sort_by_key(sort_key);
        while !rest.is_empty() {
            let folded = fold(state.as_ref(), &rest);
            assert!(folded.taken() > 0, "a round takes at least one message");
            transitions.extend(folded.transitions.iter().map(|(_, t)| (t.kind, t.n)));
            effects.extend(folded.effects.iter().map(|(effect, _)| *effect));
            rest.drain(..folded.taken());
            state = folded.state.or(state);
        }
    }
    (state, effects, transitions)
}

fn check(script: &str, expected: &[Effect]) {
    assert_eq!(run(script).1, expected, "{script}");
}

#[test]
fn a_trigger_on_a_key_that_is_open_updates_that_alert() {
    check("T1 | T2", &[Effect::Triggered, Effect::Updated]);
}

#[test]
fn a_close_on_an_open_key_closes_it() {
    check("T1 | R2", &[Effect::Triggered, Effect::Recovered]);
}

#[test]
fn a_close_with_nothing_open_changes_nothing_and_is_recorded() {
    check("R1", &[Effect::NothingOpen]);
    check("T1 | R2 | R3", &[Effect::Triggered, Effect::Recovered, Effect::NothingOpen]);
}

#[test]
fn a_closed_alert_stays_closed_the_next_trigger_on_its_key_opens_a_new_alert() {
    let (state, effects, _) = run("T1 | R2 | T3");
    assert_eq!(effects, [Effect::Triggered, Effect::Recovered, Effect::Triggered]);
    assert_eq!(state.expect("written").episode, Some(stamp(3)));
}

#[test]
fn a_recovery_before_its_trigger_leaves_the_alert_closed_and_the_trigger_superseded() {
    let (state, effects, transitions) = run("R2 | T1");
    assert_eq!(effects, [Effect::NothingOpen, Effect::Superseded]);
    assert_eq!(state.expect("the tombstone").status, Status::Closed);
    assert!(transitions.is_empty());
}

#[test]
fn t_r_t_delivered_as_t3_t1_r2_is_one_open_alert() {
    let (state, effects, transitions) = run("T3 | T1 | R2");
    assert_eq!(effects, [Effect::Triggered, Effect::Superseded, Effect::Superseded]);
    assert_eq!(state.expect("written").status, Status::Open);
    assert_eq!(transitions, [(TransitionKind::Open, 1)]);
}

#[test]
fn the_same_message_twice_counts_once_in_one_batch_and_in_two() {
    for script in ["T1 T1", "T1 | T1"] {
        let (state, effects, transitions) = run(script);
        assert_eq!(effects, [Effect::Triggered, Effect::Triggered]);
        assert_eq!(state.expect("written").count, 1);
        assert_eq!(transitions.len(), 1);
    }
}

#[test]
fn of_two_events_with_equal_stamps_the_trigger_is_applied_last_and_the_alert_stays_open() {
    let mut batch = [event(1, EventKind::Trigger, Severity::Warning), event(1, EventKind::Close, Severity::Warning)];
    batch.sort_by_key(sort_key);
    assert_eq!(batch[1].kind, EventKind::Trigger);
}

#[test]
fn a_worse_severity_is_a_transition_of_its_own_and_the_same_again_is_not() {
    let (_, effects, transitions) = run("T1 | C2 | C3 | T4");
    assert_eq!(effects, [Effect::Triggered, Effect::Updated, Effect::Updated, Effect::Updated]);
    assert_eq!(transitions, [(TransitionKind::Open, 1), (TransitionKind::Raise, 2)]);
}

#[test]
fn a_severity_that_was_lower_for_ten_minutes_is_a_transition_when_it_returns() {
    const MINUTE: u64 = 60_000;
    let at = |minutes: &[(u64, Severity)]| {
        let events: Vec<AlertEvent> =
            minutes.iter().map(|(minute, severity)| event(minute * MINUTE, EventKind::Trigger, *severity)).collect();
        let kinds = fold(None, &events).transitions.into_iter().map(|(_, transition)| transition.kind);
        kinds.skip(1).collect::<Vec<_>>()
    };
    let (critical, warning, info) = (Severity::Critical, Severity::Warning, Severity::Info);
    let rows: [(&[(u64, Severity)], usize); 6] = [
        (&[(1, critical), (2, warning), (12, critical)], 1),
        (&[(1, critical), (2, warning), (11, critical)], 0),
        (&[(1, critical), (2, warning), (11, info), (12, critical)], 1),
        (&[(1, critical), (2, warning), (60, warning)], 0),
        (&[(1, critical), (2, info), (60, warning)], 0),
        (&[(1, critical), (2, warning), (3, critical), (4, warning), (13, critical), (14, critical)], 0),
    ];
    for (minutes, raises) in rows {
        assert_eq!(at(minutes), vec![TransitionKind::Raise; raises], "{minutes:?}");
    }
}

#[test]
fn a_redelivered_message_has_its_transition_carried_out_again() {
    let first = fold(None, &events("T1"));
    let state = first.state.expect("written");
    let again = fold(Some(&state), &events("T1"));
    assert_eq!(again.state, None);
    assert_eq!(again.again.iter().map(|(_, t)| *t).collect::<Vec<_>>(), vec![first.transitions[0].1]);
}

// Proves: fault 21
#[test]
fn an_old_transition_is_still_carried_out_after_a_newer_message_moved_the_watermark() {
    let (state, ..) = run("T1 | T2 | T3");
    let again = fold(state.as_ref(), &events("T1"));
    assert_eq!(again.again.len(), 1);
    assert_eq!(again.effects, [(Effect::Triggered, Some(stamp(1)))]);
}

// Proves: fault 22
#[test]
fn eight_flaps_in_one_batch_are_written_in_rounds_and_nothing_leaves_the_ring_uncommitted() {
    let script: Vec<String> = (0..8).flat_map(|i| [format!("T{}", 2 * i + 1), format!("R{}", 2 * i + 2)]).collect();
    let batch = events(&script.join(" "));
    let first = fold(None, &batch);
    assert_eq!((first.taken(), first.transitions.len(), first.evicted.len()), (RING, RING, 0));
    let second = fold(first.state.as_ref(), &batch[first.taken()..]);
    assert_eq!(second.evicted, first.transitions.iter().map(|(_, t)| *t).collect::<Vec<_>>());
    assert_eq!(run(&script.join(" ")).0.expect("written").status, Status::Closed);
}

// Proves: fault 28, fault 89
#[test]
fn hundred_messages_of_one_key_in_one_batch_are_one_write_in_the_right_order() {
    let script: Vec<String> = (1..=100).rev().map(|i| format!("T{i}")).collect();
    let (state, effects, _) = run(&script.join(" "));
    let state = state.expect("written");
    assert_eq!((state.version, state.count, state.watermark), (1, 100, stamp(100)));
    assert_eq!(effects[0], Effect::Triggered);
}

fn scripts() -> impl Strategy<Value = Vec<AlertEvent>> {
    proptest::collection::vec((0..3_u8, 0..3_u8), 1..14).prop_map(|kinds| {
        let severities = [Severity::Info, Severity::Warning, Severity::Critical];
        (1..)
            .zip(kinds)
            .map(|(n, (kind, severity))| {
                let kind = if kind == 0 { EventKind::Close } else { EventKind::Trigger };
                event(n, kind, severities[usize::from(severity)])
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Messages that are delivered once and in order are never superseded, and every message is counted.
    #[test]
    fn in_order_the_fold_is_the_sequential_reference_however_it_is_batched(
        messages in scripts(),
        sizes in proptest::collection::vec(1..5_usize, 14),
    ) {
        let (mut open, mut reference) = (false, Vec::new());
        for event in &messages {
            reference.push(match (event.kind, open) {
                (EventKind::Trigger, false) => Effect::Triggered,
                (EventKind::Trigger, true) => Effect::Updated,
                (EventKind::Close, true) => Effect::Recovered,
                (EventKind::Close, false) => Effect::NothingOpen,
            });
            open = event.kind == EventKind::Trigger;
        }
        let (mut state, mut effects, mut rest) = (None, Vec::new(), messages.as_slice());
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let folded = fold(state.as_ref(), &rest[..(*size).min(rest.len())]);
            effects.extend(folded.effects.iter().map(|(effect, _)| *effect));
            rest = &rest[folded.taken()..];
            state = folded.state.or(state);
        }
        prop_assert_eq!(effects, reference);
    }
}
