//! Errors of SQS with AWS's codes: the name of the shape in the JSON protocol, and the code of the older protocol,
//! which is sent in the header `x-amzn-query-error` and which the SDKs match on.

use crate::aws::database::{Unavailable, WorkError};

#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    #[error("The specified queue does not exist.")]
    NoSuchQueue,
    #[error("A queue already exists with the same name and a different value for attribute {0}.")]
    OtherQueueExists(String),
    #[error("Unknown Attribute {0}.")]
    UnknownAttribute(String),
    #[error("Invalid value for the parameter {name}. {reason}")]
    BadAttribute { name: String, reason: String },
    #[error("Value {value} for parameter {name} is invalid. Reason: {reason}")]
    BadParameter { name: &'static str, value: String, reason: &'static str },
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(String),
    #[error("One or more parameters are invalid. Reason: Message must be shorter than {0} bytes.")]
    TooLong(usize),
    #[error(
        "Message (body and attribute values) may hold only #x9, #xA, #xD and #x20 and above, without #xFFFE and #xFFFF."
    )]
    BadCharacters,
    #[error("There should be at least one entry in the request.")]
    EmptyBatch,
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntries(usize),
    #[error("Id {0} repeated.")]
    RepeatedId(String),
    #[error("A batch entry id can only contain alphanumeric characters, hyphens and underscores, at most 80.")]
    BadEntryId,
    #[error("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes.")]
    BatchTooLong { limit: usize, sent: usize },
    #[error("The input receipt handle is invalid.")]
    BadReceipt,
    #[error("The receipt handle has expired.")]
    ReceiptExpired,
    #[error("The message is not in flight.")]
    NotInFlight,
    #[error("More than {0} messages are in flight.")]
    TooManyInFlight(usize),
    #[error("The action {0} is not known here.")]
    UnknownAction(String),
    #[error("The request cannot be read: {0}")]
    Unreadable(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl SqsError {
    /// The name of the error's shape, and its code in the query protocol.
    pub fn codes(&self) -> (&'static str, &'static str) {
        use SqsError as E;
        match self {
            E::NoSuchQueue => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            E::OtherQueueExists(_) => ("QueueNameExists", "QueueAlreadyExists"),
            E::UnknownAttribute(_) => ("InvalidAttributeName", "InvalidAttributeName"),
            E::BadAttribute { .. } => ("InvalidAttributeValue", "InvalidAttributeValue"),
            E::BadParameter { .. } | E::TooLong(_) | E::ReceiptExpired => {
                ("InvalidParameterValueException", "InvalidParameterValue")
            }
            E::MissingParameter(_) => ("MissingRequiredParameterException", "MissingParameter"),
            E::BadCharacters => ("InvalidMessageContents", "InvalidMessageContents"),
            E::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            E::TooManyEntries(_) => {
                ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
            }
            E::RepeatedId(_) => ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            E::BadEntryId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            E::BatchTooLong { .. } => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            E::BadReceipt => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
            E::NotInFlight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
            E::TooManyInFlight(_) => ("OverLimit", "OverLimit"),
            E::UnknownAction(_) => ("UnknownOperationException", "InvalidAction"),
            E::Unreadable(_) => ("SerializationException", "MalformedInput"),
            E::Unavailable(_) => ("InternalFailure", "InternalFailure"),
        }
    }

    /// Whether the request caused the error. Other errors are retried by the SDK.
    pub fn is_callers_fault(&self) -> bool {
        !matches!(self, SqsError::Unavailable(_))
    }
}

impl From<SqsError> for WorkError<SqsError> {
    fn from(refusal: SqsError) -> Self {
        WorkError::Refused(refusal)
    }
}
