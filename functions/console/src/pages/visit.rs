//! The base address and the headers of a request that a browser sent.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::error::PageError;
use crate::app::SharedApp;
use crate::extract::Base;

/// The base address that was requested, and the headers.
pub(crate) struct Visit {
    pub(crate) base: Base,
    pub(crate) headers: HeaderMap,
}

impl FromRequestParts<SharedApp> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, PageError> {
        let base = Base::from_request_parts(parts, app).await.map_err(|_| PageError::NotFound)?;
        Ok(Self { base, headers: parts.headers.clone() })
    }
}
