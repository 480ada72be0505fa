//! A level of an escalation rule that is due, or its repetition.

use alerting::base::ids::IncidentId;
use alerting::incident::apply::Change;

use super::{DueError, DueWork};
use crate::holds;

/// Notifies the level, unless a silence holds the incident by now: then the incident is held instead.
///
/// `level`: [`Change::Escalate`] or [`Change::Repeat`].
pub async fn notify(work: DueWork<'_>, id: &IncidentId, level: Change) -> Result<(), DueError> {
    let change = match holds::present(&work.dispatch.store, id, work.now).await? {
        Some(hold) => Change::HoldReviewed { hold: Some(hold) },
        None => level,
    };
    work.change(id, &change).await
}
