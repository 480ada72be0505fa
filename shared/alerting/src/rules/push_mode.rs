//! The compiled [`PushMode`], which decides from the message as received whether it triggers or closes an alert, and
//! which alert key it has.
//!
//! | push mode | event | alert key |
//! |---|---|---|
//! | each message | trigger | its own |
//! | by title | trigger | the title |
//! | by rules | close rules, trigger rules, then `unmatched` | the first extractor that finds a text, or the title |
//!
//! In doubt an alert is kept. If a rule cannot be evaluated (it does not compile, or costs more than the limit) and no
//! other rule matches, the message triggers, and its record is flagged.

use serde::{Deserialize, Serialize};

use crate::base::field_error::FieldError;
use crate::base::key;
use crate::incident::alert::{AlertKey, EventKind};
use crate::rules::builder::Builder;
use crate::rules::compiled::{Fuel, OutOfFuel, PatternId, Run};
use crate::rules::filter::Filter;
use crate::rules::flag::Flag;
use crate::rules::integration::{KeyExtractor, KeyField, PushMode, Unmatched};
use crate::rules::matcher::{Matcher, View};
use crate::rules::rule_set::RuleSet;
use crate::rules::trace::{Observer, Place, TriedResult};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFrom {
    Rule,
    Title,
}

impl KeyFrom {
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyFrom::Rule => "rule",
            KeyFrom::Title => "title",
        }
    }
}

/// The limit on the work of push rules and key extractors for one message; see [`crate::rules::compiled`].
const FUEL: Fuel = 5_000_000;

/// A compiled push mode.
#[derive(Debug)]
pub(crate) enum Ready {
    EachMessage,
    ByTitle,
    ByRules(Box<ByRules>),
}

#[derive(Debug)]
pub(crate) struct ByRules {
    /// The close rules, followed by the trigger rules.
    rules: RuleSet,
    close: usize,
    /// The key extractors. `None`: the extractor is not valid; the others keep their numbers.
    extractors: Vec<Option<(KeyField, PatternId)>>,
    unmatched: Unmatched,
    /// Whether there is no trigger rule, or one that cannot be evaluated. If so, a message that no close rule matches
    /// triggers.
    doubt: bool,
}

/// The event and the key of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushModeResult {
    /// The kind of event. `None`: no rule matched, and the integration discards such messages.
    pub kind: Option<EventKind>,
    pub key: AlertKey,
    pub key_from: Option<KeyFrom>,
    pub rule: Option<String>,
}

impl Ready {
    pub(crate) fn new(mode: &PushMode, builder: &mut Builder<'_>) -> Result<Self, FieldError> {
        let PushMode::ByRules { trigger, close, key, unmatched } = mode else {
            return Ok(if *mode == PushMode::ByTitle { Ready::ByTitle } else { Ready::EachMessage });
        };
        require(builder, !trigger.is_empty(), "push_mode.trigger", "at least one trigger rule is needed")?;
        require(builder, !key.is_empty(), "push_mode.key", "at least one extractor of the alert key is needed")?;
        let mut rules = filters(close, "close", builder)?;
        let triggers = filters(trigger, "trigger", builder)?;
        let doubt = triggers.is_empty() || triggers.iter().any(Option::is_none);
        rules.extend(triggers);
        Ok(Ready::ByRules(Box::new(ByRules {
            rules: RuleSet::new(rules, &builder.patterns),
            close: close.len(),
            extractors: extractors(key, builder)?,
            unmatched: *unmatched,
            doubt,
        })))
    }

    pub(crate) fn judge<O: Observer>(&self, view: &View<'_>, run: &mut Run<'_>, seen: &mut O) -> PushModeResult {
        run.refuel(FUEL);
        match self {
            Ready::EachMessage => {
                PushModeResult { kind: Some(EventKind::Trigger), key: AlertKey::Unique, key_from: None, rule: None }
            }
            Ready::ByTitle => keyed(EventKind::Trigger, None, title_key(view)),
            Ready::ByRules(rules) => rules.judge(view, run, seen),
        }
    }
}

fn require(builder: &mut Builder<'_>, holds: bool, path: &str, message: &str) -> Result<(), FieldError> {
    let result = if holds { Ok(()) } else { Err(FieldError::new(path, message)) };
    builder.keep(result).map(drop)
}

