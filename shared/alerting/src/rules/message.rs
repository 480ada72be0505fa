//! What arrived: one inbound request, parsed, nothing decided.
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

/// A message as a person would read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub msg_type: MsgType,
    /// Never empty: the sender's, the first line, or the default title of the source.
    pub title: String,
    pub content: String,
    /// What a card says beside its text: `card_color`, `card_tag`, `card_subtitle`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Why a request with a known key was not taken.
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

/// What the intake made of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Accepted(Message),
    Refused {
        reason: RefusalReason,
        /// The `msg_type` as sent, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        msg_type: Option<String>,
        /// What could be read of it, its text cut.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Box<Message>>,
    },
}

/// Which process took a message in, and how many it has taken in this hour (of the stamp), this one included.
///
/// The ledger's count of received messages comes from here and from nowhere else: a message that vanishes behind the
/// intake leaves a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub process: String,
    /// The number that the process gave to this message: no other message of the hour has it.
    pub count: u64,
    /// How many messages of the hour were known to be in the queue by then, with this one; `None`: as many as `count`. Less
    /// than that while other requests are under way, or when a send was not answered.
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

/// The body as it came, for the message log and for replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawBody {
    Text(String),
    /// Deflated, then base64: bodies that would not fit the queue otherwise, or are not UTF-8.
    Deflated(String),
    /// The beginning of a refused body of so many bytes: it cannot be taken in again.
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
    pub verdict: Verdict,
    pub body: RawBody,
    /// The message that this one repeats at an operator's wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<Stamp>,
    /// How many messages this record stands for: refusals that were only counted travel together.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

const fn once() -> u64 {
    1
}

const fn is_once(times: &u64) -> bool {
    *times == 1
}
