//! Renders the whole page of an incident for the signed-in member.

use alerting::incident::Incident;
use alerting::incident::shown::without_state;
use axum::response::{IntoResponse as _, Response};

use super::view::{PageRequest, page_of};
use crate::app::App;
use crate::pages::error::PageError;
use crate::pages::render::{Reader, page};
use crate::session::SignedIn;

/// The query parameter that names the action that was just performed.
pub(super) const DONE: &str = "done";

pub(crate) async fn answer(
    app: &App,
    incident: Incident,
    by: SignedIn,
    asked: &PageRequest<'_>,
) -> Result<Response, PageError> {
    let reader = Reader::of(by.clone());
    let title = format!("INC #{} {}", incident.num, without_state(&incident.title));
    let content = page_of(app, incident, &by, &reader, asked).await?;
    Ok(page("incident.html", &title, &content, &reader).into_response())
}
