//! Silences of a space.

use alerting::base::ids::{SilenceId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::silence::Silence;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use operations::silences;

use super::Shared;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dto::silence::{SilenceBody, SilenceView};
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::saved;

pub(crate) fn router() -> Routes {
    Routes::new()
        .read(routes!(list))
        .admin(routes!(create))
        .read(routes!(read))
        .admin(routes!(replace))
        .respond(routes!(delete))
}

#[utoipa::path(get, path = "/spaces/{id}/silences", tag = "silences", operation_id = "list_silences",
    summary = "Lists a space's silences, newest first", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page", body = Listed<SilenceView>)))]
async fn list(
    State(app): Shared,
    ApiPath(space): ApiPath<SpaceId>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<SilenceView>>, ApiError> {
    let page = Page::try_from(query)?;
    let now = app.clock.now();
    // They are stored in the order of creation.
    let silences = saved::space(&app, &space).await?.silences.into_iter().rev();
    Ok(Json(Listed::part(silences.map(|silence| SilenceView::new(silence, now)).collect(), &page)?))
}

#[utoipa::path(post, path = "/spaces/{id}/silences", tag = "silences", operation_id = "create_silence",
    summary = "Creates a silence", params(("id" = String, Path)), request_body = SilenceBody,
    responses((status = 201, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn create(
    State(app): Shared,
    actor: Actor,
    ApiPath(space): ApiPath<SpaceId>,
    ApiJson(body): ApiJson<SilenceBody>,
) -> Result<(StatusCode, Json<WithWarnings<SilenceView>>), ApiError> {
    let silence = silences::create(&app.dispatch, &space, body.draft()?, actor.name).await?;
    Ok((StatusCode::CREATED, Json(view(silence, app.clock.now()))))
}

#[utoipa::path(get, path = "/spaces/{id}/silences/{silence}", tag = "silences", operation_id = "read_silence",
    summary = "Reads a silence", params(("id" = String, Path), ("silence" = String, Path)),
    responses((status = 200, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn read(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, SilenceId)>,
) -> Result<Json<WithWarnings<SilenceView>>, ApiError> {
    let silence = silences::read(&app.store, &space, &id).await?;
    Ok(Json(view(silence, app.clock.now())))
}

#[utoipa::path(put, path = "/spaces/{id}/silences/{silence}", tag = "silences", operation_id = "replace_silence",
    summary = "Replaces a silence", params(("id" = String, Path), ("silence" = String, Path)),
    request_body = SilenceBody, responses((status = 200, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn replace(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, SilenceId)>,
    ApiJson(body): ApiJson<SilenceBody>,
) -> Result<Json<WithWarnings<SilenceView>>, ApiError> {
    let silence = silences::replace(&app.dispatch, &space, &id, &body.draft()?).await?;
    Ok(Json(view(silence, app.clock.now())))
}

#[utoipa::path(delete, path = "/spaces/{id}/silences/{silence}", tag = "silences", operation_id = "delete_silence",
    summary = "Ends a silence", params(("id" = String, Path), ("silence" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, SilenceId)>,
) -> Result<StatusCode, ApiError> {
    silences::end(&app.dispatch, &space, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A silence with its warnings.
fn view(silence: Silence, now: Moment) -> WithWarnings<SilenceView> {
    WithWarnings::none(SilenceView::new(silence, now))
}
