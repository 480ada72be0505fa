//! The cost of one 1 KB message against many rules, in time and allocations: `cargo bench -p alerting --bench rules`.
//!
//! Absolute times depend on the machine: compare only the ratios within one run. `tests/speed` checks the promised
//! limits.

#[expect(dead_code, unreachable_pub, reason = "tests/speed makes a crate of it, and uses the rest")]
mod support;

use alerting::rules::policy::Policy;
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};

use crate::support::{ASCII, CHINESE, evaluate, last_match, message, policy, record, slow_message, slow_policy, stamp};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const RULES: [usize; 2] = [100, 10_000];

fn main() {
    divan::main();
}

fn judge(bencher: Bencher<'_, '_>, rules: usize, filler: &str, end: &str) {
    let policy = policy(rules);
    let message = message(filler, end);
    // The first message compiles the patterns that the rules need.
    policy.judge(&message, stamp());
    bencher
        .counter(BytesCount::of_str(&message.content))
        .counter(ItemsCount::new(1_usize))
        .bench(|| policy.judge(divan::black_box(&message), stamp()));
}

#[divan::bench(args = RULES)]
fn nothing_matches_ascii(bencher: Bencher<'_, '_>, rules: usize) {
    judge(bencher, rules, ASCII, "");
}

#[divan::bench(args = RULES)]
fn nothing_matches_chinese(bencher: Bencher<'_, '_>, rules: usize) {
    judge(bencher, rules, CHINESE, "");
}

#[divan::bench(args = RULES)]
fn the_last_rule_matches_ascii(bencher: Bencher<'_, '_>, rules: usize) {
    judge(bencher, rules, ASCII, &last_match(rules, ASCII));
}

#[divan::bench(args = RULES)]
fn the_last_rule_matches_chinese(bencher: Bencher<'_, '_>, rules: usize) {
    judge(bencher, rules, CHINESE, &last_match(rules, CHINESE));
}

/// Measures decode, rules, key and fold: the work per message before the first request to the table.
#[divan::bench(args = [ASCII, CHINESE])]
fn evaluate_against_100_rules(bencher: Bencher<'_, '_>, filler: &str) {
    let (policy, record) = (policy(100), record(message(filler, &last_match(100, filler))));
    assert!(evaluate(&policy, &record).is_some(), "the last rule takes it");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| evaluate(&policy, divan::black_box(&record)));
}

#[divan::bench]
fn a_hundred_slow_rules_on_64_kib(bencher: Bencher<'_, '_>) {
    let (policy, message): (Policy, _) = (slow_policy(), slow_message());
    bencher.bench(|| policy.judge(divan::black_box(&message), stamp()));
}

#[divan::bench]
fn a_policy_of_100_rules_is_made_ready(bencher: Bencher<'_, '_>) {
    bencher.bench(|| policy(100));
}
