//! Requests to the platforms: the `Host` header alone selects the vendor, the path is that vendor's own.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;

use crate::fakes::Fakes;
use crate::platform::Request;
use crate::registry;

/// Bytes of a request. Every vendor's own limit is far lower and is answered in its own words.
const BODY_BYTES: usize = 1024 * 1024;

/// Serves all platforms. It may be nested below a path.
pub fn router(fakes: &Fakes) -> Router {
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_BYTES)).with_state(fakes.clone())
}

/// Whether this is the name of a simulated server.
pub fn is_vendor_host(host: &str) -> bool {
    registry::at_host(host).is_some()
}

async fn answer(State(fakes): State<Fakes>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A key in a path may contain characters that a URL escapes.
    let path = &*percent_decode_str(uri.path()).decode_utf8_lossy();
    let Some(platform) = registry::at_host(host).filter(|platform| platform.has_path(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let query: BTreeMap<String, String> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let request = Request { now: fakes.now(), path, query: &query, headers: &headers, body: &body };
    fakes.receive(platform, &request).await.into_response()
}
