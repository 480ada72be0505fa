//! Verifies the token of a link. Returns the error page if the token is not valid.

use std::collections::BTreeMap;

use alerting::incident::link::Link;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use lambda_kit::links::LinkError;

use crate::app::SharedApp;
use crate::pages::error::PageError;
use crate::pages::form::known;

/// A link that this deployment signed and that has not expired. The check uses only the token.
pub(super) struct Signed {
    pub(super) link: Link,
    pub(super) token: String,
}

impl FromRequestParts<SharedApp> for Signed {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, PageError> {
        let path = Path::<BTreeMap<String, String>>::from_request_parts(parts, app).await;
        let token = known(path)?.remove("token").ok_or(PageError::NotFound)?;
        match app.sealer.link_keys().await?.open(&token, app.clock.now()) {
            Ok(link) => Ok(Self { link, token }),
            Err(LinkError::Expired(_)) => Err(EXPIRED),
            Err(LinkError::Unknown) => Err(UNKNOWN),
        }
    }
}

const EXPIRED: PageError = message(StatusCode::GONE, "link_expired", "link_expired_remedy");
pub(super) const UNKNOWN: PageError = message(StatusCode::NOT_FOUND, "link_unknown", "link_unknown_remedy");

pub(super) const fn message(status: StatusCode, happened: &'static str, remedy: &'static str) -> PageError {
    PageError::Message { status, happened, remedy }
}

/// The subject that the form token of a link's page is bound to.
pub(super) fn subject(token: &str) -> String {
    format!("/links/{token}")
}
