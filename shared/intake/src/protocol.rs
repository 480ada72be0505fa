//! The functions that every source provides: one implementation of [`Protocol`] per folder below `sources`.
//!
//! A request is handled in this order: path → version and key, body → parsed request, signature, message type, text,
//! keyword; at the end the result of the intake → the answer in the sender's own protocol. No function does I/O.

use std::borrow::Cow;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::message::MsgType;
use http::StatusCode;

use crate::reading::Reading;
use crate::result::IntakeResult;

/// A request of one source. Its body is parsed but not yet authenticated.
pub trait Protocol: Sized {
    /// The versions of the protocol. The path of a request names its version.
    type Version: Copy;

    /// The version that the URLs of new integrations use.
    const NEWEST: Self::Version;

    /// The title of a message that has none.
    const DEFAULT_TITLE: &'static str;

    /// Parses a path. `None`: the path does not belong to this source.
    fn path(path: &str) -> Option<HookPath<'_, Self::Version>>;

    /// The path of the URL of an integration with this key.
    fn path_of(key: &str) -> String;

    /// The version of a logged body whose path is no longer known.
    fn version_of(body: &[u8]) -> Self::Version;

    fn parse(body: &[u8], version: Self::Version) -> Result<Self, Malformed>;

    /// Whether the request is signed with the secret.
    fn is_signed(&self, secret: &Secret, now: Moment) -> bool;

    fn message_type(&self) -> Result<SentType, Malformed>;

    /// The text of a message of this type.
    fn read(&self, msg_type: MsgType) -> Result<Reading, Malformed>;

    /// Whether one of the keywords is in the message. The caller passes at least one keyword.
    fn has_keyword(&self, msg_type: MsgType, keywords: &[String]) -> bool;

    /// A body of this type and text, in the newest version, for trying an integration's rules.
    fn sample(msg_type: MsgType, text: &str) -> String;

    /// The answer to a request with this result, in the given version.
    fn answer(version: Self::Version, result: &IntakeResult) -> Answer;
}

/// A path below the part of the host that belongs to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookPath<'a, Version> {
    Hook {
        version: Version,
        key: &'a str,
    },
    /// The path cannot contain a key. It is answered like an unknown key.
    NoSuchHook,
}

/// The reason why a request is not a message. The text is part of the answer to the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub Cow<'static, str>);

/// The type that a sender gives to its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentType {
    Known(MsgType),
    /// Any other name, shortened for display.
    Other(String),
}

/// An answer in the protocol of a source, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: StatusCode,
    /// The body, which is JSON.
    pub body: Cow<'static, str>,
}
