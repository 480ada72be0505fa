//! The notification channels: what each vendor is sent, and what its answer means.
//!
//! A channel is three facts: its limits, how to ask, and how to read the answer. It does no I/O, reads no clock and
//! never retries: [`deliver`] is the only network code, and waiting is the queue's job.
//!
//! Reading order: [`Channel`] and the registry below → [`settings`] what an operator configures → `layout` what a
//! message says, the same for all → `fit` what goes when there is too much of it → one file per vendor, how it says
//! it → [`outcome`] what an answer can mean → [`deliver`].
//!
//! Adding a channel: its file, its line in the registry, and `tests/fixtures/{vendor}/`, where the vendor is the name up to its
//! first `_`. The contract tests loop over [`NAMES`] and fail until the fixtures exist.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use alerting::destination::Language;
use alerting::moment::Moment;
use alerting::notice::Notice;
use alerting::rate::Rate;
use alerting::secret::Secret;

use crate::outcome::{Outcome, Provider, Reply};
use crate::settings::{Fields, SettingsError};

pub mod deliver;
pub mod dingtalk;
pub mod feishu;
mod fit;
mod layout;
pub mod outcome;
pub mod settings;
pub mod slack;
pub mod telegram;
pub mod wecom;
pub mod zoom;

#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod samples;

/// One way for a notification to leave. The implementing type is a destination's settings: having one means that they
/// are valid.
pub trait Channel: Sized {
    /// What the channel is called in the API and in the table.
    const NAME: &'static str;
    const LIMITS: Limits;
    /// Every setting there is, in the order in which they are explained.
    const SETTINGS: &'static [&'static str];
    /// The settings that are shown as `…last4` only.
    const SECRETS: &'static [&'static str];

    fn parse(fields: &Fields<'_>) -> Result<Self, SettingsError>;
    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError>;
    /// Reads the body: HTTP 200 can mean refused.
    fn outcome(&self, reply: &Reply) -> Outcome;
    /// The provider's own words on the same reply, for people.
    fn provider(&self, reply: &Reply) -> Provider;
    /// What must not be repeated to anyone, should a provider echo it.
    fn secrets(&self) -> Vec<&str>;
}

/// What a vendor lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The hosts that a request may go to; nothing else is ever connected to.
    pub hosts: &'static [&'static str],
    /// One message, in what the vendor counts: its text, or the whole request body where the channel says so.
    pub text: Size,
    /// Requests to one destination; every one of these holds.
    pub rates: &'static [Rate],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub max: usize,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Chars,
    Utf16,
}

/// `n` requests in any window of `secs` seconds.
const fn rate(n: u32, secs: u64) -> Rate {
    Rate { burst: n, per: Duration::from_secs(secs) }
}

/// What to say. One notice is laid out richly; several become one line each.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// At least one, oldest first.
    pub notices: &'a [Notice],
    /// An incident's page is `{link_base}/incidents/{incident id}`.
    pub link_base: &'a str,
    pub language: Language,
    /// The offset in which times are written, in minutes east of UTC.
    pub utc_offset_minutes: i16,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Cards, colours, buttons: whatever the vendor has.
    #[default]
    Rich,
    /// Plain text, for when the provider refused the rich form ([`outcome::Reason::wants_plain`]).
    Plain,
}

/// One POST of JSON. URL and headers are credentials, so nothing of them is ever printed.
#[derive(Clone)]
pub struct Request {
    url: Secret,
    headers: Vec<(&'static str, Secret)>,
    body: Vec<u8>,
    at: Moment,
    /// How many of the post's notices this message shows, from the first; the others wait for the next message.
    pub shown: usize,
    /// Whether any of them is shown shortened. The page behind the link has everything.
    pub cut: bool,
}

impl Request {
    fn new(url: String, body: fit::Fitted, at: Moment) -> Self {
        let fit::Fitted { body, shown, cut } = body;
        Self { url: Secret::new(url), headers: Vec::new(), body, at, shown, cut }
    }

    fn header(mut self, name: &'static str, value: &Secret) -> Self {
        self.headers.push((name, value.clone()));
        self
    }

    pub fn url(&self) -> &Secret {
        &self.url
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// When it was made, and signed for those vendors that want a signature.
    pub fn at(&self) -> Moment {
        self.at
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, headers: _, body, at, shown, cut } = self;
        f.debug_struct("Request")
            .field("body_bytes", &body.len())
            .field("at", at)
            .field("shown", shown)
            .field("cut", cut)
            .finish_non_exhaustive()
    }
}

/// Why there is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("a post needs at least one notice")]
    NoNotices,
    #[error("not even title and link fit into a message; is the deployment's base URL that long?")]
    TooLong,
}

/// The registry: one line per channel.
macro_rules! channels {
    ($($variant:ident($settings:ty)),+ $(,)?) => {
        /// The wire names of all channels.
        pub const NAMES: &[&str] = &[$(<$settings as Channel>::NAME),+];

        /// A destination's settings, whichever its channel.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Destination {
            $($variant($settings)),+
        }

        impl Destination {
            /// Reads the settings of a destination on `channel`; the error names the field and what to do.
            pub fn parse(channel: &str, settings: &serde_json::Value) -> Result<Self, SettingsError> {
                $(if channel == <$settings as Channel>::NAME {
                    let fields = Fields::new(channel, <$settings as Channel>::SETTINGS, settings)?;
                    return <$settings as Channel>::parse(&fields).map(Destination::$variant);
                })+
                Err(SettingsError::unknown_channel(NAMES))
            }

            /// Which settings of a channel are secrets; `None` for a channel that does not exist.
            pub fn secret_fields(channel: &str) -> Option<&'static [&'static str]> {
                $(if channel == <$settings as Channel>::NAME {
                    return Some(<$settings as Channel>::SECRETS);
                })+
                None
            }

            pub fn name(&self) -> &'static str {
                match self { $(Destination::$variant(_) => <$settings as Channel>::NAME),+ }
            }

            pub fn limits(&self) -> &'static Limits {
                match self { $(Destination::$variant(_) => const { &<$settings as Channel>::LIMITS }),+ }
            }

            pub fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
                match self { $(Destination::$variant(channel) => channel.request(post, at)),+ }
            }

            pub fn outcome(&self, reply: &Reply) -> Outcome {
                match self { $(Destination::$variant(channel) => channel.outcome(reply)),+ }
            }

            /// The provider's own words, without anything secret that it may have repeated.
            pub fn provider(&self, reply: &Reply) -> Provider {
                match self {
                    $(Destination::$variant(channel) => channel.provider(reply).redacted(&channel.secrets())),+
                }
            }
        }
    };
}

channels! {
    FeishuBot(feishu::Bot),
    DingTalkBot(dingtalk::Bot),
    WeComBot(wecom::Bot),
    SlackWebhook(slack::Webhook),
    TelegramBot(telegram::Bot),
    ZoomWebhook(zoom::Webhook),
}

impl Destination {
    /// The settings as a listing may show them: secrets as `…last4`.
    pub fn shown(channel: &str, settings: &serde_json::Value) -> BTreeMap<String, serde_json::Value> {
        let secrets = Self::secret_fields(channel).unwrap_or_default();
        let hidden = |name: &str, value: &serde_json::Value| match value {
            serde_json::Value::Null => None,
            _ if !secrets.contains(&name) => Some(value.clone()),
            serde_json::Value::String(text) => Some(Secret::new(text.as_str()).hint().into()),
            _ => Some("…".into()),
        };
        let fields = settings.as_object().into_iter().flatten();
        fields.filter_map(|(name, value)| Some((name.clone(), hidden(name, value)?))).collect()
    }
}
