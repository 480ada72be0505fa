//! Why a decision came out as it did: what was asked, in its order, and what came of it.
//!
//! The functions that decide take an `Observer` and tell it of everything that they ask. `()` looks at nothing and
//! leaves nothing of itself in the compiled code; [`Trace`] writes it down. There is no second implementation that could
//! explain something else than what was decided.

use crate::base::key;
use crate::rules::compiled::OutOfFuel;

/// Characters of each text of a [`Change`].
pub(crate) const SHOWN_CHARS: usize = 200;

/// Looks on while something is decided.
pub(crate) trait Observer {
    /// Whether it looks at all: what only explains is not asked otherwise.
    const LOOKS: bool;

    /// A condition of the filter that is being asked.
    fn asked(&mut self, asked: impl FnOnce() -> Asked);

    /// What came of a rule, with the conditions that were asked for it.
    fn tried(&mut self, tried: impl FnOnce() -> (Place, Outcome));
}

impl Observer for () {
    const LOOKS: bool = false;

    #[inline]
    fn asked(&mut self, _asked: impl FnOnce() -> Asked) {}

    #[inline]
    fn tried(&mut self, _tried: impl FnOnce() -> (Place, Outcome)) {}
}

/// Everything that was tried, in the order in which it was. What is not in it was not come to: something before it had
/// decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    pub tried: Vec<Tried>,
    /// Conditions of the filter that is being asked.
    asked: Vec<Asked>,
}

/// One rule, extractor, step, route or silence that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub place: Place,
    pub outcome: Outcome,
    /// The conditions of its filter that were asked, in their order: of each group up to the first that does not hold.
    pub asked: Vec<Asked>,
}

/// Where it stands in the configuration, counted from zero.
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

/// What came of asking one condition of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    pub group: usize,
    pub condition: usize,
    /// The value that the field matches; `None`: none of them.
    pub value: Option<usize>,
    /// Whether the field is there at all.
    pub exists: bool,
    /// Whether a pattern looked only at the beginning of the field.
    pub cut: bool,
    pub holds: bool,
}

/// What came of one that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its filter matches. Of a step of the pipeline [`Outcome::Changed`] and its like say more.
    Matched,
    NoMatch,
    /// It does not hold at this time.
    NotNow,
    /// It cannot be used: something in it is wrong, and was accepted by an older version.
    Unusable,
    /// Asking it would cost more work than one message may make.
    TooCostly,
    /// An extractor has found this alert key.
    Found(String),
    /// An extractor has found something that is empty.
    FoundEmpty,
    /// An extractor, a pattern or a mapping table has found nothing.
    FoundNothing,
    /// The same, and only the beginning of the text was searched.
    FoundNothingInBeginning,
    /// A step of the pipeline has changed this.
    Changed(Vec<Change>),
    /// A step of the pipeline was carried out, and everything is as it was.
    Unchanged,
    /// A step of the pipeline has dropped the message.
    Dropped,
    /// The template of a step could not be rendered, or gave what is no severity.
    TemplateFailed,
}

/// What a step of the pipeline has changed, each text cut to `SHOWN_CHARS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `title`, `description`, `severity`, `labels.NAME`.
    pub field: String,
    /// `None`: it was not there before.
    pub before: Option<String>,
    /// `None`: it is not there any more.
    pub after: Option<String>,
}

impl Observer for Trace {
    const LOOKS: bool = true;

    fn asked(&mut self, asked: impl FnOnce() -> Asked) {
        self.asked.push(asked());
    }

    fn tried(&mut self, tried: impl FnOnce() -> (Place, Outcome)) {
        let (place, outcome) = tried();
        self.tried.push(Tried { place, outcome, asked: std::mem::take(&mut self.asked) });
    }
}

impl Trace {
    /// What came of the one at this place; `None`: it was not come to.
    pub fn at(&self, place: Place) -> Option<&Tried> {
        self.tried.iter().find(|tried| tried.place == place)
    }
}

impl Outcome {
    /// Of a filter; `failed`: a pattern of it does not compile.
    pub(crate) fn of_filter(matches: Result<bool, OutOfFuel>, failed: bool) -> Self {
        match matches {
            Ok(true) => Outcome::Matched,
            Ok(false) if failed => Outcome::Unusable,
            Ok(false) => Outcome::NoMatch,
            Err(OutOfFuel) => Outcome::TooCostly,
        }
    }

    pub(crate) fn of_extraction(found: Result<Option<&str>, OutOfFuel>, cut: bool) -> Self {
        match found {
            Ok(Some(found)) if found.trim().is_empty() => Outcome::FoundEmpty,
            Ok(Some(found)) => Outcome::Found(key::fit(found)),
            Ok(None) if cut => Outcome::FoundNothingInBeginning,
            Ok(None) => Outcome::FoundNothing,
            Err(OutOfFuel) => Outcome::TooCostly,
        }
    }
}

#[cfg(test)]
mod tests;
