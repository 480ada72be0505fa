//! Authenticates and authorises every request to the API. [`super::of_key`] checks an API key; this file checks a signed-in
//! member: the session cookie, and a header that only our own pages can send.
//!
//! In → out: `Cookie: session=…` with `x-csrf-token: …` → the member, with the scope of the role. The token is bound to
//! the session and to the API, as the token of a form is bound to the object of the form; pages have it in
//! `<meta name="csrf-token">`. The page of another site can make a browser send the cookie. It cannot send the header,
//! nor our origin, which is required for changes.
//!
//! A change that would outlive a stolen session needs a confirmed session, as on the pages ([`needs_confirmation`]).

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use operations::access::Scope;

use super::scope::Scopes;
use super::{Actor, NO_CALLER, of_key};
use crate::app::{BASE, SharedApp};
use crate::error::ApiError;
use crate::extract::Base;
use crate::pages::error::PageError;
use crate::session::{self, SignedIn};

/// The header that holds the token.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

const NO_SESSION: ApiError = ApiError::Unauthorized("your session has ended: sign in again");
const NO_TOKEN: ApiError = ApiError::Denied {
    code: "csrf_token_required",
    message: "a session needs the header `x-csrf-token` as well: take it from <meta name=\"csrf-token\"> of a page of this \
              session, or use an API key",
};
const FOREIGN: ApiError = ApiError::Denied {
    code: "foreign_origin",
    message: "a session counts only in requests of this console's own pages",
};
const NOT_CONFIRMED: ApiError = ApiError::Denied {
    code: "confirmation_required",
    message: "this would outlast the session: confirm that it is you at /me/confirm, then repeat it within ten minutes",
};

/// Passes a request on if its caller has the scope that the operation needs, and keeps the caller for the route.
pub(crate) async fn authenticate(
    State((app, scopes)): State<(SharedApp, Arc<Scopes>)>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let operation = path.strip_prefix(BASE).unwrap_or(path).to_owned();
    let needed = scopes.needed(&parts.method, &operation);
    let actor = if parts.headers.contains_key(header::AUTHORIZATION) {
        of_key(&app, &parts, needed).await?
    } else {
        Actor::member(of_session(&app, &mut parts, &operation, needed).await?.ok_or(NO_CALLER)?.member)
    };
    parts.extensions.insert(actor);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The member who owns the session of the request; `None`: it has no session. `operation`: its path below the API's
/// base.
async fn of_session(
    app: &SharedApp,
    parts: &mut Parts,
    operation: &str,
    needed: Scope,
) -> Result<Option<SignedIn>, ApiError> {
    let base = Base::from_request_parts(parts, app).await?;
    if !session::is_carried(&parts.headers, &base) {
        return Ok(None);
    }
    let signed_in = session::signed_in(app, &parts.headers, &base).await.map_err(in_api_words)?.ok_or(NO_SESSION)?;
    let given = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    signed_in.check_form(BASE, given).map_err(|_| NO_TOKEN)?;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        session::same_origin(&parts.headers, &base).map_err(|_| FOREIGN)?;
    }
    if !signed_in.may(needed) {
        return Err(ApiError::Denied { code: "forbidden", message: who_may(needed) });
    }
    if needs_confirmation(&parts.method, operation) && !signed_in.is_confirmed(app.clock.now()) {
        return Err(NOT_CONFIRMED);
    }
    Ok(Some(signed_in))
}

fn in_api_words(error: PageError) -> ApiError {
    match error {
        PageError::Internal(error) => ApiError::Internal(error),
        _ => NO_SESSION,
    }
}

const fn who_may(needed: Scope) -> &'static str {
    match needed {
        Scope::Read | Scope::Respond => "your role only reads: ask a responder or an administrator",
        Scope::Admin => "your role does not allow this: ask an administrator",
    }
}

/// Changes that give their caller access beyond the session: keys, members, their addresses, and the sign-in provider.
fn needs_confirmation(method: &Method, operation: &str) -> bool {
    let changes = *method != Method::GET && *method != Method::HEAD;
    let outlasts = ["/api-keys", "/members", "/sign-in"];
    changes
        && outlasts
            .iter()
            .any(|area| operation.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outlasts_a_stolen_session_needs_a_confirmed_one() {
        for (method, operation, expected) in [
            (Method::POST, "/api-keys", true),
            (Method::POST, "/members/{id}/invitation", true),
            (Method::PUT, "/members/{id}", true),
            (Method::PUT, "/sign-in/oidc", true),
            (Method::GET, "/members", false),
            (Method::HEAD, "/api-keys", false),
            (Method::POST, "/incidents/{id}/close", false),
            (Method::POST, "/memberships", false),
        ] {
            assert_eq!(needs_confirmation(&method, operation), expected, "{method} {operation}");
        }
    }
}
