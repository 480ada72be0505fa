//! Lists the members. Administrators also get a form to add a member, and for each member a button that creates a
//! sign-in link.

use std::collections::BTreeSet;

use alerting::base::ids::MemberId;
use alerting::people::Role;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::{Map, Value};

use super::confirm::{ConfirmResult, confirm, with_cookie};
use super::error::{PageError, refused};
use super::fields::{Choice, Filled, languages};
use super::form::Form;
use super::render::{Reader, page};
use super::visit::Visit;
use crate::accounts::make_invitation;
use crate::app::SharedApp;
use crate::dto::member::MemberBody;
use crate::error::ApiError;
use crate::extract::{Base, parse};
use crate::members::create_member;
use crate::saved::member as found;
use crate::session::SignedIn;
use operations::access::Scope;

const PAGE: &str = "/members";
/// The fields of the form, as the API names them.
const FIELDS: [&str; 6] = ["name", "email", "phone", "role", "language", "time_zone"];

/// The roles to select from. The first one is preselected.
const ROLES: [&str; 3] = ["responder", "administrator", "viewer"];

/// The field with which the administrator confirms the email address.
const VOUCHED: &str = "email_verified";

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route(PAGE, get(list).post(add)).route("/members/{id}/invitation", get(back).post(invite))
}

#[derive(Debug, Serialize)]
struct MembersPage {
    members: Vec<Row>,
    /// The form that adds a member. `None`: the reader may not add one.
    add: Option<AddForm>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    email: Option<String>,
    role: Role,
    can_sign_in: bool,
    /// The form token of the button that creates a link. `None`: the reader may not create one, or the member has no
    /// address to sign in with.
    invite: Option<String>,
}

#[derive(Debug, Serialize)]
struct AddForm {
    form_token: String,
    form: Filled,
    roles: Vec<Choice>,
    languages: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct LinkPage<'a> {
    name: &'a str,
    url: &'a str,
    until: String,
}

async fn list(State(app): State<SharedApp>, signed_in: SignedIn) -> Result<Response, PageError> {
    let form = Filled::with(&[("time_zone", "UTC")]);
    shown(&app, signed_in, form).await
}

async fn shown(app: &SharedApp, signed_in: SignedIn, form: Filled) -> Result<Response, PageError> {
    let may_change = signed_in.may(Scope::Admin);
    let mut members = app.store.members().all().await?;
    let accounts: BTreeSet<MemberId> = app.store.accounts().await?.into_iter().map(|one| one.member).collect();
    members.sort_by(|one, other| (one.name.to_lowercase(), &one.id).cmp(&(other.name.to_lowercase(), &other.id)));
    let row = |member: alerting::people::Member| Row {
        can_sign_in: accounts.contains(&member.id) && member.email.is_some(),
        invite: member.email.as_ref().filter(|_| may_change).map(|_| signed_in.form_token(&invitation_of(&member.id))),
        id: member.id.to_string(),
        name: member.name,
        email: member.email,
        role: member.role,
    };
    let members = members.into_iter().map(row).collect();
    let form_token = signed_in.form_token(PAGE);
    let reader = Reader::of(signed_in);
    let add = may_change.then(|| AddForm {
        form_token,
        roles: ROLES.map(|role| Choice::new(role, reader.word(&format!("role_{role}")), form.given("role"))).into(),
        languages: languages(form.given("language")),
        form,
    });
    Ok(page("members.html", "members", &MembersPage { members, add }, &reader).into_response())
}

async fn add(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    visit: Visit,
    form: Form,
) -> Result<Response, PageError> {
    may_change(&signed_in, PAGE, &form)?;
    let confirmed = match confirm(&app, signed_in, &visit, &form, PAGE).await? {
        ConfirmResult::Confirmed(confirmed) => confirmed,
        ConfirmResult::Page(page) => return Ok(page),
    };
    let (signed_in, cookie) = confirmed.into_parts();
    Ok(with_cookie(cookie, added(&app, signed_in, &form).await))
}

async fn added(app: &SharedApp, signed_in: SignedIn, form: &Form) -> Result<Response, PageError> {
    let filled = FIELDS.into_iter().map(|name| (name, form.text(name))).filter(|(_, text)| !text.is_empty());
    let mut given: Map<String, Value> = filled.map(|(name, text)| (name.to_owned(), text.into())).collect();
    if given.contains_key("email") && !form.text(VOUCHED).is_empty() {
        given.insert(VOUCHED.to_owned(), true.into());
    }
    let body: Result<MemberBody, ApiError> = parse(Value::Object(given).to_string().as_bytes());
    let made = match body {
        Ok(body) => create_member(app, &body, &signed_in.member.name).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(_) => Ok((StatusCode::SEE_OTHER, [(LOCATION, PAGE)]).into_response()),
        Err(error) => {
            let document = shown(app, signed_in, Filled::refused(form, error)?).await?;
            Ok((StatusCode::BAD_REQUEST, document).into_response())
        }
    }
}

/// Redirects a reader who reloads the page that showed a link.
async fn back(_: SignedIn) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, PAGE)]).into_response()
}

/// Creates a sign-in link. Only this answer shows the link.
async fn invite(
    State(app): State<SharedApp>,
    Path(id): Path<String>,
    signed_in: SignedIn,
    visit: Visit,
    form: Form,
) -> Result<Response, PageError> {
    let id: MemberId = id.parse().map_err(|_| PageError::NotFound)?;
    let action = invitation_of(&id);
    may_change(&signed_in, &action, &form)?;
    let confirmed = match confirm(&app, signed_in, &visit, &form, &action).await? {
        ConfirmResult::Confirmed(confirmed) => confirmed,
        ConfirmResult::Page(page) => return Ok(page),
    };
    let (signed_in, cookie) = confirmed.into_parts();
    Ok(with_cookie(cookie, invited(&app, signed_in, &id, &visit.base).await))
}

async fn invited(app: &SharedApp, signed_in: SignedIn, id: &MemberId, base: &Base) -> Result<Response, PageError> {
    let member = found(app, id).await.map_err(refused)?;
    let (url, until) = make_invitation(app, &member, &base.0).await.map_err(refused)?;
    let reader = Reader::of(signed_in);
    let content = LinkPage { name: &member.name, url: url.expose(), until: reader.time(until) };
    Ok(page("invitation.html", "invitation", &content, &reader).into_response())
}

fn invitation_of(id: &MemberId) -> String {
    format!("/members/{id}/invitation")
}

fn may_change(signed_in: &SignedIn, subject: &str, form: &Form) -> Result<(), PageError> {
    signed_in.check_form(subject, form.token())?;
    if signed_in.may(Scope::Admin) { Ok(()) } else { Err(PageError::Forbidden) }
}
