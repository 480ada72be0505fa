//! `/dead-letters`: lists the dead letters with their reasons. An administrator resends one or several of them, or
//! deletes one and states a reason.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Serialize;
use store::dead_letters::DeadLetter;

use super::error::{PageError, refused};
use super::fields::Filled;
use super::form::{Form, known, see_other};
use super::incident::timeline::reason_in_words;
use super::render::{Reader, When, page};
use crate::app::{App, SharedApp};
use crate::dead_letters as dead;
use crate::error::ApiError;
use crate::incidents::destination_name;
use crate::session::SignedIn;
use operations::access::Scope;

const PAGE: &str = "/dead-letters";
/// The most dead letters on one page and in one form.
const LISTED: usize = 50;

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route(PAGE, get(list)).route("/dead-letters/{action}", post(act).get(back))
}

#[derive(Serialize)]
struct DeadLettersPage {
    rows: Vec<Row>,
    next: Option<String>,
    /// The token of the page's forms. `None`: the reader may not act.
    form_token: Option<String>,
    form: Filled,
    /// The messages about the last action: what succeeded, and what failed.
    done: Option<String>,
    failed: Option<String>,
    time_zone: String,
}

#[derive(Serialize)]
struct Row {
    id: String,
    kind: &'static str,
    reason: String,
    at: When,
    incident: Option<String>,
    /// The name of the destination, or the id of the integration.
    about: Option<String>,
    is_picked: bool,
    /// Why the last attempt to resend this dead letter failed.
    failure: Option<&'static str>,
}

/// The result of a form, for the page that shows it.
#[derive(Default)]
struct Shown {
    after: Option<String>,
    form: Filled,
    picked: Vec<String>,
    done: Option<String>,
    failed: Option<String>,
    /// Why dead letters could not be resent: keys of the words, by the id of the dead letter.
    failures: BTreeMap<String, &'static str>,
}

async fn list(
    State(app): State<SharedApp>,
    by: SignedIn,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let reader = Reader::of(by.clone());
    let counted = |name: &str, key: &str| counted(&reader, key, query.get(name)?.parse().ok()?);
    let (sent, deleted) = (counted("sent", "dead_sent_again"), counted("deleted", "dead_deleted"));
    let after = query.get("after").filter(|after| !after.is_empty()).cloned();
    shown(&app, &by, Shown { after, done: sent.or(deleted), ..Shown::default() }).await
}

/// A text such as `Queued again: 3.`; `None` if the number is zero.
fn counted(reader: &Reader, key: &str, number: usize) -> Option<String> {
    (number > 0).then(|| reader.counted(key, number))
}

