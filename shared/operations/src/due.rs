//! Changes of an incident that are due: a level, the end of a snooze, a close by itself.

use alerting::base::ids::IncidentId;
use alerting::base::moment::Moment;
use alerting::incident::apply::Change;
use dispatch::{Dispatch, DispatchError};
use lambda_kit::topic::PublishError;

/// Why something that is due was not done. It may be done again.
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

/// Makes the change if it still applies, and carries out what follows from it.
///
/// A crash between the two leaves the change without its notices. The next attempt finds by the name of `action` that the
/// change was made, and carries out again what follows. `notify` drops what was sent before.
pub async fn change(
    dispatch: &Dispatch,
    id: &IncidentId,
    change: &Change,
    action: &str,
    now: Moment,
) -> Result<(), DueError> {
    if let Some((incident, entry)) = dispatch.store.change_incident(id, change, action, now).await? {
        dispatch.tell(&incident, &entry).await?;
    }
    Ok(())
}
