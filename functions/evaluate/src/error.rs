//! Why a message is retried.

use lambda_kit::queue::SendError;
use lambda_kit::topic::PublishError;

/// Why a message is retried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error("reading the configuration or an alert failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing an alert failed")]
    Write(#[from] store::errors::WriteError),
    #[error("the alert key is written by others faster than it can be read")]
    Contended,
    #[error("finding out whom to notify, or setting timers, failed")]
    Dispatch(#[from] dispatch::DispatchError),
    #[error("sending notices failed")]
    Notify(#[source] SendError),
    #[error("publishing changes failed")]
    Publish(#[source] PublishError),
}
