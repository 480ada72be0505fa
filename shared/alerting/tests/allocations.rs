//! Tests the allocations for one message: they depend only on its own text, not on the number of rules.

#[path = "../benches/support/mod.rs"]
#[expect(dead_code, unreachable_pub, reason = "the benchmarks use the rest, and tests/speed makes a crate of it")]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{ASCII, CHINESE, evaluate, message, policy, record, stamp};

/// The system's allocator, which also counts the allocations of this thread.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static GROWN: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls are passed to the system's allocator, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller upholds the same contract that `System` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        GROWN.set(GROWN.get() + 1);
        // SAFETY: the caller upholds the same contract that `System` requires.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the same contract that `System` requires.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of allocations, and how often one of them grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    asked: usize,
    grown: usize,
}

fn taken<T>(work: impl FnOnce() -> T) -> Taken {
    let before = Taken { asked: ASKED.get(), grown: GROWN.get() };
    let done = work();
    let taken = Taken { asked: ASKED.get() - before.asked, grown: GROWN.get() - before.grown };
    drop(done);
    taken
}

/// Measures decoding a message that no rule matches, and deciding about it.
fn by_unmatched(rules: usize, filler: &str) -> Taken {
    let (policy, record) = (policy(rules), record(message(filler, "")));
    assert!(evaluate(&policy, &record).is_none(), "nothing matches");
    taken(|| evaluate(&policy, &record))
}

#[test]
fn a_message_that_nothing_matches_takes_at_most_twelve_allocations_with_its_decoding() {
    for filler in [ASCII, CHINESE] {
        let taken = by_unmatched(100, filler);
        assert!(taken.asked <= 12, "{taken:?} for {filler}");
        // The decoder has one buffer for all texts with escapes, which grows by doubling.
        assert!(taken.grown <= 8, "{taken:?} for {filler}");
    }
}

#[test]
fn a_rule_takes_no_allocation() {
    for filler in [ASCII, CHINESE] {
        let taken = [1, 10, 100, 10_000].map(|rules| by_unmatched(rules, filler));
        assert!(taken.iter().all(|each| *each == taken[0]), "{taken:?} for {filler}");
    }
}

#[test]
fn judging_a_message_that_nothing_matches_takes_one_allocation() {
    let (policy, message) = (policy(100), message(ASCII, ""));
    policy.judge(&message, stamp());
    assert_eq!(taken(|| policy.judge(&message, stamp())), Taken { asked: 1, grown: 0 });
}
