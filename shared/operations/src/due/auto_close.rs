//! Closes alerts and incidents without a person or a message.
//!
//! An alert of the push mode "each message" closes after the hours that its integration sets. An incident closes after the minutes
//! that its space sets, counted from its trigger or from the last message of any of its alerts.

use std::time::Duration;

use alerting::base::actor::NamedActor;
use alerting::base::ids::{AlertId, IncidentId};
use alerting::base::moment::Moment;
use alerting::incident::alert::Alert;
use alerting::incident::apply::Change;
use alerting::incident::space::{AutoClose, AutoCloseSince};
use alerting::incident::{Incident, Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_kit::random::StampSource;
use store::Store;
use store::errors::ReadError;
use store::keys::alert_key_hash;

use super::{DueError, DueWork};
use crate::ALERTS_AT_A_TIME;
use crate::closing::{Closer, close_alert, close_alerts};

/// Closes an alert that no message closes. Its incidents close with their last alert. Nobody is notified, because
/// nothing recovered.
pub async fn alert(work: DueWork<'_>, stamps: &StampSource, id: &AlertId) -> Result<(), DueError> {
    let Some(alert) = work.dispatch.store.alert_as_stored(id).await? else { return Ok(()) };
    close_alert(closer(work, stamps, &NamedActor::rule()), &alert, None).await
}

/// Closes an incident and its alerts if it is due. Otherwise returns the time of the next check.
pub async fn incident(work: DueWork<'_>, stamps: &StampSource, id: &IncidentId) -> Result<Option<Moment>, DueError> {
    let (store, now) = (&work.dispatch.store, work.now);
    let Some(incident) = store.incident(id).await? else { return Ok(None) };
    if incident.merged_into.is_some() {
        return Ok(None); // its alerts are another incident's, which has a time of its own
    }
    let space = store.cached_space(&incident.space, now).await?;
    let Some(auto_close) = space.and_then(|space| space.auto_close) else { return Ok(None) };
    if incident.progress != Progress::Closed {
        let due = match auto_close.since {
            AutoCloseSince::Trigger => due(auto_close, &incident, Moment::default()),
            AutoCloseSince::LastNews => due(auto_close, &incident, last_message(store, &incident).await?),
        };
        if due > now {
            return Ok(Some(due));
        }
    }
    work.change(id, &Change::AutoClose).await?;
    if let Some(incident) = store.incident(id).await?
        && incident.progress == Progress::Closed
    {
        close_alerts(closer(work, stamps, &NamedActor::rule()), &incident).await?;
    }
    Ok(None)
}

/// Closes the alerts of an incident that `by` closed.
pub async fn alerts_of(
    work: DueWork<'_>,
    stamps: &StampSource,
    by: &NamedActor,
    id: &IncidentId,
) -> Result<(), DueError> {
    match work.dispatch.store.incident(id).await? {
        Some(incident) => close_alerts(closer(work, stamps, by), &incident).await,
        None => Ok(()),
    }
}

fn closer<'a>(work: DueWork<'a>, stamps: &'a StampSource, by: &'a NamedActor) -> Closer<'a> {
    Closer { dispatch: work.dispatch, stamps, by, now: work.now }
}

/// When the incident closes, counted from `last_message`, or from the trigger if that is later.
fn due(auto_close: AutoClose, incident: &Incident, last_message: Moment) -> Moment {
    last_message.max(incident.triggered_at) + Duration::from_secs(u64::from(auto_close.after_minutes) * 60)
}

/// When the last message of any of the alerts was received.
async fn last_message(store: &Store, incident: &Incident) -> Result<Moment, ReadError> {
    let reads =
        stream::iter(0..incident.alerts.len()).map(|place| store.alert_as_stored(&incident.alerts[place].alert));
    let alerts: Vec<Option<Alert>> = reads.buffered(ALERTS_AT_A_TIME).try_collect().await?;
    let alerts: Vec<Alert> = alerts.into_iter().flatten().collect();
    let reads = stream::iter(0..alerts.len()).map(|place| last_message_of(store, &alerts[place]));
    reads.buffer_unordered(ALERTS_AT_A_TIME).try_fold(Moment::default(), async |last, one| Ok(last.max(one))).await
}

/// Read from the state of the key: a message that changes nothing shown moves only the watermark there.
async fn last_message_of(store: &Store, alert: &Alert) -> Result<Moment, ReadError> {
    let Some(key) = &alert.alert_key else { return Ok(alert.updated_at) };
    let state = store.alert_state(&alert.integration, &alert_key_hash(key)).await?;
    let state = state.filter(|state| state.episode == Some(alert.opened_by));
    Ok(alert.updated_at.max(state.map(|state| state.watermark.received_at()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::due::sample;

    #[test]
    fn an_incident_closes_so_long_after_its_trigger_or_a_later_message() {
        let auto_close = AutoClose { after_minutes: 10, since: AutoCloseSince::LastNews };
        let incident = sample::incident(&[true]);
        for (last_message, closes) in [(0, 601), (1, 601), (60, 660)] {
            let due = due(auto_close, &incident, Moment::from_secs(last_message));
            assert_eq!(due, Moment::from_secs(closes), "{last_message}");
        }
    }
}
