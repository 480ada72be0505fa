//! The personal link, with which one person acknowledges without signing in. Only channels that address one person send
//! it, and only if the deployment allows it. The link is valid for one day, works once, allows nothing else, and shows
//! only the incident's number.

use alerting::base::actor::{NamedActor, Via};
use alerting::incident::link::Link;
use alerting::incident::{Incident, Progress};
use alerting::people::Member;
use axum::extract::FromRequestParts as _;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use operations::access::may_act;
use operations::idempotency::IdempotencyKey;
use operations::incidents::error::ActError;
use operations::incidents::requested::RequestedAction;
use operations::incidents::{self, ActionRequest, existing};
use serde::Serialize;
use store::keys::secret_hash;

use super::signed::{UNKNOWN, message, subject};
use crate::app::{App, SharedApp};
use crate::extract::Base;
use crate::pages::error::PageError;
use crate::pages::render::{Reader, page};
use crate::session::same_origin;

const USED: PageError = message(StatusCode::GONE, "link_used", "link_used_remedy");
const EARLIER: PageError = message(StatusCode::CONFLICT, "reopened_since", "sign_in_to_see");
const CLOSED: PageError = message(StatusCode::CONFLICT, "it_is_closed", "nothing_changed");

#[derive(Serialize)]
struct Personal {
    num: String,
    name: String,
    action: String,
    is_done: bool,
}

/// The incident and the member of a link that is still valid.
struct Usable {
    incident: Incident,
    member: Member,
}

async fn usable(app: &App, link: &Link, token: &str) -> Result<Usable, PageError> {
    let member = link.member.as_ref().filter(|_| app.personal_ack_links).ok_or(UNKNOWN)?;
    let kept = app.store.personal_link(&secret_hash(token), app.clock.now()).await?.ok_or(UNKNOWN)?;
    if kept.used_at.is_some() {
        return Err(USED);
    }
    let member = app.store.members().get(member).await?.filter(may_act).ok_or(UNKNOWN)?;
    let incident = existing(&app.store, &link.incident).await?;
    if incident.episode != link.episode {
        return Err(EARLIER);
    }
    if incident.progress == Progress::Closed {
        return Err(CLOSED);
    }
    Ok(Usable { incident, member })
}

pub(super) async fn show(app: &App, link: &Link, token: &str) -> Result<Response, PageError> {
    let usable = usable(app, link, token).await?;
    Ok(shown(usable, token, false))
}

/// Acknowledges without a session: the form must come from the page above, and the token authorizes the action.
pub(super) async fn acknowledge(
    app: &SharedApp,
    link: &Link,
    token: &str,
    parts: &mut Parts,
) -> Result<Response, PageError> {
    let base = Base::from_request_parts(parts, app).await.map_err(|_| PageError::NotFound)?;
    same_origin(&parts.headers, &base)?;
    let usable = usable(app, link, token).await?;
    let actor = NamedActor::member(usable.member.id.clone(), &usable.member.name, Via::Link);
    let (incident, episode) = (link.incident.clone(), Some(link.episode));
    // The link's hash is the idempotency key.
    let key = Some(IdempotencyKey::new("link", &secret_hash(token)).expect("a hash is visible ASCII"));
    let request = ActionRequest { incident, episode, action: RequestedAction::Acknowledge, actor, key };
    match incidents::act(&app.dispatch, &request).await {
        Ok(_) => {}
        // The incident was closed or reopened between the two reads.
        Err(ActError::Refused(_)) => return Err(EARLIER),
        Err(error) => return Err(error.into()),
    }
    // Marks the link as used after the action. If this write fails, the same link acknowledges again, which changes
    // nothing.
    app.store.use_personal_link(&secret_hash(token), link.expires_at, app.clock.now()).await?;
    Ok(shown(usable, token, true))
}

fn shown(Usable { incident, member }: Usable, token: &str, is_done: bool) -> Response {
    let reader = Reader { language: member.language, time_zone: member.time_zone.clone(), signed_in: None };
    let action = format!("{}/acknowledge", subject(token));
    let content = Personal { num: incident.num, name: member.name, action, is_done };
    page("personal.html", "acknowledge", &content, &reader).into_response()
}
