//! Destinations: one configured address on a channel, and a test of it.

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::incident::space::Space;
use alerting::people::destination::Destination;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lambda_kit::random;
use serde_json::{Map, Value};
use store::config::Expect;

use super::{Shared, in_use};
use crate::app::App;
use crate::auth::Actor;
use crate::auth::scope::{Routes, routes};
use crate::dto::destination::{DestinationBody, DestinationView, merge};
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Base};
use crate::page::{Listed, Page, PageQuery};
use crate::references::users_of_destination;
use crate::saved::save_over;
use crate::test_notice::{self, Addressed, Tested};

pub(crate) fn router() -> Routes {
    Routes::new()
        .read(routes!(list))
        .admin(routes!(create))
        .read(routes!(read))
        .admin(routes!(replace, delete))
        .admin(routes!(test))
}

#[utoipa::path(get, path = "/destinations", tag = "destinations", operation_id = "list_destinations",
    summary = "Lists the destinations", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<DestinationView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<DestinationView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.destinations().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, DestinationView::from)))
}

#[utoipa::path(post, path = "/destinations", tag = "destinations", operation_id = "create_destination",
    summary = "Creates a destination", request_body = DestinationBody,
    responses((status = 201, description = "The destination", body = DestinationView)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<DestinationBody>,
) -> Result<(StatusCode, Json<DestinationView>), ApiError> {
    let id = DestinationId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id");
    let destination = wanted(&app, &body, Kept { id, version: 0, created_at: app.clock.now() }, None).await?;
    let destination = app.store.destinations().put(&destination, Expect::New).await.map_err(ApiError::from)?;
    Ok((StatusCode::CREATED, Json(destination.into())))
}

#[utoipa::path(get, path = "/destinations/{id}", tag = "destinations", operation_id = "read_destination",
    summary = "Reads a destination", params(("id" = String, Path)),
    responses((status = 200, description = "The destination", body = DestinationView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<DestinationId>) -> Result<Json<DestinationView>, ApiError> {
    Ok(Json(found(&app, &id).await?.into()))
}

#[utoipa::path(put, path = "/destinations/{id}", tag = "destinations", operation_id = "replace_destination",
    summary = "Replaces a destination; secrets that are left out are kept", params(("id" = String, Path)),
    request_body = DestinationBody,
    responses((status = 200, description = "The destination", body = DestinationView)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<DestinationId>,
    ApiJson(body): ApiJson<DestinationBody>,
) -> Result<Json<DestinationView>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let old_settings = settings(&app, &before).await?;
        // Another channel's secrets are another provider's: nothing of them is kept.
        let old_settings = (before.channel == body.channel).then_some(&old_settings);
        let kept = Kept { id: id.clone(), version: before.version, created_at: before.created_at };
        let destination = wanted(&app, &body, kept, old_settings).await?;
        Ok(app.store.destinations().put(&destination, Expect::Version(before.version)).await)
    });
    Ok(Json(saved.await?.into()))
}

#[utoipa::path(delete, path = "/destinations/{id}", tag = "destinations", operation_id = "delete_destination",
    summary = "Deletes a destination that no escalation rule or member uses, and takes it out of the spaces that name it",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is gone; notices that wait for it are dropped, with the reason")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<DestinationId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the destination", &users_of_destination(&app, &id).await?)?;
    let all = app.store.spaces().all().await?;
    for space in all.into_iter().filter(|space| space.destinations.contains(&id)) {
        let saved = save_over(|| async {
            let Some(before) = app.store.spaces().get(&space.id).await? else { return Ok(Ok(())) };
            let expect = Expect::Version(before.version);
            let destinations = before.destinations.iter().filter(|one| **one != id).cloned().collect();
            Ok(app.store.spaces().put(&Space { destinations, ..before }, expect).await.map(drop))
        });
        saved.await?;
    }
    app.store.destinations().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/destinations/{id}/test", tag = "destinations", operation_id = "test_destination",
    summary = "Sends a test notice", params(("id" = String, Path)),
    responses((status = 200, description = "What the provider made of it", body = Tested),
        (status = 429, description = "The destination's own rate limit; see Retry-After")))]
async fn test(
    State(app): Shared,
    actor: Actor,
    Base(base): Base,
    ApiPath(id): ApiPath<DestinationId>,
) -> Result<Json<Tested>, ApiError> {
    let stored = found(&app, &id).await?;
    let settings = settings(&app, &stored).await?;
    let Destination { id, channel, language, time_zone, .. } = &stored;
    let to = Addressed { destination: id.clone(), channel, settings: &settings, language: *language, time_zone };
    Ok(Json(test_notice::send(&app, to, actor.name, &base).await?))
}

async fn found(app: &App, id: &DestinationId) -> Result<Destination, ApiError> {
    app.store.destinations().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("destination {id}")))
}

/// The decrypted settings. They go to the channel and nowhere else.
async fn settings(app: &App, destination: &Destination) -> Result<Value, ApiError> {
    let opened = app.sealer.open(destination.id.as_str(), &destination.settings).await?;
    Ok(serde_json::from_str(opened.expose())?)
}

/// The fields that a request cannot change.
struct Kept {
    id: DestinationId,
    version: u64,
    created_at: Moment,
}

/// The destination that a request asks for, its settings checked by the channel and sealed.
async fn wanted(
    app: &App,
    body: &DestinationBody,
    kept: Kept,
    before: Option<&Value>,
) -> Result<Destination, ApiError> {
    let Kept { id, version, created_at } = kept;
    let name = body.name.to_string();
    let time_zone = body.time_zone()?;
    let given: Map<String, Value> = body.settings.clone();
    let secrets = channels::registry::Destination::secret_fields(&body.channel).unwrap_or_default();
    let settings = merge(secrets, given, before)?;
    channels::registry::Destination::check_settings(&body.channel, &settings)
        .map_err(|error| ApiError::invalid(&error.field, format!("`{}` {}", error.field, error.message)))?;
    let shown = channels::registry::Destination::shown(&body.channel, &settings);
    let settings = app.sealer.seal(id.as_str(), &settings.to_string()).await?;
    let (channel, language) = (body.channel.clone(), body.language);
    Ok(Destination { id, name, version, channel, settings, shown, language, time_zone, created_at })
}
