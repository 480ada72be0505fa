//! The notification channels: what each vendor is sent, and what its answer means.
//!
//! A channel is three facts: its limits, how to ask, and how to read the answer. It does no I/O, reads no clock and
//! never retries: the crate `post` sends what is written here, and waiting is the queue's job.
//!
//! Bots write to a group: a destination's settings are all they need. Other channels write to people: mail, and what
//! leaves by telephone. Those serve a medium ([`Channel::MEDIUM`]), which is what people choose, have one setting `to` per
//! destination, and share a provider, such as a mail server, whose settings are made once per deployment
//! ([`Channel::PROVIDER`]). The two kinds of settings are checked, sealed and masked apart ([`catalogue`]) and come
//! together when a message is sent ([`Destination::parse`]).
//!
//! Reading order: [`Channel`] and the registry below → [`catalogue`] what is known of a channel by its name →
//! [`settings`] what an operator configures → `layout` what a message says, the same for all → [`content`] the part of it
//! that templates decide → `mention` whom it calls → `fit` what goes when there is too much of it → one file per vendor, how it says it → [`request`] what is
//! sent → [`reply`] what is read of the answer → [`outcome`] what it can mean.
//!
//! Adding a channel: its file, its line in the registry, and `tests/fixtures/{vendor}/`, where the vendor is the name up to its
//! first `_`. The contract tests loop over [`NAMES`] and fail until the fixtures exist.

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use alerting::incident::link::Links;
use alerting::incident::notice::Notice;
use alerting::people::destination::{Language, TimeZone};
use alerting::people::medium::Medium;
use serde_json::{Map, Value};

use crate::catalogue::Facts;
use crate::content::Texts;
use crate::outcome::{Outcome, Provider};
use crate::reply::Reply;
use crate::request::Request;
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};

pub mod catalogue;
pub mod content;
pub mod dingtalk;
pub mod email;
pub mod feishu;
mod fit;
mod layout;
mod mention;
pub mod outcome;
mod rate;
pub mod reply;
pub mod request;
pub mod settings;
pub mod slack;
pub mod telegram;
pub mod wecom;
pub mod zoom;

#[cfg(test)]
mod contract_tests;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
#[cfg(test)]
mod template_tests;

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
    /// The settings that are made once per deployment, in the order in which they are explained. Bots have none.
    const PROVIDER: &'static [&'static str] = &[];
    /// Those of them that are shown as `…last4` only.
    const PROVIDER_SECRETS: &'static [&'static str] = &[];
    /// What it serves of that by which people are reached; its messages then find them by the setting `to`. `None` for a
    /// channel to groups.
    const MEDIUM: Option<Medium> = None;
    /// What a message about one incident says between headline and link, unless an escalation rule brings its own.
    const CONTENT: Texts = content::USUAL;
    /// Settings of a destination that does not exist, and of the provider where there is one, as JSON: previews are
    /// written for it.
    const EXAMPLE: Example;
    const KIND: Kind = Kind::Text;

    /// From the settings of a destination, and those of the provider where there are such.
    fn parse(settings: &Fields<'_>, provider: &Fields<'_>) -> Result<Self, SettingsError>;
    /// Whether the settings of a destination are valid, whatever those of the provider are.
    fn check(settings: &Fields<'_>) -> Result<(), SettingsError> {
        Self::parse(settings, &Fields::none()).map(drop)
    }
    /// Whether the settings of the provider are valid, whatever those of a destination are.
    fn check_provider(_provider: &Fields<'_>, _plain: &PlainSmtpHosts) -> Result<(), SettingsError> {
        Ok(())
    }
    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError>;
    /// A few lines to the one person that the destination is; `None` for a channel to groups.
    fn letter(&self, _letter: &Letter<'_>, _at: Moment) -> Option<Request> {
        None
    }
    /// Reads the body: HTTP 200 can mean refused.
    fn outcome(&self, reply: &Reply) -> Outcome;
    /// The provider's own words on the same reply, for people.
    fn provider(&self, reply: &Reply) -> Provider;
    /// Settings that the provider says have changed: where the destination is now. The same message is sent there again.
    fn moved(&self, _reply: &Reply) -> Option<Map<String, Value>> {
        None
    }
    /// What must not be repeated to anyone, should a provider echo it.
    fn secrets(&self) -> Vec<&str>;
}

