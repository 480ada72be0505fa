//! Errors of actions on an incident.

use alerting::base::field_error::FieldError;
use alerting::base::ids::IncidentId;
use alerting::incident::action::ActionError;
use store::errors::{ReadError, WriteError};

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    /// An argument cannot be used.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// The action does not fit the present state of the incident.
    #[error(transparent)]
    Refused(#[from] ActionError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The action may have been written or not. Its due work stays, and carries out the follow-up if it was.
    #[error("writing an action took too long")]
    TimedOut,
}
