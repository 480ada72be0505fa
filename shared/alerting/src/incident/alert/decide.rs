//! Decides what a message does to its alert: open it, update it, make it more severe, or close it.

use std::time::Duration;

use super::applied::Effect;
use super::event::{AlertEvent, EventKind};
use super::state::{AlertState, Status, TransitionKind};
use crate::base::moment::Moment;

/// How long an alert must be below its worst severity before a return to it notifies again. Without this pause, a value
/// that varies around its limit would notify every minute.
const LOWER_FOR: Duration = Duration::from_secs(600);

/// The effect of a message that is newer than all applied messages.
pub(super) fn decide(state: Option<&AlertState>, event: &AlertEvent) -> (Effect, Option<TransitionKind>) {
    let open = state.filter(|state| state.status == Status::Open);
    match (event.kind, open) {
        (EventKind::Trigger, None) => (Effect::Triggered, Some(TransitionKind::Open)),
        (EventKind::Trigger, Some(state)) if rises(state, event) => (Effect::Updated, Some(TransitionKind::Raise)),
        (EventKind::Trigger, Some(_)) => (Effect::Updated, None),
        (EventKind::Close, Some(_)) => (Effect::Recovered, Some(TransitionKind::Close)),
        (EventKind::Close, None) => (Effect::NothingOpen, None),
    }
}

/// Whether the alert becomes more severe than before in this episode, or returns to its worst severity after at least
/// [`LOWER_FOR`] below it. People who saw that it was less severe may believe that the problem is over.
fn rises(state: &AlertState, event: &AlertEvent) -> bool {
    let is_back = event.severity == state.severity
        && state.lower_since.is_some_and(|since| event.stamp.received_at().since(since) >= LOWER_FOR);
    event.severity > state.severity || is_back
}

/// The time since which the alert is below its worst severity, after this update. `None`: it is not below.
pub(super) fn lower_since(state: &AlertState, event: &AlertEvent) -> Option<Moment> {
    let is_lower = event.severity < state.severity;
    is_lower.then(|| state.lower_since.unwrap_or_else(|| event.stamp.received_at()))
}
