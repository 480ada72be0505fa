//! What was given up, as the API shows it.

use alerting::base::ids::{DestinationId, IncidentId, IntegrationId};
use serde::Serialize;
use store::dead_letters::DeadLetter;
use utoipa::ToSchema;

use super::Time;

/// What was given up, and can be sent again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct DeadLetterView {
    pub(crate) id: String,
    /// `message` (of a sender), `notice` or `timer` (due work).
    #[schema(example = "notice")]
    pub(crate) kind: &'static str,
    #[schema(example = "provider_down")]
    pub(crate) reason: String,
    pub(crate) at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) incident: Option<IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) destination: Option<DestinationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) integration: Option<IntegrationId>,
}

impl From<DeadLetter> for DeadLetterView {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            kind: letter.kind.as_str(),
            reason: letter.reason,
            at: Time(letter.at),
            incident: letter.incident,
            destination: letter.destination,
            integration: letter.integration,
        }
    }
}
