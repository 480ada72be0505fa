//! `/incidents`: what is going on, newest first, by progress and space.

use std::collections::BTreeMap;

use alerting::base::ids::SpaceId;
use alerting::incident::Progress;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;
use store::Cursor;
use store::incidents::IncidentQuery;

use super::incident::view::Headline;
use crate::app::SharedApp;
use crate::incidents::{all_notified, spaces_by_name};
use crate::pages::error::{PageError, refused};
use crate::pages::render::{Reader, When, page};
use crate::session::SignedIn;

/// Incidents of one page.
const LISTED: usize = 25;
const PROGRESS: [Progress; 3] = [Progress::Triggered, Progress::Processing, Progress::Closed];

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/incidents", get(list))
}

#[derive(Serialize)]
struct Incidents {
    rows: Vec<Row>,
    progress: Vec<Choice>,
    spaces: Vec<Choice>,
    is_filtered: bool,
    /// Where the next page is.
    next: Option<String>,
    time_zone: String,
}

#[derive(Serialize)]
struct Row {
    headline: Headline,
    /// Nobody was notified.
    is_unnotified: bool,
    space: String,
    alerts: usize,
    at: When,
}

/// One entry of a filter.
#[derive(Serialize)]
struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

async fn list(
    State(app): State<SharedApp>,
    by: SignedIn,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let reader = Reader::of(by);
    let given = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let progress = PROGRESS.into_iter().find(|one| given("progress") == Some(one.as_str()));
    let all = spaces_by_name(&app).await.map_err(refused)?;
    let space = all.iter().find(|(id, _)| given("space") == Some(id.as_str())).map(|(id, _)| id.clone());
    let spaces = space.clone().map_or_else(|| all.iter().map(|(id, _)| id.clone()).collect(), |space| vec![space]);
    let after = given("after").and_then(|after| after.parse::<Cursor>().ok());
    let found = app.store.incidents(IncidentQuery { progress, spaces, after, limit: LISTED }).await?;
    let names: BTreeMap<&SpaceId, &String> = all.iter().map(|(id, name)| (id, name)).collect();
    let notified = all_notified(&app, &found.items).await?;
    let rows = found.items.iter().zip(notified).map(|(incident, notified)| Row {
        is_unnotified: notified.why_nobody().is_some(),
        headline: Headline::of(incident, &reader),
        space: names.get(&incident.space).map_or_else(String::new, |name| (*name).clone()),
        alerts: incident.alerts.len(),
        at: reader.when(incident.triggered_at),
    });
    let content = Incidents {
        rows: rows.collect(),
        progress: PROGRESS
            .map(|one| Choice {
                value: one.as_str().to_owned(),
                name: reader.word(&format!("progress_{}", one.as_str())).to_owned(),
                is_chosen: progress == Some(one),
            })
            .into(),
        spaces: choices(&all, space.as_ref()),
        is_filtered: progress.is_some() || space.is_some(),
        next: found.next.map(|next| address(progress, space.as_ref(), &next)),
        time_zone: reader.time_zone.as_str().to_owned(),
    };
    Ok(page("incidents.html", "incidents", &content, &reader).into_response())
}

fn choices(all: &[(SpaceId, String)], chosen: Option<&SpaceId>) -> Vec<Choice> {
    let choice = |(id, name): &(SpaceId, String)| Choice {
        value: id.to_string(),
        name: name.clone(),
        is_chosen: chosen == Some(id),
    };
    all.iter().map(choice).collect()
}

fn address(progress: Option<Progress>, space: Option<&SpaceId>, after: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(progress) = progress {
        query.append_pair("progress", progress.as_str());
    }
    if let Some(space) = space {
        query.append_pair("space", space.as_str());
    }
    format!("/incidents?{}", query.append_pair("after", after).finish())
}
