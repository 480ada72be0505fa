//! Why someone was, or was not, notified of a message.

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::people::destination::Language;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Shared, one_of};
use crate::auth::scope::{Routes, routes};
use crate::dto::trace::TraceView;
use crate::error::ApiError;
use crate::extract::{ApiPath, ApiQuery};
use crate::trace;

pub(crate) fn router() -> Routes {
    Routes::new().read(routes!(read))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TraceQuery {
    /// Of the sentences; `en` without it.
    #[param(value_type = Option<Language>)]
    language: Option<String>,
}

#[utoipa::path(get, path = "/integrations/{id}/messages/{message}/trace", tag = "messages", operation_id = "trace_message",
    summary = "Explains why someone was, or was not, notified of a message: every rule tried, and every notice with its answers",
    params(("id" = String, Path), ("message" = String, Path), TraceQuery),
    responses((status = 200, description = "The trace", body = TraceView)))]
async fn read(
    State(app): Shared,
    ApiPath((id, stamp)): ApiPath<(IntegrationId, Stamp)>,
    ApiQuery(query): ApiQuery<TraceQuery>,
) -> Result<Json<TraceView>, ApiError> {
    let name = |language| match language {
        Language::English => "en",
        Language::Chinese => "zh",
    };
    let language = one_of("language", query.language.as_deref(), [Language::English, Language::Chinese], name)?;
    Ok(Json(trace::trace(&app, &id, stamp, language.unwrap_or_default()).await?))
}
