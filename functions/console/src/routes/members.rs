//! Members: people who can be told.

use std::collections::BTreeMap;

use alerting::destination::Language;
use alerting::hours::Zone;
use alerting::ids::MemberId;
use alerting::people::{Member, Role};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use channels::catalogue::PEOPLE_CHANNELS;
use lambda_kit::random;
use store::config::Expect;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Shared, in_use, save_error, save_over};
use crate::dto::member::{MemberBody, MemberView};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::references::{all_exist, destinations_of, users_of_member};
use crate::{App, SharedApp};

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, delete))
}

#[utoipa::path(get, path = "/members", tag = "members", operation_id = "list_members", summary = "Lists the members",
    params(PageQuery), responses((status = 200, description = "A page", body = Listed<MemberView>)))]
async fn list(State(app): Shared, ApiQuery(query): ApiQuery<PageQuery>) -> Result<Json<Listed<MemberView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.members().list(page.limit, page.after.as_deref()).await?;
    Ok(Json(Listed::of(found, MemberView::from)))
}

#[utoipa::path(post, path = "/members", tag = "members", operation_id = "create_member", summary = "Creates a member",
    request_body = MemberBody, responses((status = 201, description = "The member", body = MemberView)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<MemberBody>,
) -> Result<(StatusCode, Json<MemberView>), ApiError> {
    let empty = Member {
        id: MemberId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        version: 0,
        name: String::new(),
        email: None,
        phone: None,
        language: Language::default(),
        time_zone: Zone::utc(),
        role: Role::default(),
        preferences: BTreeMap::new(),
        identities: BTreeMap::new(),
        created_at: app.clock.now(),
    };
    let member = wanted(&app, &body, empty).await?;
    let member = app.store.members().put(&member, Expect::New).await.map_err(save_error)?;
    Ok((StatusCode::CREATED, Json(member.into())))
}

#[utoipa::path(get, path = "/members/{id}", tag = "members", operation_id = "read_member", summary = "Reads a member",
    params(("id" = String, Path)), responses((status = 200, description = "The member", body = MemberView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<MemberId>) -> Result<Json<MemberView>, ApiError> {
    Ok(Json(found(&app, &id).await?.into()))
}

#[utoipa::path(put, path = "/members/{id}", tag = "members", operation_id = "replace_member",
    summary = "Replaces a member", params(("id" = String, Path)), request_body = MemberBody,
    responses((status = 200, description = "The member", body = MemberView)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<MemberId>,
    ApiJson(body): ApiJson<MemberBody>,
) -> Result<Json<MemberView>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let expect = Expect::Version(before.version);
        Ok(app.store.members().put(&wanted(&app, &body, before).await?, expect).await)
    });
    Ok(Json(saved.await?.into()))
}

#[utoipa::path(delete, path = "/members/{id}", tag = "members", operation_id = "delete_member",
    summary = "Deletes a member whom no team, schedule or escalation rule names", params(("id" = String, Path)),
    responses((status = 204, description = "The member is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<MemberId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the member", &users_of_member(&app, &id).await?)?;
    app.store.members().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn found(app: &App, id: &MemberId) -> Result<Member, ApiError> {
    app.store.members().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("member {id}")))
}

/// `before` as the request wants it, all that it names being there.
async fn wanted(app: &App, body: &MemberBody, before: Member) -> Result<Member, ApiError> {
    let member = body.apply(before, PEOPLE_CHANNELS)?;
    let named = member.preferences.iter();
    let named = named.flat_map(|(severity, contacts)| destinations_of(&format!("preferences.{severity}"), contacts));
    all_exist(app.store.destinations(), "destination", &named.collect::<Vec<_>>()).await?;
    Ok(member)
}
