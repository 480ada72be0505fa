//! Teams: several members under one name.

mod types;

use alerting::base::ids::TeamId;
use alerting::people::Team;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lambda_kit::random;
use store::config::Expect;

use self::types::{TeamBody, TeamView};
use super::{Shared, in_use};
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::references::{all_exist, each, users_of_team};
use crate::saved::save_over;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).admin(routes!(create)).read(routes!(read)).admin(routes!(replace, delete))
}

#[utoipa::path(get, path = "/teams", tag = "teams", operation_id = "list_teams", summary = "Lists the teams",
    params(PageQuery), responses((status = 200, description = "A page", body = Listed<TeamView>)))]
async fn list(State(app): Shared, ApiQuery(query): ApiQuery<PageQuery>) -> Result<Json<Listed<TeamView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.teams().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, TeamView::from)))
}

#[utoipa::path(post, path = "/teams", tag = "teams", operation_id = "create_team", summary = "Creates a team",
    request_body = TeamBody, responses((status = 201, description = "The team", body = TeamView)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<TeamBody>,
) -> Result<(StatusCode, Json<TeamView>), ApiError> {
    let empty = Team {
        id: TeamId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        version: 0,
        name: String::new(),
        members: Vec::new(),
        created_at: app.clock.now(),
    };
    let team = wanted(&app, &body, empty).await?;
    let team = app.store.teams().put(&team, Expect::New).await.map_err(ApiError::from)?;
    Ok((StatusCode::CREATED, Json(team.into())))
}

#[utoipa::path(get, path = "/teams/{id}", tag = "teams", operation_id = "read_team", summary = "Reads a team",
    params(("id" = String, Path)), responses((status = 200, description = "The team", body = TeamView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<TeamId>) -> Result<Json<TeamView>, ApiError> {
    Ok(Json(found(&app, &id).await?.into()))
}

#[utoipa::path(put, path = "/teams/{id}", tag = "teams", operation_id = "replace_team", summary = "Replaces a team",
    params(("id" = String, Path)), request_body = TeamBody,
    responses((status = 200, description = "The team", body = TeamView)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<TeamId>,
    ApiJson(body): ApiJson<TeamBody>,
) -> Result<Json<TeamView>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let expect = Expect::Version(before.version);
        Ok(app.store.teams().put(&wanted(&app, &body, before).await?, expect).await)
    });
    Ok(Json(saved.await?.into()))
}

#[utoipa::path(delete, path = "/teams/{id}", tag = "teams", operation_id = "delete_team",
    summary = "Deletes a team that no escalation rule names", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<TeamId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the team", &users_of_team(&app, &id).await?)?;
    app.store.teams().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn found(app: &App, id: &TeamId) -> Result<Team, ApiError> {
    app.store.teams().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("team {id}")))
}

/// `before` with the changes of the request, after a check that its members exist.
async fn wanted(app: &App, body: &TeamBody, before: Team) -> Result<Team, ApiError> {
    let team = body.apply(before)?;
    all_exist(app.store.members(), "member", &each("members", &team.members)).await?;
    Ok(team)
}
