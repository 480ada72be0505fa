//! The inputs for compiling a policy: shared patterns, mapping tables, and how errors are handled.

use crate::base::field_error::FieldError;
use crate::rules::compiled::{PatternId, Patterns};
use crate::rules::integration::MappingTable;

/// Whether an error refuses the whole integration, or leaves out only the part that has the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    Strict,
    Lenient,
}

/// Compiles the parts of a policy.
pub(crate) struct Builder<'t> {
    pub(crate) patterns: Patterns,
    pub(crate) tables: &'t [MappingTable],
    strictness: Strictness,
    pub(crate) problems: Vec<FieldError>,
}

impl<'t> Builder<'t> {
    pub(crate) fn new(tables: &'t [MappingTable], strictness: Strictness) -> Self {
        let patterns = if strictness == Strictness::Strict { Patterns::checked() } else { Patterns::default() };
        Self { patterns, tables, strictness, problems: Vec::new() }
    }

    pub(crate) fn pattern(&mut self, typed: &str, path: &str) -> Result<PatternId, FieldError> {
        self.patterns.add(typed).map_err(|error| FieldError::new(path, error.to_string()))
    }

    /// Returns an error (strict), or records it and leaves out the part that has the error (lenient).
    pub(crate) fn keep<T>(&mut self, result: Result<T, FieldError>) -> Result<Option<T>, FieldError> {
        match (result, self.strictness) {
            (Ok(part), _) => Ok(Some(part)),
            (Err(error), Strictness::Strict) => Err(error),
            (Err(error), Strictness::Lenient) => {
                self.problems.push(error);
                Ok(None)
            }
        }
    }
}
