//! Raises an alarm for an incident that should notify somebody and reaches nobody: a metric counts it, and an alarm
//! watches the metric.

use alerting::base::moment::Moment;
use alerting::incident::notice::Notice;
use alerting::incident::timeline::{Entry, EntryKind};
use alerting::incident::timer::Timer;
use alerting::incident::{Escalation, Incident, Progress};
use lambda_kit::metric;

/// Counts an incident that is new or assigned again, if nobody is notified of it now or later.
pub(crate) fn check(incident: &Incident, entry: &Entry, notices: &[Notice], timers: &[Timer], now: Moment) {
    let wants_someone = match entry.kind {
        EntryKind::NobodyReached => true,
        EntryKind::Triggered | EntryKind::Reopened | EntryKind::SnoozeEnded | EntryKind::Escalated => {
            incident.held.is_none() && timers.is_empty()
        }
        // If one contact failed, others may still have been notified.
        EntryKind::ContactFailed => {
            timers.is_empty() && incident.escalation.as_ref().is_some_and(Escalation::is_exhausted)
        }
        _ => false,
    };
    if wants_someone && notices.is_empty() && incident.progress == Progress::Triggered {
        tracing::error!(incident.id = %incident.id, space.id = %incident.space, "an incident reaches nobody");
        metric::count_missing_notification(now);
    }
}
