//! Incidents as the API and the pages show them.

use operations::names;
use std::collections::BTreeMap;

use alerting::base::ids::{DestinationId, SpaceId};
use alerting::incident::Incident;
use alerting::incident::notified::Notified;
use alerting::incident::timeline::{Audience, Entry};
use axum::Json;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use store::deliveries::{Delivery, DeliveryState};
use store::errors::ReadError;

use crate::app::App;
use crate::dto::Time;
use crate::dto::incident::{AttemptView, DeliveryView, IncidentDetail, TIMELINE_ENTRIES};
use crate::error::ApiError;

/// Incidents of a page whose deliveries are read at the same time.
const READ_AT_A_TIME: usize = 20;
/// Spaces that one read returns when all spaces are needed.
const SPACES_AT_A_TIME: usize = 100;

/// Whether anybody was notified of each of these incidents.
pub(crate) async fn all_notified(app: &App, incidents: &[Incident]) -> Result<Vec<Notified>, ReadError> {
    let reads: Vec<_> = incidents.iter().map(|incident| notified(app, incident)).collect();
    stream::iter(reads).buffered(READ_AT_A_TIME).try_collect().await
}

pub(crate) async fn notified(app: &App, incident: &Incident) -> Result<Notified, ReadError> {
    let deliveries = app.store.deliveries(&incident.id).await?;
    Ok(Notified::of(incident, deliveries.iter().map(|(_, delivery)| delivery.sent())))
}

/// An incident with its timeline and deliveries, within the size limit of one answer.
pub(crate) async fn detail(app: &App, incident: Incident) -> Result<Json<IncidentDetail>, ApiError> {
    let found = app.store.deliveries(&incident.id).await?;
    let notified = Notified::of(&incident, found.iter().map(|(_, delivery)| delivery.sent()));
    let newest =
        names::named(&app.store, app.store.timeline_end(&incident, TIMELINE_ENTRIES).await?, app.clock.now()).await?;
    let deliveries = delivery_views(app, found, newest_notices(&incident, &newest)).await?;
    Ok(Json(IncidentDetail::new(incident, notified, newest, deliveries)))
}

/// One view per destination that has a delivery or is in `newest`, which has the number of the newest change by
/// destination.
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
        let (name, channel) = destination_name(app, &destination).await?;
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

/// The number of the newest change of which each destination is notified, including changes that were not sent yet.
fn newest_notices(incident: &Incident, timeline: &[Entry]) -> BTreeMap<DestinationId, u64> {
    let mut newest = BTreeMap::new();
    for entry in timeline.iter().filter(|entry| entry.kind.notifies()) {
        let audience = match &entry.audience {
            Audience::Everyone => &incident.destinations,
            Audience::Only(destinations) => destinations,
        };
        newest.extend(audience.iter().map(|destination| (destination.clone(), entry.n)));
    }
    newest
}

/// The state of the newest notice.
fn state(delivery: &Delivery, planned: Option<u64>) -> DeliveryState {
    let newest = delivery.changes.iter().map(|change| change.n).chain(planned).max();
    newest.map_or(DeliveryState::Pending, |n| delivery.state_of(n))
}

/// A destination's name and channel; for a member's own address, the member's name and the medium.
pub(crate) async fn destination_name(
    app: &App,
    id: &DestinationId,
) -> Result<(Option<String>, Option<String>), ApiError> {
    let now = app.clock.now();
    if let Some((medium, member)) = id.member() {
        let member = app.store.cached_member(&member, now).await?;
        return Ok((member.map(|member| member.name.clone()), Some(medium.to_owned())));
    }
    let known = app.store.cached_destination(id, now).await?;
    Ok(known.map_or((None, None), |known| (Some(known.name.clone()), Some(known.channel.clone()))))
}

/// Every space with its name.
pub(crate) async fn spaces_by_name(app: &App) -> Result<Vec<(SpaceId, String)>, ApiError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = app.store.spaces().list(SPACES_AT_A_TIME, after.as_deref()).await?;
        all.extend(page.items.into_iter().map(|space| (space.id, space.name)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(all),
        }
    }
}
