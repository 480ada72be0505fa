//! Incidents: what people work on, and what they do to them.

use std::time::Duration;

use alerting::ids::{IncidentId, SpaceId};
use alerting::incident::{Incident, Progress, SNOOZE_MAX};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::deliveries::Delivery;
use store::incidents::IncidentQuery;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ALL_AT_A_TIME, Shared, one_of};
use crate::act::{Wish, act};
use crate::auth::Actor;
use crate::dto::Time;
use crate::dto::incident::{AttemptView, DeliveryView, IncidentDetail, IncidentView, NoArguments, SnoozeBody};
use crate::dto::schema::ProgressShape;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page};
use crate::{App, SharedApp};

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(acknowledge))
        .routes(routes!(unacknowledge))
        .routes(routes!(snooze))
        .routes(routes!(close))
        .routes(routes!(reopen))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IncidentsQuery {
    #[param(value_type = Option<ProgressShape>)]
    progress: Option<String>,
    /// Only incidents of this space.
    space: Option<String>,
    /// Items per page, 1 to 100; 50 without it.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

#[utoipa::path(get, path = "/incidents", tag = "incidents", operation_id = "list_incidents",
    summary = "Lists incidents, newest first; a page may be short although there is a next one",
    params(IncidentsQuery), responses((status = 200, description = "A page", body = Listed<IncidentView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<IncidentsQuery>,
) -> Result<Json<Listed<IncidentView>>, ApiError> {
    let page = Page::new(query.limit.as_deref(), query.after)?;
    let all = [Progress::Triggered, Progress::Processing, Progress::Closed];
    let progress = one_of("progress", query.progress.as_deref(), all, Progress::as_str)?;
    let spaces = match super::id("space", query.space.as_deref())? {
        Some(space) => vec![space],
        None => all_spaces(&app).await?,
    };
    let (after, limit) = (page.after()?, page.limit);
    let found = app.store.incidents(IncidentQuery { progress, spaces, after, limit }).await?;
    Ok(Json(Listed::of(found, IncidentView::from)))
}

#[utoipa::path(get, path = "/incidents/{id}", tag = "incidents", operation_id = "read_incident",
    summary = "Reads an incident with its timeline and deliveries", params(("id" = String, Path)),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<IncidentId>) -> Result<Json<IncidentDetail>, ApiError> {
    let incident = app.store.incident(&id).await?;
    let incident = incident.ok_or_else(|| ApiError::not_found(format_args!("incident {id}")))?;
    detail(&app, incident).await
}

#[utoipa::path(post, path = "/incidents/{id}/acknowledge", tag = "incidents", operation_id = "acknowledge_incident",
    summary = "Acknowledges: the one who asks works on it", params(("id" = String, Path)),
    request_body(content = Option<NoArguments>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn acknowledge(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<Json<IncidentDetail>, ApiError> {
    let incident = act(&app, &id, Wish::Acknowledge, &actor.name).await?;
    detail(&app, incident).await
}

#[utoipa::path(post, path = "/incidents/{id}/unacknowledge", tag = "incidents",
    operation_id = "unacknowledge_incident", summary = "Takes an acknowledgement back", params(("id" = String, Path)),
    request_body(content = Option<NoArguments>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn unacknowledge(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<Json<IncidentDetail>, ApiError> {
    let incident = act(&app, &id, Wish::Unacknowledge, &actor.name).await?;
    detail(&app, incident).await
}

#[utoipa::path(post, path = "/incidents/{id}/snooze", tag = "incidents", operation_id = "snooze_incident",
    summary = "Stops escalation and repeat notices for a while", params(("id" = String, Path)),
    request_body = SnoozeBody, responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn snooze(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(body): ApiJson<SnoozeBody>,
) -> Result<Json<IncidentDetail>, ApiError> {
    let length = Duration::from_secs(u64::from(body.minutes) * 60);
    if length.is_zero() || length > SNOOZE_MAX {
        return Err(ApiError::invalid("minutes", format!("expected 1 to {}", SNOOZE_MAX.as_secs() / 60)));
    }
    let incident = act(&app, &id, Wish::Snooze(length), &actor.name).await?;
    detail(&app, incident).await
}

#[utoipa::path(post, path = "/incidents/{id}/close", tag = "incidents", operation_id = "close_incident",
    summary = "Closes an incident and its alerts", params(("id" = String, Path)),
    request_body(content = Option<NoArguments>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn close(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<Json<IncidentDetail>, ApiError> {
    let incident = act(&app, &id, Wish::Close, &actor.name).await?;
    detail(&app, incident).await
}

#[utoipa::path(post, path = "/incidents/{id}/reopen", tag = "incidents", operation_id = "reopen_incident",
    summary = "Returns a closed incident to triggered; its alerts stay closed", params(("id" = String, Path)),
    request_body(content = Option<NoArguments>),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn reopen(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<IncidentId>,
    ApiJson(NoArguments {}): ApiJson<NoArguments>,
) -> Result<Json<IncidentDetail>, ApiError> {
    let incident = act(&app, &id, Wish::Reopen, &actor.name).await?;
    detail(&app, incident).await
}

async fn detail(app: &App, incident: Incident) -> Result<Json<IncidentDetail>, ApiError> {
    let mut deliveries = Vec::new();
    for (destination, delivery) in app.store.deliveries(&incident.id).await? {
        let known = app.store.cached_destination(&destination, app.clock.now()).await?;
        let Delivery { attempts, .. } = &delivery;
        let attempts = attempts.iter().map(|attempt| AttemptView {
            at: Time(attempt.at),
            outcome: attempt.outcome.as_str(),
            reason: attempt.reason.clone(),
        });
        deliveries.push(DeliveryView {
            destination,
            name: known.as_ref().map(|known| known.name.clone()),
            channel: known.as_ref().map(|known| known.channel.clone()),
            state: delivery.state().as_str(),
            attempts: attempts.collect(),
        });
    }
    Ok(Json(IncidentDetail::new(incident, deliveries)))
}

async fn all_spaces(app: &App) -> Result<Vec<SpaceId>, ApiError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = app.store.spaces().list(ALL_AT_A_TIME, after.as_deref()).await?;
        all.extend(page.items.into_iter().map(|space| space.id));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}
