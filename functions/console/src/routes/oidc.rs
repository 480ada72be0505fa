//! The sign-in provider of the deployment: at most one, by `OpenID` Connect.

mod types;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use store::config::Expect;
use store::oidc::OidcProvider;

use self::types::{OidcBody, OidcView};
use super::Shared;
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::{is_masked, masked};
use crate::error::ApiError;
use crate::extract::{ApiJson, Patch};
use crate::oidc::SECRET_OWNER;
use crate::saved::save_over;

/// Characters of an issuer, an id and a secret: more than any provider hands out.
const CHARS: usize = 512;

pub(crate) fn router() -> Routes {
    Routes::new().admin(routes!(read, replace, delete))
}

#[utoipa::path(get, path = "/sign-in/oidc", tag = "sign-in", operation_id = "read_oidc",
    summary = "Reads the sign-in provider",
    responses((status = 200, description = "The sign-in provider", body = OidcView)))]
async fn read(State(app): Shared) -> Result<Json<OidcView>, ApiError> {
    let found = app.store.oidc_provider().await?;
    Ok(Json(found.ok_or_else(|| ApiError::not_found("sign-in provider"))?.into()))
}

#[utoipa::path(put, path = "/sign-in/oidc", tag = "sign-in", operation_id = "replace_oidc",
    summary = "Configures the sign-in provider; a secret that is left out is kept as long as the issuer stays the same",
    request_body = OidcBody, responses((status = 200, description = "The sign-in provider", body = OidcView)))]
async fn replace(State(app): Shared, ApiJson(body): ApiJson<OidcBody>) -> Result<Json<OidcView>, ApiError> {
    let saved = save_over(|| async {
        let before = app.store.oidc_provider().await?;
        let expect = before.as_ref().map_or(Expect::New, |before| Expect::Version(before.version));
        let provider = wanted(&app, &body, before).await?;
        Ok(app.store.save_oidc_provider(&provider, expect).await)
    });
    Ok(Json(saved.await?.into()))
}

#[utoipa::path(delete, path = "/sign-in/oidc", tag = "sign-in", operation_id = "delete_oidc",
    summary = "Deletes the sign-in provider; passwords continue to work",
    responses((status = 204, description = "It is gone")))]
async fn delete(State(app): Shared) -> Result<StatusCode, ApiError> {
    match app.store.delete_oidc_provider().await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("sign-in provider")),
    }
}

async fn wanted(app: &App, body: &OidcBody, before: Option<OidcProvider>) -> Result<OidcProvider, ApiError> {
    let (version, created_at) = before.as_ref().map_or((0, app.clock.now()), |one| (one.version, one.created_at));
    let issuer = issuer(app, &body.issuer)?;
    let (client_secret, secret_hint) = match &body.client_secret {
        Patch::Set(secret) => {
            let text = short("client_secret", secret.expose())?;
            if is_masked(text) {
                return Err(masked("client_secret"));
            }
            (Some(app.sealer.seal(SECRET_OWNER, text).await?), Some(secret.hint()))
        }
        Patch::Remove => (None, None),
        // Another issuer does not get the secret that was for this one: that would be a way to read it.
        Patch::Keep => match before.filter(|before| before.issuer == issuer) {
            Some(before) => (before.client_secret, before.secret_hint),
            None => (None, None),
        },
    };
    Ok(OidcProvider {
        version,
        name: body.name.to_string(),
        issuer,
        client_id: short("client_id", &body.client_id)?.to_owned(),
        client_secret,
        secret_hint,
        trust_email: body.trust_email,
        created_at,
    })
}

fn issuer(app: &App, text: &str) -> Result<String, ApiError> {
    let text = short("issuer", text)?;
    let uri = text.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some() && uri.query().is_none());
    let uri = uri.filter(|_| !text.contains('#') && app.deliverer.may_fetch(text));
    if uri.is_some() {
        return Ok(text.to_owned());
    }
    let message = "expected the issuer's URL, https and by name, without query: `https://accounts.google.com`";
    Err(ApiError::invalid("issuer", message))
}

/// One line, not empty, and not too long.
fn short<'t>(field: &str, text: &'t str) -> Result<&'t str, ApiError> {
    let fits = text.chars().count() <= CHARS;
    let text = text.trim();
    let is_short = fits && !text.is_empty() && !text.chars().any(char::is_control);
    let message = || format!("expected 1 to {CHARS} characters on one line");
    if is_short { Ok(text) } else { Err(ApiError::invalid(field, message())) }
}
