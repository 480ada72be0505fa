//! `/dead-letters`: what was given up, with its reason; an administrator sends it again or deletes it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Serialize;
use store::dead_letters::DeadLetter;

use super::error::{PageError, refused};
use super::form::{Form, known, see_other};
use super::incident::story::reason_in_words;
use super::render::{Reader, When, page};
use crate::app::{App, SharedApp};
use crate::dead_letters as dead;
use crate::incidents::destination_name;
use crate::saved::dead_letter as found;
use crate::session::SignedIn;
use operations::access::Scope;

const PAGE: &str = "/dead-letters";
/// Letters of one page.
const LISTED: usize = 50;

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route(PAGE, get(list)).route("/dead-letters/{id}/{action}", post(act).get(back))
}

#[derive(Serialize)]
struct DeadLettersPage {
    rows: Vec<Row>,
    next: Option<String>,
    time_zone: String,
}

#[derive(Serialize)]
struct Row {
    id: String,
    kind: &'static str,
    reason: String,
    at: When,
    incident: Option<String>,
    /// The destination by name, or the integration by id.
    about: Option<String>,
    /// Of its buttons; `None`: the reader may not.
    form_token: Option<String>,
}

async fn list(
    State(app): State<SharedApp>,
    by: SignedIn,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    dead::collect(&app).await;
    let after = query.get("after").map(String::as_str).filter(|after| !after.is_empty());
    let found = app.store.dead_letters(LISTED, after).await?;
    let reader = Reader::of(by.clone());
    let mut rows = Vec::with_capacity(found.items.len());
    for letter in found.items {
        rows.push(row(&app, letter, &by, &reader).await?);
    }
    let next = found.next.map(|next| {
        format!("{PAGE}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("after", &next).finish())
    });
    let content = DeadLettersPage { rows, next, time_zone: reader.time_zone.as_str().to_owned() };
    Ok(page("dead_letters.html", "dead_letters", &content, &reader).into_response())
}

async fn row(app: &App, letter: DeadLetter, by: &SignedIn, reader: &Reader) -> Result<Row, PageError> {
    let about = match (&letter.destination, &letter.integration) {
        (Some(destination), _) => {
            let (name, _) = destination_name(app, destination).await.map_err(refused)?;
            Some(name.unwrap_or_else(|| destination.to_string()))
        }
        (None, Some(integration)) => Some(integration.to_string()),
        (None, None) => None,
    };
    Ok(Row {
        kind: reader.word(&format!("dead_{}", letter.kind.as_str())),
        reason: reason_in_words(&letter.reason, reader),
        at: reader.when(letter.at),
        incident: letter.incident.map(|incident| incident.to_string()),
        about,
        form_token: by.may(Scope::Admin).then(|| by.form_token(&subject(&letter.id))),
        id: letter.id,
    })
}

fn subject(id: &str) -> String {
    format!("{PAGE}/{id}")
}

async fn act(
    State(app): State<SharedApp>,
    by: SignedIn,
    path: Result<Path<(String, String)>, PathRejection>,
    form: Form,
) -> Result<Response, PageError> {
    let (id, action) = known(path)?;
    by.check_form(&subject(&id), form.token())?;
    if !by.may(Scope::Admin) {
        return Err(PageError::Forbidden);
    }
    let letter = found(&app, &id).await.map_err(refused)?;
    match action.as_str() {
        "resend" => dead::resend(&app, &letter).await.map_err(refused)?,
        "delete" => app.store.delete_dead_letter(&id).await?,
        _ => return Err(PageError::NotFound),
    }
    Ok(see_other(PAGE))
}

/// Where a form was posted to, asked for by its address alone.
async fn back(_: SignedIn) -> Response {
    see_other(PAGE)
}
