//! The pages: those that messages link to, and those on which people act.
//!
//! They are rendered on the server and have no scripts. A `GET` never changes anything, because chat clients and
//! scanners open links before people do. A form is posted to its own path. The answer redirects to a page that shows
//! the result.
//!
//! Reading order: [`render`] a template and its frame → [`words`] all texts, in both languages → [`error`] why a page
//! cannot be shown → [`error_page`] the page for an error → [`form`] the posted form → one file per page.

mod assets;
mod confirm;
mod dead_letters;
pub(crate) mod error;
mod error_page;
mod fields;
mod form;
mod incident;
mod incidents;
mod links;
mod me;
mod members;
mod my_password;
mod notifications;
mod paths;
pub(crate) mod render;
mod set_up;
mod sign_in;
pub(crate) mod trace;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::app::SharedApp;
use crate::error::ApiError;
use crate::pages::error::PageError;
use crate::pages::render::Reader;

/// Content from this origin only: no inline content, no scripts, no embedding in frames, and forms only to this origin.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Headers of every page. `same-origin`: other sites do not see our addresses, which may contain tokens. Our own forms
/// still send their origin, which `session::same_origin` needs in browsers that do not send `Sec-Fetch-Site`.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
];

/// All pages.
pub(crate) fn router(app: &SharedApp) -> Router<SharedApp> {
    let pages = Router::new().route("/", get(root)).route("/assets/{name}", get(assets::asset)).merge(trace::router());
    let pages = pages
        .merge(sign_in::router())
        .merge(set_up::router())
        .merge(confirm::router())
        .merge(members::router())
        .merge(my_password::router())
        .merge(incidents::router())
        .merge(incident::router())
        .merge(links::router())
        .merge(dead_letters::router())
        .merge(me::router())
        .merge(notifications::router());
    pages.layer(middleware::from_fn_with_state(Arc::clone(app), finish))
}

/// Shows errors in the reader's language, and adds the protective headers.
async fn finish(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(error) = response.extensions_mut().remove::<Arc<PageError>>() {
        // Looked up for errors only: a page identifies its reader itself, and a forged link is refused before anything
        // is read.
        let reader = Reader::from_request_parts(&mut asked, &app).await.unwrap_or_default();
        // The request may have replaced the session's cookie.
        let cookies = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect::<Vec<_>>();
        response = error_page::answer(&error, &reader);
        cookies.into_iter().for_each(|cookie| {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        });
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// The address without a path leads to the incidents.
async fn root() -> Redirect {
    Redirect::to("/incidents")
}

/// For an address that does not exist: a page for browsers, JSON for programs.
pub(crate) async fn unknown(State(app): State<SharedApp>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/html") || parts.uri.path().starts_with(crate::app::BASE) {
        return ApiError::not_found("such address").into_response();
    }
    let reader = Reader::from_request_parts(&mut parts, &app).await.unwrap_or_default();
    let mut response = error_page::answer(&PageError::NotFound, &reader);
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