fn filters(filters: &[Filter], kind: &str, builder: &mut Builder<'_>) -> Result<Vec<Option<Matcher>>, FieldError> {
    let ready = |(n, filter): (usize, &Filter)| {
        let matcher = Matcher::new(filter, &format!("push_mode.{kind}[{n}]"), &mut builder.patterns);
        builder.keep(matcher)
    };
    filters.iter().enumerate().map(ready).collect()
}

fn extractors(
    key: &[KeyExtractor],
    builder: &mut Builder<'_>,
) -> Result<Vec<Option<(KeyField, PatternId)>>, FieldError> {
    let mut ready = Vec::with_capacity(key.len());
    for (n, extractor) in key.iter().enumerate() {
        let pattern = builder.pattern(&extractor.pattern, &format!("push_mode.key[{n}].pattern"));
        ready.push(builder.keep(pattern)?.map(|pattern| (extractor.field, pattern)));
    }
    Ok(ready)
}

fn keyed(kind: EventKind, rule: Option<String>, (key, from): (AlertKey, KeyFrom)) -> PushModeResult {
    PushModeResult { kind: Some(kind), key, key_from: Some(from), rule }
}

fn title_key(view: &View<'_>) -> (AlertKey, KeyFrom) {
    (AlertKey::Named(key::fit(view.title)), KeyFrom::Title)
}

impl ByRules {
    fn judge<O: Observer>(&self, view: &View<'_>, run: &mut Run<'_>, seen: &mut O) -> PushModeResult {
        let Ok((found, doubt)) = self.first(view, run, seen) else {
            return keyed(EventKind::Trigger, None, title_key(view));
        };
        let (kind, rule) = match found {
            Some(rule) if rule < self.close => (EventKind::Close, format!("close[{rule}]")),
            Some(rule) => (EventKind::Trigger, format!("trigger[{}]", rule - self.close)),
            None if doubt || self.unmatched == Unmatched::Trigger => (EventKind::Trigger, "unmatched".to_owned()),
            None => {
                let rule = Some("unmatched".to_owned());
                return PushModeResult { kind: None, key: AlertKey::Unique, key_from: None, rule };
            }
        };
        keyed(kind, Some(rule), self.key(view, run, seen))
    }

    /// The first rule that matches, and whether an earlier trigger rule could not be evaluated.
    fn first<O: Observer>(
        &self,
        view: &View<'_>,
        run: &mut Run<'_>,
        seen: &mut O,
    ) -> Result<(Option<usize>, bool), OutOfFuel> {
        let place = |rule| if rule < self.close { Place::Close(rule) } else { Place::Trigger(rule - self.close) };
        let mut doubt = self.doubt;
        let mut next = 0;
        for rule in self.rules.candidates(view).iter() {
            self.rules.left_out(next..rule, view, run, seen, place);
            next = rule + 1;
            let failures = run.failures();
            let matches = self.rules.matches(rule, view, run, seen);
            let fails = run.failures() > failures;
            seen.tried(|| (place(rule), TriedResult::of_filter(matches, fails)));
            if matches? {
                return Ok((Some(rule), doubt));
            }
            doubt |= rule >= self.close && fails;
        }
        self.rules.left_out(next..self.rules.len(), view, run, seen, place);
        Ok((None, doubt))
    }

    fn key<O: Observer>(&self, view: &View<'_>, run: &mut Run<'_>, seen: &mut O) -> (AlertKey, KeyFrom) {
        for (n, extractor) in self.extractors.iter().enumerate() {
            let Some((field, pattern)) = extractor else {
                seen.tried(|| (Place::Key(n), TriedResult::Unusable));
                continue;
            };
            let text = match field {
                KeyField::Title => view.title,
                KeyField::Content => view.content,
            };
            let (found, cut) = run.noting_cuts(|run| run.extract(*pattern, text));
            seen.tried(|| (Place::Key(n), TriedResult::of_extraction(found, cut)));
            match found {
                Ok(Some(found)) if !found.trim().is_empty() => {
                    return (AlertKey::Named(key::fit(found)), KeyFrom::Rule);
                }
                Ok(_) => {}
                Err(OutOfFuel) => break,
            }
        }
        run.flag(Flag::KeyFallback);
        title_key(view)
    }
}
