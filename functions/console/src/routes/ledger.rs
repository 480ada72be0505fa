//! The ledger of the last hours.

mod types;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use self::types::LedgerView;
use super::Shared;
use crate::auth::scope::{Routes, routes};
use crate::error::ApiError;
use crate::extract::ApiQuery;
use crate::page::{Listed, number};

const HOUR: Duration = Duration::from_secs(3600);
/// Hours if the request names no number.
const DEFAULT_HOURS: usize = 24;
/// As long as the message log, which they are counted from, is kept.
const MAX_HOURS: usize = 7 * 24;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(list))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LedgerQuery {
    /// How many hours back, 1 to 168; 24 without it.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 168)]
    hours: Option<String>,
}

#[utoipa::path(get, path = "/ledger", tag = "ledger", operation_id = "read_ledger",
    summary = "Shows the results of all messages and notices, by hour of receipt, newest first", params(LedgerQuery),
    responses((status = 200, description = "The hours", body = Listed<LedgerView>)))]
async fn list(
    State(app): Shared,
    ApiQuery(query): ApiQuery<LedgerQuery>,
) -> Result<Json<Listed<LedgerView>>, ApiError> {
    let hours = match &query.hours {
        None => DEFAULT_HOURS,
        Some(text) => number("hours", text, 1, MAX_HOURS)?,
    };
    let now = app.clock.now();
    let all = (0..u32::try_from(hours).unwrap_or(u32::MAX)).map(|back| now.hour() - HOUR * back);
    let ledgers = app.store.ledgers(all.collect(), now).await?;
    Ok(Json(Listed { items: ledgers.into_iter().map(LedgerView::from).collect(), next: None }))
}
