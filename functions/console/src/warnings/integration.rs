//! Finds surprising settings of an integration by applying its policy to sample messages in the layouts of senders. It
//! does not analyse the patterns.
//!
//! A sample names an object and its state (`FIRING`, or a text that the rules match). The state is in the first line,
//! or in a separate line. A sample also contains texts that the key extractors match. Two samples that differ only in
//! the state should have the same key, if one triggers and the other closes. Two samples with different objects should
//! have different keys.

use alerting::base::ids::Stamp;
use alerting::base::moment::Moment;
use alerting::incident::alert::{AlertKey, EventKind};
use alerting::incident::warning::Warning;
use alerting::rules::filter::Filter;
use alerting::rules::integration::{
    Action, Integration, KeyExtractor, PushMode, Route, Routing, Security, Then, TitleFrom,
};
use alerting::rules::message::{Acceptance, Message, MsgType};
use alerting::rules::policy::{Decision, DiscardReason, Policy};
use alerting::rules::sample;
use intake::decide::{Arrival, decide};
use intake::sources::{self, SourceVersion};

/// The objects of the samples; two, to see whether they get different keys.
const OBJECTS: [&str; 2] = ["disk full on db-1", "certificate expires on web-2"];
/// How many states of the trigger rules, and of the close rules, are tried. The others are treated like these.
const STATES: usize = 2;
/// Words for a problem that senders use. They are replaced in the sample that closes.
const PROBLEMS: [&str; 5] = ["FIRING", "PROBLEM", "ALERTING", "TRIGGERED", "告警"];

/// The warnings about an integration as it would be saved. `policy` is its own.
pub(crate) fn of_integration(integration: &Integration, policy: &Policy, now: Moment) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let samples = Samples::new(integration, policy, now);
    warnings.extend(samples.one_key());
    warnings.extend(samples.no_pair());
    warnings.extend(samples.nothing_triggers());
    warnings.extend(drops_everything(integration));
    warnings.extend(unreachable_routes(integration));
    warnings
}

/// An integration to try messages on.
struct Samples<'a> {
    /// The integration without the checks that a sample cannot pass.
    integration: Integration,
    mode: &'a PushMode,
    policy: &'a Policy,
    now: Moment,
    /// The states in the texts that trigger and that close.
    problems: Vec<String>,
    ends: Vec<String>,
}

/// The result for a sample.
enum SampleResult {
    Triggers(String),
    Closes(String),
    Other,
}

impl<'a> Samples<'a> {
    fn new(integration: &'a Integration, policy: &'a Policy, now: Moment) -> Self {
        let (trigger, close): (&[Filter], &[Filter]) = match &integration.push_mode {
            PushMode::ByRules { trigger, close, .. } => (trigger, close),
            PushMode::EachMessage | PushMode::ByTitle => (&[], &[]),
        };
        Self {
            mode: &integration.push_mode,
            policy,
            now,
            problems: states(trigger, PROBLEMS[0]),
            ends: states(close, "RESOLVED"),
            integration: Integration { security: Security::default(), ..integration.clone() },
        }
    }

    /// Warns if all text messages share one key, so that the second problem only updates the alert of the first.
    fn one_key(&self) -> Option<Warning> {
        if !self.integration.message_types.contains(&MsgType::Text) {
            return None;
        }
        let texts = self.problems.iter().flat_map(|problem| (0..OBJECTS.len()).map(move |n| (problem, n)));
        let texts = texts.flat_map(|(problem, n)| self.texts(problem, n));
        let judged: Vec<SampleResult> = texts.map(|text| self.judge(MsgType::Text, &text)).collect();
        let keys: Vec<&String> = judged
            .iter()
            .filter_map(|judged| match judged {
                SampleResult::Triggers(key) => Some(key),
                SampleResult::Closes(_) | SampleResult::Other => None,
            })
            .collect();
        let first = *keys.first()?;
        if keys.len() < OBJECTS.len() || keys.iter().any(|key| *key != first) {
            return None;
        }
        let message = format!(
            "all text messages share the alert key \"{first}\": the second problem only updates the alert of the first, and \
             one recovery closes both"
        );
        let first_line = self.integration.title_from == TitleFrom::FirstLine;
        Some(match self.mode {
            PushMode::ByTitle => Warning::new(
                "title_from",
                message,
                "set title_from to first_line, or take the key from content by rules",
            ),
            _ if first_line => {
                Warning::new("push_mode.key", message, "extract what names the problem, such as its host")
            }
            _ => Warning::new(
                "push_mode.key",
                message,
                "extract the key from content, or set title_from to first_line if the first line names the problem",
            ),
        })
    }

    /// Warns if no text that closes has the key of a text that triggers.
    fn no_pair(&self) -> Option<Warning> {
        let PushMode::ByRules { close, .. } = self.mode else { return None };
        if close.is_empty() {
            return None;
        }
        let never = |kind: &&MsgType| self.pairs(**kind) == Some(false);
        let kinds: Vec<&str> = self.integration.message_types.iter().filter(never).map(|kind| kind.as_str()).collect();
        if kinds.is_empty() {
            return None;
        }
        let message = format!(
            "the message that closes never has the key of the one that triggered ({}): no alert is ever closed by its source",
            kinds.join(", ")
        );
        let remedy = "extract a part that is the same in both, without the word that says the state, such as the name of \
                      the rule or the host";
        Some(Warning::new("push_mode.key", message, remedy))
    }

