//! The pages of one-time links: the form for the first administrator, or the form for a new password. Opening a link
//! does not use it up.

use alerting::people::{Member, Role};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::json;
use store::config::Expect;
use store::invitations::Invitation;

use super::error::{PageError, refused};
use super::fields::Filled;
use super::form::Form;
use super::render::{Reader, page};
use super::sign_in::welcome;
use crate::accounts::{Link, LinkResult, find_link, use_link};
use crate::app::{App, SharedApp};
use crate::error::ApiError;
use crate::extract::{Base, parse};
use crate::members::{self, new_member};
use crate::password::{LEAST, MOST};
use crate::session::same_origin;

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/set-up/{token}", get(show).post(choose))
}

#[derive(Debug, Serialize)]
struct SetUpPage<'a> {
    /// The address of the form, which is that of the link.
    action: String,
    /// The owner of the password. `None`: the first administrator is being created.
    member: Option<&'a str>,
    /// The email address of that member.
    email: &'a str,
    form: Filled,
    least: usize,
    most: usize,
}

async fn show(State(app): State<SharedApp>, Path(token): Path<String>, reader: Reader) -> Result<Response, PageError> {
    let link = find_link(&app, &token).await.map_err(refused)?.ok_or(GONE)?;
    Ok(shown(&link, &token, Filled::default(), &reader))
}

const GONE: PageError =
    PageError::Message { status: StatusCode::GONE, happened: "link_is_gone", remedy: "ask_for_a_new_link" };

fn shown(link: &Link, token: &str, form: Filled, reader: &Reader) -> Response {
    let (member, email, title) = match link {
        Link::FirstAdministrator(_) => (None, "", "first_administrator"),
        Link::Password { member, .. } => {
            let email = member.email.as_deref().unwrap_or_default();
            (Some(member.name.as_str()), email, "choose_a_password")
        }
    };
    let status = if form.is_wrong() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let action = format!("/set-up/{token}");
    let content = SetUpPage { action, member, email, form, least: LEAST, most: MOST };
    (status, page("set_up.html", title, &content, reader)).into_response()
}

async fn choose(
    State(app): State<SharedApp>,
    Path(token): Path<String>,
    base: Base,
    headers: HeaderMap,
    reader: Reader,
    form: Form,
) -> Result<Response, PageError> {
    same_origin(&headers, &base)?;
    let link = find_link(&app, &token).await.map_err(refused)?.ok_or(GONE)?;
    match used(&app, &link, &form, &reader).await {
        Ok(LinkResult::Done { member, epoch }) => welcome(&app, &headers, &base, &member, epoch, "/incidents").await,
        Ok(LinkResult::Gone) => Err(GONE),
        Err(error) => Ok(shown(&link, &token, Filled::refused(&form, error)?, &reader)),
    }
}

async fn used(app: &App, link: &Link, form: &Form, reader: &Reader) -> Result<LinkResult, ApiError> {
    let password = form.secret("password");
    match link {
        Link::Password { invitation, member } => {
            use_link(app, invitation, (Member::clone(member), None), password).await
        }
        Link::FirstAdministrator(invitation) => first(app, invitation, form, reader).await,
    }
}

/// Makes a new member, or the member who already has this address, an administrator.
async fn first(app: &App, invitation: &Invitation, form: &Form, reader: &Reader) -> Result<LinkResult, ApiError> {
    let (name, email) = (form.text("name"), form.text("email"));
    let body = json!({"name": name, "email": email, "language": reader.language, "role": Role::Administrator});
    let body = parse(body.to_string().as_bytes())?;
    let new = members::wanted(app, &body, new_member(app), name).await?;
    let known = app.store.members_with_email(email).await?;
    let (member, expect) = match known.into_iter().next() {
        Some(known) => {
            let expect = Expect::Version(known.version);
            (Member { name: new.name, role: Role::Administrator, ..known }, expect)
        }
        None => (new, Expect::New),
    };
    use_link(app, invitation, (member, Some(expect)), form.secret("password")).await
}
