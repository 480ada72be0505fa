//! The result of a try. The enums are closed: a new variant forces a decision in every match.
//!
//! The body decides, not the HTTP status: `200 {"code":11232}` is not "sent". Neither is an HTML page, or an empty body
//! from a vendor that always answers with a code.

use std::time::Duration;

use serde::Serialize;

use crate::rate;
use crate::reply::Reply;

/// The result of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider confirmed the delivery. The receipt is its id of the message, if it gives one.
    Delivered { receipt: Option<String> },
    /// The provider accepted it, and reports later under this id whether it was delivered.
    Accepted { receipt: String },
    /// Try again, after this long if the provider named a time.
    Retry { after: Option<Duration>, reason: Reason },
    /// A retry of the same request cannot succeed.
    Rejected { reason: Reason },
}

impl Outcome {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Accepted { .. } => "accepted",
            Outcome::Retry { .. } => "retry",
            Outcome::Rejected { .. } => "rejected",
        }
    }

    /// The provider's own id of the message.
    pub fn receipt(&self) -> Option<&str> {
        match self {
            Outcome::Delivered { receipt } => receipt.as_deref(),
            Outcome::Accepted { receipt } => Some(receipt),
            Outcome::Retry { .. } | Outcome::Rejected { .. } => None,
        }
    }

    /// The same of a request that shows nothing, so that nothing about it is unknown.
    #[must_use]
    pub fn without_effect(self) -> Self {
        match self {
            Outcome::Retry { after, reason } if reason.is_unknown() => {
                Outcome::Retry { after, reason: Reason::ProviderDown }
            }
            outcome => outcome,
        }
    }

    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Outcome::Delivered { .. } | Outcome::Accepted { .. } => None,
            Outcome::Retry { reason, .. } | Outcome::Rejected { reason } => Some(*reason),
        }
    }
}

/// Why a try did not deliver. Also the label of a metric, so the set stays small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Faster than the provider's limit.
    RateLimited,
    /// The bot, webhook or chat does not exist, or the address is not one of the vendor's.
    BadDestination,
    /// The provider said that the chat has moved. The destination's settings were changed.
    Moved,
    /// Wrong token or signature, or the bot's security settings (keyword, source address) refuse the message.
    Unauthorized,
    TooLarge,
    /// The provider refuses the form of the message.
    Refused,
    /// The provider is unreachable or reports an error of its own. Nothing was shown.
    ProviderDown,
    /// The provider's certificate is not valid for its name, or the mail server offers no TLS. Nothing was sent.
    Untrusted,
    /// The request was sent, but no complete answer came: whether the message is shown is unknown.
    TimedOut,
    /// An answer came that is not one of this provider's: whether the message is shown is unknown.
    Unreadable,
    /// The person has no address of this kind.
    NoAddress,
    /// The person's address is not verified.
    NotVerified,
    /// The deployment has no provider for this channel, or one that it must not use.
    NotConfigured,
    /// The account's monthly quota or balance is used up.
    QuotaExhausted,
    /// The card to update does not exist any more, or cannot be changed any more.
    CardGone,
    /// The provider's content filter refuses the text.
    ContentRefused,
    /// The person was called and did not answer.
    NotAnswered,
    /// The provider took the message and said later that it was not delivered.
    Undelivered,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::RateLimited => "rate_limited",
            Reason::BadDestination => "bad_destination",
            Reason::Moved => "moved",
            Reason::Unauthorized => "unauthorized",
            Reason::TooLarge => "too_large",
            Reason::Refused => "refused",
            Reason::ProviderDown => "provider_down",
            Reason::Untrusted => "untrusted_certificate",
            Reason::TimedOut => "timed_out",
            Reason::Unreadable => "unreadable",
            Reason::NoAddress => "no_address",
            Reason::NotVerified => "not_verified",
            Reason::NotConfigured => "not_configured",
            Reason::QuotaExhausted => "quota_exhausted",
            Reason::CardGone => "card_gone",
            Reason::ContentRefused => "content_refused",
            Reason::NotAnswered => "not_answered",
            Reason::Undelivered => "undelivered",
        }
    }

    /// Whether the provider may accept the message as plain text ([`crate::post::Form::Plain`]).
    pub const fn wants_plain(self) -> bool {
        match self {
            Reason::TooLarge | Reason::Refused => true,
            Reason::RateLimited
            | Reason::BadDestination
            | Reason::Moved
            | Reason::Unauthorized
            | Reason::ProviderDown
            | Reason::Untrusted
            | Reason::TimedOut
            | Reason::Unreadable
            | Reason::NoAddress
            | Reason::NotVerified
            | Reason::NotConfigured
            | Reason::QuotaExhausted
            | Reason::CardGone
            | Reason::ContentRefused
            | Reason::NotAnswered
            | Reason::Undelivered => false,
        }
    }

    /// Whether the message may have been shown anyway. It is sent again: twice is better than never.
    pub const fn is_unknown(self) -> bool {
        match self {
            Reason::TimedOut | Reason::Unreadable => true,
            Reason::RateLimited
            | Reason::BadDestination
            | Reason::Moved
            | Reason::Unauthorized
            | Reason::TooLarge
            | Reason::Refused
            | Reason::ProviderDown
            | Reason::Untrusted
            | Reason::NoAddress
            | Reason::NotVerified
            | Reason::NotConfigured
            | Reason::QuotaExhausted
            | Reason::CardGone
            | Reason::ContentRefused
            | Reason::NotAnswered
            | Reason::Undelivered => false,
        }
    }
}

impl Reply {
    /// The outcome by the HTTP status alone, for answers whose body does not decide.
    pub(crate) fn by_status(&self) -> Outcome {
        let rejected = |reason| Outcome::Rejected { reason };
        match self.status {
            429 => Outcome::Retry { after: rate::after(self), reason: Reason::RateLimited },
            408 | 425 | 500..=599 => Outcome::Retry { after: rate::after(self), reason: Reason::ProviderDown },
            200..=299 => Outcome::Retry { after: None, reason: Reason::Unreadable },
            413 => rejected(Reason::TooLarge),
            401 | 403 => rejected(Reason::Unauthorized),
            // A redirect is never followed: a vendor's webhook does not move.
            300..=399 | 404 | 410 => rejected(Reason::BadDestination),
            _ => rejected(Reason::Refused),
        }
    }
}

/// Characters of a provider's message that are kept.
const MESSAGE_CHARS: usize = 200;

/// A provider's own text in a reply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ProviderReply {
    /// `None`: no answer came.
    pub status: Option<u16>,
    pub code: Option<String>,
    pub message: String,
}

impl ProviderReply {
    pub(crate) fn new(reply: &Reply, code: Option<String>, message: &str) -> Self {
        Self { status: Some(reply.status), code, message: one_line(message) }
    }

    /// Why no answer came.
    pub fn silent(message: &str) -> Self {
        Self { status: None, code: None, message: one_line(message) }
    }

    /// Without the secrets.
    pub fn redacted(mut self, secrets: &[&str]) -> Self {
        for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
            self.message = self.message.replace(secret, "[redacted]");
        }
        self
    }
}

/// Control characters (line ends, terminal escapes) become spaces, and the length is bounded.
fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    alerting::base::limits::cut_chars(printable.trim(), MESSAGE_CHARS)
}
