//! Incidents: what people work on. What they do to them is in [`super::incident_actions`].

use std::collections::BTreeMap;

use alerting::base::ids::{DestinationId, IncidentId, SpaceId};
use alerting::incident::alert::Alert;
use alerting::incident::notified::Notified;
use alerting::incident::timeline::{Audience, Entry};
use alerting::incident::{Incident, Progress};
use axum::Json;
use axum::extract::State;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use store::deliveries::{Delivery, DeliveryState};
use store::errors::ReadError;
use store::incidents::IncidentQuery;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ALL_AT_A_TIME, Shared, one_of};
use crate::act::existing;
use crate::app::{App, SharedApp};
use crate::dto::Time;
use crate::dto::alert::AlertView;
use crate::dto::incident::{AttemptView, DeliveryView, EntryView, IncidentDetail, IncidentView, TIMELINE_ENTRIES};
use crate::dto::schema::ProgressShape;
use crate::error::ApiError;
use crate::extract::{ApiPath, ApiQuery};
use crate::names;
use crate::page::{Listed, Page, PageQuery};

/// Alerts of an incident, or deliveries of a page of incidents, that are read at the same time.
const READ_AT_A_TIME: usize = 20;
/// Bytes of texts after which a page of alerts ends: one with all its labels may have 100 KB, and Lambda answers 6 MB.
const PAGE_BYTES: usize = 3 * 1024 * 1024;

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    let one = OpenApiRouter::new().routes(routes!(read, super::incident_actions::edit));
    OpenApiRouter::new().routes(routes!(list)).merge(one).routes(routes!(alerts)).routes(routes!(timeline))
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
    let notified = all_notified(&app, &found.items).await?;
    let items = found.items.into_iter().zip(notified);
    let items = items.map(|(incident, notified)| IncidentView::new(incident, notified)).collect();
    Ok(Json(Listed { items, next: found.next }))
}

/// Whether anybody was notified of each of these incidents.
pub(crate) async fn all_notified(app: &App, incidents: &[Incident]) -> Result<Vec<Notified>, ReadError> {
    let reads: Vec<_> = incidents.iter().map(|incident| notified(app, incident)).collect();
    stream::iter(reads).buffered(READ_AT_A_TIME).try_collect().await
}

pub(crate) async fn notified(app: &App, incident: &Incident) -> Result<Notified, ReadError> {
    let deliveries = app.store.deliveries(&incident.id).await?;
    Ok(Notified::of(incident, deliveries.iter().map(|(_, delivery)| delivery.sent())))
}

#[utoipa::path(get, path = "/incidents/{id}", tag = "incidents", operation_id = "read_incident",
    summary = "Reads an incident with its timeline and deliveries", params(("id" = String, Path)),
    responses((status = 200, description = "The incident", body = IncidentDetail)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<IncidentId>) -> Result<Json<IncidentDetail>, ApiError> {
    detail(&app, existing(&app, &id).await?).await
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
    let incident = existing(&app, &id).await?;
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
    let incident = existing(&app, &id).await?;
    let mut entries = app.store.timeline_page(&incident, after, page.limit + 1).await?;
    let has_more = entries.len() > page.limit;
    entries.truncate(page.limit);
    let next = entries.last().filter(|_| has_more).map(|entry| entry.n.to_string());
    let entries = names::named(&app, entries).await?;
    Ok(Json(Listed { items: entries.into_iter().map(EntryView::from).collect(), next }))
}

/// An incident with its story, within what one answer holds.
pub(crate) async fn detail(app: &App, incident: Incident) -> Result<Json<IncidentDetail>, ApiError> {
    let found = app.store.deliveries(&incident.id).await?;
    let notified = Notified::of(&incident, found.iter().map(|(_, delivery)| delivery.sent()));
    let newest = names::named(app, app.store.timeline_end(&incident, TIMELINE_ENTRIES).await?).await?;
    let deliveries = delivery_views(app, found, newest_notices(&incident, &newest)).await?;
    Ok(Json(IncidentDetail::new(incident, notified, newest, deliveries)))
}

/// The destinations that the incident's notices went to. `newest`: those that they go to, with the newest change each.
async fn delivery_views(
    app: &App,
    found: Vec<(DestinationId, Delivery)>,
    newest: BTreeMap<DestinationId, u64>,
) -> Result<Vec<DeliveryView>, ApiError> {
    let mut known: BTreeMap<_, _> = found.into_iter().collect();
    for destination in newest.keys() {
        known.entry(destination.clone()).or_default();
    }
    let mut deliveries = Vec::with_capacity(known.len());
    for (destination, delivery) in known {
        let (name, channel) = named(app, &destination).await?;
        let state = state(&delivery, newest.get(&destination).copied()).as_str();
        let Delivery { attempts, .. } = delivery;
        let attempts = attempts.into_iter().map(|attempt| AttemptView {
            at: Time(attempt.at),
            outcome: attempt.outcome.as_str(),
            reason: attempt.reason,
            template: attempt.template,
        });
        deliveries.push(DeliveryView { destination, name, channel, state, attempts: attempts.collect() });
    }
    Ok(deliveries)
}

/// The number of the newest change that each destination is notified of, whether it was tried yet or not.
fn newest_notices(incident: &Incident, timeline: &[Entry]) -> BTreeMap<DestinationId, u64> {
    let mut newest = BTreeMap::new();
    for entry in timeline.iter().filter(|entry| entry.kind.is_told()) {
        let audience = match &entry.told {
            Audience::Everyone => &incident.destinations,
            Audience::Only(destinations) => destinations,
        };
        newest.extend(audience.iter().map(|destination| (destination.clone(), entry.n)));
    }
    newest
}

/// The state of the newest notice.
fn state(delivery: &Delivery, planned: Option<u64>) -> DeliveryState {
    let newest = delivery.told.iter().map(|told| told.n).chain(planned).max();
    newest.map_or(DeliveryState::Pending, |n| delivery.state_of(n))
}

/// A destination's name and channel; of a member's own, the member's name and the medium.
pub(crate) async fn named(app: &App, id: &DestinationId) -> Result<(Option<String>, Option<String>), ApiError> {
    let now = app.clock.now();
    if let Some((medium, member)) = id.member() {
        let member = app.store.cached_member(&member, now).await?;
        return Ok((member.map(|member| member.name.clone()), Some(medium.to_owned())));
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
