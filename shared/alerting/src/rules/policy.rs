//! A compiled integration, which decides about messages.
//!
//! [`Policy::judge`] evaluates the push rules and key extractors on the message as received. Then the pipeline changes
//! what the alert will show, and for a trigger the routes are evaluated. The result is an [`AlertEvent`] for
//! [`crate::incident::alert`], or a discard with its reason. Both name the rule that decided, and have flags for rules
//! that could not be applied as written. The same message and integration always give the same decision.
//!
//! There are two constructors. [`Policy::new`] returns the first field that is not valid, and is called before an
//! integration is saved. [`Policy::lenient`] compiles a stored integration and leaves out rules that are not valid, so
//! that no alert is lost because of a rule that an older version accepted.

use serde::{Deserialize, Serialize};

use crate::base::field_error::FieldError;
use crate::base::ids::Stamp;
use crate::base::limits;
use crate::base::severity::Severity;
use crate::incident::alert::{AlertEvent, EventKind};
use crate::rules::alert_draft::AlertDraft;
use crate::rules::builder::{Builder, Strictness};
use crate::rules::checks;
use crate::rules::compiled::{Patterns, Run};
use crate::rules::flag::Flag;
use crate::rules::integration::{Integration, MappingTable};
use crate::rules::matcher::View;
use crate::rules::message::Message;
use crate::rules::pipeline::{Dropped, Pipeline};
use crate::rules::push_mode::{self, KeyFrom, PushModeResult};
use crate::rules::routing;
use crate::rules::trace::{Observer, Trace};

/// A compiled integration. Its patterns are compiled when a message first needs them.
#[derive(Debug)]
pub struct Policy {
    push: push_mode::Ready,
    pipeline: Pipeline,
    routes: routing::Ready,
    patterns: Patterns,
    problems: Vec<FieldError>,
}

/// The decision about one message, with the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub decision: Decision,
    /// The rule that decided: `close[0]`, `trigger[1]`, `unmatched`, or the step that dropped the message:
    /// `pipeline[2]`.
    pub rule: Option<String>,
    /// Where the alert key is from. `None`: the alert is its own key, or the message is discarded.
    pub key_from: Option<KeyFrom>,
    pub flags: Vec<Flag>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Event(AlertEvent),
    Discard(DiscardReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscardReason {
    /// No rule matched, and the integration discards such messages.
    Unmatched,
    /// A step of the pipeline dropped the message.
    Dropped,
}

impl DiscardReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            DiscardReason::Unmatched => "unmatched",
            DiscardReason::Dropped => "dropped",
        }
    }
}

impl Policy {
    /// Compiles an integration that is about to be saved, or returns the first field that is not valid. `tables`: all
    /// existing mapping tables.
    pub fn new(integration: &Integration, tables: &[MappingTable]) -> Result<Self, FieldError> {
        checks::check(integration)?;
        Self::build(integration, Builder::new(tables, Strictness::Strict))
    }

    /// Compiles a stored integration without the parts that are not valid. The patterns are compiled later.
    pub fn lenient(integration: &Integration, tables: &[MappingTable]) -> Self {
        Self::build(integration, Builder::new(tables, Strictness::Lenient))
            .expect("a lenient builder keeps every error")
    }

    fn build(integration: &Integration, mut builder: Builder<'_>) -> Result<Self, FieldError> {
        let push = push_mode::Ready::new(&integration.push_mode, &mut builder)?;
        let pipeline = Pipeline::new(&integration.pipeline, &mut builder)?;
        let routes = routing::Ready::new(&integration.routing, &mut builder)?;
        let Builder { patterns, problems, .. } = builder;
        Ok(Self { push, pipeline, routes, patterns, problems })
    }

    /// The errors of the parts that a lenient policy left out.
    pub fn problems(&self) -> &[FieldError] {
        &self.problems
    }

    /// The bytes of the patterns that are compiled now: at most [`crate::rules::compiled::COMPILED_BYTES`] and one
    /// pattern.
    pub fn compiled_bytes(&self) -> usize {
        self.patterns.compiled_bytes()
    }

    /// Decides about a message. The event gets the `stamp`.
    pub fn judge(&self, message: &Message, stamp: Stamp) -> Judgement {
        self.judge_seen(message, stamp, &mut ())
    }

    /// Decides as [`Policy::judge`] does, and also returns all rules that were tried.
    pub fn trace(&self, message: &Message, stamp: Stamp) -> (Judgement, Trace) {
        let mut trace = Trace::default();
        (self.judge_seen(message, stamp, &mut trace), trace)
    }

    fn judge_seen<O: Observer>(&self, message: &Message, stamp: Stamp, seen: &mut O) -> Judgement {
        let mut run = self.patterns.run();
        let result = self.push.judge(&as_received(message), &mut run, seen);
        if !self.problems.is_empty() {
            run.flag(Flag::BadRule);
        }
        let Some(kind) = result.kind else {
            let decision = Decision::Discard(DiscardReason::Unmatched);
            return Judgement { decision, rule: result.rule, key_from: None, flags: run.into_flags() };
        };
        let mut draft = AlertDraft::of(message);
        if let Err(Dropped(step)) = self.pipeline.apply(&mut draft, &mut run, seen) {
            let decision = Decision::Discard(DiscardReason::Dropped);
            let rule = Some(format!("pipeline[{step}]"));
            return Judgement { decision, rule, key_from: None, flags: run.into_flags() };
        }
        let spaces = match kind {
            EventKind::Trigger => self.routes.spaces(&draft.view(), &mut run, seen),
            // A close uses the spaces to which the alert was routed when it was triggered.
            EventKind::Close => Vec::new(),
        };
        let PushModeResult { key, key_from, rule, .. } = result;
        let AlertDraft { title, description, severity, labels, .. } = draft;
        let (title, description) = fit(&title, &description, &mut run);
        let event = AlertEvent { stamp, kind, key, title, description, severity, labels, spaces };
        Judgement { decision: Decision::Event(event), rule, key_from, flags: run.into_flags() }
    }
}

fn as_received(message: &Message) -> View<'_> {
    View {
        title: &message.title,
        description: &message.content,
        content: &message.content,
        severity: Severity::default(),
        labels: &message.labels,
    }
}

fn fit(title: &str, description: &str, run: &mut Run<'_>) -> (String, String) {
    let fitted =
        (limits::cut_chars(title, limits::TITLE_CHARS), limits::cut_bytes(description, limits::DESCRIPTION_BYTES));
    if (fitted.0.len(), fitted.1.len()) != (title.len(), description.len()) {
        run.flag(Flag::TextCut);
    }
    fitted
}

#[cfg(test)]
mod tests;
