//! Where a member is signed in, and how they end that.

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
    /// The hash that it is stored under. Nobody signs in with that.
    id: String,
    /// What the browser calls itself.
    browser: Option<String>,
    since: When,
    seen: When,
    /// The session that shows the page.
    is_this: bool,
}

/// Newest first.
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
    // A session that has ended already is a success. A session of another member is not touched.
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
