//! Bodies of requests and answers as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::SqsError;

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(field) => SqsError::MissingParameter(field.to_owned()),
            None => SqsError::Unreadable(text),
        }
    })
}

pub(super) fn to_value(answer: impl Serialize) -> Value {
    serde_json::to_value(answer).expect("an answer is texts and numbers")
}
