//! Handles the forms of the incident's page: makes one conditional change by the signed-in member, then redirects to
//! the page.

use alerting::base::ids::IncidentId;
use alerting::incident::Incident;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use operations::access::Scope;
use operations::incidents::error::ActError;
use operations::incidents::requested::RequestedAction;
use operations::incidents::{self, ActionRequest, existing};
use operations::silences::like::{LikeIncident, create_like_incident};
use serde::Serialize;

use super::buttons::subject;
use super::page::{DONE, answer};
use super::timeline::{Row, since};
use super::view::{PageRequest, Refusal, people};
use crate::app::{App, SharedApp};
use crate::error::ApiError;
use crate::pages::error::{PageError, refused};
use crate::pages::fields::Filled;
use crate::pages::form::{Form, known, see_other};
use crate::pages::render::{Reader, page};
use crate::session::{FORM_TOKEN, SignedIn};

pub(super) async fn act(
    State(app): State<SharedApp>,
    by: SignedIn,
    path: Result<Path<(IncidentId, String)>, PathRejection>,
    form: Form,
) -> Result<Response, PageError> {
    let (id, action) = known(path)?;
    by.check_form(&subject(&id), form.text(FORM_TOKEN))?;
    if !by.may(Scope::Respond) {
        return Err(PageError::Forbidden);
    }
    let key = form.action_key()?;
    let episode = form.text("episode").parse().map_err(|_| PageError::ForeignForm)?;
    if action == "silence" {
        let minutes = number(&form, "minutes").map_err(refused)?;
        let request = LikeIncident { incident: id.clone(), minutes, labels: None, actor: by.actor(), key };
        create_like_incident(&app.dispatch, request).await?;
        return Ok(done(&id, &action));
    }
    let requested = match requested(&action, &form) {
        Ok(requested) => requested.ok_or(PageError::NotFound)?,
        Err(error) => return again(&app, &id, by, &action, &form, error).await,
    };
    let actor = by.actor();
    let request = ActionRequest { incident: id.clone(), episode: Some(episode), action: requested, actor, key };
    match attempt(&app, &by, &request, episode, &action).await? {
        Ok(answer) => Ok(answer),
        Err(error) => again(&app, &id, by, &action, &form, error.into()).await,
    }
}

/// Shows the page again with all input kept and the error beside its field.
async fn again(
    app: &App,
    id: &IncidentId,
    by: SignedIn,
    action: &str,
    form: &Form,
    error: ApiError,
) -> Result<Response, PageError> {
    let people = form.all("people").map(str::to_owned).collect();
    let refusal = Refusal { action: action.to_owned(), filled: Filled::refused(form, error)?, people };
    let incident = existing(&app.store, id).await?;
    let asked = PageRequest { refusal: Some(&refusal), ..PageRequest::default() };
    Ok((StatusCode::BAD_REQUEST, answer(app, incident, by, &asked).await?).into_response())
}

/// Performs the action if the incident is still in the episode that the person saw. Otherwise shows what happened
/// since.
pub(crate) async fn perform(
    app: &App,
    by: &SignedIn,
    request: &ActionRequest,
    episode: u32,
    action: &str,
) -> Result<Response, PageError> {
    Ok(attempt(app, by, request, episode, action).await??)
}

async fn attempt(
    app: &App,
    by: &SignedIn,
    request: &ActionRequest,
    episode: u32,
    action: &str,
) -> Result<Result<Response, ActError>, PageError> {
    let id = &request.incident;
    match incidents::act(&app.dispatch, request).await {
        Ok(_) => Ok(Ok(done(id, action))),
        Err(error @ ActError::Refused(_)) => {
            let is_earlier = existing(&app.store, id).await?.episode != episode;
            if is_earlier { earlier(app, id, episode, by).await.map(Ok) } else { Ok(Err(error)) }
        }
        Err(error) => Ok(Err(error)),
    }
}

fn done(id: &IncidentId, action: &str) -> Response {
    see_other(&format!("/incidents/{id}?{}={action}", DONE))
}

/// The names of the people who work on the incident.
pub(crate) async fn actor_names(app: &App, incident: &Incident) -> Result<String, PageError> {
    let people = people(app, incident).await?;
    Ok(people.into_iter().filter(|person| person.works_on_it).map(|person| person.name).collect::<Vec<_>>().join(", "))
}

/// The requested action. `None`: there is no such action.
fn requested(action: &str, form: &Form) -> Result<Option<RequestedAction>, ApiError> {
    Ok(Some(match action {
        "acknowledge" => RequestedAction::Acknowledge,
        "unacknowledge" => RequestedAction::Unacknowledge,
        "close" => RequestedAction::Close,
        "reopen" => RequestedAction::Reopen,
        "escalate" => RequestedAction::Escalate { level: None },
        "snooze" => RequestedAction::snooze(number(form, "minutes")?)?,
        "comment" => RequestedAction::comment(form.text("text"))?,
        "edit" => {
            let severity = form.text("severity");
            let severity = serde_json::from_value(severity.into())
                .map_err(|_| ApiError::invalid("severity", "expected `Critical`, `Warning` or `Info`"))?;
            RequestedAction::edit(Some(form.text("title")), Some(severity))?
        }
        "reassign" | "responders" => {
            let of = |prefix: &'static str| form.all("people").filter(move |id| id.starts_with(prefix));
            let bad = |_| ApiError::invalid("people", "expected a member or a team");
            let members = of("mem_").map(str::parse).collect::<Result<_, _>>().map_err(bad)?;
            let teams = of("team_").map(str::parse).collect::<Result<_, _>>().map_err(bad)?;
            if action == "reassign" {
                RequestedAction::Reassign { members, teams }
            } else {
                RequestedAction::AddResponders { members, teams }
            }
        }
        _ => return Ok(None),
    }))
}

fn number(form: &Form, name: &str) -> Result<u32, ApiError> {
    form.text(name).parse().map_err(|_| ApiError::invalid(name, "expected a whole number"))
}

#[derive(Serialize)]
struct Earlier {
    place: String,
    num: String,
    since: Vec<Row>,
}

/// The page that shows what happened since the incident was reopened. The requested action was not performed, because
/// it was made for an earlier episode.
pub(crate) async fn earlier(app: &App, id: &IncidentId, episode: u32, by: &SignedIn) -> Result<Response, PageError> {
    let reader = Reader::of(by.clone());
    let incident = existing(&app.store, id).await?;
    let since = since(app, &incident, episode, &reader).await?;
    let content = Earlier { place: subject(id), num: incident.num, since };
    Ok((StatusCode::CONFLICT, page("earlier.html", "reopened_since", &content, &reader)).into_response())
}
