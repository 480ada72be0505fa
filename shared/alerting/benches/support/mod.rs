//! The inputs of the measurements: 1 KB messages against many ordinary rules, and against the slowest accepted ones.

use alerting::base::ids::Stamp;
use alerting::base::moment::Moment;
use alerting::incident::alert::{AlertEvent, Folded, fold};
use alerting::rules::filter::{Condition, Filter, Group, Op};
use alerting::rules::integration::{
    IntakeLimits, Integration, KeyExtractor, KeyField, PushMode, Routing, Security, Source, TitleFrom, Unmatched,
};
use alerting::rules::message::{Acceptance, Message, MsgType, Origin, RawBody, Received};
use alerting::rules::policy::{Decision, Policy};

pub const BYTES: usize = 1024;
pub const ASCII: &str = "usage of /data on db-1 is above ninety percent, ";
pub const CHINESE: &str = "数据库主机的磁盘使用率超过百分之九十，请尽快处理。";

pub fn rule(pattern: String) -> Filter {
    let condition = Condition { field: "content".to_owned(), op: Op::Match, values: vec![pattern] };
    Filter { any: vec![Group { all: vec![condition] }] }
}

pub fn integration(patterns: impl Iterator<Item = String>) -> Integration {
    Integration {
        id: "int_bench".parse().expect("valid"),
        name: "bench".to_owned(),
        version: 1,
        source: Source::Feishu,
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
    }
}

/// Ordinary rules, one per service. Every second rule has Unicode word boundaries.
pub fn policy(rules: usize) -> Policy {
    let patterns = (0..rules).map(|n| match n % 2 {
        0 => format!(r"/\bservice-{n:05}\b.*(down|failed)/"),
        _ => format!(r"/服务-{n:05}\s+(不可用|超时)/i"),
    });
    Policy::lenient(&integration(patterns), &[])
}

/// The text that only the last of `rules` rules matches, in the language of the filler.
pub fn last_match(rules: usize, filler: &str) -> String {
    if filler.is_ascii() {
        format!(" service-{:05} failed host=db-1", rules - 2)
    } else {
        format!(" 服务-{:05} 超时 host=db-1", rules - 1)
    }
}

pub fn message(filler: &str, end: &str) -> Message {
    let content = format!("{}{end}", filler.repeat((BYTES - end.len()) / filler.len()));
    Message { msg_type: MsgType::Text, title: "Feishu Alert".to_owned(), content, labels: Default::default() }
}

/// A record of the queue as intake writes it, which also contains the body as received.
pub fn record(message: Message) -> String {
    let body = format!(r#"{{"msg_type":"text","content":{{"text":"{}"}}}}"#, message.content);
    let received = Received {
        stamp: stamp(),
        integration: "int_bench".parse().expect("valid"),
        origin: Origin { process: "bench".to_owned(), count: 1, queued: None },
        acceptance: Acceptance::Accepted(message),
        body: RawBody::Text(body),
        replay_of: None,
        times: 1,
    };
    serde_json::to_string(&received).expect("a message is JSON")
}

pub fn stamp() -> Stamp {
    Stamp::from_parts(Moment::from_secs(1_767_607_200), 1)
}

/// The work of evaluate on one record before the first request to the table: decode, rules, key, fold.
pub fn evaluate(policy: &Policy, record: &str) -> Option<Folded> {
    let received: Received = serde_json::from_str(record).expect("a record");
    let Acceptance::Accepted(message) = &received.acceptance else { return None };
    match policy.judge(message, received.stamp).decision {
        Decision::Event(event) => Some(fold(None, &[event] as &[AlertEvent])),
        Decision::Discard(_) => None,
    }
}

/// Patterns that are slow on purpose: they contain no literal, and their automaton outgrows its cache.
pub fn slow_policy() -> Policy {
    let patterns = (0..98).map(|n| format!("/[ab]*a[ab]{{{}}}!/", 295 + n));
    Policy::lenient(&integration(patterns), &[])
}

/// A text of 64 KiB in which none of the patterns of [`slow_policy`] matches.
pub fn slow_message() -> Message {
    let bit = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 63;
    let content = (0..64 * 1024).map(|n| if bit(n) == 0 { 'a' } else { 'b' }).collect();
    Message { msg_type: MsgType::Text, title: "slow".to_owned(), content, labels: Default::default() }
}

/// Patterns that are refused, each for a different reason. None of the reasons is obvious from the text alone.
pub const REFUSED: [&str; 5] = [
    r"/(?:\pL\w){200}/",
    "/((([ab]{9}){9}){9}){9}/",
    r"/(?i)[\x00-\x{10FFFF}]{20}/",
    r"/(\w{40}|\d{40}){40}/",
    "/host=(/",
];
