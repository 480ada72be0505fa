//! The fields of a form that was posted.

use alerting::base::secret::Secret;
use alerting::people::destination::Language;
use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use lambda_kit::random;
use operations::idempotency::IdempotencyKey;
use words::pages::shell::FORM_TOO_LARGE;

use super::error::PageError;
use crate::session::FORM_TOKEN;

/// The maximum size of a form in bytes. It fits a comment of 4,000 characters, each written as `%F0%9F%98%80`, and the
/// other fields.
const FORM_BYTES: usize = 64 * 1024;

/// The field with the idempotency key of a form.
const ACTION_KEY: &str = "action_key";
/// The number of random base62 characters in a key.
const ACTION_KEY_CHARS: usize = 16;

/// Generates an idempotency key for a form that is being shown.
pub(crate) fn new_action_key() -> String {
    random::base62(ACTION_KEY_CHARS)
}

/// The fields are not shown by `Debug` because some of them are passwords.
pub(crate) struct Form(Vec<(String, String)>);

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A form that the console itself builds.
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        Self(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The text of a field without surrounding whitespace. Empty if the form has no such field.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.whole(name).trim()
    }

    /// The text of a password field, not trimmed: every character counts.
    pub(crate) fn secret(&self, name: &str) -> Secret {
        Secret::new(self.whole(name))
    }

    pub(crate) fn token(&self) -> &str {
        self.text(FORM_TOKEN)
    }

    /// The idempotency key of the form, created when the form was shown, so that a form posted twice acts once. `None`:
    /// an earlier version made the page.
    pub(crate) fn action_key(&self) -> Result<Option<IdempotencyKey>, PageError> {
        match self.text(ACTION_KEY) {
            "" => Ok(None),
            key => IdempotencyKey::new(ACTION_KEY, key).map(Some).map_err(|_| PageError::ForeignForm),
        }
    }

    /// Every value of a field that may occur more than once.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every field except these, as posted.
    pub(crate) fn without(&self, names: &[&str]) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
    }

    fn whole(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, PageError> {
        let body = to_bytes(request.into_body(), FORM_BYTES).await.map_err(|_| {
            let size = (FORM_BYTES / 1024).to_string();
            let sentence = |language| FORM_TOO_LARGE.fill(language, &[("size", &size)]);
            PageError::Refused {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                english: sentence(Language::English),
                chinese: Some(sentence(Language::Chinese)),
                happened: "refused",
            }
        })?;
        Ok(Self::parse(&body))
    }
}

/// The parameters of the path. Returns [`PageError::NotFound`] if they are invalid.
pub(crate) fn known<T>(path: Result<Path<T>, PathRejection>) -> Result<T, PageError> {
    path.map(|Path(path)| path).map_err(|_| PageError::NotFound)
}

/// Redirects to a page of the console with a `GET`.
pub(crate) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}
