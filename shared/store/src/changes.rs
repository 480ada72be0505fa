//! Read, decide, write if nobody else did: changes incidents, and closes alerts for a person or a timer.
//!
//! The crate `alerting` decides what changes. This module only has the loop that makes the change atomic.

use std::time::Duration;

use alerting::base::ids::{IncidentId, Stamp};
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::action::ActionError;
use alerting::incident::alert::{Alert, AlertEvent, AlertKey, EventKind, Status, fold};
use alerting::incident::apply::{Change, apply, assignment_query};
use alerting::incident::assignment::Assigned;
use alerting::incident::change_result::{ChangeResult, entry_of_action};
use alerting::incident::detail::{Remark, Unreached};
use alerting::incident::source::SourceChange;
use alerting::incident::timeline::Entry;

use crate::alert_states::WriteState;
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::incidents::{Place, Replaces, WriteIncident};
use crate::keys;
use crate::standing::{Path, out_of_circle};

/// How often a change is decided again after a lost race. Many alerts may join one incident at a time.
pub(crate) const RACES: u32 = 12;
/// The longest pause before a retry. The first retries are made at once.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Only a person's action can be refused.
    #[error(transparent)]
    Refused(#[from] ActionError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the outcome of one call, matched where it arrives and never stored")]
pub enum Outcome {
    /// The change is written, by this call or by an earlier one of the same name: carry out what follows.
    Changed(Incident, Entry),
    /// The change has no effect.
    Nothing,
    /// The alert cannot join this incident: it is closed, or full.
    CannotJoin,
}

impl Store {
    /// Applies a change of a timer. Returns the incident and the entry whose follow-up is to be carried out, or `None`
    /// if there is none. `action` names the change: a change that was made before is found by its name.
    pub async fn change_incident(
        &self,
        id: &IncidentId,
        change: &Change,
        action: &str,
        now: Moment,
    ) -> Result<Option<(Incident, Entry)>, WriteError> {
        match self.act_on_incident(id, change, action, now).await {
            Ok(changed) => Ok(changed),
            Err(ChangeError::Write(error)) => Err(error),
            Err(ChangeError::Refused(_)) => Ok(None), // only people are refused
        }
    }

    /// The same, but also reports that an alert cannot join. `alert` is the one that the change is about.
    pub async fn change_by_source(
        &self,
        id: &IncidentId,
        change: &Change,
        alert: Option<&Alert>,
        now: Moment,
    ) -> Result<Outcome, WriteError> {
        match Box::pin(self.change(id, change, None, alert, now)).await {
            Ok(outcome) => Ok(outcome),
            Err(ChangeError::Write(error)) => Err(error),
            Err(ChangeError::Refused(_)) => Ok(Outcome::Nothing), // only people are refused
        }
    }

    /// Makes the incident of an alert that was noted as joined to another incident, which then could not take it.
    pub async fn make_instead(
        &self,
        source: &SourceChange,
        joined: &IncidentId,
        alert: &Alert,
        now: Moment,
    ) -> Result<Outcome, WriteError> {
        let change = Change::Source(source.clone());
        let assigned = self.assigned(None, &change, Some(alert), now).await?;
        let Ok(ChangeResult::Changed(incident, entry)) = apply(None, &change, assigned.as_ref(), now) else {
            return Ok(Outcome::Nothing);
        };
        match self.write_incident(&incident, &Replaces::Joined(joined.clone())).await? {
            WriteIncident::Written => Ok(Outcome::Changed(incident, entry)),
            WriteIncident::Lost(_) => self.change_by_source(&source.incident, &change, Some(alert), now).await,
        }
    }

    /// Applies any change, also a person's, which may be refused with a reason.
    pub async fn act_on_incident(
        &self,
        id: &IncidentId,
        change: &Change,
        action: &str,
        now: Moment,
    ) -> Result<Option<(Incident, Entry)>, ChangeError> {
        match Box::pin(self.change(id, change, Some(action), None, now)).await? {
            Outcome::Changed(incident, entry) => Ok(Some((incident, entry))),
            Outcome::Nothing | Outcome::CannotJoin => Ok(None),
        }
    }

    /// Applies a change to the incident that `id` leads to after all merges. `action` names the change, if it has a
    /// name. `alert` is the one that represents the incident, if the caller has it at hand.
    ///
    /// A first trigger is written without a read, because it nearly always makes the incident.
    async fn change(
        &self,
        id: &IncidentId,
        change: &Change,
        action: Option<&str>,
        alert: Option<&Alert>,
        now: Moment,
    ) -> Result<Outcome, ChangeError> {
        let makes = matches!(change, Change::Source(source) if source.alert_n == 1 && source.incident == *id);
        let mut path = Path::from(id);
        let mut place = if makes { None } else { self.place(path.at()).await.map_err(WriteError::Read)? };
        let mut races = 0;
        while races < RACES {
            let current = match &place {
                Some(Place::Dropped(_)) => return Ok(Outcome::Nothing),
                Some(Place::Joined(target)) => {
                    place = self.follow(&mut path, target.clone()).await.map_err(WriteError::Read)?;
                    continue;
                }
                Some(Place::Incident(incident)) => Some(incident),
                None => None,
            };
            if let (Some(incident), Some(action)) = (current, action)
                && let Some(entry) = entry_of_action(incident, action)
            {
                return Ok(Outcome::Changed(incident.clone(), entry.clone()));
            }
            let assigned = self.assigned(current, change, alert, now).await.map_err(WriteError::Read)?;
            let applied = match apply(current, change, assigned.as_ref(), now) {
                Err(ActionError::Merged(target)) => {
                    match self.stands_for_circle(path.at()).await.map_err(WriteError::Read)? {
                        Some(stand) if stand == *path.at() => {
                            place = place.map(out_of_circle);
                            continue;
                        }
                        stand => return Err(ActionError::Merged(stand.unwrap_or(target)).into()),
                    }
                }
                applied => applied?.named(action),
            };
            match applied {
                ChangeResult::Nothing => return Ok(Outcome::Nothing),
                ChangeResult::CannotJoin => return Ok(Outcome::CannotJoin),
                ChangeResult::Already(entry) => {
                    return Ok(current.map_or(Outcome::Nothing, |now| Outcome::Changed(now.clone(), entry)));
                }
                ChangeResult::Moved(target) => {
                    place = self.follow(&mut path, target).await.map_err(WriteError::Read)?;
                }
                ChangeResult::Changed(next, entry) => {
                    let replaces = current.map_or(Replaces::Nothing, |before| Replaces::Incident(before.n));
                    match self.write_incident(&next, &replaces).await? {
                        WriteIncident::Written => return Ok(Outcome::Changed(next, entry)),
                        WriteIncident::Lost(theirs) => place = theirs,
                    }
                    races += 1;
                    pause(races).await;
                }
            }
        }
        Err(WriteError::Read(ReadError::throttled(path.at())).into())
    }

    /// Whom the incident is to be assigned to, if the change assigns it.
    async fn assigned(
        &self,
        current: Option<&Incident>,
        change: &Change,
        alert: Option<&Alert>,
        now: Moment,
    ) -> Result<Option<Assigned>, ReadError> {
        let Some(wanted) = assignment_query(current, change) else { return Ok(None) };
        let (space_id, severity) = match (current, change) {
            (Some(incident), _) => (&incident.space, change.severity().unwrap_or_default().max(incident.severity)),
            (None, Change::Source(source)) => (&source.space, source.severity),
            (None, _) => return Ok(None),
        };
        let Some(space) = self.cached_space(space_id, now).await? else {
            return Ok(Some(nobody(Remark::SpaceDeleted)));
        };
        if space.escalation_rules.is_empty() && wanted == alerting::incident::assignment::AssignmentQuery::Rule {
            return Ok(Some(Assigned::Space(space.destinations.clone())));
        }
        let first = current.and_then(Incident::first_alert);
        let found = match (alert, first) {
            (Some(alert), first) if first.is_none_or(|first| *first == alert.id) => Some(alert.clone()),
            (_, Some(first)) => self.alert_as_stored(first).await?,
            _ => None,
        };
        let Some(alert) = found else {
            return Ok(Some(nobody(Remark::AlertGone)));
        };
        self.assign(&space, &alert, severity, &wanted, now).await.map(Some)
    }

    /// Closes the key of an open alert for a person or a timer, with a stamp of that moment. Messages received before
    /// are then outdated, and the next trigger opens a new alert. Returns the alert as it then is, which
    /// [`Store::show_closed`] writes after everybody was notified of it. `None`: its source closed it, or a newer alert
    /// has its key.
    pub async fn close_alert(&self, alert: &Alert, stamp: Stamp, now: Moment) -> Result<Option<Alert>, WriteError> {
        let (mut shown, mut count) = (alert.shown, alert.count);
        if let Some(key) = &alert.alert_key {
            match self.close_state(alert, key, stamp, now).await? {
                Some(closed) => (shown, count) = closed,
                None => return Ok(None),
            }
        }
        Ok(Some(shut(alert, shown, count, now)))
    }

    /// Shows the alert as closed. Returns whether this call changed it.
    pub async fn show_closed(&self, closed: &Alert, before: &Alert, now: Moment) -> Result<bool, WriteError> {
        let close = |stored: Option<&Alert>| shut(stored.unwrap_or(before), closed.shown, closed.count, now);
        Ok(self.change_alert(Some(before.clone()), close, now).await?.1)
    }

    /// Moves the watermark of the alert's key to the close. Returns the stamp and the count that it then has.
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
                // The key was closed before, perhaps by this call when its answer was lost. The shown alert may still
                // be open.
                return Ok((alert.status == Status::Open).then_some((state.watermark, state.count)));
            }
            let close = AlertEvent {
                stamp: stamp.max(state.watermark.successor()),
                kind: EventKind::Close,
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

/// The closed alert: its status changes, and nothing else that people see of it.
fn shut(stored: &Alert, shown: Stamp, count: u64, now: Moment) -> Alert {
    if stored.status == Status::Closed {
        return stored.clone();
    }
    let (texts, shown) = (Some(stored.texts()), shown.max(stored.shown));
    Alert { status: Status::Closed, texts, shown, count, closed_at: Some(now), updated_at: now, ..stored.clone() }
}

/// Callers that lost the same race wait for different times.
pub(crate) async fn pause(races: u32) {
    if races > 2 {
        let spread = getrandom::u32().unwrap_or(0) % 1000;
        tokio::time::sleep(PAUSE.mul_f64(f64::from(spread) / 1000.0)).await;
    }
}

/// An assignment to nobody, for this reason alone: no rule was evaluated.
fn nobody(why: Remark) -> Assigned {
    Assigned::Nobody(Unreached { rule: None, remarks: vec![why] })
}
