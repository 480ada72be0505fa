//! Errors of pages and actions: each states what happened and what to do. [`super::error_page`] renders them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use alerting::incident::action::ActionError;
use alerting::people::destination::Language;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Converts errors type by type like [`ApiError`], so that a typed error of an operation has the same sentence as in
/// the API.
#[derive(Debug)]
pub(crate) enum PageError {
    /// The browser is redirected to the sign-in page and then to `next`, a path of the console.
    SignIn {
        next: String,
    },
    /// The session ended while a form was being filled in.
    Unauthorized,
    /// The member's role does not allow it.
    Forbidden,
    /// The form does not come from a page of this deployment for this session and this subject.
    ForeignForm,
    NotFound,
    /// An error of the API: an invalid field, or a conflict.
    Refused {
        status: StatusCode,
        /// The API's sentence in English.
        english: String,
        /// The Chinese sentence, if the catalogue has it. Otherwise the page shows the English one.
        chinese: Option<String>,
        /// A key of the words.
        happened: &'static str,
    },
    /// A message that the page words itself, by keys of the words.
    Message {
        status: StatusCode,
        happened: &'static str,
        remedy: &'static str,
    },
    /// Too many requests. The value is the time to wait.
    TooOften(Duration),
    Internal(Box<dyn Error + Send + Sync>),
}

/// An error of the API as an error of a page.
pub(crate) fn refused(error: ApiError) -> PageError {
    match error {
        ApiError::NotFound(_) => PageError::NotFound,
        ApiError::Forbidden(_) | ApiError::Denied { .. } => PageError::Forbidden,
        ApiError::Internal(error) => PageError::Internal(error),
        other => {
            let (status, happened) = (other.status(), happened(&other));
            let chinese = match &other {
                ApiError::Refused(error) => Some(words::errors::refused(error, Language::Chinese)),
                _ => None,
            };
            PageError::Refused { status, english: other.sentence(), chinese, happened }
        }
    }
}

/// Converts every error that the API can answer.
impl<E> From<E> for PageError
where
    ApiError: From<E>,
{
    fn from(error: E) -> Self {
        refused(ApiError::from(error))
    }
}

/// The key of the words for an error that people can cause with our forms. Any other error has a general text.
fn happened(error: &ApiError) -> &'static str {
    match error {
        ApiError::Refused(ActionError::Closed) => "refused_closed",
        ApiError::Refused(ActionError::NotClosed) => "refused_not_closed",
        ApiError::Refused(ActionError::NotAcknowledged) => "refused_not_acknowledged",
        ApiError::Refused(ActionError::Merged(_)) => "refused_merged",
        ApiError::Refused(ActionError::NoRule) => "refused_no_rule",
        ApiError::Refused(ActionError::NobodyThere(_) | ActionError::NoLevel { .. }) => "refused_nobody_there",
        ApiError::Invalid { field: Some(field), .. } => match field.split('[').next().unwrap_or_default() {
            "members" | "teams" | "people" => "refused_people",
            "minutes" => "refused_minutes",
            "text" => "refused_text",
            "title" => "refused_title",
            _ => REFUSED,
        },
        _ => REFUSED,
    }
}

/// The general text for a refused action.
pub(crate) const REFUSED: &str = "refused";

impl PageError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused { status, .. } | Self::Message { status, .. } => *status,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Keys of the words that say what happened and what to do.
    pub(crate) fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn { .. } | Self::Unauthorized => ("session_ended", "sign_in_again"),
            Self::Forbidden => ("not_allowed", "ask_an_administrator"),
            Self::ForeignForm => ("foreign_form", "open_the_page_again"),
            Self::NotFound => ("not_found", "it_may_be_deleted"),
            Self::Refused { happened, .. } => (happened, "nothing_changed"),
            Self::Message { happened, remedy, .. } => (happened, remedy),
            Self::TooOften(_) => ("too_many_tries", "try_again"),
            Self::Internal(_) => ("our_failure", "try_again"),
        }
    }
}

impl IntoResponse for PageError {
    /// Leaves the body empty: the middleware of the pages writes it because it knows the reader's language.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
