//! Signs people in with an email address and a password or through the provider, and signs them out.

use std::time::Duration;

use alerting::people::Member;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::error::{PageError, refused};
use super::fields::{Filled, Wrong};
use super::form::Form;
use super::paths::own_path;
use super::render::{Reader, page};
use super::visit::Visit;
use crate::accounts::{PasswordResult, try_password};
use crate::app::{App, SharedApp};
use crate::devices;
use crate::extract::{Base, source};
use crate::oidc::{self, Finished, OidcError, Returned};
use crate::session::{self, SignedIn, same_origin};

/// The number of characters of an email address that are read. The rest is cut off.
const EMAIL_CHARS: usize = 254;

pub(crate) fn router() -> Router<SharedApp> {
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-in/oidc", get(begin))
        .route(oidc::CALLBACK, get(finish))
        .route("/sign-out", post(sign_out))
}

#[derive(Debug, Default, Deserialize)]
struct SignInQuery {
    #[serde(default)]
    next: String,
    /// Not empty if a signed-in person is to confirm their identity.
    #[serde(default)]
    again: String,
}

#[derive(Debug, Serialize)]
struct SignInPage<'a> {
    next: &'a str,
    form: Filled,
    provider: Option<Provider>,
    /// Whether nobody can sign in yet. The page then explains how to get the set-up link.
    is_new: bool,
}

#[derive(Debug, Serialize)]
struct Provider {
    name: String,
    href: String,
}

async fn form(
    State(app): State<SharedApp>,
    Query(SignInQuery { next, .. }): Query<SignInQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let next = own_path(&next);
    if reader.signed_in.is_some() {
        return Ok(to(next, []));
    }
    let provider = provider(&app, next).await?;
    let is_new = provider.is_none() && app.store.accounts().await?.is_empty();
    let content = SignInPage { next, form: Filled::default(), provider, is_new };
    Ok(page("sign_in.html", "sign_in", &content, &reader).into_response())
}

async fn sign_in(
    State(app): State<SharedApp>,
    base: Base,
    headers: HeaderMap,
    reader: Reader,
    extensions: Extensions,
    form: Form,
) -> Result<Response, PageError> {
    // A page of another site must not sign a person in, because the person would act under another name without
    // noticing.
    same_origin(&headers, &base)?;
    let (email, next) = (form.text("email"), own_path(form.text("next")));
    let email: String = email.chars().take(EMAIL_CHARS).collect();
    let device = devices::known(&app, &headers, &base, &email).await?;
    let tried = try_password(&app, &email, form.secret("password"), source(&extensions), device).await;
    let tried = tried.map_err(refused)?;
    // The error is always shown beside the password, so that the answer does not reveal which addresses belong to
    // members.
    let (wrong, wait) = match tried {
        PasswordResult::Right { member, epoch } => return welcome(&app, &headers, &base, &member, epoch, next).await,
        PasswordResult::Wrong => (Wrong::new("password", "wrong_email_or_password"), None),
        PasswordResult::TooOften(wait) => (Wrong::too_often("password", wait), Some(wait)),
    };
    let provider = provider(&app, next).await?;
    let content = SignInPage { next, form: Filled::again(&form, wrong), provider, is_new: false };
    let document = page("sign_in.html", "sign_in", &content, &reader);
    Ok(match wait {
        Some(wait) => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds(wait))], document).into_response(),
        None => (StatusCode::UNAUTHORIZED, document).into_response(),
    })
}

/// The seconds to wait, rounded up, so that a browser that waits this long is not refused again.
fn seconds(wait: Duration) -> String {
    wait.as_secs().saturating_add(1).to_string()
}

/// Begins a session after a correct password, remembers the browser, and redirects to `next`.
pub(crate) async fn welcome(
    app: &App,
    headers: &HeaderMap,
    base: &Base,
    member: &Member,
    epoch: u64,
    next: &str,
) -> Result<Response, PageError> {
    let session = session::begin(app, headers, member, epoch, base).await?;
    let device = devices::remember(app, base, member.email.as_deref().unwrap_or_default()).await?;
    Ok(to(next, [session, device]))
}

