//! What an answer can mean. Three sets, closed: a new member forces a decision wherever one is read.
//!
//! The body decides, not the HTTP status: `200 {"code":11232}` is not "sent", and neither is a page of HTML or an
//! empty body from a vendor that always answers with a code.

use std::time::Duration;

use alerting::base::moment::Moment;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The result of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider said so. The receipt is its own id of the message, from those that give one.
    Delivered { receipt: Option<String> },
    /// Try again, after this long if the provider named a time.
    Retry { after: Option<Duration>, reason: Reason },
    /// Trying the same again cannot help.
    Rejected { reason: Reason },
}

impl Outcome {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Retry { .. } => "retry",
            Outcome::Rejected { .. } => "rejected",
        }
    }

    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Outcome::Delivered { .. } => None,
            Outcome::Retry { reason, .. } | Outcome::Rejected { reason } => Some(*reason),
        }
    }
}

/// Why a try did not deliver. Also the label of the metric, so the set stays small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Faster than the provider takes it.
    RateLimited,
    /// The bot, webhook or chat is gone, or the address leads elsewhere.
    BadDestination,
    /// The chat is elsewhere now, as the provider said; the destination's settings were changed.
    Moved,
    /// Wrong token or signature, or the bot's own security settings (keyword, source address) keep the message out.
    Unauthorized,
    TooLarge,
    /// The provider does not take what the message looks like.
    Refused,
    /// The provider is unreachable or says that it is in trouble. Nothing was shown.
    ProviderDown,
    /// The provider's certificate is not valid for its name, or the mail server offers no TLS. Nothing was sent.
    Untrusted,
    /// The request left, but no whole answer came: whether the message is shown is unknown.
    TimedOut,
    /// An answer came that is not one of this provider's: whether the message is shown is unknown.
    Unreadable,
    /// The person has no address of this kind.
    NoAddress,
    /// The person has such an address, but has not shown that it is theirs.
    NotVerified,
    /// The deployment has no provider for this channel, or one that it must not use.
    NotConfigured,
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
        }
    }

    /// Whether the same message as plain text ([`crate::Form::Plain`]) may be taken where the rich one was rejected.
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
            | Reason::NotConfigured => false,
        }
    }

    /// Whether the message may have been shown all the same. It is sent again: rather twice than never.
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
            | Reason::NotConfigured => false,
        }
    }
}

/// What is read of a provider's answer. The longest that one sends is under 2 KiB.
pub const REPLY_BYTES: usize = 64 * 1024;

/// A provider's answer, read up to [`REPLY_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP's status, or the code of SMTP's reply.
    pub status: u16,
    /// The headers `Retry-After` and `Date` as they came.
    pub retry_after: Option<String>,
    pub date: Option<String>,
    pub body: Vec<u8>,
    /// When the request was made: what a date in `Retry-After` is compared with if the provider sent no `Date`.
    pub at: Moment,
}

/// The longest wait that a provider's word is taken for; the shortest is a second.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// A named wait, within reason.
pub(crate) fn clamped(wait: Duration) -> Duration {
    wait.clamp(Duration::from_secs(1), WAIT_MAX)
}

/// A number in an answer, which some gateways send as text. Without it an answer is not one of the provider's.
pub(crate) fn code(body: &Value, name: &str) -> Option<i64> {
    match body.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text in an answer; empty if there is none.
pub(crate) fn text_of(body: &Value, name: &str) -> String {
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Reply {
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `Retry-After` in seconds or as a date; what is neither is as if it were not there.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?.trim();
        if let Ok(secs) = text.parse::<u64>() {
            return Some(clamped(Duration::from_secs(secs)));
        }
        let then = http_date(text)?;
        let now = self.date.as_deref().and_then(http_date).unwrap_or(self.at);
        Some(clamped(then.since(now)))
    }

    /// What the HTTP status alone says, for answers whose body does not decide.
    pub(crate) fn by_status(&self) -> Outcome {
        let rejected = |reason| Outcome::Rejected { reason };
        match self.status {
            429 => Outcome::Retry { after: self.wait(), reason: Reason::RateLimited },
            408 | 425 | 500..=599 => Outcome::Retry { after: self.wait(), reason: Reason::ProviderDown },
            200..=299 => Outcome::Retry { after: None, reason: Reason::Unreadable },
            413 => rejected(Reason::TooLarge),
            401 | 403 => rejected(Reason::Unauthorized),
            // A redirect is never followed: a vendor's webhook does not move.
            300..=399 | 404 | 410 => rejected(Reason::BadDestination),
            _ => rejected(Reason::Refused),
        }
    }

    /// The body's beginning as one line, for people.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.body.len().min(4 * MESSAGE_CHARS)]).into_owned()
    }
}

fn http_date(text: &str) -> Option<Moment> {
    let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Moment::from_secs(at.unix_timestamp()))
}

/// Characters of a provider's message that are kept.
const MESSAGE_CHARS: usize = 200;

/// A provider's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Provider {
    /// None if no answer came.
    pub status: Option<u16>,
    pub code: Option<String>,
    pub message: String,
}

impl Provider {
    pub(crate) fn new(reply: &Reply, code: Option<String>, message: &str) -> Self {
        Self { status: Some(reply.status), code, message: one_line(message) }
    }

    /// Why no answer came.
    pub fn silent(message: &str) -> Self {
        Self { status: None, code: None, message: one_line(message) }
    }

    pub(crate) fn redacted(mut self, secrets: &[&str]) -> Self {
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