    /// Whether a trigger and a close about the same object ever share their key; `None`: no sample pair triggers and
    /// closes.
    fn pairs(&self, kind: MsgType) -> Option<bool> {
        let mut seen = None;
        for (problem, end) in self.problems.iter().flat_map(|problem| self.ends.iter().map(move |end| (problem, end))) {
            for text in self.texts(problem, 0) {
                let ended = without_problems(&text, problem, end);
                let pair = (self.judge(kind, &text), self.judge(kind, &ended));
                match pair {
                    (SampleResult::Triggers(key), SampleResult::Closes(closed)) if key == closed => return Some(true),
                    (SampleResult::Triggers(_), SampleResult::Closes(_)) => seen = Some(false),
                    _ => {}
                }
            }
        }
        seen
    }

    /// Warns if every sample of a problem closes.
    fn nothing_triggers(&self) -> Option<Warning> {
        let PushMode::ByRules { .. } = self.mode else { return None };
        let kind = *self.integration.message_types.first()?;
        let texts = self.problems.iter().flat_map(|problem| self.texts(problem, 0));
        let mut judged = texts.map(|text| self.judge(kind, &text)).peekable();
        judged.peek()?;
        judged.all(|judged| matches!(judged, SampleResult::Closes(_))).then(|| {
            let message = "close rules are tried first, and they take what should trigger: no alert is ever opened";
            Warning::new("push_mode.close", message, "let the close rules ask for what only a recovery says")
        })
    }

    /// Sample texts that report this state of an object, in the layouts of senders.
    fn texts(&self, state: &str, object: usize) -> Vec<String> {
        let extractors: &[KeyExtractor] = match self.mode {
            PushMode::ByRules { key, .. } => key,
            PushMode::EachMessage | PushMode::ByTitle => &[],
        };
        let looked_for = extractors.iter().take(STATES).filter_map(|one| sample::of_pattern(&one.pattern, object));
        let details = looked_for.collect::<Vec<_>>().join("\n");
        let name = OBJECTS[object];
        let first = format!("{} {name}\n{details}\nvalue: {object}", bracketed(state));
        vec![first, format!("{name}\n{details}\nstatus: {state}")]
    }

    fn judge(&self, kind: MsgType, text: &str) -> SampleResult {
        let source = self.integration.source;
        let body = sources::sample(source, kind, text);
        let version = SourceVersion::newest(source);
        let arrival = Arrival { version, body: body.as_bytes(), address: None, within_rate: true };
        let Acceptance::Accepted(message) = decide(&arrival, &self.integration, None, self.now).acceptance else {
            return SampleResult::Other;
        };
        self.judge_message(&message)
    }

    fn judge_message(&self, message: &Message) -> SampleResult {
        match self.policy.judge(message, Stamp::from_parts(self.now, 0)).decision {
            Decision::Event(event) => match (event.kind, event.key) {
                (EventKind::Trigger, AlertKey::Named(key)) => SampleResult::Triggers(key),
                (EventKind::Close, AlertKey::Named(key)) => SampleResult::Closes(key),
                (_, AlertKey::Unique) => SampleResult::Other,
            },
            Decision::Discard(DiscardReason::Unmatched | DiscardReason::Dropped) => SampleResult::Other,
        }
    }
}

/// Texts that match these rules. A rule that matches everything yields none.
fn states(rules: &[Filter], usual: &str) -> Vec<String> {
    let mut states: Vec<String> = rules.iter().flat_map(sample::of_filter).filter(|text| !text.is_empty()).collect();
    states.truncate(STATES);
    if states.is_empty() { vec![usual.to_owned()] } else { states }
}

/// The text that closes: every word for the problem is replaced by the word for its end.
fn without_problems(text: &str, problem: &str, end: &str) -> String {
    let ended = |text: &str, word: &str| text.replace(&bracketed(word), &bracketed(end)).replace(word, end);
    PROBLEMS.iter().fold(ended(text, problem), |text, word| ended(&text, word))
}

/// The state in brackets, unless it has brackets already.
fn bracketed(state: &str) -> String {
    if state.starts_with('[') { state.to_owned() } else { format!("[{state}]") }
}

fn drops_everything(integration: &Integration) -> Option<Warning> {
    let drops = |step: &alerting::rules::integration::Step| {
        matches!(step.action, Action::Drop(true)) && step.when.as_ref().is_none_or(takes_everything)
    };
    let step = integration.pipeline.iter().position(drops)?;
    Some(Warning::new(
        format!("pipeline[{step}].when"),
        "the step drops every message: no alert is ever opened",
        "say in `when` which messages to drop",
    ))
}

fn unreachable_routes(integration: &Integration) -> Vec<Warning> {
    let Routing::Shared { routes, .. } = &integration.routing else { return Vec::new() };
    let warning = |(later, route): (usize, &Route)| {
        let stops = |earlier: &Route| earlier.then == Then::Stop && covers(&earlier.filter, &route.filter);
        let earlier = routes[..later].iter().position(stops)?;
        let message = format!("routes[{earlier}] takes everything that this route would take, and stops");
        Some(Warning::new(format!("routes[{later}]"), message, "move it before that route, or let that route continue"))
    };
    routes.iter().enumerate().filter_map(warning).collect()
}

fn takes_everything(filter: &Filter) -> bool {
    filter.any.is_empty()
}

/// Whether `wide` matches everything that `narrow` matches: each group of `narrow` has all conditions of some group of
/// `wide`.
fn covers(wide: &Filter, narrow: &Filter) -> bool {
    let within = |group: &alerting::rules::filter::Group| {
        wide.any.iter().any(|wide| wide.all.iter().all(|condition| group.all.contains(condition)))
    };
    takes_everything(wide) || (!narrow.any.is_empty() && narrow.any.iter().all(within))
}
