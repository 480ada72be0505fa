//! Alerts, read only: sources, timers and closed incidents change them.

use alerting::base::ids::{AlertId, IntegrationId, SpaceId};
use alerting::incident::alert::Status;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::alerts::AlertQuery;
use utoipa::IntoParams;

use super::{ALL_AT_A_TIME, Shared, one_of};
use crate::app::App;
use crate::auth::scope::{Routes, routes};
use crate::dto::alert::AlertView;
use crate::error::ApiError;
use crate::extract::{ApiPath, ApiQuery};
use crate::page::{Listed, Page};

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list)).read(routes!(read))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AlertsQuery {
    #[param(value_type = Option<Status>)]
    status: Option<String>,
    /// Only alerts that were routed to this space.
    space: Option<String>,
    /// Only alerts of this integration.
    integration: Option<String>,
    /// Items per page, 1 to 100; 50 without it.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
}

#[utoipa::path(get, path = "/alerts", tag = "alerts", operation_id = "list_alerts",
    summary = "Lists alerts, newest first; a page may be short although there is a next one", params(AlertsQuery),
    responses((status = 200, description = "A page", body = Listed<AlertView>)))]
async fn list(State(app): Shared, ApiQuery(query): ApiQuery<AlertsQuery>) -> Result<Json<Listed<AlertView>>, ApiError> {
    let page = Page::new(query.limit.as_deref(), query.after)?;
    let status = one_of("status", query.status.as_deref(), [Status::Open, Status::Closed], Status::as_str)?;
    let space: Option<SpaceId> = super::id("space", query.space.as_deref())?;
    let integrations = match super::id("integration", query.integration.as_deref())? {
        Some(integration) => vec![integration],
        None => all_integrations(&app).await?,
    };
    let (after, limit) = (page.after()?, page.limit);
    let found = app.store.alerts(AlertQuery { status, space, integrations, after, limit }).await?;
    Ok(Json(Listed::of(found, AlertView::from)))
}

#[utoipa::path(get, path = "/alerts/{id}", tag = "alerts", operation_id = "read_alert", summary = "Reads an alert",
    params(("id" = String, Path)), responses((status = 200, description = "The alert", body = AlertView)))]
async fn read(State(app): Shared, ApiPath(id): ApiPath<AlertId>) -> Result<Json<AlertView>, ApiError> {
    let alert = app.store.alert(&id).await?;
    Ok(Json(alert.ok_or_else(|| ApiError::not_found(format_args!("alert {id}")))?.into()))
}

async fn all_integrations(app: &App) -> Result<Vec<IntegrationId>, ApiError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = app.store.integrations().list(ALL_AT_A_TIME, after.as_deref()).await?;
        all.extend(page.items.into_iter().map(|stored| stored.integration.id));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    // Open alerts of a deleted integration stay visible.
    all.extend(app.store.deleted_integrations().await?);
    Ok(all)
}
