//! The parts that every source provides: one implementation of [`Protocol`] per folder below `sources`.
//!
//! A request goes through it in this order: path → version and key, body → parsed request, signature, message type, text,
//! keyword; at the end the result of the intake → the answer in the sender's own protocol. All of it is pure.

use std::borrow::Cow;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::message::MsgType;
use http::StatusCode;

use crate::reading::Reading;
use crate::result::IntakeResult;

/// A request of one source, its body parsed but not yet authenticated.
pub trait Protocol: Sized {
    /// The versions of the protocol. The path of a request names its version.
    type Version: Copy;

    /// The version that the URLs of new integrations have.
    const NEWEST: Self::Version;

    /// The title of a message without one.
    const DEFAULT_TITLE: &'static str;

    /// Parses a path; `None` if it does not belong to this source.
    fn path(path: &str) -> Option<HookPath<'_, Self::Version>>;

    /// The path that an integration with this key is reached at.
    fn path_of(key: &str) -> String;

    /// The version of a logged body, whose path is not known any more.
    fn version_of(body: &[u8]) -> Self::Version;

    fn parse(body: &[u8], version: Self::Version) -> Result<Self, Malformed>;

    /// Whether the sender knows the secret.
    fn is_signed(&self, secret: &Secret, now: Moment) -> bool;

    fn message_type(&self) -> Result<SentType, Malformed>;

    /// The text of a message of this type.
    fn read(&self, msg_type: MsgType) -> Result<Reading, Malformed>;

    /// Whether one of the keywords is in the message. At least one is given.
    fn has_keyword(&self, msg_type: MsgType, keywords: &[String]) -> bool;

    /// A body of this type and text, of the newest version. An integration's rules are tried on it.
    fn sample(msg_type: MsgType, text: &str) -> String;

    /// The answer to a request with this result.
    fn answer(version: Self::Version, result: &IntakeResult) -> Answer;
}

/// A path below the part of the host that belongs to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookPath<'a, Version> {
    Hook {
        version: Version,
        key: &'a str,
    },
    /// The path cannot hold a key. It is answered like an unknown key.
    NoSuchHook,
}

/// Why a request is no message. The text is part of the answer to the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub Cow<'static, str>);

/// The type that a sender gives its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentType {
    Known(MsgType),
    /// Any other name, shortened so that it can be shown.
    Other(String),
}

/// An answer in the protocol of a source, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    /// JSON.
    pub body: Cow<'static, str>,
}
