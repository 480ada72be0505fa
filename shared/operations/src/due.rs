//! Due work: changes of an incident that a timer makes.
//!
//! [`levels`] notifies a level of an escalation rule, [`contacts`] the next contact of a person. [`auto_close`] closes
//! incidents and alerts that no person closes. [`notices`] checks whether a late notice is still true. [`crate::holds`]
//! reviews the holds of incidents.
//!
//! Work that is carried out twice takes effect once: each change has the name of its work, and applies only to the
//! state that it was made for.

pub mod auto_close;
pub mod contacts;
pub mod levels;
pub mod notices;
#[cfg(test)]
pub(crate) mod sample;

use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::apply::Change;
use dispatch::{Dispatch, DispatchError};
use lambda_kit::topic::PublishError;

/// Why due work was not done. It may be retried.
#[derive(Debug, thiserror::Error)]
pub enum DueError {
    #[error("reading what is due failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing what is due failed")]
    Write(#[from] store::errors::WriteError),
    #[error("carrying out what follows failed")]
    Dispatch(#[from] DispatchError),
    #[error("publishing a change failed")]
    Publish(#[from] PublishError),
}

/// Work that is due.
#[derive(Clone, Copy)]
pub struct DueWork<'a> {
    pub dispatch: &'a Dispatch,
    /// The name of the work, by which a repetition finds the change that was made.
    pub action: &'a str,
    pub now: Moment,
}

impl DueWork<'_> {
    /// The same work at another time.
    pub fn at(self, now: Moment) -> Self {
        Self { now, ..self }
    }

    /// Makes the change under the name of the work.
    pub async fn change(&self, id: &IncidentId, due: &Change) -> Result<(), DueError> {
        change(self.dispatch, id, due, self.action, self.now).await
    }
}

/// Makes the change if it still applies, and carries out its follow-up.
///
/// A crash between the two leaves the change without its notices. The next attempt finds by the name of `action` that
/// the change was made, and carries out the follow-up again. `notify` drops notices that were sent before.
pub async fn change(
    dispatch: &Dispatch,
    id: &IncidentId,
    change: &Change,
    action: &str,
    now: Moment,
) -> Result<(), DueError> {
    if let Some((incident, entry)) = dispatch.store.change_incident(id, change, action, now).await? {
        dispatch.carry_out(&incident, &entry).await?;
    }
    Ok(())
}
