//! Why due work is not done yet.

use dispatch::DispatchError;
use lambda_kit::queue::SendError;
use lambda_kit::topic::PublishError;

/// Why due work is not done yet.
#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    #[error("reading timers or what they act on failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing what a timer did failed")]
    Write(#[from] store::errors::WriteError),
    #[error("handing a timer on failed")]
    Send(#[from] SendError),
    #[error("telling what a timer did failed")]
    Dispatch(#[from] DispatchError),
    #[error("publishing what a timer did failed")]
    Publish(#[from] PublishError),
}
