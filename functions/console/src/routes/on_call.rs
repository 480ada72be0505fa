//! Who is on call by a schedule.

use alerting::base::ids::{MemberId, ScheduleId};
use alerting::base::moment::Moment;
use alerting::people::schedule::shifts::RANGE;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::on_call::AHEAD;
use crate::dto::on_call::{Names, OnCallView, ShiftsView};
use crate::dto::{NOT_A_TIME, Time};
use crate::error::ApiError;
use crate::extract::{ApiPath, ApiQuery};
use crate::saved;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(on_call)).read(routes!(shifts))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OnCallQuery {
    /// Now without it.
    #[param(value_type = Option<Time>)]
    at: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShiftsQuery {
    /// Now without it.
    #[param(value_type = Option<Time>)]
    from: Option<String>,
    /// 14 days after `from` without it; at most 100.
    #[param(value_type = Option<Time>)]
    until: Option<String>,
}

#[utoipa::path(get, path = "/schedules/{id}/on-call", tag = "schedules", operation_id = "read_on_call",
    summary = "Shows who is on call", params(("id" = String, Path), OnCallQuery),
    responses((status = 200, description = "Who is on call, and why", body = OnCallView)))]
async fn on_call(
    State(app): Shared,
    ApiPath(id): ApiPath<ScheduleId>,
    ApiQuery(query): ApiQuery<OnCallQuery>,
) -> Result<Json<OnCallView>, ApiError> {
    let at = time("at", query.at.as_deref())?.unwrap_or_else(|| app.clock.now());
    let on_call = saved::schedule(&app, &id).await?.on_call(at);
    let names = names(&app, on_call.iter().map(|on_call| &on_call.member)).await?;
    Ok(Json(OnCallView::new(at, on_call, &names)))
}

#[utoipa::path(get, path = "/schedules/{id}/shifts", tag = "schedules", operation_id = "list_shifts",
    summary = "Shows who is on call during a period, and when nobody is", params(("id" = String, Path), ShiftsQuery),
    responses((status = 200, description = "The shifts", body = ShiftsView)))]
async fn shifts(
    State(app): Shared,
    ApiPath(id): ApiPath<ScheduleId>,
    ApiQuery(query): ApiQuery<ShiftsQuery>,
) -> Result<Json<ShiftsView>, ApiError> {
    let from = time("from", query.from.as_deref())?.unwrap_or_else(|| app.clock.now());
    let until = time("until", query.until.as_deref())?.unwrap_or(from + AHEAD);
    if until <= from || until.since(from) > RANGE {
        let message = format!("expected a time after `from`, by at most {} days", RANGE.as_secs() / (24 * 3600));
        return Err(ApiError::invalid("until", message));
    }
    let roster = saved::schedule(&app, &id).await?.shifts(from, until);
    let named = roster.shifts.iter().filter_map(|shift| shift.on_call.as_ref());
    let names = names(&app, named.map(|on_call| &on_call.member)).await?;
    Ok(Json(ShiftsView::new(roster, &names)))
}

fn time(field: &str, text: Option<&str>) -> Result<Option<Moment>, ApiError> {
    let parse = |text| Time::parse(text).map(|Time(at)| at).ok_or_else(|| ApiError::invalid(field, NOT_A_TIME));
    text.map(parse).transpose()
}

async fn names<'a>(app: &App, members: impl Iterator<Item = &'a MemberId>) -> Result<Names, ApiError> {
    let mut ids: Vec<MemberId> = members.cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    let members = app.store.members().get_all(ids).await?;
    Ok(members.into_iter().map(|member| (member.id, member.name)).collect())
}