/// What a channel's messages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text with links. What was sent stays as it is.
    Text,
    /// A picture of the incident with buttons, which is changed as the incident changes.
    Card,
    /// The variables of a text that the vendor has approved.
    Variables,
}

/// See [`Channel::EXAMPLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    pub settings: &'static str,
    pub provider: Option<&'static str>,
}

/// What a vendor lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The hosts that an HTTP request may go to; nothing else is ever connected to.
    pub hosts: &'static [&'static str],
    /// One message, in what the vendor counts: its text, or the whole request body where the channel says so.
    pub text: Size,
    /// Requests to one destination; every one of these holds.
    pub rates: &'static [Rate],
    /// Whether notices that come faster than that may become lines of one message. A person is told of each by itself:
    /// a line among others wakes nobody up.
    pub folds: bool,
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

/// What to say. One notice is laid out richly; several become one line each.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// At least one, oldest first.
    pub notices: &'a [Notice],
    pub links: &'a dyn Links,
    pub language: Language,
    /// In which times are written.
    pub time_zone: &'a TimeZone,
    pub form: Form,
    /// The template of one notice's content, instead of the channel's own; several notices are lines and use none.
    pub template: Option<&'a str>,
}

/// What a person is told that is about themselves and no incident. It may hold a code, so it is never printed.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// Different for every letter.
    pub id: &'a str,
    pub subject: &'a str,
    /// Complete without the subject.
    pub text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Cards, colours, buttons: whatever the vendor has.
    #[default]
    Rich,
    /// Plain text, for when the provider refused the rich form ([`outcome::Reason::wants_plain`]).
    Plain,
}

/// How much of a vendor's limit a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    pub used: usize,
    pub of: Size,
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

        pub(crate) const FACTS: &[Facts] = &[$(Facts::of::<$settings>()),+];

        /// A destination with all its settings, whichever its channel.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Destination {
            $($variant($settings)),+
        }

        impl Destination {
            /// Reads the settings of a destination on `channel`, and those of the channel's provider if it has one
            /// ([`Destination::needs_provider`]); the error names the field and what to do.
            pub fn parse(
                channel: &str,
                settings: &serde_json::Value,
                provider: Option<&serde_json::Value>,
            ) -> Result<Self, SettingsError> {
                let facts = Facts::find(channel)?;
                let (settings, provider) = (facts.settings(settings)?, facts.provider(provider)?);
                $(if channel == <$settings as Channel>::NAME {
                    return <$settings as Channel>::parse(&settings, &provider).map(Destination::$variant);
                })+
                Err(SettingsError::unknown_channel(NAMES))
            }

            pub fn name(&self) -> &'static str {
                match self { $(Destination::$variant(_) => <$settings as Channel>::NAME),+ }
            }

            pub fn limits(&self) -> &'static Limits {
                match self { $(Destination::$variant(_) => const { &<$settings as Channel>::LIMITS }),+ }
            }

            pub fn kind(&self) -> Kind {
                match self { $(Destination::$variant(_) => <$settings as Channel>::KIND),+ }
            }

            pub fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
                match self { $(Destination::$variant(channel) => channel.request(post, at)),+ }
            }

            /// `None` for a channel to groups.
            pub fn letter(&self, letter: &Letter<'_>, at: Moment) -> Option<Request> {
                match self { $(Destination::$variant(channel) => channel.letter(letter, at)),+ }
            }

            pub fn outcome(&self, reply: &Reply) -> Outcome {
                match self { $(Destination::$variant(channel) => channel.outcome(reply)),+ }
            }

            /// The settings to replace, if the provider says that the destination is elsewhere now.
            pub fn moved(&self, reply: &Reply) -> Option<Map<String, Value>> {
                match self { $(Destination::$variant(channel) => channel.moved(reply)),+ }
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
    Email(email::Email),
}
