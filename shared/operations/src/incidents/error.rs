//! How acting on an incident fails.

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
    /// The action does not fit the incident as it is.
    #[error(transparent)]
    Refused(#[from] ActionError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It may have been written or not. Its due work stays, and carries out what follows if it was.
    #[error("writing an action took too long")]
    TimedOut,
}
