//! Instructions of what is promised about rules and patterns, by callgrind; `../../rules.py` holds them.

use std::hint::black_box;

use alerting::rules::message::Message;
use alerting::rules::policy::Policy;
use gungraun::Callgrind;
use gungraun::prelude::*;

use rules::{
    ASCII, CHINESE, REFUSED, evaluate, integration, last_match, message, policy, record, slow_message, slow_policy, stamp,
};

/// Made ready outside of what is counted, and given back so that its end is not counted either.
struct Ready {
    policy: Policy,
    record: String,
}

/// A message that the last of so many rules takes, the rules warm: the first message compiles what it needs.
fn matched(rules: usize, filler: &str) -> Ready {
    let ready = Ready { policy: policy(rules), record: record(message(filler, &last_match(rules, filler))) };
    assert!(evaluate(&ready.policy, &ready.record).is_some(), "the last rule takes it");
    ready
}

// Proves: fault 87, fault 88
#[library_benchmark(setup = matched)]
#[bench::ascii_100(100, ASCII)]
#[bench::ascii_10000(10_000, ASCII)]
#[bench::chinese_100(100, CHINESE)]
#[bench::chinese_10000(10_000, CHINESE)]
fn evaluated(ready: Ready) -> impl Sized {
    let folded = evaluate(black_box(&ready.policy), black_box(&ready.record));
    (black_box(folded), ready)
}

fn slow() -> (Policy, Message) {
    (slow_policy(), slow_message())
}

#[library_benchmark]
#[bench::on_64_kib(slow())]
fn worst(ready: (Policy, Message)) -> impl Sized {
    let judgement = black_box(&ready.0).judge(black_box(&ready.1), stamp());
    (black_box(judgement), ready)
}

fn with_pattern(pattern: &str) -> alerting::rules::integration::Integration {
    integration(std::iter::once(pattern.to_owned()))
}

#[library_benchmark(setup = with_pattern)]
#[bench::letters(REFUSED[0])]
#[bench::nested(REFUSED[1])]
#[bench::folded(REFUSED[2])]
#[bench::either(REFUSED[3])]
#[bench::unclosed(REFUSED[4])]
fn refused(integration: alerting::rules::integration::Integration) -> impl Sized {
    let refusal = Policy::new(black_box(&integration), &[]).expect_err("refused");
    (black_box(refusal), integration)
}

library_benchmark_group!(name = promises, benchmarks = [evaluated, worst, refused]);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = promises
);
