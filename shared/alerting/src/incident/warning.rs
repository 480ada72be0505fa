//! Warnings about valid settings that probably do not do what the operator expects.

pub mod nobody;

use serde::Serialize;
use utoipa::ToSchema;

/// A setting that can be saved but will surprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// The field to change.
    #[schema(example = "push_mode.key")]
    pub field: String,
    /// What will happen.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl Warning {
    pub fn new(field: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), remedy: remedy.into() }
    }
}
