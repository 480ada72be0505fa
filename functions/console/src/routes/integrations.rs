//! Integrations: an inbound URL, its key, and its policy.

mod types;

use std::time::Duration;

use alerting::base::ids::IntegrationId;
use alerting::base::secret::Secret;
use alerting::rules::integration::{Action, Integration, Source};
use alerting::rules::policy::Policy;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use intake::sources::path_of;
use lambda_kit::checked_key::{self, Kind};
use lambda_kit::random;
use store::config::Expect;
use store::integrations::{OLD_KEYS, StoredIntegration};
use store::keys::secret_hash;

use self::types::{IntegrationBody, IntegrationDraft, IntegrationView, RotateKeyBody, SecretToSave, Shown};
use super::{Shared, spaces_of};
use crate::app::App;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dto::field_error;
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Base};
use crate::page::{Listed, Page, PageQuery};
use crate::saved::{integration as found, save_over};
use crate::warnings::of_integration;
use operations::access::Scope;

/// The longest time for which an old key may work beside the new one, in minutes: a week.
const OVERLAP_MINUTES: u32 = 7 * 24 * 60;

pub(crate) fn router() -> Routes {
    Routes::new()
        .read(routes!(list))
        .admin(routes!(create))
        .read(routes!(read))
        .admin(routes!(replace, delete))
        .admin(routes!(rotate_key))
}

#[utoipa::path(get, path = "/integrations", tag = "integrations", operation_id = "list_integrations",
    summary = "Lists the integrations, their URLs masked", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<IntegrationView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<IntegrationView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.integrations().list(page.limit, page.after_object()?).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for stored in found.items {
        let url = stored.key_hint.clone();
        items.push(view(&app, stored, url).await?);
    }
    Ok(Json(Listed { items, next: found.next }))
}

#[utoipa::path(post, path = "/integrations", tag = "integrations", operation_id = "create_integration",
    summary = "Creates an integration", request_body = IntegrationBody,
    responses((status = 201, description = "The integration with its URL", body = WithWarnings<IntegrationView>)))]
async fn create(
    State(app): Shared,
    Base(base): Base,
    ApiJson(body): ApiJson<IntegrationBody>,
) -> Result<(StatusCode, Json<WithWarnings<IntegrationView>>), ApiError> {
    let id = IntegrationId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id");
    let IntegrationDraft { mut integration, secret } = body.parse(id, 0, app.clock.now())?;
    check(&app, &integration).await?;
    if let SecretToSave::Seal(secret) = SecretToSave::new(secret, None)? {
        integration.security.secret = Some(app.sealer.seal(integration.id.as_str(), secret.expose()).await?);
    }
    let NewKey { key, sealed, hash, hint } = new_key(&app, &integration.id).await?;
    let stored = StoredIntegration::new(integration, sealed, hash, hint);
    let stored = app.store.integrations().put(&stored, Expect::New).await.map_err(ApiError::from)?;
    let url = url(&base, stored.integration.source, &key);
    Ok((StatusCode::CREATED, Json(alone(&app, stored, url).await?)))
}

#[utoipa::path(get, path = "/integrations/{id}", tag = "integrations", operation_id = "read_integration",
    summary = "Reads an integration, with its whole URL if the key may `admin`", params(("id" = String, Path)),
    responses((status = 200, description = "The integration", body = WithWarnings<IntegrationView>)))]
async fn read(
    State(app): Shared,
    actor: Actor,
    Base(base): Base,
    ApiPath(id): ApiPath<IntegrationId>,
) -> Result<Json<WithWarnings<IntegrationView>>, ApiError> {
    let stored = found(&app, &id).await?;
    if actor.scope < Scope::Admin {
        let url = stored.key_hint.clone();
        return Ok(Json(alone(&app, stored, url).await?));
    }
    Ok(Json(whole(&app, &base, stored).await?))
}

#[utoipa::path(put, path = "/integrations/{id}", tag = "integrations", operation_id = "replace_integration",
    summary = "Replaces an integration; its URL stays, and its signing secret if that is left out",
    params(("id" = String, Path)), request_body = IntegrationBody,
    responses((status = 200, description = "The integration", body = WithWarnings<IntegrationView>)))]
async fn replace(
    State(app): Shared,
    Base(base): Base,
    ApiPath(id): ApiPath<IntegrationId>,
    ApiJson(body): ApiJson<IntegrationBody>,
) -> Result<Json<WithWarnings<IntegrationView>>, ApiError> {
    let created_at = found(&app, &id).await?.integration.created_at;
    let IntegrationDraft { integration, secret } = body.parse(id.clone(), 0, created_at)?;
    check(&app, &integration).await?;
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let hint = secret_hint(&app, &before.integration).await?;
        let version = before.integration.version;
        let mut integration = Integration { version, ..integration.clone() };
        integration.security.secret = match SecretToSave::new(secret.clone(), hint.as_deref())? {
            SecretToSave::Keep => before.integration.security.secret.clone(),
            SecretToSave::Remove => None,
            SecretToSave::Seal(secret) => Some(app.sealer.seal(id.as_str(), secret.expose()).await?),
        };
        let stored = StoredIntegration { integration, ..before };
        Ok(app.store.integrations().put(&stored, Expect::Version(version)).await)
    });
    Ok(Json(whole(&app, &base, saved.await?).await?))
}

