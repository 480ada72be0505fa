//! `/links/{token}`: the pages that links in messages open.
//!
//! The token is verified before any table is read. Opening a link never changes anything, because chat clients, mail
//! scanners and previews open links before people do. Without a session the page shows nothing of the alert and
//! redirects to the sign-in page.

mod personal;
mod signed;

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::incident::link::Allows;
use alerting::incident::{Incident, Progress};
use axum::Router;
use axum::extract::{FromRequestParts as _, Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use operations::access::Scope;
use operations::incidents::requested::RequestedAction;
use operations::incidents::{ActionRequest, existing};
use serde::Serialize;

use super::incident::act::{actor_names, earlier, perform};
use super::incident::page::answer;
use super::incident::view::{Headline, PageRequest, unnotified};
use crate::app::{App, SharedApp};
use crate::incidents::notified;
use crate::pages::error::PageError;
use crate::pages::form::{Form, known, new_action_key};
use crate::pages::render::{Reader, page};
use crate::session::{FORM_TOKEN, SignedIn};

use self::signed::{Signed, UNKNOWN, subject};

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/links/{token}", get(open)).route("/links/{token}/{action}", post(act))
}

async fn open(
    State(app): State<SharedApp>,
    Signed { link, token }: Signed,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Result<Response, PageError> {
    if link.member.is_some() {
        return personal::show(&app, &link, &token).await;
    }
    let (mut parts, _) = request.into_parts();
    let by = SignedIn::from_request_parts(&mut parts, &app).await?;
    let incident = existing(&app.store, &link.incident).await?;
    let wants_to_acknowledge = query.contains_key("ack") && link.allows == Allows::Acknowledge;
    if !wants_to_acknowledge {
        let done = (incident.episode != link.episode).then_some("link_of_earlier_episode");
        return answer(&app, incident, by, &PageRequest { done, ..PageRequest::default() }).await;
    }
    if incident.episode != link.episode {
        return earlier(&app, &link.incident, link.episode, &by).await;
    }
    acknowledge_page(&app, &incident, &token, by).await
}

#[derive(Serialize)]
struct AcknowledgePage {
    headline: Headline,
    /// Why nobody was notified, as a key of the words.
    unnotified: Option<String>,
    /// Why there is no button, as a key of the words. `None`: there is one.
    without: Option<&'static str>,
    /// The names of the people who already work on the incident.
    working: String,
    action: String,
    token: String,
    action_key: String,
    episode: u32,
}

async fn acknowledge_page(app: &App, incident: &Incident, token: &str, by: SignedIn) -> Result<Response, PageError> {
    let reader = Reader::of(by.clone());
    let works_on_it = incident.acknowledged_by.iter().any(|id| id == by.member.id.as_str());
    let without = match () {
        () if incident.merged_into.is_some() => Some("it_was_merged"),
        () if incident.progress == Progress::Closed => Some("it_is_closed"),
        () if works_on_it => Some("you_work_on_it"),
        () if !by.may(Scope::Respond) => Some("viewers_only_look"),
        () => None,
    };
    let content = AcknowledgePage {
        headline: Headline::of(incident, &reader),
        unnotified: unnotified(notified(app, incident).await?),
        without,
        working: actor_names(app, incident).await?,
        action: format!("{}/acknowledge", subject(token)),
        token: by.form_token(&subject(token)),
        action_key: new_action_key(),
        episode: incident.episode,
    };
    Ok(page("acknowledge.html", "acknowledge", &content, &reader).into_response())
}

async fn act(State(app): State<SharedApp>, signed: Signed, request: Request) -> Result<Response, PageError> {
    let (mut parts, body) = request.into_parts();
    let path = Path::<(String, String)>::from_request_parts(&mut parts, &app).await;
    let (_, action) = known(path)?;
    if action != "acknowledge" || signed.link.allows != Allows::Acknowledge {
        return Err(UNKNOWN);
    }
    let Signed { link, token } = signed;
    if link.member.is_some() {
        return personal::acknowledge(&app, &link, &token, &mut parts).await;
    }
    let by = SignedIn::from_request_parts(&mut parts, &app).await?;
    let form = form(&app, Request::from_parts(parts, body)).await?;
    by.check_form(&subject(&token), form.text(FORM_TOKEN))?;
    if !by.may(Scope::Respond) {
        return Err(PageError::Forbidden);
    }
    let (actor, key) = (by.actor(), form.action_key()?);
    let (incident, episode) = (link.incident, link.episode);
    let action = RequestedAction::Acknowledge;
    let request = ActionRequest { incident, episode: Some(episode), action, actor, key };
    perform(&app, &by, &request, episode, "acknowledge").await
}

async fn form(app: &Arc<App>, request: Request) -> Result<Form, PageError> {
    use axum::extract::FromRequest as _;
    Form::from_request(request, app).await
}
