//! The fields of a form that was posted.

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};

use crate::SharedApp;
use crate::pages::error::PageError;

/// The largest form: a comment of 4,000 characters, each written as `%F0%9F%98%80`, and its fellows.
const FORM_BYTES: usize = 64 * 1024;

pub(crate) struct PageForm(Vec<(String, String)>);

impl PageForm {
    /// A field's text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Every value of a field that may be given more than once.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<SharedApp> for PageForm {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, PageError> {
        let body = Bytes::from_request(request, app).await.ok().filter(|body| body.len() <= FORM_BYTES);
        let refused = || PageError::Refused {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            sentence: format!("a form has at most {} KiB", FORM_BYTES / 1024),
        };
        Ok(Self(form_urlencoded::parse(&body.ok_or_else(refused)?).into_owned().collect()))
    }
}

/// What stands in the path, if such a thing can exist.
pub(crate) fn known<T>(path: Result<Path<T>, PathRejection>) -> Result<T, PageError> {
    path.map(|Path(path)| path).map_err(|_| PageError::NotFound)
}

/// Goes on to a page of ours, which then is asked for by `GET`.
pub(crate) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}
