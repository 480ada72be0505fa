//! What can go wrong, by operation family. A lost race is a result of its operation, not an error.
//!
//! The texts name what was attempted and on which item; they hold no bodies, no secrets and no table names. The cause
//! is the source: log the whole chain once, where it is handled.

use aws_sdk_dynamodb::Error as AwsError;

/// Bytes of one document: DynamoDB's 400 KB for an item, with room for its other attributes.
pub(crate) const DOCUMENT_BYTES: usize = 380 * 1024;

/// The read failed, and may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("could not read {item}")]
    Aws {
        item: String,
        #[source]
        source: Box<AwsError>,
    },
    /// A batch was not finished within its rounds.
    #[error("the table is too busy for {item}")]
    Throttled { item: String },
    /// Written by a version that this one does not understand, or by hand.
    #[error("what is stored as {item} cannot be read: {field}")]
    Unreadable {
        item: String,
        field: &'static str,
        #[source]
        source: Option<serde_json::Error>,
    },
}

/// Whether the write took effect is unknown. Every write here may be repeated: it recognises its own first effect.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("could not write {item}")]
    Aws {
        item: String,
        #[source]
        source: Box<AwsError>,
    },
    #[error("could not encode {item}")]
    Encode {
        item: String,
        #[source]
        source: serde_json::Error,
    },
    /// Failed to read the item that a refused condition returned, or a page during the write.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a piece of configuration was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Another caller saved or deleted it meanwhile, or it exists already: read it again.
    #[error("{item} was changed meanwhile")]
    Conflict { item: String },
    /// It would not fit a stored item.
    #[error("{item} is too large to be stored: {bytes} of at most {} bytes", DOCUMENT_BYTES)]
    TooLarge { item: String, bytes: usize },
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl ReadError {
    pub(crate) fn aws(item: impl ToString, source: impl Into<AwsError>) -> Self {
        ReadError::Aws { item: item.to_string(), source: Box::new(source.into()) }
    }

    pub(crate) fn throttled(item: impl ToString) -> Self {
        ReadError::Throttled { item: item.to_string() }
    }

    pub(crate) fn missing(item: impl ToString, field: &'static str) -> Self {
        ReadError::Unreadable { item: item.to_string(), field, source: None }
    }

    pub(crate) fn unreadable(item: impl ToString, field: &'static str, source: serde_json::Error) -> Self {
        ReadError::Unreadable { item: item.to_string(), field, source: Some(source) }
    }
}

impl WriteError {
    pub(crate) fn aws(item: impl ToString, source: impl Into<AwsError>) -> Self {
        WriteError::Aws { item: item.to_string(), source: Box::new(source.into()) }
    }
}
