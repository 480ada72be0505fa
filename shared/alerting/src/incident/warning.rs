//! Warnings about valid settings that probably do not do what the operator expects.

pub mod nobody;

use serde::Serialize;
use utoipa::ToSchema;

/// A setting that can be saved but probably has an unexpected effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// The field to change.
    #[schema(example = "push_mode.key")]
    pub field: String,
    /// The effect of the setting.
    pub message: String,
    /// The value to use instead.
    pub remedy: String,
}

impl Warning {
    pub fn new(field: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), remedy: remedy.into() }
    }
}
