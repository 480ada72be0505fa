//! What a message does to its alert: opens it, updates it, makes it more severe, closes it.

use std::time::Duration;

use super::applied::Effect;
use super::event::{AlertEvent, Verdict};
use super::state::{AlertState, Status, TransitionKind};
use crate::base::moment::Moment;

/// The least time below the worst severity, before a return to it notifies again. Without it, a value that swings around its
/// limit would notify every minute.
const LOWER_FOR: Duration = Duration::from_secs(600);

/// What a message that is newer than everything applied does.
pub(super) fn decide(state: Option<&AlertState>, event: &AlertEvent) -> (Effect, Option<TransitionKind>) {
    let open = state.filter(|state| state.status == Status::Open);
    match (event.verdict, open) {
        (Verdict::Trigger, None) => (Effect::Triggered, Some(TransitionKind::Open)),
        (Verdict::Trigger, Some(state)) if rises(state, event) => (Effect::Updated, Some(TransitionKind::Raise)),
        (Verdict::Trigger, Some(_)) => (Effect::Updated, None),
        (Verdict::Close, Some(_)) => (Effect::Recovered, Some(TransitionKind::Close)),
        (Verdict::Close, None) => (Effect::NothingOpen, None),
    }
}

/// Whether the alert becomes more severe than ever in this episode, or returns to its worst severity after at least
/// [`LOWER_FOR`] below it. People who saw it become less severe may believe that the problem is over.
fn rises(state: &AlertState, event: &AlertEvent) -> bool {
    let is_back = event.severity == state.severity
        && state.lower_since.is_some_and(|since| event.stamp.received_at().since(since) >= LOWER_FOR);
    event.severity > state.severity || is_back
}

/// Since when the alert is less severe than its worst, once it shows this update.
pub(super) fn lower_since(state: &AlertState, event: &AlertEvent) -> Option<Moment> {
    let is_lower = event.severity < state.severity;
    is_lower.then(|| state.lower_since.unwrap_or_else(|| event.stamp.received_at()))
}
