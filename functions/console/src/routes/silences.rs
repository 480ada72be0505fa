//! Silences of a space.

use alerting::base::ids::{SilenceId, SpaceId};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::silence::{SILENCES, Silence, SilenceAction, SilenceTime};
use alerting::incident::space::Space;
use alerting::incident::timer::{FOLLOW_UP_AFTER, Timer, Work};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lambda_kit::random;
use store::config::Expect;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Shared, save_over, spaces};
use crate::app::{App, SharedApp};
use crate::auth::Actor;
use crate::dto::field_error;
use crate::dto::silence::{SilenceBody, SilenceView};
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};

pub(crate) fn router() -> OpenApiRouter<SharedApp> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, replace, delete))
}

#[utoipa::path(get, path = "/spaces/{id}/silences", tag = "silences", operation_id = "list_silences",
    summary = "Lists a space's silences, newest first", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page", body = Listed<SilenceView>)))]
async fn list(
    State(app): Shared,
    ApiPath(space): ApiPath<SpaceId>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<SilenceView>>, ApiError> {
    let page = Page::try_from(query)?;
    let now = app.clock.now();
    // They are appended as they are made.
    let silences = spaces::found(&app, &space).await?.silences.into_iter().rev();
    Ok(Json(Listed::part(silences.map(|silence| SilenceView::new(silence, now)).collect(), &page)?))
}

#[utoipa::path(post, path = "/spaces/{id}/silences", tag = "silences", operation_id = "create_silence",
    summary = "Creates a silence", params(("id" = String, Path)), request_body = SilenceBody,
    responses((status = 201, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn create(
    State(app): Shared,
    actor: Actor,
    ApiPath(space): ApiPath<SpaceId>,
    ApiJson(body): ApiJson<SilenceBody>,
) -> Result<(StatusCode, Json<WithWarnings<SilenceView>>), ApiError> {
    spaces::found(&app, &space).await?;
    let now = app.clock.now();
    let silence = body.apply(empty(actor.name, now))?;
    add(&app, &space, &silence, now).await?;
    Ok((StatusCode::CREATED, Json(view(silence, now))))
}

/// Puts a new silence into its space.
async fn add(app: &App, space: &SpaceId, silence: &Silence, now: Moment) -> Result<(), ApiError> {
    let saved = save_over(|| async {
        let mut space = spaces::found(app, space).await?;
        silence.check(&space, now).map_err(field_error)?;
        make_room(&mut space, now)?;
        space.silences.push(silence.clone());
        Ok(app.store.spaces().put(&space, Expect::Version(space.version)).await)
    });
    saved.await.map(drop)
}

#[utoipa::path(get, path = "/spaces/{id}/silences/{silence}", tag = "silences", operation_id = "read_silence",
    summary = "Reads a silence", params(("id" = String, Path), ("silence" = String, Path)),
    responses((status = 200, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn read(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, SilenceId)>,
) -> Result<Json<WithWarnings<SilenceView>>, ApiError> {
    let space = spaces::found(&app, &space).await?;
    let silence = space.silences[position_of(&space, &id)?].clone();
    Ok(Json(view(silence, app.clock.now())))
}

#[utoipa::path(put, path = "/spaces/{id}/silences/{silence}", tag = "silences", operation_id = "replace_silence",
    summary = "Replaces a silence", params(("id" = String, Path), ("silence" = String, Path)),
    request_body = SilenceBody, responses((status = 200, description = "The silence", body = WithWarnings<SilenceView>)))]
async fn replace(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, SilenceId)>,
    ApiJson(body): ApiJson<SilenceBody>,
) -> Result<Json<WithWarnings<SilenceView>>, ApiError> {
    let now = app.clock.now();
    announce_review(&app, &space, &id).await?;
    let saved = save_over(|| async {
        let mut space = spaces::found(&app, &space).await?;
        let position = position_of(&space, &id)?;
        let silence = body.clone().apply(space.silences[position].clone())?;
        silence.check(&space, now).map_err(field_error)?;
        space.silences[position] = silence.clone();
        let saved = app.store.spaces().put(&space, Expect::Version(space.version)).await;
        Ok(saved.map(|_| silence))
    });
    let silence = saved.await?;
    review(&app, space).await;
    Ok(Json(view(silence, now)))
}

#[utoipa::path(delete, path = "/spaces/{id}/silences/{silence}", tag = "silences", operation_id = "delete_silence",
    summary = "Ends a silence", params(("id" = String, Path), ("silence" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(
    State(app): Shared,
    ApiPath((space, id)): ApiPath<(SpaceId, SilenceId)>,
) -> Result<StatusCode, ApiError> {
    announce_review(&app, &space, &id).await?;
    let saved = save_over(|| async {
        let mut space = spaces::found(&app, &space).await?;
        space.silences.remove(position_of(&space, &id)?);
        Ok(app.store.spaces().put(&space, Expect::Version(space.version)).await)
    });
    saved.await?;
    review(&app, space).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A silence by itself, with what will surprise about it.
pub(super) fn view(silence: Silence, now: Moment) -> WithWarnings<SilenceView> {
    WithWarnings::none(SilenceView::new(silence, now))
}

/// Written before a silence changes: a little over a minute later all held incidents of the space are looked at, even if
/// this process dies in between. By then every process knows the silences as they are now, and no incident is made by the
/// former ones. Nothing is written for a silence that the space does not have.
async fn announce_review(app: &App, space: &SpaceId, id: &SilenceId) -> Result<(), ApiError> {
    position_of(&spaces::found(app, space).await?, id)?;
    let work = Work::ReviewHolds { space: space.clone(), below: None };
    Ok(app.store.put_timer(&Timer::new(app.clock.now() + FOLLOW_UP_AFTER, work)).await?)
}

/// The same at once. If that fails, what was announced makes it good.
async fn review(app: &App, space: SpaceId) {
    review_now(app, Work::ReviewHolds { space, below: None }).await;
}

/// Puts a silence for what is like an incident into its space, and holds the incident from now on.
pub(super) async fn add_for(app: &App, incident: &Incident, silence: &Silence, now: Moment) -> Result<(), ApiError> {
    let work = Work::ReviewHold { incident: incident.id.clone() };
    app.store.put_timer(&Timer::new(now + FOLLOW_UP_AFTER, work.clone())).await?;
    add(app, &incident.space, silence, now).await?;
    review_now(app, work).await;
    Ok(())
}

async fn review_now(app: &App, work: Work) {
    let timer = Timer::new(app.clock.now(), work);
    if let Err(error) = app.dispatch.set_timers(vec![timer]).await {
        tracing::error!(error = &error as &dyn std::error::Error, "held incidents are looked at later");
    }
}

/// A silence of which only what stays the same is said.
fn empty(created_by: String, now: Moment) -> Silence {
    Silence {
        id: SilenceId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        name: String::new(),
        filter: alerting::rules::filter::Filter::default(),
        time: SilenceTime::Once { from: now, until: now },
        then: SilenceAction::default(),
        created_by,
        created_at: now,
    }
}

/// Silences that are over stay to be looked at until their place is needed.
fn make_room(space: &mut Space, now: Moment) -> Result<(), ApiError> {
    if space.silences.len() < SILENCES {
        return Ok(());
    }
    space.silences.retain(|silence| !silence.is_over(now));
    if space.silences.len() < SILENCES {
        return Ok(());
    }
    Err(ApiError::conflict(format!("a space has at most {SILENCES} silences; delete one first")))
}

fn position_of(space: &Space, id: &SilenceId) -> Result<usize, ApiError> {
    let position = space.silences.iter().position(|silence| silence.id == *id);
    position.ok_or_else(|| ApiError::not_found(format_args!("silence {id} in space {}", space.id)))
}
