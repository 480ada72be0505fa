//! What a form of the incident's page does: one conditional change by the signed-in member, then back to the page.

use alerting::base::ids::IncidentId;
use alerting::incident::Incident;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::story::{self, Row};
use crate::act::{Wish, act_in, existing};
use crate::app::{App, SharedApp};
use crate::auth::scope::Scope;
use crate::error::ApiError;
use crate::levels;
use crate::pages::error::{PageError, refused};
use crate::pages::form::{Form, known, see_other};
use crate::pages::render::{Reader, page};
use crate::routes::incident_actions as api;
use crate::session::{FORM_TOKEN, SignedIn};

/// What the forms of an incident's page act on.
pub(crate) fn subject(id: &IncidentId) -> String {
    format!("/incidents/{id}")
}

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
    let episode = form.text("episode").parse().map_err(|_| PageError::ForeignForm)?;
    if action == "silence" {
        let minutes = number(&form, "minutes").map_err(refused)?;
        api::silence_like(&app, &id, minutes, None, by.actor().name).await.map_err(refused)?;
        return Ok(done(&id, &action));
    }
    let wish = wish(&action, &form).map_err(refused)?.ok_or(PageError::NotFound)?;
    if wish == (Wish::Escalate { level: None }) {
        levels::check(&app, &existing(&app, &id).await.map_err(refused)?, None).await.map_err(refused)?;
    }
    perform(&app, &id, episode, wish, &by, &action).await
}

/// Carries it out, if the incident is still in the episode in which the person saw it; else says what happened since.
pub(crate) async fn perform(
    app: &App,
    id: &IncidentId,
    episode: u32,
    wish: Wish,
    by: &SignedIn,
    action: &str,
) -> Result<Response, PageError> {
    match act_in(app, id, Some(episode), wish, &by.actor()).await {
        Ok(_) => Ok(done(id, action)),
        Err(error @ (ApiError::Conflict(_) | ApiError::Refused(_))) => {
            let is_earlier = existing(app, id).await.map_err(refused)?.episode != episode;
            if is_earlier { earlier(app, id, episode, by).await } else { Err(refused(error)) }
        }
        Err(error) => Err(refused(error)),
    }
}

fn done(id: &IncidentId, action: &str) -> Response {
    see_other(&format!("/incidents/{id}?{}={action}", super::DONE))
}

/// Who works on the incident, by name.
pub(crate) async fn actor_names(app: &App, incident: &Incident) -> Result<String, PageError> {
    let people = super::view::people(app, incident).await?;
    Ok(people.into_iter().filter(|person| person.works_on_it).map(|person| person.name).collect::<Vec<_>>().join(", "))
}

/// `None`: there is no such action.
fn wish(action: &str, form: &Form) -> Result<Option<Wish>, ApiError> {
    Ok(Some(match action {
        "acknowledge" => Wish::Acknowledge,
        "unacknowledge" => Wish::Unacknowledge,
        "close" => Wish::Close,
        "reopen" => Wish::Reopen,
        "escalate" => Wish::Escalate { level: None },
        "snooze" => Wish::Snooze(api::snooze_length(number(form, "minutes")?)?),
        "comment" => Wish::Comment { text: api::comment_text(form.text("text"))? },
        "edit" => {
            let severity = form.text("severity");
            let severity = serde_json::from_value(severity.into())
                .map_err(|_| ApiError::invalid("severity", "expected `Critical`, `Warning` or `Info`"))?;
            Wish::Edit { title: Some(api::edited_title(form.text("title"))?), severity: Some(severity) }
        }
        "reassign" | "responders" => {
            let of = |prefix: &'static str| form.all("people").filter(move |id| id.starts_with(prefix));
            let bad = |_| ApiError::invalid("people", "expected a member or a team");
            let members = of("mem_").map(str::parse).collect::<Result<_, _>>().map_err(bad)?;
            let teams = of("team_").map(str::parse).collect::<Result<_, _>>().map_err(bad)?;
            if action == "reassign" {
                Wish::Reassign { members, teams }
            } else {
                Wish::AddResponders { members, teams }
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

/// The incident has been reopened since a message or a page was made: nothing was done, and this is what happened.
pub(crate) async fn earlier(app: &App, id: &IncidentId, episode: u32, by: &SignedIn) -> Result<Response, PageError> {
    let reader = Reader::of(by.clone());
    let incident = existing(app, id).await.map_err(refused)?;
    let since = story::since(app, &incident, episode, &reader).await?;
    let content = Earlier { place: subject(id), num: incident.num, since };
    Ok((StatusCode::CONFLICT, page("earlier.html", "reopened_since", &content, &reader)).into_response())
}

/// How long the page's buttons snooze and silence: minutes.
pub(super) const LENGTHS: [(u32, &str); 3] = [(120, "two_hours"), (240, "four_hours"), (720, "twelve_hours")];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_length_that_is_offered_is_one_that_is_taken() {
        for (minutes, _) in LENGTHS {
            assert_eq!(api::snooze_length(minutes).ok(), Some(Duration::from_secs(u64::from(minutes) * 60)));
        }
    }
}
