//! What one message of 1 KB costs against many rules: `cargo bench -p alerting`.
//!
//! To reach (the design): ten thousand rules at most 1.5 times of a hundred; Chinese at most 1.5 times of ASCII
//! with the message's decoding (the scan for literals alone takes 1.3 µs where ASCII lets it skip, else 2.1); no
//! allocation per rule; any accepted rule set on 64 KiB at most 50 ms. Compare the ratios within one run; absolute times
//! belong to the machine.

use alerting::filter::{Condition, Filter, Group, Op};
use alerting::ids::Stamp;
use alerting::integration::{
    IntakeLimits, Integration, KeyExtractor, KeyField, PushMode, Routing, Security, TitleFrom, Unmatched,
};
use alerting::message::{Message, MsgType};
use alerting::moment::Moment;
use alerting::policy::Policy;
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const BYTES: usize = 1024;
const RULES: [usize; 2] = [100, 10_000];

fn main() {
    divan::main();
}

fn rule(pattern: String) -> Filter {
    let condition = Condition { field: "content".to_owned(), op: Op::Match, values: vec![pattern] };
    Filter { any: vec![Group { all: vec![condition] }] }
}

/// Rules as people write them, each about a service of its own, every other with Unicode word boundaries.
fn policy(rules: usize) -> Policy {
    policy_of((0..rules).map(|n| match n % 2 {
        0 => format!(r"/\bservice-{n:05}\b.*(down|failed)/"),
        _ => format!(r"/服务-{n:05}\s+(不可用|超时)/i"),
    }))
}

fn policy_of(patterns: impl Iterator<Item = String>) -> Policy {
    let integration = Integration {
        id: "int_bench".parse().expect("valid"),
        name: "bench".to_owned(),
        version: 1,
        routing: Routing::Dedicated { space: "spc_bench".parse().expect("valid") },
        message_types: vec![MsgType::Text],
        title_from: TitleFrom::Default,
        push_mode: PushMode::ByRules {
            trigger: patterns.map(rule).collect(),
            close: vec![rule("/RESOLVED|已恢复/".to_owned())],
            key: vec![KeyExtractor { field: KeyField::Content, pattern: r"/host=(\S+)/".to_owned() }],
            unmatched: Unmatched::Discard,
        },
        security: Security::default(),
        pipeline: Vec::new(),
        limits: IntakeLimits::default(),
        auto_close_hours: 24,
        created_at: Moment::default(),
    };
    Policy::lenient(&integration, &[])
}

fn message(filler: &str, end: &str) -> Message {
    let content = format!("{}{end}", filler.repeat((BYTES - end.len()) / filler.len()));
    Message { msg_type: MsgType::Text, title: "Feishu Alert".to_owned(), content, labels: Default::default() }
}

fn judge(bencher: Bencher<'_, '_>, rules: usize, filler: &str, end: &str) {
    let policy = policy(rules);
    let message = message(filler, end);
    let stamp = Stamp::from_parts(Moment::default(), 1);
    // The first message compiles what it needs.
    policy.judge(&message, stamp);
    bencher
        .counter(BytesCount::of_str(&message.content))
        .counter(ItemsCount::new(1_usize))
        .bench(|| policy.judge(divan::black_box(&message), stamp));
}

const ASCII: &str = "usage of /data on db-1 is above ninety percent, ";
const CHINESE: &str = "数据库主机的磁盘使用率超过百分之九十，请尽快处理。";

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
    judge(bencher, rules, ASCII, &format!(" service-{:05} failed host=db-1", rules - 2));
}

#[divan::bench(args = RULES)]
fn the_last_rule_matches_chinese(bencher: Bencher<'_, '_>, rules: usize) {
    judge(bencher, rules, CHINESE, &format!(" 服务-{:05} 超时 host=db-1", rules - 1));
}

/// Patterns made to be slow: no literal, and an automaton that outgrows its cache.
#[divan::bench]
fn a_hundred_slow_rules_on_64_kib(bencher: Bencher<'_, '_>) {
    let policy = policy_of((0..98).map(|n| format!("/[ab]*a[ab]{{{}}}!/", 295 + n)));
    let bit = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 63;
    let content = (0..64 * 1024).map(|n| if bit(n) == 0 { 'a' } else { 'b' }).collect();
    let message = Message { msg_type: MsgType::Text, title: "slow".to_owned(), content, labels: Default::default() };
    let stamp = Stamp::from_parts(Moment::default(), 1);
    bencher.bench(|| policy.judge(divan::black_box(&message), stamp));
}

#[divan::bench]
fn a_policy_of_100_rules_is_made_ready(bencher: Bencher<'_, '_>) {
    bencher.bench(|| policy(100));
}
