//! Why notices are not delivered yet, although none was tried.

use lambda_kit::queue::SendError;
use lambda_kit::secrets::SealError;

/// Why notices come back without having been tried.
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
