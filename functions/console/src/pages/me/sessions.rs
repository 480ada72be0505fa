//! Lists the sessions of a member, and ends them on request.

use alerting::base::moment::Moment;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use store::sessions::Session;

use super::fields::SUBJECT;
use crate::app::SharedApp;
use crate::pages::error::PageError;
use crate::pages::form::{Form, see_other};
use crate::pages::render::{Reader, When};
use crate::session::SignedIn;

pub(super) fn router() -> Router<SharedApp> {
    Router::new().route("/me/sessions/end", post(end)).route("/me/sessions/end-others", post(end_others))
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The hash under which the session is stored. It cannot be used to sign in.
    id: String,
    /// The name of the browser, from its `User-Agent`.
    browser: Option<String>,
    since: When,
    seen: When,
    /// Whether this is the session that shows the page.
    is_this: bool,
}

/// One row for each session, newest first.
pub(super) fn rows(found: &[(String, Session)], signed_in: &SignedIn) -> Vec<Row> {
    let reader = Reader::of(signed_in.clone());
    let this = signed_in.session();
    let seen = |session: &Session| -> Moment { session.seen_at.unwrap_or(session.created_at) };
    let row = |(id, session): &(String, Session)| Row {
        id: id.clone(),
        browser: session.browser.clone(),
        since: reader.when(session.created_at),
        seen: reader.when(seen(session)),
        is_this: *id == this,
    };
    found.iter().map(row).collect()
}

async fn end(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let wanted = form.text("session");
    let own = app.store.sessions_of(&signed_in.member.id, app.clock.now()).await?;
    // Ending a session that has already ended is a success. Sessions of other members are not touched.
    if own.iter().any(|(id, _)| id == wanted) {
        app.store.end_session(wanted).await?;
    }
    Ok(see_other("/me?done=signed_out"))
}

async fn end_others(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let this = signed_in.session();
    for (id, _) in app.store.sessions_of(&signed_in.member.id, app.clock.now()).await? {
        if id != this {
            app.store.end_session(&id).await?;
        }
    }
    Ok(see_other("/me?done=signed_out"))
}
