//! Warnings in the answer to a save: settings that are valid but surprising.

use alerting::incident::warning::Warning;
use serde::Serialize;
use utoipa::ToSchema;

/// An object as it is saved, with its warnings. Lists hold the objects alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WithWarnings<T> {
    #[serde(flatten)]
    object: T,
    /// Settings that can be saved but will surprise; empty if there are none.
    warnings: Vec<Warning>,
}

impl<T> WithWarnings<T> {
    pub(crate) fn new(object: T, warnings: Vec<Warning>) -> Self {
        Self { object, warnings }
    }

    /// An object of a kind that nothing is checked for yet.
    pub(crate) fn none(object: T) -> Self {
        Self::new(object, Vec::new())
    }
}
