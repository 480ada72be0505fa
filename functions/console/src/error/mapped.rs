//! Maps the errors of operations and of the crates below them to answers.

use alerting::base::field_error::FieldError;
use operations::access::ActorError;
use operations::addresses::AddressError;
use operations::chat_links::LinkError;
use operations::incidents::error::ActError;
use operations::saving::Raced;
use operations::silences::SilenceError;
use operations::verification::VerifyError;
use store::errors::SaveError;

use super::ApiError;

/// Internal failures: logged where they are answered, and never shown.
macro_rules! internal {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for ApiError {
            fn from(error: $error) -> Self {
                Self::Internal(Box::new(error))
            }
        })+
    };
}

internal![
    channels::fit::RenderError,
    channels::settings::SettingsError,
    crate::auth::CreateKeyError,
    crate::password::PasswordError,
    csv::Error,
    dispatch::DispatchError,
    lambda_kit::queue::SendError,
    lambda_kit::secrets::SealError,
    AddressError,
    serde_json::Error,
    store::errors::ReadError,
    store::errors::WriteError,
];

impl From<FieldError> for ApiError {
    fn from(FieldError { field, message }: FieldError) -> Self {
        Self::invalid(field, message)
    }
}

impl From<SaveError> for ApiError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Conflict { .. } => Self::conflict("someone changed the same object meanwhile; read it again"),
            SaveError::TooLarge { bytes, .. } => {
                Self::TooLarge(format!("the object takes {} KiB, more than can be stored", bytes / 1024))
            }
            SaveError::Write(error) => error.into(),
        }
    }
}

impl From<Raced> for ApiError {
    fn from(error: Raced) -> Self {
        Self::conflict(error.to_string())
    }
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NoMember(_) | LinkError::NoAccount(_) => Self::NotFound(error.to_string()),
            LinkError::NotACode => Self::invalid("code", error.to_string()),
            LinkError::Raced(error) => error.into(),
            LinkError::Save(error) => error.into(),
            LinkError::Read(error) => error.into(),
            LinkError::Write(error) => error.into(),
        }
    }
}

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        let message = error.to_string();
        match error {
            VerifyError::NoMember(_) => Self::NotFound(message),
            VerifyError::NoAddress(_) => Self::invalid("field", message),
            VerifyError::NotDigits | VerifyError::WrongCode { .. } => Self::invalid("code", message),
            VerifyError::TooManyCodes { after } => Self::TooMany { after, message },
            VerifyError::IsVerified(_) | VerifyError::Void(_) | VerifyError::NoneSent | VerifyError::Changed => {
                Self::conflict(message)
            }
            VerifyError::Raced(error) => error.into(),
            VerifyError::Save(error) => error.into(),
            VerifyError::Read(error) => error.into(),
            VerifyError::Write(error) => error.into(),
            VerifyError::Seal(error) => error.into(),
        }
    }
}

impl From<ActorError> for ApiError {
    fn from(error: ActorError) -> Self {
        match error {
            ActorError::NoMember(_) | ActorError::Viewer(_) => Self::invalid("member", error.to_string()),
            ActorError::Read(error) => error.into(),
        }
    }
}

impl From<ActError> for ApiError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NoIncident(_) => Self::NotFound(error.to_string()),
            ActError::Invalid(error) => error.into(),
            ActError::Refused(refusal) => Self::Refused(refusal),
            ActError::Read(error) => error.into(),
            ActError::Write(error) => error.into(),
            ActError::TimedOut => Self::Internal(Box::new(error)),
        }
    }
}

impl From<SilenceError> for ApiError {
    fn from(error: SilenceError) -> Self {
        match error {
            SilenceError::NoSpace(_) | SilenceError::NoSilence { .. } | SilenceError::NoIncident(_) => {
                Self::NotFound(error.to_string())
            }
            SilenceError::NoAlert | SilenceError::TooMany => Self::conflict(error.to_string()),
            SilenceError::Invalid(error) => error.into(),
            SilenceError::Save(error) => error.into(),
            SilenceError::Raced(error) => error.into(),
            SilenceError::Read(error) => error.into(),
            SilenceError::Write(error) => error.into(),
        }
    }
}
