//! What an operator types, and what a sender says: a line of the input per rule, then the message.
//!
//! ```text
//! trigger content /disk/
//! key title (\S+)
//! set_title {{ labels.host|upper }}
//! --
//! the title
//! --
//! the content
//! ```
//!
//! Nothing that may be saved, and nothing that was ever stored, panics or outgrows its limits on any text; a decision is the
//! same each time, and the trace is of the decision.

#![no_main]

use alerting::rules::compiled::COMPILED_BYTES;
use alerting::rules::filter::{Condition, Filter, Group, Op};
use alerting::base::ids::Stamp;
use alerting::rules::integration::{
    Action, AddLabel, Integration, KeyExtractor, KeyField, PushMode, Route, Routing, SeveritySource, Step, Then,
    Unmatched,
};
use alerting::base::limits;
use alerting::rules::message::{Message, MsgType};
use alerting::rules::policy::{Decision, Policy};
use fuzz::{NOW, integration, sections};
use libfuzzer_sys::fuzz_target;

/// Rules of one input: more take longer and find nothing else.
const RULES: usize = 12;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let parts = sections(&text);
    let part = |n: usize| parts.get(n).copied().unwrap_or("disk full");
    let integration = read(part(0));
    let labels = [("host".to_owned(), part(1).to_owned()), ("region".to_owned(), "cn".to_owned())];
    let message = Message {
        msg_type: MsgType::Text,
        // The intake gives every message one.
        title: part(1).lines().next().filter(|line| !line.is_empty()).unwrap_or("Feishu Alert").to_owned(),
        content: part(2).to_owned(),
        labels: labels.into(),
    };
    let policies = [Policy::new(&integration, &[]).ok(), Some(Policy::lenient(&integration, &[]))];
    for policy in policies.iter().flatten() {
        let stamp = Stamp::from_parts(NOW, 1);
        let judgement = policy.judge(&message, stamp);
        assert_eq!(judgement, policy.trace(&message, stamp).0);
        let most = COMPILED_BYTES + limits::PATTERN_COMPILED_BYTES;
        assert!(policy.compiled_bytes() <= most, "{} bytes compiled", policy.compiled_bytes());
        if let Decision::Event(event) = judgement.decision {
            assert!(event.title.chars().count() <= limits::TITLE_CHARS);
            assert!(event.description.len() <= limits::DESCRIPTION_BYTES);
            assert!(event.labels.len() <= limits::LABELS);
            for (name, value) in &event.labels {
                assert!(name.chars().count() <= limits::LABEL_NAME_CHARS);
                assert!(value.chars().count() <= limits::LABEL_VALUE_CHARS, "{} characters", value.chars().count());
            }
            if let alerting::incident::alert::AlertKey::Named(key) = event.key {
                assert!((1..=limits::ALERT_KEY_CHARS).contains(&key.chars().count()), "{key:?}");
            }
        }
    }
});

/// Lines that say nothing are left out.
fn read(text: &str) -> Integration {
    let (mut trigger, mut close, mut key, mut pipeline, mut routes) = (vec![], vec![], vec![], vec![], vec![]);
    for line in text.lines().take(RULES) {
        let mut words = line.splitn(3, ' ');
        let (verb, field, rest) = (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let step = |action| Step { when: None, action };
        let typed = line.split_once(' ').map_or("", |(_, typed)| typed);
        match verb.unwrap_or_default() {
            "trigger" => trigger.push(filter(field, rest)),
            "close" => close.push(filter(field, rest)),
            "key" => key.push(KeyExtractor {
                field: if field == "title" { KeyField::Title } else { KeyField::Content },
                pattern: rest.to_owned(),
            }),
            "set_title" => pipeline.push(step(Action::SetTitle(typed.to_owned()))),
            "set_description" => pipeline.push(step(Action::SetDescription(typed.to_owned()))),
            "set_severity" => pipeline.push(step(Action::SetSeverity(SeveritySource::Template(typed.to_owned())))),
            "compose" => pipeline
                .push(step(Action::AddLabel(AddLabel::Compose { name: field.to_owned(), value: rest.to_owned() }))),
            "extract" => pipeline.push(step(Action::AddLabel(AddLabel::Extract {
                name: "found".to_owned(),
                from: field.to_owned(),
                pattern: rest.to_owned(),
            }))),
            "delete" => pipeline.push(step(Action::DeleteLabel(typed.to_owned()))),
            "drop" => pipeline.push(Step { when: Some(filter(field, rest)), action: Action::Drop(true) }),
            "route" => routes.push(Route {
                filter: filter(field, rest),
                spaces: vec!["spc_4fJk2LmNpQ".parse().expect("valid")],
                then: Then::Stop,
            }),
            _ => {}
        }
    }
    let unmatched = Unmatched::Trigger;
    let push_mode = if trigger.is_empty() && close.is_empty() {
        PushMode::ByTitle
    } else {
        PushMode::ByRules { trigger, close, key, unmatched }
    };
    let default_spaces = vec!["spc_4fJk2LmNpQ".parse().expect("valid")];
    let routing = if routes.is_empty() { integration().routing } else { Routing::Shared { routes, default_spaces } };
    Integration { push_mode, pipeline, routing, ..integration() }
}

/// `field value | value`; with `!` in front of the field, none of them.
fn filter(field: &str, values: &str) -> Filter {
    let (op, field) = field.strip_prefix('!').map_or((Op::Match, field), |field| (Op::NotMatch, field));
    let values = values.split(" | ").map(str::to_owned).collect();
    Filter { any: vec![Group { all: vec![Condition { field: field.to_owned(), op, values }] }] }
}
