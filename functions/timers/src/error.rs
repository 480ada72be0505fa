//! Why due work failed. It is retried.

use dispatch::DispatchError;
use lambda_kit::queue::SendError;
use operations::due::DueError;

/// Why due work failed. It is retried.
#[derive(Debug, thiserror::Error)]
pub enum TimerError {
    #[error("reading timers or what they act on failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing what a timer did failed")]
    Write(#[from] store::errors::WriteError),
    #[error("handing a timer on failed")]
    Send(#[from] SendError),
    #[error("carrying out what follows from a timer failed")]
    Dispatch(#[from] DispatchError),
    #[error("changing an incident or its alerts failed")]
    Due(#[from] DueError),
}
