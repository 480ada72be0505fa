//! Read, decide, write if nobody else did: changes of an incident, and the close of an alert by a person or a timer.
//!
//! What is decided is `alerting`'s business; here is only the loop that makes it atomic.

use alerting::alert::{Alert, AlertEvent, AlertKey, Status, Verdict, fold};
use alerting::ids::{IncidentId, Stamp};
use alerting::incident::{ActionError, Applied, Change, Entry, Incident, apply};
use alerting::moment::Moment;

use crate::alert_states::WriteState;
use crate::errors::{ReadError, WriteError};
use crate::incidents::WriteIncident;
use crate::{Store, keys};

/// How often a lost race is decided again.
const RACES: usize = 8;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Only a person's action can be refused.
    #[error(transparent)]
    Refused(#[from] ActionError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Store {
    /// Applies a change of the source or of a timer; the incident and the entry to be told, or `None` if nothing is.
    pub async fn change_incident(
        &self,
        id: &IncidentId,
        change: &Change,
        now: Moment,
    ) -> Result<Option<(Incident, Entry)>, WriteError> {
        match self.act_on_incident(id, change, now).await {
            Ok(changed) => Ok(changed),
            Err(ChangeError::Write(error)) => Err(error),
            Err(ChangeError::Refused(_)) => Ok(None),
        }
    }

    /// Applies any change, a person's too, which may be refused by name.
    ///
    /// A trigger is written without a read: nearly always it makes the incident.
    pub async fn act_on_incident(
        &self,
        id: &IncidentId,
        change: &Change,
        now: Moment,
    ) -> Result<Option<(Incident, Entry)>, ChangeError> {
        let is_first = matches!(change, Change::Source(source) if source.alert_n == 1);
        let mut current = if is_first { None } else { self.incident(id).await.map_err(WriteError::Read)? };
        for _ in 0..RACES {
            match apply(current.as_ref(), change, now)? {
                Applied::Nothing => return Ok(None),
                Applied::Already(entry) => return Ok(current.map(|incident| (incident, entry))),
                Applied::Changed(next, entry) => {
                    let before = current.as_ref().map(|incident| incident.n);
                    match self.write_incident(&next, before).await? {
                        WriteIncident::Written => return Ok(Some((next, entry))),
                        WriteIncident::Lost(theirs) => current = theirs,
                    }
                }
            }
        }
        Err(WriteError::Read(ReadError::throttled(id)).into())
    }

    /// Closes an open alert at the wish of a person or a timer, under a stamp of that moment: messages received before
    /// are overtaken by it, the next trigger opens a new alert. `None`: it was closed already.
    pub async fn close_alert(&self, alert: &Alert, stamp: Stamp, now: Moment) -> Result<Option<Alert>, WriteError> {
        let mut closed = alert.clone();
        closed.status = Status::Closed;
        closed.closed_at = Some(now);
        closed.updated_at = now;
        if let Some(key) = &alert.alert_key {
            match self.close_state(alert, key, stamp, now).await? {
                Some((shown, count)) => (closed.shown, closed.count) = (shown, count),
                None => return Ok(None),
            }
        }
        let written = self.show_in_alert(&closed, Some(alert), now).await?;
        Ok(written.then_some(closed))
    }

    /// Moves the watermark of the alert's key to the close; the stamp and the count that it then has.
    async fn close_state(
        &self,
        alert: &Alert,
        key: &str,
        stamp: Stamp,
        now: Moment,
    ) -> Result<Option<(Stamp, u64)>, WriteError> {
        let key_hash = keys::alert_key_hash(key);
        let mut current = self.alert_state(&alert.integration, &key_hash).await?;
        for _ in 0..RACES {
            let Some(state) = current else { return Ok(None) };
            if state.status == Status::Closed || state.episode != Some(alert.opened_by) {
                // Closed before, perhaps by this very call whose answer was lost: what people see may still lag behind.
                return Ok((alert.status == Status::Open).then_some((state.watermark, state.count)));
            }
            let close = AlertEvent {
                stamp: stamp.max(state.watermark.successor()),
                verdict: Verdict::Close,
                key: AlertKey::Named(key.to_owned()),
                title: alert.title.clone(),
                description: alert.description.clone(),
                severity: alert.severity,
                labels: alert.labels.clone(),
                spaces: Vec::new(),
            };
            let folded = fold(Some(&state), std::slice::from_ref(&close));
            let next = folded.state.expect("a stamp above the watermark is applied");
            match self.write_alert_state(&alert.integration, &key_hash, &next, Some(state.version), now).await? {
                WriteState::Written => return Ok(Some((close.stamp, next.count))),
                WriteState::Lost(theirs) => current = theirs,
            }
        }
        Err(WriteError::Read(ReadError::throttled(&alert.id)))
    }
}