async fn shown(app: &App, by: &SignedIn, what: Shown) -> Result<Response, PageError> {
    let found = dead::list(app, LISTED, what.after.as_deref()).await.map_err(refused)?;
    let reader = Reader::of(by.clone());
    let mut rows = Vec::with_capacity(found.items.len());
    for letter in found.items {
        rows.push(row(app, letter, &what, &reader).await?);
    }
    let next = found.next.map(|next| {
        format!("{PAGE}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("after", &next).finish())
    });
    let form_token = by.may(Scope::Admin).then(|| by.form_token(PAGE));
    let time_zone = reader.time_zone.as_str().to_owned();
    let Shown { form, done, failed, .. } = what;
    let content = DeadLettersPage { rows, next, form_token, form, done, failed, time_zone };
    Ok(page("dead_letters.html", "dead_letters", &content, &reader).into_response())
}

async fn row(app: &App, letter: DeadLetter, what: &Shown, reader: &Reader) -> Result<Row, PageError> {
    let about = match (&letter.destination, &letter.integration) {
        (Some(destination), _) => {
            let (name, _) = destination_name(app, destination).await.map_err(refused)?;
            Some(name.unwrap_or_else(|| destination.to_string()))
        }
        (None, Some(integration)) => {
            let stored = app.store.cached_integration(integration, app.clock.now()).await?;
            Some(stored.map_or_else(|| integration.to_string(), |stored| stored.integration.name.clone()))
        }
        (None, None) => None,
    };
    Ok(Row {
        kind: reader.word(&format!("dead_{}", letter.kind.as_str())),
        reason: reason_in_words(&letter.reason, reader),
        at: reader.when(letter.at),
        incident: letter.incident.map(|incident| incident.to_string()),
        about,
        is_picked: what.picked.contains(&letter.id),
        failure: what.failures.get(&letter.id).map(|key| reader.word(key)),
        id: letter.id,
    })
}

async fn act(
    State(app): State<SharedApp>,
    by: SignedIn,
    path: Result<Path<String>, PathRejection>,
    form: Form,
) -> Result<Response, PageError> {
    let action = known(path)?;
    by.check_form(PAGE, form.token())?;
    if !by.may(Scope::Admin) {
        return Err(PageError::Forbidden);
    }
    // The button of a row acts on that row only, even if other rows are selected.
    let picked: Vec<&str> = match form.text("only") {
        "" => form.all("letter").take(LISTED).collect(),
        only => vec![only],
    };
    if picked.is_empty() {
        return none_picked(&app, &by, &form).await;
    }
    match action.as_str() {
        "resend" => resend(&app, &by, &picked).await,
        "delete" => delete(&app, &by, &picked, &form).await,
        _ => Err(PageError::NotFound),
    }
}

async fn none_picked(app: &App, by: &SignedIn, form: &Form) -> Result<Response, PageError> {
    let failed = Reader::of(by.clone()).word("dead_none_picked").to_owned();
    let form = Filled::with(&[("reason", form.text("reason"))]);
    with(StatusCode::BAD_REQUEST, shown(app, by, Shown { form, failed: Some(failed), ..Shown::default() }).await?)
}

async fn resend(app: &App, by: &SignedIn, picked: &[&str]) -> Result<Response, PageError> {
    let mut failures = BTreeMap::new();
    for (id, result) in dead::resend_each(app, picked).await {
        match result {
            Ok(()) => {}
            Err(ApiError::NotFound(_)) => _ = failures.insert(id.to_owned(), "dead_gone"),
            Err(ApiError::Conflict(_)) => _ = failures.insert(id.to_owned(), "dead_superseded"),
            Err(error) => return Err(refused(error)),
        }
    }
    let sent = picked.len() - failures.len();
    if failures.is_empty() {
        return Ok(see_other(&format!("{PAGE}?sent={sent}")));
    }
    let reader = Reader::of(by.clone());
    let (done, failed) = (counted(&reader, "dead_sent_again", sent), counted(&reader, "dead_not_sent", failures.len()));
    let picked = failures.keys().cloned().collect();
    with(StatusCode::CONFLICT, shown(app, by, Shown { picked, done, failed, failures, ..Shown::default() }).await?)
}

async fn delete(app: &App, by: &SignedIn, picked: &[&str], form: &Form) -> Result<Response, PageError> {
    let reason = match dead::reason(form.text("reason")) {
        Ok(reason) => reason,
        Err(error) => {
            let picked = picked.iter().map(|id| (*id).to_owned()).collect();
            let form = Filled::refused(form, error)?;
            return with(StatusCode::BAD_REQUEST, shown(app, by, Shown { form, picked, ..Shown::default() }).await?);
        }
    };
    let mut deleted = 0;
    for id in picked {
        match dead::delete(app, id, Some(reason), &by.member.name).await {
            Ok(()) => deleted += 1,
            // Another administrator has already deleted the dead letter.
            Err(ApiError::NotFound(_)) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(see_other(&format!("{PAGE}?deleted={deleted}")))
}

fn with(status: StatusCode, page: Response) -> Result<Response, PageError> {
    Ok((status, page).into_response())
}

/// Redirects a `GET` of a form's address to the page.
async fn back(_: SignedIn) -> Response {
    see_other(PAGE)
}
