//! Explains why someone was, or was not, notified of a message. The page shows the trace of the API.

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::people::hours::Zone;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use serde::Serialize;

use super::error::{PageError, refused};
use super::render::{Reader, page};
use crate::app::SharedApp;
use crate::dto::trace::TraceView;
use crate::session::SignedIn;
use crate::trace;

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/integrations/{id}/messages/{message}/trace", get(show))
}

#[derive(Serialize)]
struct Context {
    trace: TraceView,
    /// The time zone in which the template writes times.
    zone: Zone,
}

async fn show(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Path((id, stamp)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let integration: IntegrationId = id.parse().map_err(|_| PageError::NotFound)?;
    let stamp: Stamp = stamp.parse().map_err(|_| PageError::NotFound)?;
    let language = signed_in.member.language;
    let trace = trace::trace(&app, &integration, stamp, language).await.map_err(refused)?;
    let zone = signed_in.member.time_zone.clone();
    Ok(page("trace.html", "trace_title", &Context { trace, zone }, &Reader::of(signed_in)))
}
