//! What a message says about which alert: [`PushMode`] made ready, asked of the message as it was received.
//!
//! | push mode | verdict | alert key |
//! |---|---|---|
//! | each message | trigger | its own |
//! | by title | trigger | the title |
//! | by rules | close rules first, then trigger rules, then the integration's choice | the first extractor that finds something, else the title |
//!
//! In doubt an alert is kept: where a rule cannot be judged (it does not compile, or costs more than a message may), and
//! nothing else matches, the message triggers, and its record is flagged.

use serde::{Deserialize, Serialize};

use crate::base::field_error::FieldError;
use crate::base::key;
use crate::incident::alert::{AlertKey, Verdict};
use crate::rules::builder::Builder;
use crate::rules::compiled::{Fuel, OutOfFuel, PatternId, Run};
use crate::rules::filter::Filter;
use crate::rules::flag::Flag;
use crate::rules::integration::{KeyExtractor, KeyField, PushMode, Unmatched};
use crate::rules::matcher::{Matcher, View};
use crate::rules::rule_set::RuleSet;
use crate::rules::trace::{Observer, Outcome, Place};

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

/// Work that push rules and key extractors may make; see [`crate::rules::compiled`].
const FUEL: Fuel = 5_000_000;

/// A push mode made ready.
#[derive(Debug)]
pub(crate) enum Ready {
    EachMessage,
    ByTitle,
    ByRules(Box<ByRules>),
}

#[derive(Debug)]
pub(crate) struct ByRules {
    /// Close rules, then trigger rules.
    rules: RuleSet,
    close: usize,
    /// `None`: one that cannot be used; it keeps its number.
    extractors: Vec<Option<(KeyField, PatternId)>>,
    unmatched: Unmatched,
    /// There is no trigger rule, or one that cannot be judged: a message that closes nothing triggers.
    doubt: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// `None`: no rule matched, and the integration discards such messages.
    pub verdict: Option<Verdict>,
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

    pub(crate) fn judge<O: Observer>(&self, view: &View<'_>, run: &mut Run<'_>, seen: &mut O) -> Said {
        run.refuel(FUEL);
        match self {
            Ready::EachMessage => {
                Said { verdict: Some(Verdict::Trigger), key: AlertKey::Unique, key_from: None, rule: None }
            }
            Ready::ByTitle => said(Verdict::Trigger, None, title_key(view)),
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

fn said(verdict: Verdict, rule: Option<String>, (key, from): (AlertKey, KeyFrom)) -> Said {
    Said { verdict: Some(verdict), key, key_from: Some(from), rule }
}

fn title_key(view: &View<'_>) -> (AlertKey, KeyFrom) {
    (AlertKey::Named(key::fit(view.title)), KeyFrom::Title)
}

impl ByRules {
    fn judge<O: Observer>(&self, view: &View<'_>, run: &mut Run<'_>, seen: &mut O) -> Said {
        let Ok((found, doubt)) = self.first(view, run, seen) else {
            return said(Verdict::Trigger, None, title_key(view));
        };
        let (verdict, rule) = match found {
            Some(rule) if rule < self.close => (Verdict::Close, format!("close[{rule}]")),
            Some(rule) => (Verdict::Trigger, format!("trigger[{}]", rule - self.close)),
            None if doubt || self.unmatched == Unmatched::Trigger => (Verdict::Trigger, "unmatched".to_owned()),
            None => {
                let rule = Some("unmatched".to_owned());
                return Said { verdict: None, key: AlertKey::Unique, key_from: None, rule };
            }
        };
        said(verdict, Some(rule), self.key(view, run, seen))
    }

    /// The first rule that matches, and whether a trigger rule before it could not be judged.
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
            seen.tried(|| (place(rule), Outcome::of_filter(matches, fails)));
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
                seen.tried(|| (Place::Key(n), Outcome::Unusable));
                continue;
            };
            let text = match field {
                KeyField::Title => view.title,
                KeyField::Content => view.content,
            };
            let (found, cut) = run.noting_cuts(|run| run.extract(*pattern, text));
            seen.tried(|| (Place::Key(n), Outcome::of_extraction(found, cut)));
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
