//! `/incidents/{id}`: what happened, who knows, and what the reader may do about it.
//!
//! Reading order: [`view`] what the page says → [`story`] the timeline in words → [`buttons`] what may be pressed →
//! [`act`] what a press does.

pub(crate) mod act;
pub(crate) mod buttons;
pub(crate) mod story;
pub(crate) mod view;

use operations::incidents::existing;
use std::collections::BTreeMap;

use alerting::base::ids::IncidentId;
use alerting::incident::Incident;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::app::{App, SharedApp};
use crate::pages::error::PageError;
use crate::pages::form::{known, see_other};
use crate::pages::render::{Reader, page};
use crate::session::SignedIn;

/// What a person can be told that has just been done, as it stands in the address.
const DONE: &str = "done";

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
    let asked = view::Asked {
        done: query.get(DONE).map(String::as_str),
        whole_timeline: query.get("timeline").is_some_and(|part| part == "all"),
        refusal: None,
    };
    answer(&app, incident, by, &asked).await
}

/// The page of an incident for whoever is signed in.
pub(crate) async fn answer(
    app: &App,
    incident: Incident,
    by: SignedIn,
    asked: &view::Asked<'_>,
) -> Result<Response, PageError> {
    let reader = Reader::of(by.clone());
    let title = format!("INC #{} {}", incident.num, alerting::incident::shown::without_state(&incident.title));
    let content = view::page_of(app, incident, &by, &reader, asked).await?;
    Ok(page("incident.html", &title, &content, &reader).into_response())
}

/// Where a form was posted to, asked for by its address alone.
async fn back(path: Result<Path<(IncidentId, String)>, PathRejection>) -> Result<Response, PageError> {
    let (id, _) = known(path)?;
    Ok(see_other(&format!("/incidents/{id}")))
}
