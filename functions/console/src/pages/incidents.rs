//! `/incidents`: lists the incidents, newest first, filtered by progress and space.

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
use crate::pages::fields::Choice;
use crate::pages::render::{Reader, When, page};
use crate::session::SignedIn;

/// The number of incidents on one page.
const LISTED: usize = 25;
const PROGRESS: [Progress; 3] = [Progress::Triggered, Progress::Processing, Progress::Closed];

pub(crate) fn router() -> Router<SharedApp> {
    Router::new().route("/incidents", get(list))
}

#[derive(Serialize)]
struct Incidents {
    rows: Vec<Row>,
    progress: Vec<Tab>,
    /// The chosen progress, which the form that selects a space keeps.
    chosen_progress: Option<&'static str>,
    spaces: Vec<Choice>,
    is_filtered: bool,
    /// The address of the next page.
    next: Option<String>,
    time_zone: String,
}

#[derive(Serialize)]
struct Row {
    headline: Headline,
    /// Whether nobody was notified.
    is_unnotified: bool,
    space: String,
    alerts: usize,
    at: When,
}

/// One of the lists by progress.
#[derive(Serialize)]
struct Tab {
    href: String,
    text: &'static str,
    is_current: bool,
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
    let chosen = space.as_ref().map_or("", SpaceId::as_str);
    let content = Incidents {
        rows: rows.collect(),
        progress: tabs(progress, space.as_ref(), &reader),
        chosen_progress: progress.map(Progress::as_str),
        spaces: all.iter().map(|(id, name)| Choice::new(id.as_str(), name, chosen)).collect(),
        is_filtered: progress.is_some() || space.is_some(),
        next: found.next.map(|next| address(progress, space.as_ref(), Some(&next))),
        time_zone: reader.time_zone.as_str().to_owned(),
    };
    Ok(page("incidents.html", "incidents", &content, &reader).into_response())
}

fn tabs(current: Option<Progress>, space: Option<&SpaceId>, reader: &Reader) -> Vec<Tab> {
    let tab = |progress: Option<Progress>| Tab {
        href: address(progress, space, None),
        text: progress.map_or_else(|| reader.word("all"), |one| reader.word(&format!("progress_{}", one.as_str()))),
        is_current: progress == current,
    };
    [None].into_iter().chain(PROGRESS.map(Some)).map(tab).collect()
}

fn address(progress: Option<Progress>, space: Option<&SpaceId>, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(progress) = progress {
        query.append_pair("progress", progress.as_str());
    }
    if let Some(space) = space {
        query.append_pair("space", space.as_str());
    }
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    match query.finish() {
        query if query.is_empty() => "/incidents".to_owned(),
        query => format!("/incidents?{query}"),
    }
}