fn to<const N: usize>(path: &str, cookies: [HeaderValue; N]) -> Response {
    let cookies = AppendHeaders(cookies.map(|cookie| (SET_COOKIE, cookie)));
    (StatusCode::SEE_OTHER, [(LOCATION, path)], cookies).into_response()
}

async fn sign_out(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    base: Base,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form("/sign-out", form.token())?;
    Ok(to("/sign-in", [session::end(&app, &headers, &base).await?]))
}

async fn provider(app: &App, next: &str) -> Result<Option<Provider>, PageError> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let provider = app.store.oidc_provider().await?;
    Ok(provider.map(|provider| Provider { name: provider.name, href: format!("/sign-in/oidc?{query}") }))
}

async fn begin(
    State(app): State<SharedApp>,
    base: Base,
    extensions: Extensions,
    Query(SignInQuery { next, again }): Query<SignInQuery>,
) -> Result<Response, PageError> {
    if let Some(wait) = app.visits.count(source(&extensions), app.clock.now()) {
        return Err(PageError::TooOften(wait));
    }
    let provider = app.store.oidc_provider().await?.ok_or(PageError::NotFound)?;
    let begun = oidc::begin(&app, &provider, &base, own_path(&next), !again.is_empty()).await;
    let (url, cookie) = begun.map_err(not_signed_in)?;
    Ok(to(&url, [cookie]))
}

async fn finish(
    State(app): State<SharedApp>,
    visit: Visit,
    extensions: Extensions,
    returned: Result<Query<Returned>, QueryRejection>,
) -> Result<Response, PageError> {
    if let Some(wait) = app.visits.count(source(&extensions), app.clock.now()) {
        return Err(PageError::TooOften(wait));
    }
    let Visit { base, headers } = &visit;
    let provider = app.store.oidc_provider().await?.ok_or(PageError::NotFound)?;
    let returned = returned.map_or_else(|_| Returned::default(), |Query(returned)| returned);
    let finished = oidc::finish(&app, &provider, base, headers, returned).await;
    let Finished { member, next, again } = finished.map_err(not_signed_in)?;
    let epoch = app.store.account(&member.id).await?.map_or(0, |account| account.epoch);
    let is_same = |signed_in: &SignedIn| signed_in.member.id == member.id;
    // Only a member who is already signed in confirms the session. Otherwise a new session begins.
    let session = match session::signed_in(&app, headers, base).await?.filter(|signed_in| again && is_same(signed_in)) {
        Some(_) => session::confirm(&app, headers, &member, epoch, base).await?.cookie,
        None => session::begin(&app, headers, &member, epoch, base).await?,
    };
    // Checks the path again, although `begin` has checked it and the cookie is sealed.
    Ok(to(own_path(&next), [session, oidc::forget(base)]))
}

fn not_signed_in(error: OidcError) -> PageError {
    tracing::warn!(%error, "nobody was signed in by the provider");
    let (status, happened, remedy) = match error {
        OidcError::Stale => (StatusCode::BAD_REQUEST, "oidc_stale", "sign_in_anew"),
        OidcError::Refused(_) => (StatusCode::FORBIDDEN, "oidc_refused", "sign_in_anew"),
        OidcError::Unreachable(_) => (StatusCode::BAD_GATEWAY, "oidc_unreachable", "oidc_check_settings"),
        OidcError::Invalid(_) => (StatusCode::FORBIDDEN, "oidc_invalid", "oidc_check_settings"),
        OidcError::Unverified => (StatusCode::FORBIDDEN, "oidc_unverified", "oidc_verify"),
        OidcError::Unconfirmed => (StatusCode::FORBIDDEN, "oidc_unconfirmed", "oidc_confirm_first"),
        OidcError::Pinned => (StatusCode::FORBIDDEN, "oidc_pinned", "oidc_ask_to_forget"),
        OidcError::NotAgain => (StatusCode::FORBIDDEN, "oidc_not_again", "oidc_sign_out_there"),
        OidcError::Unknown => (StatusCode::FORBIDDEN, "oidc_unknown", "ask_to_be_added"),
        OidcError::Read(error) => return error.into(),
        OidcError::Seal(error) => return error.into(),
        OidcError::Save(error) => return error.into(),
    };
    PageError::Message { status, happened, remedy }
}
