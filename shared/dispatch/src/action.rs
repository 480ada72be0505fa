//! Completes the follow-up of a person's action, even after a crash at any point.
//!
//! 1. [`Dispatch::begin`] writes due work that names the action and its incidents.
//! 2. The action is written: one conditional write, and its entry has the action's name.
//! 3. [`Dispatch::carry_out`] carries out what follows from the entry.
//! 4. [`PendingAction::done`] deletes the due work.
//!
//! A process that dies after the first step leaves the due work. `timers` acts on it ([`Dispatch::make_good`]): it
//! looks for the entry of that name and carries out the follow-up again. Everything has the same names as before, so
//! nothing takes effect twice. If there is no entry, the action was never written and has no follow-up. This requires
//! that it is not written afterwards, so its writer gives up after [`WRITE_WITHIN`], well before the work is due.

use std::time::Duration;

use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::timer::{FOLLOW_UP_AFTER, Timer};
use store::errors::WriteError;

use crate::error::DispatchError;
use crate::queues::Dispatch;

/// How long the write of an action may take. Each attempt of a request ends at most five seconds later, so none is
/// running when the due work looks for the entry.
pub const WRITE_WITHIN: Duration = Duration::from_secs(30);
const _: () = assert!(WRITE_WITHIN.as_secs() + 30 < FOLLOW_UP_AFTER.as_secs());

/// An action that is about to be written, and the due work that completes it after a crash.
#[derive(Debug)]
pub struct PendingAction<'d> {
    dispatch: &'d Dispatch,
    timer: Timer,
    /// The name of the action.
    pub name: String,
}

impl Dispatch {
    /// Announces an action on these incidents. Each action has a unique `name`.
    pub async fn begin(
        &self,
        incidents: Vec<IncidentId>,
        name: String,
        now: Moment,
    ) -> Result<PendingAction<'_>, WriteError> {
        let timer = Timer::follow_up(incidents, name.clone(), now);
        self.store.put_timer(&timer).await?;
        Ok(PendingAction { dispatch: self, timer, name })
    }

    /// Carries out the follow-up of the action of this name, if the action was written.
    pub async fn make_good(&self, incidents: &[IncidentId], name: &str) -> Result<(), DispatchError> {
        for id in incidents {
            let Some(incident) = self.store.incident(id).await? else { continue };
            let timeline = self.store.timeline(&incident).await?;
            for entry in timeline.iter().filter(|entry| entry.action.as_deref() == Some(name)) {
                self.carry_out(&incident, entry).await?;
            }
        }
        Ok(())
    }
}

impl PendingAction<'_> {
    /// Deletes the due work: the follow-up was carried out, or there is none. If the due work can't be deleted, it will
    /// find nothing left to do.
    pub async fn done(self) {
        if let Err(error) = self.dispatch.store.delete_timers(std::slice::from_ref(&self.timer)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, timer.id = self.timer.id, "due work stays");
        }
    }
}
