//! Members: people who can be told.

use std::collections::BTreeMap;

use alerting::base::ids::MemberId;
use alerting::people::destination::Language;
use alerting::people::hours::Zone;
use alerting::people::{AddressedBy, Member, Role, Verified};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use channels::catalogue::media;
use lambda_kit::random;
use store::config::Expect;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Shared, in_use, save_error, save_over};
use crate::accounts::make_invitation;
use crate::app::{App, SharedApp};
use crate::auth::Actor;
use crate::dto::Time;
use crate::dto::member::{CodeSent, EnterCodeBody, Invitation, MemberBody, MemberView, Own, SendCodeBody};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Base};
use crate::page::{Listed, Page, PageQuery};
use crate::references::{all_exist, destinations_of, users_of_member};
use crate::verification;

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    let one = OpenApiRouter::new().routes(routes!(read, replace, delete)).routes(routes!(send_code, enter_code));
    OpenApiRouter::new().routes(routes!(list, create)).merge(one).routes(routes!(invite))
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

/// `who` is recorded where an address is vouched for.
pub(crate) async fn create_member(app: &App, body: &MemberBody, who: &str) -> Result<Member, ApiError> {
    let member = wanted(app, body, new_member(app), who).await?;
    app.store.members().put(&member, Expect::New).await.map_err(save_error)
}

/// Nobody yet.
pub(crate) fn new_member(app: &App) -> Member {
    Member {
        id: MemberId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        version: 0,
        name: String::new(),
        email: None,
        email_verified: None,
        phone: None,
        phone_verified: None,
        email_pending: None,
        phone_pending: None,
        sign_in: None,
        language: Language::default(),
        time_zone: Zone::utc(),
        role: Role::default(),
        preferences: BTreeMap::new(),
        identities: BTreeMap::new(),
        created_at: app.clock.now(),
    }
}

#[utoipa::path(get, path = "/members/{id}", tag = "members", operation_id = "read_member", summary = "Reads a member",
    params(("id" = String, Path)), responses((status = 200, description = "The member", body = MemberView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<MemberId>) -> Result<Json<MemberView>, ApiError> {
    Ok(Json(found(&app, &id).await?.into()))
}

#[utoipa::path(put, path = "/members/{id}", tag = "members", operation_id = "replace_member",
    summary = "Replaces a member; an address that was verified is told that another one is in its place",
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

/// Saves what `who` wants the member to be, and tells the owner of an address that it was changed.
pub(crate) async fn change(
    app: &App,
    id: &MemberId,
    who: &str,
    body: impl Fn(&Member) -> MemberBody,
) -> Result<Member, ApiError> {
    let saved = save_over(|| async {
        let before = found(app, id).await?;
        let expect = Expect::Version(before.version);
        let member = wanted(app, &body(&before), before.clone(), who).await?;
        Ok(app.store.members().put(&member, expect).await.map(|saved| (before, saved)))
    });
    let (before, saved) = saved.await?;
    verification::tell_old(app, &before, &saved, who).await;
    Ok(saved)
}

/// Saves what members want of themselves. An address that can be confirmed, or that counts already, stays until the code
/// of the new one is entered: whoever mistypes it, or is not the member, replaces nothing.
pub(crate) async fn change_own(app: &App, member: &Member, own: Own) -> Result<Member, ApiError> {
    let mut stays = Vec::new();
    for by in AddressedBy::ALL {
        if member.verified(by).is_some() || verification::can_confirm(app, by).await? {
            stays.push(by);
        }
    }
    let saved = save_over(|| async {
        let before = found(app, &member.id).await?;
        let expect = Expect::Version(before.version);
        let mut after = wanted(app, &MemberBody::own(&before, own.clone()), before.clone(), &member.name).await?;
        stays.iter().for_each(|by| keep_old(&before, &mut after, *by));
        Ok(app.store.members().put(&after, expect).await.map(|saved| (before, saved)))
    });
    let (before, saved) = saved.await?;
    verification::tell_old(app, &before, &saved, &member.name).await;
    Ok(saved)
}

fn keep_old(before: &Member, after: &mut Member, by: AddressedBy) {
    let (old, new) = (before.address(by).map(str::to_owned), after.address(by).map(str::to_owned));
    if let (Some(old), Some(new)) = (old, new)
        && old != new
    {
        after.set_address(by, Some(old));
        after.set_verified(by, before.verified(by).cloned());
        after.set_pending(by, Some(new));
    }
}

/// Forgets the new address that a member asked for.
pub(crate) async fn forget_pending(app: &App, id: &MemberId, by: AddressedBy) -> Result<Member, ApiError> {
    let saved = save_over(|| async {
        let mut member = found(app, id).await?;
        let expect = Expect::Version(member.version);
        member.set_pending(by, None);
        Ok(app.store.members().put(&member, expect).await)
    });
    saved.await
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
    summary = "Enters a one-time code: from then on the address counts", params(("id" = String, Path)),
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

pub(crate) async fn found(app: &App, id: &MemberId) -> Result<Member, ApiError> {
    app.store.members().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("member {id}")))
}

/// `before` as the request of `who` wants it, all that it names being there.
pub(crate) async fn wanted(app: &App, body: &MemberBody, before: Member, who: &str) -> Result<Member, ApiError> {
    let vouched = Verified { at: app.clock.now(), vouched_by: Some(who.to_owned()) };
    let member = body.apply(before, &media(), &vouched)?;
    let named = member.preferences.iter();
    let named = named.flat_map(|(severity, contacts)| destinations_of(&format!("preferences.{severity}"), contacts));
    all_exist(app.store.destinations(), "destination", &named.collect::<Vec<_>>()).await?;
    Ok(member)
}
