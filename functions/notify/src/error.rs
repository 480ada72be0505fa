//! Why a batch of notices is retried although none of them was tried.

use lambda_kit::queue::SendError;
use lambda_kit::secrets::SealError;

/// Why notices are retried without having been tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotifyError {
    #[error("looking up the address failed")]
    Address(#[from] operations::addresses::AddressError),
    #[error("reading the incident or the delivery failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing a delivery failed")]
    Write(#[from] store::errors::WriteError),
    #[error("the destination's settings could not be opened")]
    Open(#[from] SealError),
    #[error("handing on to another queue failed")]
    HandOn(#[from] SendError),
}