#[utoipa::path(delete, path = "/integrations/{id}", tag = "integrations", operation_id = "delete_integration",
    summary = "Deletes an integration: its URL is then unknown. Its alerts stay listed; open ones are closed with their incident", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<IntegrationId>) -> Result<StatusCode, ApiError> {
    match app.store.integrations().delete(&id, app.clock.now()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(not_found(&id)),
    }
}

#[utoipa::path(post, path = "/integrations/{id}/rotate-key", tag = "integrations", operation_id = "rotate_key",
    summary = "Gives the integration a new URL; the old one works on for a while", params(("id" = String, Path)),
    request_body = RotateKeyBody,
    responses((status = 200, description = "The integration with its new URL", body = WithWarnings<IntegrationView>)))]
async fn rotate_key(
    State(app): Shared,
    Base(base): Base,
    ApiPath(id): ApiPath<IntegrationId>,
    ApiJson(body): ApiJson<RotateKeyBody>,
) -> Result<Json<WithWarnings<IntegrationView>>, ApiError> {
    if body.overlap_minutes > OVERLAP_MINUTES {
        return Err(ApiError::invalid("overlap_minutes", format!("expected 0 to {OVERLAP_MINUTES} (a week)")));
    }
    let now = app.clock.now();
    let until = now + Duration::from_secs(u64::from(body.overlap_minutes) * 60);
    let before = found(&app, &id).await?;
    if before.working_old_keys(now).count() >= OLD_KEYS {
        let message =
            format!("{OLD_KEYS} old keys still work, as many as may; rotate again when one of them has ended");
        return Err(ApiError::conflict(message));
    }
    let expect = Expect::Version(before.integration.version);
    let NewKey { key: _, sealed, hash, hint } = new_key(&app, &id).await?;
    let stored = before.rotated(sealed, hash, hint, until, now);
    // Not retried after a conflict: a retry would end the other request's new URL before anybody has seen it.
    let saved = app.store.integrations().put(&stored, expect).await.map_err(ApiError::from)?;
    Ok(Json(whole(&app, &base, saved).await?))
}

fn not_found(id: &IntegrationId) -> ApiError {
    ApiError::not_found(format_args!("integration {id}"))
}

/// Whether the integration may be saved: its spaces and tables exist, and its rules can be used.
async fn check(app: &App, integration: &Integration) -> Result<(), ApiError> {
    for (field, space) in spaces_of(&integration.routing) {
        if app.store.spaces().get(space).await?.is_none() {
            return Err(ApiError::invalid(field, format!("there is no space {space}")));
        }
    }
    let mut tables = Vec::new();
    for (index, step) in integration.pipeline.iter().enumerate() {
        let Action::MapLabels { table } = &step.action else { continue };
        let found = app.store.mapping_tables().get(table).await?;
        let field = format!("pipeline[{index}].map_labels.table");
        tables.push(found.ok_or_else(|| ApiError::invalid(field, format!("there is no mapping table {table}")))?);
    }
    Policy::new(integration, &tables).map(drop).map_err(field_error)
}

/// A fresh intake key in all the forms in which it is kept.
struct NewKey {
    key: Secret,
    sealed: alerting::base::secret::Sealed,
    hash: String,
    hint: String,
}

async fn new_key(app: &App, id: &IntegrationId) -> Result<NewKey, ApiError> {
    let key = Secret::new(checked_key::make(&app.sealer, Kind::Intake).await?);
    let sealed = app.sealer.seal(id.as_str(), key.expose()).await?;
    Ok(NewKey { sealed, hash: secret_hash(key.expose()), hint: key.hint(), key })
}

fn url(base: &str, source: Source, key: &Secret) -> String {
    format!("{base}{}", path_of(source, key.expose()))
}

/// An integration with its whole URL.
async fn whole(app: &App, base: &str, stored: StoredIntegration) -> Result<WithWarnings<IntegrationView>, ApiError> {
    let key = app.sealer.open(stored.integration.id.as_str(), &stored.intake_key).await?;
    let url = url(base, stored.integration.source, &key);
    alone(app, stored, url).await
}

/// An integration with its warnings.
async fn alone(app: &App, stored: StoredIntegration, url: String) -> Result<WithWarnings<IntegrationView>, ApiError> {
    let now = app.clock.now();
    let policy = Policy::lenient(&stored.integration, &app.store.cached_mapping_tables(now).await?);
    let warnings = of_integration(&stored.integration, &policy, now);
    Ok(WithWarnings::new(view(app, stored, url).await?, warnings))
}

async fn view(app: &App, stored: StoredIntegration, url: String) -> Result<IntegrationView, ApiError> {
    let secret_hint = secret_hint(app, &stored.integration).await?;
    let now = app.clock.now();
    let old_key_until = stored.working_old_keys(now).map(|old| old.until).max();
    Ok(IntegrationView::new(stored.integration, Shown { url, secret_hint, old_key_until }))
}

async fn secret_hint(app: &App, integration: &Integration) -> Result<Option<String>, ApiError> {
    match &integration.security.secret {
        Some(sealed) => Ok(Some(app.sealer.open(integration.id.as_str(), sealed).await?.hint())),
        None => Ok(None),
    }
}
