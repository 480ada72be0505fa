//! Dead letters, as the API shows them.

use alerting::base::ids::{DestinationId, IncidentId, IntegrationId};
use serde::{Deserialize, Serialize};
use store::dead_letters::DeadLetter;
use utoipa::ToSchema;

use crate::dto::Time;
use crate::error::ApiError;

/// Dead letters that one request sends again.
const RESENT_AT_A_TIME: usize = 100;

/// Which dead letters are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendBody {
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
}

impl ResendBody {
    pub(crate) fn ids(&self) -> Result<Vec<&str>, ApiError> {
        if (1..=RESENT_AT_A_TIME).contains(&self.ids.len()) {
            return Ok(self.ids.iter().map(String::as_str).collect());
        }
        Err(ApiError::invalid("ids", format!("expected 1 to {RESENT_AT_A_TIME} ids")))
    }
}

/// The result for one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResentView {
    id: String,
    queued: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl From<(&str, Result<(), ApiError>)> for ResentView {
    fn from((id, result): (&str, Result<(), ApiError>)) -> Self {
        Self { id: id.to_owned(), queued: result.is_ok(), message: result.err().map(ApiError::sentence) }
    }
}

/// Why a dead letter is deleted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteDeadLetterBody {
    /// For the log. 1 to 200 characters.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// A message, a notice or due work that was given up and can be sent again.
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
    pub(crate) incident: Option<IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<DestinationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
