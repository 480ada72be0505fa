//! One parsed inbound request, before any decision.
//!
//! [`Received`] is the body of the "messages" queue. A refused request is queued in the same way, so that one function
//! writes the record of every message.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::ids::{IntegrationId, Stamp};

/// The type that a sender gives to its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MsgType {
    Text,
    Post,
    Interactive,
}

impl MsgType {
    pub const fn as_str(self) -> &'static str {
        match self {
            MsgType::Text => "text",
            MsgType::Post => "post",
            MsgType::Interactive => "interactive",
        }
    }
}

/// A parsed message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub msg_type: MsgType,
    /// The title, which is never empty: the sender's title, the first line, or the default title of the source.
    pub title: String,
    pub content: String,
    /// The properties of a card besides its text: `card_color`, `card_tag`, `card_subtitle`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The reason why a request with a known key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    Signature,
    Source,
    Keyword,
    Malformed,
    TooLarge,
    MessageType,
    RateLimited,
}

impl RefusalReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            RefusalReason::Signature => "signature",
            RefusalReason::Source => "source",
            RefusalReason::Keyword => "keyword",
            RefusalReason::Malformed => "malformed",
            RefusalReason::TooLarge => "too_large",
            RefusalReason::MessageType => "message_type",
            RefusalReason::RateLimited => "rate_limited",
        }
    }
}

/// Whether the intake accepted a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    Accepted(Message),
    Refused {
        reason: RefusalReason,
        /// The `msg_type` as sent, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        msg_type: Option<String>,
        /// The readable part of the request, with a shortened text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Box<Message>>,
    },
}

/// The process that received a message, and its count of messages in this hour (of the stamp), including this one.
///
/// The ledger counts received messages only from this value. A message that is lost after the intake leaves a gap in
/// the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub process: String,
    /// The number of this message among those of its process and hour.
    pub count: u64,
    /// The number of messages of the hour, including this one, that are known to be in the queue. `None`: it equals
    /// `count`. It is lower while other requests are in progress, or after a send whose answer was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<u64>,
}

impl Origin {
    pub fn new(process: String, count: u64, queued: u64) -> Self {
        Self { process, count, queued: (queued != count).then_some(queued) }
    }

    pub fn queued(&self) -> u64 {
        self.queued.unwrap_or(self.count)
    }
}

/// The body as received, for the message log and for replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawBody {
    Text(String),
    /// The body deflated and then base64, if it is not UTF-8 or would be too large for the queue.
    Deflated(String),
    /// The beginning of a refused body, with the length of the whole body in bytes. It cannot be replayed.
    Cut {
        start: String,
        bytes: usize,
    },
}

/// One inbound request on its way to `evaluate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub stamp: Stamp,
    pub integration: IntegrationId,
    pub origin: Origin,
    #[serde(rename = "verdict")]
    pub acceptance: Acceptance,
    pub body: RawBody,
    /// The earlier message that an operator replayed as this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<Stamp>,
    /// The number of messages that this record represents. Refusals that are only counted share one record.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

const fn once() -> u64 {
    1
}

const fn is_once(times: &u64) -> bool {
    *times == 1
}
