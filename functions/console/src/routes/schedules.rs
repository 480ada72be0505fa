//! Schedules, and the overrides of one.

use alerting::base::field_error::FieldError;
use alerting::base::ids::ScheduleId;
use alerting::base::moment::Moment;
use alerting::incident::warning::nobody;
use alerting::people::hours::Zone;
use alerting::people::schedule::{OVERRIDES, Override, Schedule};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lambda_kit::random;
use store::config::Expect;

use super::{Shared, in_use};
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::field_error;
use crate::dto::on_call::AHEAD;
use crate::dto::schedule::{OverrideBody, OverrideId, OverrideView, ScheduleBody, ScheduleView};
use crate::dto::warning::WithWarnings;
use crate::error::ApiError;
use crate::extract::{ApiJson, ApiPath, ApiQuery};
use crate::page::{Listed, Page, PageQuery};
use crate::references::{all_exist, each, users_of_schedule};
use crate::saved::{save_over, schedule as found};

pub(crate) fn router() -> Routes {
    Routes::new()
        .read(routes!(list))
        .admin(routes!(create))
        .read(routes!(read))
        .admin(routes!(replace, delete))
        .admin(routes!(add_override))
        .admin(routes!(delete_override))
}

#[utoipa::path(get, path = "/schedules", tag = "schedules", operation_id = "list_schedules",
    summary = "Lists the schedules", params(PageQuery),
    responses((status = 200, description = "A page", body = Listed<ScheduleView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<Listed<ScheduleView>>, ApiError> {
    let page = Page::try_from(query)?;
    let found = app.store.schedules().list(page.limit, page.after_object()?).await?;
    Ok(Json(Listed::of(found, |schedule| view(&app, schedule))))
}

#[utoipa::path(post, path = "/schedules", tag = "schedules", operation_id = "create_schedule",
    summary = "Creates a schedule", request_body = ScheduleBody,
    responses((status = 201, description = "The schedule", body = WithWarnings<ScheduleView>)))]
async fn create(
    State(app): Shared,
    ApiJson(body): ApiJson<ScheduleBody>,
) -> Result<(StatusCode, Json<WithWarnings<ScheduleView>>), ApiError> {
    let empty = Schedule {
        id: ScheduleId::from_suffix(&random::base62(10)).expect("ten base62 characters make an id"),
        version: 0,
        name: String::new(),
        time_zone: Zone::utc(),
        layers: Vec::new(),
        overrides: Vec::new(),
        created_at: app.clock.now(),
    };
    let schedule = wanted(&app, &body, empty).await?;
    let schedule = app.store.schedules().put(&schedule, Expect::New).await.map_err(ApiError::from)?;
    Ok((StatusCode::CREATED, Json(alone(&app, schedule))))
}

#[utoipa::path(get, path = "/schedules/{id}", tag = "schedules", operation_id = "read_schedule",
    summary = "Reads a schedule", params(("id" = String, Path)),
    responses((status = 200, description = "The schedule", body = WithWarnings<ScheduleView>)))]
async fn read(
    State(app): Shared,
    ApiPath(id): ApiPath<ScheduleId>,
) -> Result<Json<WithWarnings<ScheduleView>>, ApiError> {
    Ok(Json(alone(&app, found(&app, &id).await?)))
}

#[utoipa::path(put, path = "/schedules/{id}", tag = "schedules", operation_id = "replace_schedule",
    summary = "Replaces a schedule; overrides that are left out are kept", params(("id" = String, Path)),
    request_body = ScheduleBody, responses((status = 200, description = "The schedule", body = WithWarnings<ScheduleView>)))]
async fn replace(
    State(app): Shared,
    ApiPath(id): ApiPath<ScheduleId>,
    ApiJson(body): ApiJson<ScheduleBody>,
) -> Result<Json<WithWarnings<ScheduleView>>, ApiError> {
    let saved = save_over(|| async {
        let before = found(&app, &id).await?;
        let expect = Expect::Version(before.version);
        Ok(app.store.schedules().put(&wanted(&app, &body, before).await?, expect).await)
    });
    Ok(Json(alone(&app, saved.await?)))
}

