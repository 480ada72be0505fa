//! Why the follow-up of a change was not carried out.

use lambda_kit::queue::SendError;
use lambda_kit::topic::PublishError;

/// Why the follow-up was not carried out. The change itself is written: retry.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    #[error("reading who is to be notified failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing what is due failed")]
    Write(#[from] store::errors::WriteError),
    #[error("queueing notices or due work failed")]
    Send(#[from] SendError),
    #[error("publishing a change failed")]
    Publish(#[from] PublishError),
}
