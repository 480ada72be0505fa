//! Asks a signed-in member to confirm their identity before a change that would outlive a stolen session: an address, a
//! member or an invitation.
//!
//! If the session is not confirmed, the answer to a posted form is a page that asks for the password and keeps the
//! posted fields. A member without a password goes to the sign-in provider and returns. A confirmation begins a new
//! session, so the answer must set its cookie even if the form fails: [`with_cookie`] adds it.

use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::error::{PageError, refused};
use super::fields::{Filled, Wrong};
use super::form::{Form, see_other};
use super::paths::own_path;
use super::render::{Reader, page};
use super::visit::Visit;
use crate::accounts::{PasswordResult, confirm_password};
use crate::app::{App, SharedApp};
use crate::session::{self, FORM_TOKEN, SignedIn};

/// The field that holds the password.
const PASSWORD: &str = "confirm_password";

/// The page where a person confirms before a script calls an operation that needs it.
const PAGE: &str = "/me/confirm";

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route(PAGE, get(show).post(go_on))
}

/// The query parameter that names the page to open afterwards.
#[derive(Debug, Deserialize)]
struct ConfirmQuery {
    #[serde(default)]
    next: String,
}

impl ConfirmQuery {
    fn address(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", own_path(&self.next)).finish();
        format!("{PAGE}?{query}")
    }
}

async fn show(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Query(wanted): Query<ConfirmQuery>,
) -> Result<Response, PageError> {
    if signed_in.is_confirmed(app.clock.now()) {
        return Ok(see_other(own_path(&wanted.next)));
    }
    let form = Form::of(&[(FORM_TOKEN, &signed_in.form_token(PAGE))]);
    let mut response = ask(&app, signed_in, &form, &wanted.address(), None, None).await?;
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

async fn go_on(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    visit: Visit,
    Query(wanted): Query<ConfirmQuery>,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form(PAGE, form.token())?;
    Ok(match confirm(&app, signed_in, &visit, &form, &wanted.address()).await? {
        ConfirmResult::Confirmed(confirmed) => {
            with_cookie(confirmed.into_parts().1, Ok(see_other(own_path(&wanted.next))))
        }
        ConfirmResult::Page(page) => page,
    })
}

/// The result of requesting a confirmation.
pub(crate) enum ConfirmResult {
    Confirmed(Box<ConfirmedSession>),
    /// The page that asks for the password.
    Page(Response),
}

/// A session with a recent confirmation.
pub(crate) struct ConfirmedSession {
    signed_in: SignedIn,
    /// The cookie of the session that began with the confirmation.
    cookie: Option<HeaderValue>,
}

impl ConfirmedSession {
    /// The session to continue with, and the cookie for [`with_cookie`].
    pub(crate) fn into_parts(self) -> (SignedIn, Option<HeaderValue>) {
        (self.signed_in, self.cookie)
    }
}

/// Adds the cookie of the new session to the answer, even if the form failed.
pub(crate) fn with_cookie(cookie: Option<HeaderValue>, result: Result<Response, PageError>) -> Response {
    let mut response = result.unwrap_or_else(PageError::into_response);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

#[derive(Serialize)]
struct ConfirmPage {
    /// The path to which the page posts the form again.
    action: String,
    fields: Vec<(String, String)>,
    email: String,
    /// The state of the password field.
    form: Filled,
    has_password: bool,
    provider: Option<Provider>,
}

#[derive(Serialize)]
struct Provider {
    name: String,
    href: String,
}

/// Confirms the session with the password in the form, unless it is already confirmed. `action` is the form's own
/// address.
pub(crate) async fn confirm(
    app: &App,
    signed_in: SignedIn,
    visit: &Visit,
    form: &Form,
    action: &str,
) -> Result<ConfirmResult, PageError> {
    if signed_in.is_confirmed(app.clock.now()) {
        return Ok(ConfirmResult::Confirmed(Box::new(ConfirmedSession { signed_in, cookie: None })));
    }
    let given = form.secret(PASSWORD);
    if given.expose().is_empty() {
        return Ok(ConfirmResult::Page(ask(app, signed_in, form, action, None, None).await?));
    }
    let tried = confirm_password(app, &signed_in.member, &signed_in.session(), given).await.map_err(refused)?;
    Ok(match tried {
        PasswordResult::Right { member, epoch } => {
            let begun = session::confirm(app, &visit.headers, &member, epoch, &visit.base).await?;
            ConfirmResult::Confirmed(Box::new(ConfirmedSession {
                signed_in: begun.signed_in,
                cookie: Some(begun.cookie),
            }))
        }
        PasswordResult::Wrong => {
            let wrong = Wrong::new(PASSWORD, "wrong_old_password");
            ConfirmResult::Page(ask(app, signed_in, form, action, Some(wrong), None).await?)
        }
        PasswordResult::TooOften(wait) => {
            let wrong = Wrong::too_often(PASSWORD, wait);
            ConfirmResult::Page(ask(app, signed_in, form, action, Some(wrong), Some(wait)).await?)
        }
    })
}

async fn ask(
    app: &App,
    signed_in: SignedIn,
    form: &Form,
    action: &str,
    wrong: Option<Wrong>,
    wait: Option<Duration>,
) -> Result<Response, PageError> {
    let provider = app.store.oidc_provider().await?;
    let href = |next: &str| {
        let pairs = [("next", next), ("again", "1")];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/sign-in/oidc?{query}")
    };
    let content = ConfirmPage {
        action: action.to_owned(),
        fields: form.without(&[PASSWORD, "username"]),
        email: signed_in.member.email.clone().unwrap_or_default(),
        form: Filled::default().or_wrong(wrong),
        has_password: app.store.account(&signed_in.member.id).await?.is_some(),
        provider: provider.map(|provider| Provider { name: provider.name, href: href(action) }),
    };
    let document = page("confirm.html", "confirm_it_is_you", &content, &Reader::of(signed_in));
    Ok(match wait {
        Some(wait) => {
            let seconds = wait.as_secs().saturating_add(1).to_string();
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], document).into_response()
        }
        None => (StatusCode::FORBIDDEN, document).into_response(),
    })
}
