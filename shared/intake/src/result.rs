//! The result of one request, in no protocol's words: each source has its own answer to it.

use std::borrow::Cow;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntakeResult {
    /// Durably queued.
    Accepted,
    UnknownKey,
    /// The signature is missing, wrong or too old.
    NotSigned,
    /// The sender's address is not on the integration's list.
    AddressNotAllowed,
    /// None of the integration's keywords is in the message.
    NoKeyword,
    /// Malformed, too large, or of a type that the integration does not take; the text says which.
    Unusable(Cow<'static, str>),
    TooMany,
    /// Our own failure: the sender may send again at once.
    Busy,
    NotPost,
    /// Not a path of any source.
    NotFound,
}
