//! The answer to a request that failed: a status, a stable code, a sentence, and the wrong field.
//!
//! In → out: `ApiError::invalid("routes[0].spaces[1]", "there is no space spc_x")` →
//! `400 {"error":{"code":"invalid","message":"…","field":"routes[0].spaces[1]"}}`.
//!
//! Internal errors are logged here, once, with the whole chain, and never shown: no table, no address, no input.

mod mapped;

use std::error::Error;
use std::time::Duration;

use alerting::incident::action::ActionError;
use alerting::people::destination::Language;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use operations::access::Scope;

/// Errors that the caller did not cause become [`ApiError::Internal`] by `?`, type by type ([`mapped`]), so that a typed
/// error of an operation never becomes internal by accident.
#[derive(Debug)]
pub(crate) enum ApiError {
    Invalid {
        field: Option<String>,
        message: String,
    },
    Unauthorized(&'static str),
    /// The scope that the operation needs.
    Forbidden(Scope),
    /// A member's session lacks a requirement: the header `x-csrf-token`, a role, or a confirmation.
    Denied {
        code: &'static str,
        message: &'static str,
    },
    NotFound(String),
    MethodNotAllowed,
    Conflict(String),
    /// The action does not fit the state of the incident.
    Refused(ActionError),
    TooLarge(String),
    TooMany {
        after: Duration,
        message: String,
    },
    Internal(Box<dyn Error + Send + Sync>),
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// A stable code for programs.
    #[schema(example = "invalid")]
    code: &'static str,
    /// What is wrong and how to correct it, for people.
    message: String,
    /// The path of the wrong field in the request: `push_mode.key[0].pattern`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl ApiError {
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field.into()), message: message.into() }
    }

    /// The error for an object that does not exist. `what` names it with its id: `space spc_4fJk2LmNpQ`.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::NotFound(format!("there is no {what}"))
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict(message.into())
    }

    /// The same error, with its field as a path from the containing object.
    pub(crate) fn within(self, outer: &str) -> Self {
        match self {
            Self::Invalid { field: Some(field), message } if field.starts_with('[') => {
                Self::invalid(format!("{outer}{field}"), message)
            }
            Self::Invalid { field: Some(field), message } => Self::invalid(format!("{outer}.{field}"), message),
            Self::Invalid { field: None, message } => Self::invalid(outer, message),
            other => other,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::Denied { .. } => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) | Self::Refused(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The text for people, without the field.
    pub(crate) fn sentence(self) -> String {
        self.detail().message
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::Denied { code, .. } => code,
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict(_) | Self::Refused(_) => "conflict",
            Self::TooLarge(_) => "too_large",
            Self::TooMany { .. } => "too_many_requests",
            Self::Internal(_) => "internal",
        }
    }

    fn detail(self) -> ErrorDetail {
        let code = self.code();
        let (message, field) = match self {
            Self::Invalid { field, message } => (message, field),
            Self::Unauthorized(message) | Self::Denied { message, .. } => (message.to_owned(), None),
            Self::Forbidden(needed) => (format!("this needs the scope `{needed}`; use an API key that has it"), None),
            Self::NotFound(message)
            | Self::Conflict(message)
            | Self::TooLarge(message)
            | Self::TooMany { message, .. } => (message, None),
            Self::Refused(refusal) => (words::errors::refused(&refusal, Language::English), None),
            Self::MethodNotAllowed => ("this address does not take that method".to_owned(), None),
            Self::Internal(_) => ("something failed on our side; try again".to_owned(), None),
        };
        ErrorDetail { code, message, field }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(error = &**error as &dyn Error, "a console request failed");
        }
        let status = self.status();
        let header = match &self {
            Self::Unauthorized(_) => Some((header::WWW_AUTHENTICATE, "Bearer".to_owned())),
            // Rounded up: a caller that waits this long must not be refused again.
            Self::TooMany { after, .. } => Some((header::RETRY_AFTER, after.as_secs().saturating_add(1).to_string())),
            _ => None,
        };
        let mut response = (status, Json(ErrorBody { error: self.detail() })).into_response();
        if let Some((name, value)) = header
            && let Ok(value) = value.parse()
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: fault 110
    #[test]
    fn an_internal_error_shows_nothing_internal() {
        let item = "arn:aws:dynamodb:eu-central-1:1:table/secret-name".to_owned();
        let error = ApiError::from(store::errors::ReadError::Throttled { item });
        let detail = error.detail();
        assert_eq!((detail.code, detail.message.contains("arn")), ("internal", false));
    }

    #[test]
    fn a_fault_is_named_from_the_outermost_object() {
        let fault = |field: &str| ApiError::invalid(field, "wrong").within("pipeline[2]").detail().field;
        assert_eq!(fault("add_label.pattern").as_deref(), Some("pipeline[2].add_label.pattern"));
        assert_eq!(fault("[0]").as_deref(), Some("pipeline[2][0]"));
    }

    #[test]
    fn a_caller_that_waits_as_long_as_the_header_says_is_not_refused_again() {
        let error = ApiError::TooMany { after: Duration::from_millis(1500), message: "slower".to_owned() };
        let response = error.into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
