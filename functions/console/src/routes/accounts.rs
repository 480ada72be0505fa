//! Accounts of apps: one installation of an app at a chat vendor, such as a Slack workspace.

mod types;

use alerting::base::ids::{AccountId, MemberId};
use alerting::base::moment::Moment;
use alerting::people::destination::AppAccount;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use channels::registry::Destination;
use lambda_kit::random;
use operations::chat_links;
use serde_json::Value;
use store::config::Expect;

use self::types::{AccountBody, AccountView, LinkCodeBody, LinkCodeView};
use super::{Shared, in_use};
use crate::app::App;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dto::destination::merge;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::references::users_of_account;
use crate::saved::save_over;

pub(crate) fn router() -> Routes {
    Routes::new()
        .read(routes!(list))
        .admin(routes!(create))
        .read(routes!(read))
        .admin(routes!(replace, delete))
        .respond(routes!(begin_link))
        .admin(routes!(unlink))
}

#[utoipa::path(get, path = "/accounts", tag = "accounts", operation_id = "list_accounts",
    summary = "Lists the accounts of apps", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<AccountView>)))]
async fn list(State(app): Shared, ApiQuery(query): ApiQuery<PageQuery>) -> Result<Json<Listed<AccountView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.app_accounts().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, AccountView::from)))
}

#[utoipa::path(post, path = "/accounts", tag = "accounts", operation_id = "create_account",
    summary = "Adds an account of an app", request_body = AccountBody,
    responses((status = 201, description = "The account", body = AccountView)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<AccountBody>,
) -> Result<(StatusCode, Json<AccountView>), ApiError> {
    let id = AccountId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id");
    let account = wanted(&app, &body, Kept { id, version: 0, created_at: app.clock.now() }, None).await?;
    let account = app.store.app_accounts().put(&account, Expect::New).await.map_err(ApiError::from)?;
    Ok((StatusCode::CREATED, Json(account.into())))
}

#[utoipa::path(get, path = "/accounts/{id}", tag = "accounts", operation_id = "read_account",
    summary = "Reads an account of an app", params(("id" = String, Path)),
    responses((status = 200, description = "The account", body = AccountView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<AccountId>) -> Result<Json<AccountView>, ApiError> {
    Ok(Json(found(&app, &id).await?.into()))
}

#[utoipa::path(put, path = "/accounts/{id}", tag = "accounts", operation_id = "replace_account",
    summary = "Replaces an account of an app; secrets that are left out are kept, the channel stays",
    params(("id" = String, Path)), request_body = AccountBody,
    responses((status = 200, description = "The account", body = AccountView)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<AccountId>,
    ApiJson(body): ApiJson<AccountBody>,
) -> Result<Json<AccountView>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        if before.channel != body.channel {
            let message = format!("an account stays on its channel, `{}`; add another account", before.channel);
            return Err(ApiError::invalid("channel", message));
        }
        let opened = app.sealer.open(before.id.as_str(), &before.settings).await?;
        let settings: Value = serde_json::from_str(opened.expose())?;
        let kept = Kept { id: id.clone(), version: before.version, created_at: before.created_at };
        let account = wanted(&app, &body, kept, Some(&settings)).await?;
        Ok(app.store.app_accounts().put(&account, Expect::Version(before.version)).await)
    });
    Ok(Json(saved.await?.into()))
}

#[utoipa::path(delete, path = "/accounts/{id}", tag = "accounts", operation_id = "delete_account",
    summary = "Deletes an account of an app that no destination names", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone; links of its users have no effect any more")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<AccountId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the account", &users_of_account(&app, &id).await?)?;
    app.store.app_accounts().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/accounts/{id}/link-codes", tag = "accounts", operation_id = "create_link_code",
    summary = "Makes a one-time code by which the calling member links their chat user: they send it to the app",
    params(("id" = String, Path)), request_body = LinkCodeBody,
    responses((status = 201, description = "The code", body = LinkCodeView)))]
async fn begin_link(
    State(app): Shared,
    actor: Actor,
    ApiPath(id): ApiPath<AccountId>,
    ApiJson(body): ApiJson<LinkCodeBody>,
) -> Result<(StatusCode, Json<LinkCodeView>), ApiError> {
    let member = body.member_of(&actor)?;
    let begun = chat_links::begin(&app.store, id, &member, app.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(begun.into())))
}

#[utoipa::path(delete, path = "/accounts/{id}/links/{member}", tag = "accounts", operation_id = "delete_link",
    summary = "Ends the link of a member with a chat user of the account",
    params(("id" = String, Path), ("member" = String, Path)),
    responses((status = 204, description = "The user can act on no card any more")))]
async fn unlink(
    State(app): Shared,
    ApiPath((id, member)): ApiPath<(AccountId, MemberId)>,
) -> Result<StatusCode, ApiError> {
    chat_links::unlink(&app.store, &id, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn found(app: &App, id: &AccountId) -> Result<AppAccount, ApiError> {
    app.store.app_accounts().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("account {id}")))
}

/// The fields that a request cannot change.
struct Kept {
    id: AccountId,
    version: u64,
    created_at: Moment,
}

/// The account that a request asks for, its settings checked by the channel and sealed.
async fn wanted(app: &App, body: &AccountBody, kept: Kept, before: Option<&Value>) -> Result<AppAccount, ApiError> {
    let Kept { id, version, created_at } = kept;
    let (channel, name) = (body.channel.clone(), body.name.to_string());
    let secrets = Destination::provider_secret_fields(&channel).unwrap_or_default();
    let settings = merge(secrets, body.settings.clone(), before)?;
    Destination::check_account(&channel, &settings)
        .map_err(|error| ApiError::invalid(&error.field, format!("`{}` {}", error.field, error.message)))?;
    let shown = Destination::shown_provider(&channel, &settings);
    let settings = app.sealer.seal(id.as_str(), &settings.to_string()).await?;
    Ok(AppAccount { id, version, name, channel, settings, shown, created_at })
}
