//! Errors of signing in by a provider.

use store::errors::{ReadError, SaveError};

/// Why a sign-in by the provider failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    #[error("the sign-in began too long ago, or in another browser")]
    Stale,
    #[error("the provider said {0}")]
    Refused(String),
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
    #[error("what the provider answered does not hold: {0}")]
    Invalid(String),
    #[error("the provider has not verified the address")]
    Unverified,
    #[error("the member with this address has not confirmed it here")]
    Unconfirmed,
    #[error("the member with this address is another person at the provider")]
    Pinned,
    #[error("the provider did not ask the person again")]
    NotAgain,
    #[error("who the member is to the provider could not be saved")]
    Save(#[source] SaveError),
    #[error("nobody here is who the provider says, or several are")]
    Unknown,
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the data key is out of reach")]
    Seal(#[from] lambda_kit::secrets::SealError),
}

pub(super) fn invalid(why: &str) -> OidcError {
    OidcError::Invalid(why.to_owned())
}

/// An error with its causes, for the log. The texts of the library contain no token and no code.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = plain(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {}", plain(&cause.to_string()));
        source = cause.source();
    }
    text
}

/// A text of the provider, shortened to one line.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
