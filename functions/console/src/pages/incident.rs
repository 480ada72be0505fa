//! `/incidents/{id}`: what happened, who was notified, and which actions the reader may take.
//!
//! Reading order: [`view`] the content of the page → [`timeline`] the timeline in words → [`buttons`] the available
//! actions → [`act`] the effect of an action.

pub(crate) mod act;
pub(crate) mod buttons;
mod deliveries;
pub(crate) mod page;
pub(crate) mod timeline;
pub(crate) mod view;

use std::collections::BTreeMap;

use alerting::base::ids::IncidentId;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use operations::incidents::existing;

use crate::app::SharedApp;
use crate::pages::error::PageError;
use crate::pages::form::{known, see_other};
use crate::session::SignedIn;

use self::page::{DONE, answer};

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/incidents/{id}", get(show)).route("/incidents/{id}/{action}", post(act::act).get(back))
}

async fn show(
    State(app): State<SharedApp>,
    by: SignedIn,
    id: Result<Path<IncidentId>, PathRejection>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let incident = existing(&app.store, &known(id)?).await?;
    let asked = view::PageRequest {
        done: query.get(DONE).map(String::as_str),
        whole_timeline: query.get("timeline").is_some_and(|part| part == "all"),
        refusal: None,
    };
    answer(&app, incident, by, &asked).await
}

/// Redirects a `GET` of a form's address to the page.
async fn back(path: Result<Path<(IncidentId, String)>, PathRejection>) -> Result<Response, PageError> {
    let (id, _) = known(path)?;
    Ok(see_other(&format!("/incidents/{id}")))
}
