//! Records why a decision was made: the conditions that were evaluated, in order, with their results.
//!
//! The functions that decide take an `Observer` and report every evaluation to it. The observer `()` does nothing and
//! adds nothing to the compiled code. [`Trace`] records the reports. There is no second implementation, so an
//! explanation cannot differ from the decision.

use crate::base::key;
use crate::rules::compiled::OutOfFuel;

/// The most characters of each text of a [`FieldChange`].
pub(crate) const SHOWN_CHARS: usize = 200;

/// Receives the evaluations of a decision.
pub(crate) trait Observer {
    /// Whether the observer records anything. If not, evaluations that only explain are skipped.
    const LOOKS: bool;

    /// Reports one condition of the filter that is being evaluated.
    fn asked(&mut self, asked: impl FnOnce() -> Asked);

    /// Reports the result of a rule. Its conditions were reported before.
    fn tried(&mut self, tried: impl FnOnce() -> (Place, TriedResult));
}

impl Observer for () {
    const LOOKS: bool = false;

    #[inline]
    fn asked(&mut self, _asked: impl FnOnce() -> Asked) {}

    #[inline]
    fn tried(&mut self, _tried: impl FnOnce() -> (Place, TriedResult)) {}
}

/// Everything that was tried, in order. A missing rule was not tried, because an earlier rule decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    pub tried: Vec<Tried>,
    /// The conditions of the filter that is being evaluated.
    asked: Vec<Asked>,
}

/// One rule, extractor, step, route or silence that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub place: Place,
    pub outcome: TriedResult,
    /// The evaluated conditions of the filter, in order: in each group, those up to the first that does not hold.
    pub asked: Vec<Asked>,
}

/// The place of a rule in the configuration, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Close(usize),
    Trigger(usize),
    Key(usize),
    Step(usize),
    Route(usize),
    Silence(usize),
    EscalationRule(usize),
}

/// The result of one condition of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    pub group: usize,
    pub condition: usize,
    /// The index of the value that the field matches. `None`: the field matches none of them.
    pub value: Option<usize>,
    /// Whether the field exists.
    pub exists: bool,
    /// Whether a pattern searched only the beginning of the field.
    pub cut: bool,
    pub holds: bool,
}

/// The result of a rule, extractor, step, route or silence that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriedResult {
    /// The filter matches. A step of the pipeline has a more exact result, such as [`TriedResult::Changed`].
    Matched,
    NoMatch,
    /// The rule or silence is not active at this time.
    NotNow,
    /// The rule is not valid. An older version accepted it.
    Unusable,
    /// The evaluation would exceed the limit on the work for one message.
    TooCostly,
    /// An extractor found this alert key.
    Found(String),
    /// An extractor found an empty text.
    FoundEmpty,
    /// An extractor, a pattern or a mapping table found nothing.
    FoundNothing,
    /// An extractor, a pattern or a mapping table found nothing, and only the beginning of the text was searched.
    FoundNothingInBeginning,
    /// A step of the pipeline changed these fields.
    Changed(Vec<FieldChange>),
    /// A step of the pipeline was carried out and changed nothing.
    Unchanged,
    /// A step of the pipeline dropped the message.
    Dropped,
    /// The template of a step did not render, or rendered to something that is not a severity.
    TemplateFailed,
}

/// A field that a step of the pipeline changed. Each text is cut to `SHOWN_CHARS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field: `title`, `description`, `severity` or `labels.NAME`.
    pub field: String,
    /// The text before. `None`: the field did not exist.
    pub before: Option<String>,
    /// The text afterwards. `None`: the field does not exist any more.
    pub after: Option<String>,
}

impl Observer for Trace {
    const LOOKS: bool = true;

    fn asked(&mut self, asked: impl FnOnce() -> Asked) {
        self.asked.push(asked());
    }

    fn tried(&mut self, tried: impl FnOnce() -> (Place, TriedResult)) {
        let (place, outcome) = tried();
        self.tried.push(Tried { place, outcome, asked: std::mem::take(&mut self.asked) });
    }
}

impl Trace {
    /// The result at this place. `None`: this place was not tried.
    pub fn at(&self, place: Place) -> Option<&Tried> {
        self.tried.iter().find(|tried| tried.place == place)
    }
}

impl TriedResult {
    /// The result of a filter. `failed`: whether one of its patterns does not compile.
    pub(crate) fn of_filter(matches: Result<bool, OutOfFuel>, failed: bool) -> Self {
        match matches {
            Ok(true) => TriedResult::Matched,
            Ok(false) if failed => TriedResult::Unusable,
            Ok(false) => TriedResult::NoMatch,
            Err(OutOfFuel) => TriedResult::TooCostly,
        }
    }

    pub(crate) fn of_extraction(found: Result<Option<&str>, OutOfFuel>, cut: bool) -> Self {
        match found {
            Ok(Some(found)) if found.trim().is_empty() => TriedResult::FoundEmpty,
            Ok(Some(found)) => TriedResult::Found(key::fit(found)),
            Ok(None) if cut => TriedResult::FoundNothingInBeginning,
            Ok(None) => TriedResult::FoundNothing,
            Err(OutOfFuel) => TriedResult::TooCostly,
        }
    }
}

#[cfg(test)]
mod tests;
