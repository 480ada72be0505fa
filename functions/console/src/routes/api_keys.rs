//! API keys: shown once, stored hashed, revocable.

mod types;

use alerting::base::ids::ApiKeyId;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use self::types::{ApiKeyBody, ApiKeyView};
use super::Shared;
use crate::auth::scope::{Routes, routes};
use crate::auth::{self, Actor, Caller, NewKey};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath};
use crate::page::Listed;

pub(crate) fn router() -> Routes {
    Routes::new().admin(routes!(list, create)).admin(routes!(revoke))
}

#[utoipa::path(get, path = "/api-keys", tag = "API keys", operation_id = "list_api_keys", summary = "Lists the API keys",
    responses((status = 200, description = "All of them", body = Listed<ApiKeyView>)))]
async fn list(State(app): Shared) -> Result<Json<Listed<ApiKeyView>>, ApiError> {
    let items = app.store.api_keys().list().await?.into_iter().map(ApiKeyView::masked).collect();
    Ok(Json(Listed { items, next: None }))
}

#[utoipa::path(post, path = "/api-keys", tag = "API keys", operation_id = "create_api_key",
    summary = "Creates an API key; the answer is the only place that shows it", request_body = ApiKeyBody,
    responses((status = 201, description = "The key", body = ApiKeyView)))]
async fn create(
    State(app): Shared,
    actor: Actor,
    ApiJson(body): ApiJson<ApiKeyBody>,
) -> Result<(StatusCode, Json<ApiKeyView>), ApiError> {
    let (name, scopes) = (body.name.to_string(), body.scopes()?);
    let expires_at = body.expires_at(app.clock.now())?;
    let new = NewKey { name, scopes: &scopes, expires_at, created_by: Some(actor.caller) };
    let (record, key) = auth::create(&app, new).await?;
    Ok((StatusCode::CREATED, Json(ApiKeyView::with(record, key))))
}

#[utoipa::path(delete, path = "/api-keys/{id}", tag = "API keys", operation_id = "revoke_api_key",
    summary = "Revokes an API key other than the one that asks", params(("id" = String, Path)),
    responses((status = 204, description = "The key is revoked")))]
async fn revoke(State(app): Shared, actor: Actor, ApiPath(id): ApiPath<ApiKeyId>) -> Result<StatusCode, ApiError> {
    // A key cannot revoke itself, so that one key is always left; to revoke it, create another one first.
    if matches!(actor.caller, Caller::Key(own) if own == id) {
        return Err(ApiError::conflict("a key cannot revoke itself; use another one"));
    }
    match app.store.api_keys().delete(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found(format_args!("API key {id}"))),
    }
}
