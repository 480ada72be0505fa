//! `/me/notifications`: the notifications that the reader was sent, and their results.
//!
//! Notices are not indexed by person. The page therefore searches a limited number of the newest incidents for those
//! that are assigned to the reader or were sent to one of the reader's own contacts. Then it reads the deliveries to
//! those contacts.

use std::collections::BTreeSet;

use alerting::base::ids::DestinationId;
use alerting::base::severity::Severity;
use alerting::incident::Incident;
use alerting::people::Member;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use store::deliveries::Delivery;
use store::incidents::IncidentQuery;

use super::incident::timeline::reason_in_words;
use super::incident::view::Headline;
use crate::app::{App, SharedApp};
use crate::incidents::{destination_name, spaces_by_name};
use crate::pages::error::{PageError, refused};
use crate::pages::render::{Reader, When, page};
use crate::session::SignedIn;

/// The most incidents that are searched.
const LOOKED_THROUGH: usize = 100;
/// The most incidents that are shown.
const SHOWN: usize = 25;
/// The number of incidents whose deliveries are read concurrently.
const READ_AT_A_TIME: usize = 10;

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/me/notifications", get(list))
}

#[derive(Serialize)]
struct Notifications {
    rows: Vec<Row>,
    looked_through: usize,
    time_zone: String,
}

#[derive(Serialize)]
struct Row {
    headline: Headline,
    at: When,
    is_assigned: bool,
    attempts: Vec<AttemptRow>,
}

#[derive(Serialize)]
struct AttemptRow {
    at: When,
    place: String,
    outcome: &'static str,
    is_failure: bool,
    reason: Option<String>,
}

async fn list(State(app): State<SharedApp>, by: SignedIn) -> Result<Response, PageError> {
    let (member, reader) = (by.member.clone(), Reader::of(by));
    let contacts = contacts(&member);
    let spaces = spaces_by_name(&app).await.map_err(refused)?.into_iter().map(|(id, _)| id).collect();
    let query = IncidentQuery { progress: None, spaces, after: None, limit: LOOKED_THROUGH };
    let found = app.store.incidents(query).await?.items;
    let looked_through = found.len();
    let mine = found.into_iter().filter(|incident| concerns(incident, &member, &contacts)).take(SHOWN);
    let rows = mine.map(|incident| row(&app, incident, &member, &contacts, &reader)).collect::<Vec<_>>();
    let rows = stream::iter(rows).buffered(READ_AT_A_TIME).try_collect().await?;
    let content = Notifications { rows, looked_through, time_zone: reader.time_zone.as_str().to_owned() };
    Ok(page("notifications.html", "my_notifications", &content, &reader).into_response())
}

/// The destinations of all contacts of the member, for any severity.
fn contacts(member: &Member) -> BTreeSet<DestinationId> {
    let of = |severity| member.contacts(severity);
    let all = [Severity::Critical, Severity::Warning, Severity::Info].into_iter().flat_map(of);
    all.map(|contact| contact.destination(&member.id)).collect()
}

fn concerns(incident: &Incident, member: &Member, contacts: &BTreeSet<DestinationId>) -> bool {
    incident.assignees.iter().any(|id| id == member.id.as_str())
        || incident.destinations.iter().any(|destination| contacts.contains(destination))
}

async fn row(
    app: &App,
    incident: Incident,
    member: &Member,
    contacts: &BTreeSet<DestinationId>,
    reader: &Reader,
) -> Result<Row, PageError> {
    let mut attempts = Vec::new();
    for (destination, delivery) in app.store.deliveries(&incident.id).await? {
        if contacts.contains(&destination) {
            attempts.extend(attempt_rows(app, &destination, &delivery, reader).await?);
        }
    }
    Ok(Row {
        headline: Headline::of(&incident, reader),
        at: reader.when(incident.triggered_at),
        is_assigned: incident.assignees.iter().any(|id| id == member.id.as_str()),
        attempts,
    })
}

async fn attempt_rows(
    app: &App,
    destination: &DestinationId,
    delivery: &Delivery,
    reader: &Reader,
) -> Result<Vec<AttemptRow>, PageError> {
    let (name, channel) = destination_name(app, destination).await.map_err(refused)?;
    // A contact that belongs to the member is shown by its medium, and a chat by its name.
    let place = match destination.member() {
        Some((medium, _)) => medium.to_owned(),
        None => name.or(channel).unwrap_or_else(|| destination.to_string()),
    };
    let row = |attempt: &store::deliveries::Attempt| AttemptRow {
        at: reader.when(attempt.at),
        place: place.clone(),
        outcome: reader.word(&format!("attempt_{}", attempt.outcome.as_str())),
        is_failure: attempt.outcome.is_failure(),
        reason: attempt.reason.as_deref().map(|reason| reason_in_words(reason, reader)),
    };
    Ok(delivery.attempts.iter().rev().map(row).collect())
}
