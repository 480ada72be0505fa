//! Errors of SNS with AWS's codes and HTTP statuses.

use http::StatusCode;

use crate::aws::database::{Unavailable, WorkError};

#[derive(Debug, thiserror::Error)]
pub enum SnsError {
    #[error("Topic does not exist")]
    NoSuchTopic,
    #[error("Subscription does not exist")]
    NoSuchSubscription,
    #[error("Invalid parameter: {0}")]
    BadParameter(String),
    #[error("The batch request contains more entries than permissible")]
    TooManyEntries,
    #[error("The batch request does not contain any entries")]
    EmptyBatch,
    #[error("The length of all the batch messages put together is more than the limit")]
    BatchTooLong,
    #[error("Two or more batch entries in the request have the same Id")]
    RepeatedId,
    #[error("Could not find operation {0} for version 2010-03-31")]
    UnknownAction(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl SnsError {
    pub fn code(&self) -> (&'static str, StatusCode) {
        match self {
            SnsError::NoSuchTopic | SnsError::NoSuchSubscription => ("NotFound", StatusCode::NOT_FOUND),
            SnsError::BadParameter(_) => ("InvalidParameter", StatusCode::BAD_REQUEST),
            SnsError::TooManyEntries => ("TooManyEntriesInBatchRequest", StatusCode::BAD_REQUEST),
            SnsError::EmptyBatch => ("EmptyBatchRequest", StatusCode::BAD_REQUEST),
            SnsError::BatchTooLong => ("BatchRequestTooLong", StatusCode::BAD_REQUEST),
            SnsError::RepeatedId => ("BatchEntryIdsNotDistinct", StatusCode::BAD_REQUEST),
            SnsError::UnknownAction(_) => ("InvalidAction", StatusCode::BAD_REQUEST),
            SnsError::Unavailable(_) => ("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl From<SnsError> for WorkError<SnsError> {
    fn from(refusal: SnsError) -> Self {
        WorkError::Refused(refusal)
    }
}
