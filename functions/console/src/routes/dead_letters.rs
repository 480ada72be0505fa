//! Dead letters: listed with their reasons, sent again, or deleted.

mod types;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use self::types::{DeadLetterView, DeleteDeadLetterBody, ResendBody, ResentView};
use super::Shared;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dead_letters as dead;
use crate::dto::incident::NoArguments;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).admin(routes!(resend)).admin(routes!(resend_many)).admin(routes!(delete))
}

#[utoipa::path(get, path = "/dead-letters", tag = "dead letters", operation_id = "list_dead_letters",
    summary = "Lists dead letters, which are messages, notices and due work that were given up, newest first", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<DeadLetterView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<DeadLetterView>>, ApiError> {
    let page = Page::try_from(query)?;
    let letters = dead::list(&app, page.limit, page.after.as_deref()).await?;
    Ok(Json(Listed::of(letters, DeadLetterView::from)))
}

#[utoipa::path(post, path = "/dead-letters/{id}/resend", tag = "dead letters", operation_id = "resend_dead_letter",
    summary = "Sends a dead letter again to its target; it leaves the list, and returns if it fails again",
    params(("id" = String, Path)), request_body(content = Option<NoArguments>),
    responses((status = 202, description = "It is queued")))]
async fn resend(
    State(app): Shared,
    ApiPath(id): ApiPath<String>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<StatusCode, ApiError> {
    dead::resend(&app, &dead::found(&app, &id).await?).await?;
    Ok(StatusCode::ACCEPTED)
}

#[utoipa::path(post, path = "/dead-letters/resend", tag = "dead letters", operation_id = "resend_dead_letters",
    summary = "Sends up to a hundred dead letters again, each with its result", request_body = ResendBody,
    responses((status = 200, description = "A result for each, in the order of the request", body = [ResentView])))]
async fn resend_many(
    State(app): Shared,
    ApiJson(body): ApiJson<ResendBody>,
) -> Result<Json<Vec<ResentView>>, ApiError> {
    let results = dead::resend_each(&app, &body.ids()?).await;
    Ok(Json(results.into_iter().map(ResentView::from).collect()))
}

#[utoipa::path(delete, path = "/dead-letters/{id}", tag = "dead letters", operation_id = "delete_dead_letter",
    summary = "Deletes a dead letter, which is then never sent", params(("id" = String, Path)),
    request_body(content = Option<DeleteDeadLetterBody>),
    responses((status = 204, description = "It is deleted")))]
async fn delete(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<String>,
    ApiJson(body): ApiJson<DeleteDeadLetterBody>,
) -> Result<StatusCode, ApiError> {
    let reason = body.reason.as_deref().map(dead::reason).transpose()?;
    dead::delete(&app, &id, reason, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
