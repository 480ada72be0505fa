//! The result of one request, independent of the protocol: each source has its own answer for it.

use std::borrow::Cow;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntakeResult {
    /// The message is durably queued.
    Accepted,
    UnknownKey,
    /// The signature is missing, wrong or too old.
    NotSigned,
    /// The sender's address is not on the integration's list.
    AddressNotAllowed,
    /// None of the integration's keywords is in the message.
    NoKeyword,
    /// The request is malformed, too large, or of a type that the integration does not accept. The text says which.
    Unusable(Cow<'static, str>),
    TooMany,
    /// The intake failed. The sender may send again at once.
    Busy,
    NotPost,
    /// The path belongs to no source.
    NotFound,
}
