//! Who may: `Authorization: Bearer KEY`, looked up by the key's SHA-256.
//!
//! A key has 226 random bits, so its plain hash does not give it away, and the look-up by hash leaks nothing by its
//! time. Which scope an operation asks for, [`scope::needed`] says; a key with less is known, and refused. A key that does
//! not exist, or does not any more, is answered alike; who tries many of them waits ([`store::guesses`]).

use std::sync::Arc;

use alerting::base::ids::ApiKeyId;
use alerting::base::moment::Moment;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use lambda_kit::checked_key::{self, Kind};
use lambda_kit::random;
use lambda_kit::secrets::SealError;
use store::api_keys::ApiKey;
use store::guesses::Asked;
use store::keys::secret_hash;

use crate::app::{App, BASE};
use crate::auth::scope::needed;
use crate::error::ApiError;
use crate::extract::source;
use operations::access::Scope;

pub(crate) mod scope;

/// What every key starts with, so that secret scanners recognise a leaked one.
const PREFIX: &str = "lks_";
/// The name of the key that a deployment starts with.
const FIRST: &str = "first key";

/// Who made the request: the key's name, as it stands in timelines.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) key: ApiKeyId,
    pub(crate) name: String,
    /// The most that it may.
    pub(crate) scope: Scope,
}

/// Lets a request through that carries a known key with the scope that its operation asks for, and remembers whose it is.
pub(crate) async fn authenticate(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let key = bearer(&request).ok_or(ApiError::Unauthorized("give an API key: `Authorization: Bearer KEY`"))?;
    let source = source(request.extensions());
    let hash = secret_hash(key);
    let key = match find(&app, key, source).await? {
        Asked::Known(key) => key,
        Asked::Unknown => return Err(ApiError::Unauthorized("this API key does not exist or was revoked")),
        Asked::TooOften(after) => {
            let message = "too many API keys that do not exist came from this address".to_owned();
            return Err(ApiError::TooMany { after, message });
        }
    };
    let now = app.clock.now();
    if key.has_expired(now) {
        return Err(ApiError::Unauthorized("this API key has expired: ask an administrator for a new one"));
    }
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let needed = needed(request.method(), path.strip_prefix(BASE).unwrap_or(path));
    let scope = Scope::most(&key.scopes).filter(|scope| *scope >= needed).ok_or(ApiError::Forbidden(needed))?;
    if let Some(used) = key.used(now) {
        app.store.api_keys().touch(&hash, &used).await?;
    }
    request.extensions_mut().insert(Actor { key: key.id, name: key.name, scope });
    Ok(next.run(request).await)
}

/// The record of the key. A source that asks for many keys that do not exist waits, except for keys that are ours.
async fn find(app: &App, key: &str, source: &str) -> Result<Asked<ApiKey>, ApiError> {
    let (hash, now) = (secret_hash(key), app.clock.now());
    let asked = app.store.api_keys().find(&hash, source, now).await?;
    let random = key.strip_prefix(PREFIX).unwrap_or_default();
    if matches!(asked, Asked::TooOften(_)) && checked_key::is_ours(&app.sealer, Kind::Api, random).await? {
        return Ok(app.store.api_keys().find_ours(&hash, now).await?);
    }
    Ok(asked)
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim()).filter(|key| !key.is_empty())
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let actor = parts.extensions.get::<Actor>().cloned();
        actor.ok_or(ApiError::Unauthorized("give an API key: `Authorization: Bearer KEY`"))
    }
}

/// An API key that is to be made.
pub(crate) struct NewKey<'a> {
    pub(crate) name: String,
    pub(crate) scopes: &'a [Scope],
    pub(crate) expires_at: Option<Moment>,
    pub(crate) created_by: Option<ApiKeyId>,
}

/// Makes and saves a key. The key itself is in the answer and nowhere else.
pub(crate) async fn create(app: &App, new: NewKey<'_>) -> Result<(ApiKey, String), CreateKeyError> {
    let key = format!("{PREFIX}{}", checked_key::make(&app.sealer, Kind::Api).await?);
    let record = ApiKey {
        id: ApiKeyId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        name: new.name,
        scopes: new.scopes.iter().map(Scope::to_string).collect(),
        created_at: app.clock.now(),
        last4: key[key.len() - 4..].to_owned(),
        expires_at: new.expires_at,
        used_at: None,
        created_by: new.created_by,
    };
    app.store.api_keys().put(&secret_hash(&key), &record).await?;
    Ok((record, key))
}

/// Creates the first key of a deployment; `None` if there is one already.
pub async fn ensure_api_key(app: &App) -> Result<Option<String>, EnsureKeyError> {
    if app.store.api_keys().any().await? {
        return Ok(None);
    }
    let (_, key) =
        create(app, NewKey { name: FIRST.to_owned(), scopes: &[Scope::Admin], expires_at: None, created_by: None })
            .await?;
    Ok(Some(key))
}

/// Why the first key of a deployment was not created.
#[derive(Debug, thiserror::Error)]
pub enum EnsureKeyError {
    #[error("whether there is an API key could not be read")]
    Read(#[from] store::errors::ReadError),
    #[error("the first API key could not be created")]
    Create(#[from] CreateKeyError),
}

/// Why an API key was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    #[error("its checksum could not be made")]
    Checksum(#[from] SealError),
    #[error("it could not be saved")]
    Save(#[from] store::errors::WriteError),
}
