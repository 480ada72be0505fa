//! Reads saved objects by id, with an error if there is none, and saves changes with a retry after a conflict.

use alerting::base::ids::{IntegrationId, MemberId, ScheduleId, SpaceId};
use alerting::incident::space::Space;
use alerting::people::Member;
use alerting::people::schedule::Schedule;
use store::errors::SaveError;
use store::integrations::StoredIntegration;

use crate::app::App;
use crate::error::ApiError;

pub(crate) async fn space(app: &App, id: &SpaceId) -> Result<Space, ApiError> {
    app.store.spaces().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("space {id}")))
}

pub(crate) async fn member(app: &App, id: &MemberId) -> Result<Member, ApiError> {
    app.store.members().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("member {id}")))
}

pub(crate) async fn schedule(app: &App, id: &ScheduleId) -> Result<Schedule, ApiError> {
    app.store.schedules().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("schedule {id}")))
}

pub(crate) async fn integration(app: &App, id: &IntegrationId) -> Result<StoredIntegration, ApiError> {
    app.store.integrations().get(id).await?.ok_or_else(|| ApiError::not_found(format_args!("integration {id}")))
}

/// Reads, changes and saves an object; retries if someone else saved it in between.
pub(crate) async fn save_over<T, F>(attempt: impl Fn() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<Result<T, SaveError>, ApiError>>,
{
    operations::saving::save_over(attempt).await
}
