//! Collaboration spaces: who is notified of their incidents.

mod types;

use std::collections::HashSet;

use alerting::base::ids::{DestinationId, SpaceId};
use alerting::incident::Progress;
use alerting::incident::space::Space;
use alerting::incident::warning::{Warning, nobody};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lambda_kit::random;
use store::config::Expect;
use store::incidents::IncidentQuery;

use self::types::{SpaceBody, SpaceView};
use super::{ALL_AT_A_TIME, Shared, in_use, spaces_of};
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::references::integrations_that;
use crate::references::{all_exist, each};
use crate::saved::{save_over, space as found};

/// Destinations of one space: each of them is a notice per change.
const DESTINATIONS: usize = 50;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).admin(routes!(create)).read(routes!(read)).admin(routes!(replace, delete))
}

#[utoipa::path(get, path = "/spaces", tag = "spaces", operation_id = "list_spaces", summary = "Lists the spaces",
    params(PageQuery), responses((status = 200, description = "A page", body = Listed<SpaceView>)))]
async fn list(State(app): Shared, ApiQuery(query): ApiQuery<PageQuery>) -> Result<Json<Listed<SpaceView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.spaces().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, SpaceView::from)))
}

#[utoipa::path(post, path = "/spaces", tag = "spaces", operation_id = "create_space", summary = "Creates a space",
    request_body = SpaceBody, responses((status = 201, description = "The space", body = WithWarnings<SpaceView>)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<SpaceBody>,
) -> Result<(StatusCode, Json<WithWarnings<SpaceView>>), ApiError> {
    let id = SpaceId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id");
    let space = wanted(&app, &body, Space::new(id, String::new(), Vec::new(), app.clock.now())).await?;
    let space = app.store.spaces().put(&space, Expect::New).await.map_err(ApiError::from)?;
    Ok((StatusCode::CREATED, Json(view(&app, space).await?)))
}

#[utoipa::path(get, path = "/spaces/{id}", tag = "spaces", operation_id = "read_space", summary = "Reads a space",
    params(("id" = String, Path)), responses((status = 200, description = "The space", body = WithWarnings<SpaceView>)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<SpaceId>) -> Result<Json<WithWarnings<SpaceView>>, ApiError> {
    Ok(Json(view(&app, found(&app, &id).await?).await?))
}

#[utoipa::path(put, path = "/spaces/{id}", tag = "spaces", operation_id = "replace_space",
    summary = "Replaces a space; its escalation rules and silences stay",
    params(("id" = String, Path)), request_body = SpaceBody,
    responses((status = 200, description = "The space", body = WithWarnings<SpaceView>)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<SpaceId>,
    ApiJson(body): ApiJson<SpaceBody>,
) -> Result<Json<WithWarnings<SpaceView>>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let expect = Expect::Version(before.version);
        Ok(app.store.spaces().put(&wanted(&app, &body, before).await?, expect).await)
    });
    Ok(Json(view(&app, saved.await?).await?))
}

#[utoipa::path(delete, path = "/spaces/{id}", tag = "spaces", operation_id = "delete_space",
    summary = "Deletes a space that no integration uses and in which no incident is open", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<SpaceId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    let uses = |one: &alerting::rules::integration::Integration| {
        spaces_of(&one.routing).iter().any(|(_, space)| **space == id)
    };
    in_use("the space", &integrations_that(&app, uses).await?)?;
    no_open_incidents(&app, &id).await?;
    app.store.spaces().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses to delete a space in which people still work: its incidents, and the alerts in them, would be in no list.
async fn no_open_incidents(app: &App, id: &SpaceId) -> Result<(), ApiError> {
    let mut after = None;
    loop {
        let spaces = vec![id.clone()];
        let query = IncidentQuery { progress: None, spaces, after, limit: ALL_AT_A_TIME };
        let page = app.store.incidents(query).await?;
        if let Some(open) = page.items.iter().find(|incident| incident.progress != Progress::Closed) {
            let message =
                format!("incident {} ({}) of the space is open; close it or merge it first", open.num, open.id);
            return Err(ApiError::conflict(message));
        }
        match page.next {
            Some(next) => after = Some(next.parse().map_err(|_| ApiError::conflict("the list of incidents changed"))?),
            None => return Ok(()),
        }
    }
}

/// A space with its warnings.
async fn view(app: &App, space: Space) -> Result<WithWarnings<SpaceView>, ApiError> {
    let mut warnings = nobody::of_space(&space);
    let all = app.store.spaces().all().await?;
    warnings.extend(same_name(&space, &all));
    Ok(WithWarnings::new(space.into(), warnings))
}

/// Messages and pages name a space by its name alone.
fn same_name(space: &Space, all: &[Space]) -> Option<Warning> {
    let name = |space: &Space| space.name.trim().to_lowercase();
    let other = all.iter().find(|other| other.id != space.id && name(other) == name(space))?;
    let message = format!("space {} has the same name: messages and pages do not tell them apart", other.id);
    Some(Warning::new("name", message, "give one of them another name"))
}

/// `before` with the changes of the request; its destinations exist and are listed once.
async fn wanted(app: &App, body: &SpaceBody, before: Space) -> Result<Space, ApiError> {
    let mut space = body.apply(before)?;
    let named = each("destinations", &space.destinations);
    let mut seen = HashSet::new();
    let each_once: Vec<DestinationId> = space.destinations.iter().filter(|id| seen.insert(*id)).cloned().collect();
    if each_once.len() > DESTINATIONS {
        return Err(ApiError::invalid("destinations", format!("a space has at most {DESTINATIONS}")));
    }
    all_exist(app.store.destinations(), "destination", &named).await?;
    space.destinations = each_once;
    Ok(space)
}
