//! Providers: what a channel to people needs once per deployment, such as a mail server, and a test of it.

mod types;

use alerting::base::ids::DestinationId;
use alerting::people::destination::{ChannelName, Language, Provider, TimeZone};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use channels::settings::SettingsError;
use serde_json::{Map, Value, json};
use store::config::Expect;

use self::types::{ProviderBody, ProviderTestBody, ProviderView};
use super::Shared;
use crate::app::App;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dto::destination::merge;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Base};
use crate::page::{Listed, Page, PageQuery};
use crate::saved::save_over;
use crate::test_notice::{self, Addressed, Tested};

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).read(routes!(read)).admin(routes!(replace, delete)).admin(routes!(test))
}

#[utoipa::path(get, path = "/providers", tag = "providers", operation_id = "list_providers",
    summary = "Lists the providers that are configured", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<ProviderView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<ProviderView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.providers().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, ProviderView::from)))
}

#[utoipa::path(get, path = "/providers/{channel}", tag = "providers", operation_id = "read_provider",
    summary = "Reads the provider of a channel", params(("channel" = String, Path, example = "email")),
    responses((status = 200, description = "The provider", body = ProviderView)))]
async fn read(State(app): Shared, ApiPath(channel): ApiPath<ChannelName>) -> Result<Json<ProviderView>, ApiError> {
    Ok(Json(found(&app, &channel).await?.into()))
}

#[utoipa::path(put, path = "/providers/{channel}", tag = "providers", operation_id = "replace_provider",
    summary = "Configures the provider of a channel; secrets that are left out are kept",
    params(("channel" = String, Path, example = "email")), request_body = ProviderBody,
    responses((status = 200, description = "The provider", body = ProviderView)))]
async fn replace(
    State(app): Shared,
    ApiPath(channel): ApiPath<ChannelName>,
    ApiJson(body): ApiJson<ProviderBody>,
) -> Result<Json<ProviderView>, ApiError> {
    let saved = save_over(|| async {
        let before = app.store.providers().get(&channel).await?;
        let expect = before.as_ref().map_or(Expect::New, |before| Expect::Version(before.version));
        let provider = wanted(&app, &channel, &body, before).await?;
        Ok(app.store.providers().put(&provider, expect).await)
    });
    Ok(Json(saved.await?.into()))
}

#[utoipa::path(delete, path = "/providers/{channel}", tag = "providers", operation_id = "delete_provider",
    summary = "Forgets the provider of a channel", params(("channel" = String, Path, example = "email")),
    responses((status = 204, description = "It is gone; what would leave by the channel fails, with the reason")))]
async fn delete(State(app): Shared, ApiPath(channel): ApiPath<ChannelName>) -> Result<StatusCode, ApiError> {
    match app.store.providers().delete(&channel).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(not_found(&channel)),
    }
}

#[utoipa::path(post, path = "/providers/{channel}/test", tag = "providers", operation_id = "test_provider",
    summary = "Sends a test notice to someone", params(("channel" = String, Path, example = "email")),
    request_body = ProviderTestBody,
    responses((status = 200, description = "What the provider made of it", body = Tested),
        (status = 429, description = "Too many tests; see Retry-After")))]
async fn test(
    State(app): Shared,
    actor: Actor,
    Base(base): Base,
    ApiPath(channel): ApiPath<ChannelName>,
    ApiJson(body): ApiJson<ProviderTestBody>,
) -> Result<Json<Tested>, ApiError> {
    found(&app, &channel).await?;
    let settings = json!({"to": body.to});
    channels::registry::Destination::check_settings(channel.as_str(), &settings).map_err(|error| {
        let field = error.field.trim_start_matches("settings.").to_owned();
        refused(SettingsError { field, ..error })
    })?;
    // Not a real address: all tests of a channel share one rate limit, independent of the address they send to.
    let destination = DestinationId::from_suffix(&format!("{channel}_test")).expect("a channel's name makes an id");
    let (channel, settings, time_zone) = (channel.as_str(), &settings, &TimeZone::default());
    let to = Addressed { destination, channel, settings, language: Language::default(), time_zone };
    Ok(Json(test_notice::send(&app, to, actor.name, &base).await?))
}

async fn found(app: &App, channel: &ChannelName) -> Result<Provider, ApiError> {
    app.store.providers().get(channel).await?.ok_or_else(|| not_found(channel))
}

fn not_found(channel: &ChannelName) -> ApiError {
    ApiError::not_found(format_args!("provider of the channel {channel}"))
}

fn refused(error: SettingsError) -> ApiError {
    ApiError::invalid(&error.field, format!("`{}` {}", error.field, error.message))
}

/// The provider that a request asks for, its settings checked by the channel and sealed.
async fn wanted(
    app: &App,
    channel: &ChannelName,
    body: &ProviderBody,
    before: Option<Provider>,
) -> Result<Provider, ApiError> {
    let (version, created_at) = before.as_ref().map_or((0, app.clock.now()), |one| (one.version, one.created_at));
    let kept = kept(app, &body.settings, before).await?;
    let secrets = channels::registry::Destination::provider_secret_fields(channel.as_str()).unwrap_or_default();
    let settings = merge(secrets, body.settings.clone(), kept.as_ref())?;
    let plain = app.deliverer.plain_smtp_hosts();
    channels::registry::Destination::check_provider(channel.as_str(), &settings, plain).map_err(refused)?;
    let shown = channels::registry::Destination::shown_provider(channel.as_str(), &settings);
    let settings = app.sealer.seal(channel.as_str(), &settings.to_string()).await?;
    Ok(Provider { id: channel.clone(), version, settings, shown, created_at })
}

/// The settings whose secrets a request may leave out. Those of another host or port are not handed to this one: that
/// would be a way to read them.
async fn kept(app: &App, given: &Map<String, Value>, before: Option<Provider>) -> Result<Option<Value>, ApiError> {
    let Some(before) = before else { return Ok(None) };
    let opened = app.sealer.open(before.id.as_str(), &before.settings).await?;
    let settings: Value = serde_json::from_str(opened.expose())?;
    let is_same = ["host", "port"].iter().all(|name| settings.get(name) == given.get(*name));
    Ok(is_same.then_some(settings))
}
