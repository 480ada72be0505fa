//! Incidents: what people work on. What they do to them is in [`super::incident_actions`].

use alerting::ids::{DestinationId, IncidentId, SpaceId};
use alerting::incident::{Incident, Progress};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::deliveries::Delivery;
use store::incidents::IncidentQuery;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ALL_AT_A_TIME, Shared, one_of};
use crate::act::existing;
use crate::dto::Time;
use crate::dto::incident::{AttemptView, DeliveryView, IncidentDetail, IncidentView};
use crate::dto::schema::ProgressShape;
use crate::error::ApiError;
use crate::extract::{ApiPath, ApiQuery};
use crate::page::{Listed, Page};
use crate::{App, SharedApp};

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, super::incident_actions::edit))
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
    Ok(Json(Listed::of(found, IncidentView::listed)))
}

#[utoipa::path(get, path = "/incidents/{id}", tag = "incidents", operation_id = "read_incident",
    summary = "Reads an incident with its timeline and deliveries", params(("id" = String, Path)),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<IncidentId>) -> Result<Json<IncidentDetail>, ApiError> {
    detail(&app, existing(&app, &id).await?).await
}

/// The whole story of an incident.
pub(crate) async fn detail(app: &App, incident: Incident) -> Result<Json<IncidentDetail>, ApiError> {
    let mut deliveries = Vec::new();
    for (destination, delivery) in app.store.deliveries(&incident.id).await? {
        let (name, channel) = named(app, &destination).await?;
        let state = delivery.state().as_str();
        let Delivery { attempts, .. } = delivery;
        let attempts = attempts.into_iter().map(|attempt| AttemptView {
            at: Time(attempt.at),
            outcome: attempt.outcome.as_str(),
            reason: attempt.reason,
            template: attempt.template,
        });
        deliveries.push(DeliveryView { destination, name, channel, state, attempts: attempts.collect() });
    }
    let timeline = app.store.timeline(&incident).await?;
    Ok(Json(IncidentDetail::new(incident, timeline, deliveries)))
}

/// A destination's name and channel; of a member's, the member's name and the channel to people.
pub(crate) async fn named(app: &App, id: &DestinationId) -> Result<(Option<String>, Option<String>), ApiError> {
    let now = app.clock.now();
    if let Some((channel, member)) = id.member() {
        let member = app.store.cached_member(&member, now).await?;
        return Ok((member.map(|member| member.name.clone()), Some(channel.to_owned())));
    }
    let known = app.store.cached_destination(id, now).await?;
    Ok(known.map_or((None, None), |known| (Some(known.name.clone()), Some(known.channel.clone()))))
}

async fn all_spaces(app: &App) -> Result<Vec<SpaceId>, ApiError> {
    Ok(spaces_by_name(app).await?.into_iter().map(|(id, _)| id).collect())
}

/// Every space with its name.
pub(crate) async fn spaces_by_name(app: &App) -> Result<Vec<(SpaceId, String)>, ApiError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = app.store.spaces().list(ALL_AT_A_TIME, after.as_deref()).await?;
        all.extend(page.items.into_iter().map(|space| (space.id, space.name)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}
