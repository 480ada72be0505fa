//! One inbound request, parsed, before any decision.
//!
//! [`Received`] is the body of the "messages" queue. A refused request travels the same way, so that every message has
//! one record, written by one function.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::ids::{IntegrationId, Stamp};

/// The type a sender gave its message.
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
    /// Never empty: the sender's, the first line, or the default title of the source.
    pub title: String,
    pub content: String,
    /// The properties of a card beside its text: `card_color`, `card_tag`, `card_subtitle`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Why a request with a known key was refused.
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
        /// The `msg_type` as sent, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        msg_type: Option<String>,
        /// The part that could be read, with a cut text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Box<Message>>,
    },
}

/// The process that received a message, and its count of messages in this hour (of the stamp), including this one.
///
/// It is the only source of the ledger's count of received messages. A message that is lost after the intake leaves a
/// gap in the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub process: String,
    /// The number of this message in its process and hour.
    pub count: u64,
    /// How many messages of the hour, with this one, are known to be in the queue. `None`: as many as `count`. Fewer
    /// while other requests are in progress, or after a send without an answer.
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
    /// Deflated, then base64: for bodies that are not UTF-8, or too large for the queue otherwise.
    Deflated(String),
    /// The beginning of a refused body of so many bytes. It cannot be replayed.
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
    /// The message that an operator replayed as this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<Stamp>,
    /// How many messages this record stands for: refusals that are only counted share a record.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

const fn once() -> u64 {
    1
}

const fn is_once(times: &u64) -> bool {
    *times == 1
}
