//! Incidents: what people work on. Acting on them is in `incident_actions`.

use alerting::base::ids::{IncidentId, SpaceId};
use alerting::incident::Progress;
use alerting::incident::alert::Alert;
use axum::Json;
use axum::extract::State;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use operations::incidents::existing;
use operations::names;
use serde::Deserialize;
use store::incidents::IncidentQuery;
use utoipa::IntoParams;

use super::{Shared, one_of};
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::alert::AlertView;
use crate::dto::incident::{EntryView, IncidentDetail, IncidentView};
use crate::error::ApiError;
use crate::extract::{ApiPath, ApiQuery};
use crate::incidents::{all_notified, detail, spaces_by_name};
use crate::page::{Listed, Page, PageQuery};

/// Alerts of an incident, or deliveries of a page of incidents, that are read at the same time.
const READ_AT_A_TIME: usize = 20;
/// Bytes of texts after which a page of alerts ends: one with all its labels may have 100 KB, and Lambda answers 6 MB.
const PAGE_BYTES: usize = 3 * 1024 * 1024;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).read(routes!(read)).read(routes!(alerts)).read(routes!(timeline))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IncidentsQuery {
    #[param(value_type = Option<Progress>)]
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
    let notified = all_notified(&app, &found.items).await?;
    let items = found.items.into_iter().zip(notified);
    let items = items.map(|(incident, notified)| IncidentView::new(incident, notified)).collect();
    Ok(Json(Listed { items, next: found.next }))
}

#[utoipa::path(get, path = "/incidents/{id}", tag = "incidents", operation_id = "read_incident",
    summary = "Reads an incident with its timeline and deliveries", params(("id" = String, Path)),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<IncidentId>) -> Result<Json<IncidentDetail>, ApiError> {
    detail(&app, existing(&app.store, &id).await?).await
}

#[utoipa::path(get, path = "/incidents/{id}/alerts", tag = "incidents", operation_id = "list_alerts_of_incident",
    summary = "Lists an incident's alerts in the order in which they joined; a page may be short although there is a next one",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page", body = Listed<AlertView>)))]
async fn alerts(
    State(app): Shared,
    ApiPath(id): ApiPath<IncidentId>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<AlertView>>, ApiError> {
    let page = Page::try_from(query)?;
    let incident = existing(&app.store, &id).await?;
    let from: usize = page.after()?.unwrap_or(0);
    let reads = incident.alerts.iter().skip(from).take(page.limit).map(|linked| app.store.alert(&linked.alert));
    let mut found = stream::iter(reads.collect::<Vec<_>>()).buffered(READ_AT_A_TIME);
    let (mut items, mut until, mut bytes) = (Vec::new(), from, 0);
    while let Some(alert) = found.try_next().await?
        && bytes < PAGE_BYTES
    {
        until += 1;
        let texts = |alert: &Alert| alert.labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        bytes += alert.as_ref().map_or(0, |alert| alert.title.len() + alert.description.len() + texts(alert));
        items.extend(alert.map(AlertView::from));
    }
    let next = (until < incident.alerts.len()).then(|| until.to_string());
    Ok(Json(Listed { items, next }))
}

#[utoipa::path(get, path = "/incidents/{id}/timeline", tag = "incidents", operation_id = "list_timeline",
    summary = "Lists what was done to an incident, oldest first; the attempts to notify are in its deliveries",
    params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page", body = Listed<EntryView>)))]
async fn timeline(
    State(app): Shared,
    ApiPath(id): ApiPath<IncidentId>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<EntryView>>, ApiError> {
    let page = Page::try_from(query)?;
    let after = page.after()?;
    let incident = existing(&app.store, &id).await?;
    let mut entries = app.store.timeline_page(&incident, after, page.limit + 1).await?;
    let has_more = entries.len() > page.limit;
    entries.truncate(page.limit);
    let next = entries.last().filter(|_| has_more).map(|entry| entry.n.to_string());
    let entries = names::named(&app.store, entries, app.clock.now()).await?;
    Ok(Json(Listed { items: entries.into_iter().map(EntryView::from).collect(), next }))
}

async fn all_spaces(app: &App) -> Result<Vec<SpaceId>, ApiError> {
    Ok(spaces_by_name(app).await?.into_iter().map(|(id, _)| id).collect())
}
