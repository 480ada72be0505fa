//! Callers of the API: `Authorization: Bearer KEY`, looked up by the key's SHA-256, or a signed-in member with the
//! session's token from a page ([`member`]). A request with the header `Authorization` is always judged by its key.
//!
//! A key has 226 random bits, so its plain hash does not reveal it, and the time of the look-up by hash reveals nothing
//! either. Each operation is registered with the scope that it needs ([`scope`]); a key with a lower scope is refused.
//! An unknown key and a revoked one get the same answer; a source that tries many of them has to wait
//! ([`store::guesses`]). [`member::authenticate`] runs before every route.

use alerting::base::ids::{ApiKeyId, MemberId};
use alerting::base::moment::Moment;
use alerting::people::Member;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use lambda_kit::checked_key::{self, Kind};
use lambda_kit::random;
use lambda_kit::secrets::SealError;
use store::api_keys::ApiKey;
use store::guesses::Asked;
use store::keys::secret_hash;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::source;
use operations::access::Scope;

pub(crate) mod member;
pub(crate) mod scope;

/// The start of every key, by which secret scanners recognise a leaked one.
const PREFIX: &str = "lks_";
/// The name of a deployment's first key.
const FIRST: &str = "first key";

/// Who made the request.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) caller: Caller,
    /// The name of the key or the member, as timelines show it.
    pub(crate) name: String,
    /// The highest scope of the caller.
    pub(crate) scope: Scope,
}

impl Actor {
    pub(crate) fn member(member: Member) -> Self {
        let scope = Scope::of(member.role);
        Self { caller: Caller::Member(member.id), name: member.name, scope }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Key(ApiKeyId),
    Member(MemberId),
}

pub(crate) const NO_CALLER: ApiError = ApiError::Unauthorized("give an API key: `Authorization: Bearer KEY`");

/// The key that the request carries, if it exists and has the scope `needed`.
pub(crate) async fn of_key(app: &App, parts: &Parts, needed: Scope) -> Result<Actor, ApiError> {
    let key = bearer(parts).ok_or(NO_CALLER)?;
    let source = source(&parts.extensions);
    let hash = secret_hash(key);
    let key = match find(app, key, source).await? {
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
    let scope = Scope::most(&key.scopes).filter(|scope| *scope >= needed).ok_or(ApiError::Forbidden(needed))?;
    if let Some(used) = key.used(now) {
        app.store.api_keys().touch(&hash, &used).await?;
    }
    Ok(Actor { caller: Caller::Key(key.id), name: key.name, scope })
}

/// The record of the key. A source that tries many unknown keys has to wait, except with a key that we issued.
async fn find(app: &App, key: &str, source: &str) -> Result<Asked<ApiKey>, ApiError> {
    let (hash, now) = (secret_hash(key), app.clock.now());
    let asked = app.store.api_keys().find(&hash, source, now).await?;
    let random = key.strip_prefix(PREFIX).unwrap_or_default();
    if matches!(asked, Asked::TooOften(_)) && checked_key::is_ours(&app.sealer, Kind::Api, random).await? {
        return Ok(app.store.api_keys().find_ours(&hash, now).await?);
    }
    Ok(asked)
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim()).filter(|key| !key.is_empty())
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let actor = parts.extensions.get::<Actor>().cloned();
        actor.ok_or(NO_CALLER)
    }
}

/// The properties of an API key to create.
pub(crate) struct NewKey<'a> {
    pub(crate) name: String,
    pub(crate) scopes: &'a [Scope],
    pub(crate) expires_at: Option<Moment>,
    /// Who created it; `None`: the deployment.
    pub(crate) created_by: Option<Caller>,
}

/// Creates and saves a key. The key itself is returned here and stored nowhere.
pub(crate) async fn create(app: &App, new: NewKey<'_>) -> Result<(ApiKey, String), CreateKeyError> {
    let key = format!("{PREFIX}{}", checked_key::make(&app.sealer, Kind::Api).await?);
    let (by_key, by_member) = match new.created_by {
        Some(Caller::Key(id)) => (Some(id), None),
        Some(Caller::Member(id)) => (None, Some(id)),
        None => (None, None),
    };
    let record = ApiKey {
        id: ApiKeyId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        name: new.name,
        scopes: new.scopes.iter().map(Scope::to_string).collect(),
        created_at: app.clock.now(),
        last4: key[key.len() - 4..].to_owned(),
        expires_at: new.expires_at,
        used_at: None,
        created_by: by_key,
        created_by_member: by_member,
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