#[utoipa::path(delete, path = "/schedules/{id}", tag = "schedules", operation_id = "delete_schedule",
    summary = "Deletes a schedule that no escalation rule names", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete(State(app): Shared, ApiPath(id): ApiPath<ScheduleId>) -> Result<StatusCode, ApiError> {
    found(&app, &id).await?;
    in_use("the schedule", &users_of_schedule(&app, &id).await?)?;
    app.store.schedules().delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/schedules/{id}/overrides", tag = "schedules", operation_id = "create_override",
    summary = "Puts a member on call for a time, instead of the scheduled member", params(("id" = String, Path)),
    request_body = OverrideBody, responses((status = 201, description = "The override", body = OverrideView)))]
async fn add_override(
    State(app): Shared,
    ApiPath(id): ApiPath<ScheduleId>,
    ApiJson(body): ApiJson<OverrideBody>,
) -> Result<(StatusCode, Json<OverrideView>), ApiError> {
    found(&app, &id).await?;
    let added = Override::from(&body);
    let saved = save_over(|| async {
        let mut schedule = found(&app, &id).await?;
        if schedule.overrides.contains(&added) {
            return Err(ApiError::conflict("the schedule has this override already"));
        }
        make_room(&mut schedule, app.clock.now())?;
        schedule.overrides.push(added.clone());
        let path = format!("overrides[{}].", schedule.overrides.len() - 1);
        schedule.check().map_err(|error| field_error(within(error, &path)))?;
        all_exist(app.store.members(), "member", &[("member".to_owned(), &added.member)]).await?;
        Ok(app.store.schedules().put(&schedule, Expect::Version(schedule.version)).await)
    });
    saved.await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

#[utoipa::path(delete, path = "/schedules/{id}/overrides/{override}", tag = "schedules",
    operation_id = "delete_override", summary = "Deletes an override",
    params(("id" = String, Path), ("override" = String, Path)),
    responses((status = 204, description = "It is gone")))]
async fn delete_override(
    State(app): Shared,
    ApiPath((id, gone)): ApiPath<(ScheduleId, OverrideId)>,
) -> Result<StatusCode, ApiError> {
    let saved = save_over(|| async {
        let mut schedule = found(&app, &id).await?;
        let position = schedule.overrides.iter().position(|one| OverrideId::of(one) == gone);
        let position = position.ok_or_else(|| ApiError::not_found(format_args!("such override in schedule {id}")))?;
        schedule.overrides.remove(position);
        Ok(app.store.schedules().put(&schedule, Expect::Version(schedule.version)).await)
    });
    saved.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A schedule with its warnings.
fn alone(app: &App, schedule: Schedule) -> WithWarnings<ScheduleView> {
    let now = app.clock.now();
    let gaps = schedule.gaps(now, now + AHEAD);
    let warnings = nobody::of_schedule(&schedule, &gaps, now);
    WithWarnings::new(ScheduleView::new(schedule, gaps), warnings)
}

fn view(app: &App, schedule: Schedule) -> ScheduleView {
    let now = app.clock.now();
    let gaps = schedule.gaps(now, now + AHEAD);
    ScheduleView::new(schedule, gaps)
}

/// `before` as the request wants it, all whom it names being there. Overrides that it keeps may name someone who was
/// deleted after they were over.
async fn wanted(app: &App, body: &ScheduleBody, before: Schedule) -> Result<Schedule, ApiError> {
    let schedule = body.apply(before)?;
    let layers = each("layers", &schedule.layers).into_iter();
    let mut named: Vec<_> = layers.flat_map(|(path, layer)| each(&format!("{path}.members"), &layer.members)).collect();
    if body.gives_overrides() {
        let overrides = each("overrides", &schedule.overrides).into_iter();
        named.extend(overrides.map(|(path, one)| (format!("{path}.member"), &one.member)));
    }
    all_exist(app.store.members(), "member", &named).await?;
    Ok(schedule)
}

/// Expired overrides stay visible until their place is needed.
fn make_room(schedule: &mut Schedule, now: Moment) -> Result<(), ApiError> {
    if schedule.overrides.len() < OVERRIDES {
        return Ok(());
    }
    schedule.overrides.retain(|one| one.until > now);
    if schedule.overrides.len() < OVERRIDES {
        return Ok(());
    }
    Err(ApiError::conflict(format!("a schedule has at most {OVERRIDES} overrides; delete one first")))
}

/// The fault of one override, as its own request names the field.
fn within(error: FieldError, path: &str) -> FieldError {
    let field = error.field.strip_prefix(path).unwrap_or(&error.field).to_owned();
    FieldError { field, ..error }
}
