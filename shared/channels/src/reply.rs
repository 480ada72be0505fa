//! A provider's reply.

use alerting::base::moment::Moment;
use serde_json::Value;

/// Bytes of a reply that are read. Real replies are under 2 KiB.
pub const REPLY_BYTES: usize = 64 * 1024;

/// The headers of a reply that are kept, because a channel reads them. All of them concern how long to wait.
pub const KEPT_HEADERS: [&str; 4] = [RETRY_AFTER, DATE, FEISHU_RESET, MICROSOFT_RETRY_AFTER];

pub(crate) const RETRY_AFTER: &str = "retry-after";
pub(crate) const DATE: &str = "date";
/// Seconds until Feishu's limit is reset.
pub(crate) const FEISHU_RESET: &str = "x-ogw-ratelimit-reset";
/// Milliseconds, from Microsoft's services.
pub(crate) const MICROSOFT_RETRY_AFTER: &str = "x-ms-retry-after-ms";

/// A provider's reply, read up to [`REPLY_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP's status, or the code of SMTP's reply.
    pub status: u16,
    /// The received headers of [`KEPT_HEADERS`], unchanged.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// When the request was made. A date in `Retry-After` is compared with it if the provider sent no `Date`.
    pub at: Moment,
}

impl Reply {
    /// One of [`KEPT_HEADERS`], without the white space around it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The beginning of the body as one line, for people.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.body.len().min(TEXT_BYTES)]).into_owned()
    }
}

/// More than is shown of any reply.
const TEXT_BYTES: usize = 800;

/// A number in a reply; some gateways send it as text. A reply without it is not from the provider.
pub(crate) fn code(body: &Value, name: &str) -> Option<i64> {
    match body.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text in a reply; empty if missing.
pub(crate) fn text_of(body: &Value, name: &str) -> String {
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
