//! The page behind the link of every notice: `GET /incidents/{id}`.
//!
//! The link locates, the key authorises: the page is the same for every id and shows nothing until a person has given
//! an API key, which the browser keeps for the tab's session. All else the page's script asks of the JSON API. Chat
//! clients and scanners that prefetch the link learn and change nothing: no GET acts, and no script acts by itself.

use axum::Router;
use axum::http::header::{self, HeaderName};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const PAGE: &str = include_str!("assets/incident.html");
const SCRIPT: &str = include_str!("assets/incident.js");
const STYLE: &str = include_str!("assets/incident.css");

/// Nothing from elsewhere, nothing inline, never in a frame, no form that posts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'none'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer here says about itself.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/incidents/{id}", get(page))
        .route("/assets/incident.js", get(script))
        .route("/assets/incident.css", get(style))
}

async fn page() -> Response {
    served("text/html; charset=utf-8", PAGE)
}

async fn script() -> Response {
    served("text/javascript; charset=utf-8", SCRIPT)
}

async fn style() -> Response {
    served("text/css; charset=utf-8", STYLE)
}

fn served(content_type: &'static str, body: &'static str) -> Response {
    (HEADERS, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_nothing_inline_and_no_preview_tags() {
        for forbidden in ["<style", "style=", "onclick", "og:", "http://", "https://"] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        assert_eq!(PAGE.matches("<script").count(), PAGE.matches("<script src=\"/assets/").count());
    }

    #[test]
    fn the_script_never_writes_markup() {
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }
}
