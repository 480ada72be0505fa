//! An integration's messages with their results, and replaying one.

use alerting::base::ids::{IntegrationId, Stamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Shared;
use crate::auth::scope::{Routes, routes};
use crate::dto::incident::NoArguments;
use crate::dto::message::{MessageView, Replayed, TrialView, TryBody};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::replay::replay;
use crate::saved::integration as found;
use crate::trial;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).read(routes!(read)).admin(routes!(take_in_again)).admin(routes!(attempt))
}

#[utoipa::path(get, path = "/integrations/{id}/messages", tag = "messages", operation_id = "list_messages",
    summary = "Lists the messages of the last days with their results, newest first",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page", body = Listed<MessageView>)))]
async fn list(
    State(app): Shared,
    ApiPath(id): ApiPath<IntegrationId>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<MessageView>>, ApiError> {
    let page = Page::try_from(query)?;
    found(&app, &id).await?;
    let entries = app.store.messages(&id, page.after()?, page.limit, app.clock.now()).await?;
    Ok(Json(Listed::of(entries, MessageView::from)))
}

#[utoipa::path(get, path = "/integrations/{id}/messages/{message}", tag = "messages", operation_id = "read_message",
    summary = "Reads a message", params(("id" = String, Path), ("message" = String, Path)),
    responses((status = 200, description = "The message", body = MessageView)))]
async fn read(
    State(app): Shared,
    ApiPath((id, stamp)): ApiPath<(IntegrationId, Stamp)>,
) -> Result<Json<MessageView>, ApiError> {
    let entry = app.store.message(&id, stamp).await?;
    Ok(Json(entry.ok_or_else(|| ApiError::not_found(format_args!("message {stamp} of integration {id}")))?.into()))
}

#[utoipa::path(post, path = "/integrations/{id}/messages/{message}/replay", tag = "messages",
    operation_id = "replay_message",
    summary = "Replays a message under a new id and the integration's current settings: its type, content and keywords are checked again; signature, source address and rate are not",
    params(("id" = String, Path), ("message" = String, Path)), request_body(content = Option<NoArguments>),
    responses((status = 202, description = "It is queued", body = Replayed)))]
async fn take_in_again(
    State(app): Shared,
    ApiPath((id, stamp)): ApiPath<(IntegrationId, Stamp)>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<(StatusCode, Json<Replayed>), ApiError> {
    let stored = found(&app, &id).await?;
    let logged = app.store.message(&id, stamp).await?;
    let logged = logged.ok_or_else(|| ApiError::not_found(format_args!("message {stamp} of integration {id}")))?;
    let id = replay(&app, &stored.integration, logged).await?;
    Ok((StatusCode::ACCEPTED, Json(Replayed { id })))
}

#[utoipa::path(post, path = "/integrations/{id}/try", tag = "messages", operation_id = "try_message",
    summary = "Shows the result that a message would have, without any effect", params(("id" = String, Path)),
    request_body = TryBody, responses((status = 200, description = "The result that it would have", body = TrialView)))]
async fn attempt(
    State(app): Shared,
    ApiPath(id): ApiPath<IntegrationId>,
    ApiJson(wanted): ApiJson<TryBody>,
) -> Result<Json<TrialView>, ApiError> {
    let stored = found(&app, &id).await?;
    let body = wanted.body.to_string();
    Ok(Json(trial::attempt(&app, &stored.integration, body.as_bytes()).await?))
}
