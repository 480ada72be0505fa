//! Changes the password of a member who knows the old one, and ends all other sessions of the member.

use axum::Router;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::error::{PageError, refused};
use super::fields::{Filled, Wrong};
use super::form::Form;
use super::render::{Reader, page};
use super::sign_in::welcome;
use crate::accounts::{PasswordResult, change_password, confirm_password};
use crate::app::SharedApp;
use crate::error::ApiError;
use crate::extract::Base;
use crate::password::{LEAST, MOST, check};
use crate::session::SignedIn;

const PAGE: &str = "/me/password";

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route(PAGE, get(form).post(change))
}

#[derive(Debug, Serialize)]
struct PasswordPage {
    form_token: String,
    /// The email address of the owner, so that password managers can assign the password.
    email: Option<String>,
    form: Filled,
    least: usize,
    most: usize,
}

async fn form(signed_in: SignedIn) -> Response {
    shown(signed_in, None)
}

fn shown(signed_in: SignedIn, wrong: Option<Wrong>) -> Response {
    let form = Filled::default().or_wrong(wrong);
    let (form_token, email) = (signed_in.form_token(PAGE), signed_in.member.email.clone());
    let content = PasswordPage { form_token, email, form, least: LEAST, most: MOST };
    page("my_password.html", "new_password", &content, &Reader::of(signed_in)).into_response()
}

async fn change(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    base: Base,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form(PAGE, form.token())?;
    let (old, new) = (form.secret("old_password"), form.secret("password"));
    if let Err(ApiError::Invalid { .. }) = check(&new) {
        return Ok(
            (StatusCode::BAD_REQUEST, shown(signed_in, Some(Wrong::new("password", "wrong_password")))).into_response()
        );
    }
    match confirm_password(&app, &signed_in.member, &signed_in.session(), old).await.map_err(refused)? {
        PasswordResult::Wrong => {
            let wrong = Wrong::new("old_password", "wrong_old_password");
            Ok((StatusCode::FORBIDDEN, shown(signed_in, Some(wrong))).into_response())
        }
        PasswordResult::TooOften(wait) => {
            let seconds = wait.as_secs().saturating_add(1).to_string();
            let document = shown(signed_in, Some(Wrong::too_often("old_password", wait)));
            Ok((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], document).into_response())
        }
        PasswordResult::Right { member, .. } => {
            let epoch = change_password(&app, &member.id, new).await.map_err(refused)?;
            welcome(&app, &headers, &base, &member, epoch, "/me").await
        }
    }
}
