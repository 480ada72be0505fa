//! Members: people who can be notified.

use alerting::base::ids::MemberId;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::{Shared, in_use};
use crate::accounts::make_invitation;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dto::Time;
use crate::dto::member::{CodeSent, EnterCodeBody, Invitation, MemberBody, MemberView, SendCodeBody};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Base};
use crate::members::{change, create_member};
use crate::page::{Listed, Page, PageQuery};
use crate::references::users_of_member;
use crate::saved::member as found;
use crate::verification;

pub(crate) fn router() -> Routes {
    let one = Routes::new().read(routes!(read)).admin(routes!(replace, delete)).admin(routes!(send_code, enter_code));
    Routes::new().read(routes!(list)).admin(routes!(create)).merge(one).admin(routes!(invite))
}

#[utoipa::path(get, path = "/members", tag = "members", operation_id = "list_members", summary = "Lists the members",
    params(PageQuery), responses((status = 200, description = "A page", body = Listed<MemberView>)))]
async fn list(State(app): Shared, ApiQuery(query): ApiQuery<PageQuery>) -> Result<Json<Listed<MemberView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.members().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, MemberView::from)))
}

#[utoipa::path(post, path = "/members", tag = "members", operation_id = "create_member", summary = "Creates a member",
    request_body = MemberBody, responses((status = 201, description = "The member", body = MemberView)))]
async fn create(
    State(app): Shared,
    actor: Actor,
    ApiJson(body): ApiJson<MemberBody>,
) -> Result<(StatusCode, Json<MemberView>), ApiError> {
    let member = create_member(&app, &body, &actor.name).await?;
    Ok((StatusCode::CREATED, Json(member.into())))
}

#[utoipa::path(get, path = "/members/{id}", tag = "members", operation_id = "read_member", summary = "Reads a member",
    params(("id" = String, Path)), responses((status = 200, description = "The member", body = MemberView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<MemberId>) -> Result<Json<MemberView>, ApiError> {
    Ok(Json(found(&app, &id).await?.into()))
}

#[utoipa::path(put, path = "/members/{id}", tag = "members", operation_id = "replace_member",
    summary = "Replaces a member; a verified address is notified when another one replaces it",
    params(("id" = String, Path)), request_body = MemberBody,
    responses((status = 200, description = "The member", body = MemberView)))]
async fn replace(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<MemberId>,
    ApiJson(body): ApiJson<MemberBody>,
) -> Result<Json<MemberView>, ApiError> {
    Ok(Json(change(&app, &id, &actor.name, |_| body.clone()).await?.into()))
}

#[utoipa::path(delete, path = "/members/{id}", tag = "members", operation_id = "delete_member",
    summary = "Deletes a member whom no team, schedule or escalation rule names", params(("id" = String, Path)),
    responses((status = 204, description = "The member is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<MemberId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the member", &users_of_member(&app, &id).await?)?;
    app.store.members().delete(&id).await?;
    app.store.delete_account(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/members/{id}/verification", tag = "members", operation_id = "send_code",
    summary = "Sends a one-time code to an address of the member; one sent before is void",
    params(("id" = String, Path)), request_body = SendCodeBody,
    responses((status = 202, description = "It is on its way", body = CodeSent),
        (status = 429, description = "Too many codes; see Retry-After")))]
async fn send_code(
    State(app): Shared,
    actor: Actor,
    Base(base): Base,
    ApiPath(id): ApiPath<MemberId>,
    ApiJson(body): ApiJson<SendCodeBody>,
) -> Result<(StatusCode, Json<CodeSent>), ApiError> {
    let until = Time(verification::send_code(&app, &id, body.field, &actor.name, &base).await?);
    Ok((StatusCode::ACCEPTED, Json(CodeSent { until })))
}

#[utoipa::path(put, path = "/members/{id}/verification", tag = "members", operation_id = "enter_code",
    summary = "Enters a one-time code, which verifies the address", params(("id" = String, Path)),
    request_body = EnterCodeBody, responses((status = 200, description = "The member", body = MemberView)))]
async fn enter_code(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<MemberId>,
    ApiJson(body): ApiJson<EnterCodeBody>,
) -> Result<Json<MemberView>, ApiError> {
    Ok(Json(verification::enter_code(&app, &id, body.field, &actor.name, &body.code).await?.into()))
}

#[utoipa::path(post, path = "/members/{id}/invitation", tag = "members", operation_id = "invite_member",
    summary = "Makes a one-time link by which the member chooses a password, in place of the one before",
    params(("id" = String, Path)),
    responses((status = 201, description = "The link; the answer is the only place that shows it", body = Invitation)))]
async fn invite(
    State(app): Shared,
    Base(base): Base,
    ApiPath(id): ApiPath<MemberId>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let (url, until) = make_invitation(&app, &found(&app, &id).await?, &base).await?;
    let invitation = Invitation { url: url.expose().to_owned(), expires_at: Time(until) };
    Ok((StatusCode::CREATED, Json(invitation)))
}
