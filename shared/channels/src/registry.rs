//! The list of all channels, one line each.

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use serde_json::{Map, Value};

use crate::channel::{Channel, Kind, Limits, Quota};
#[cfg(any(test, feature = "echo"))]
use crate::echo;
use crate::facts::Facts;
use crate::fit::RenderError;
use crate::outcome::{Outcome, ProviderReply};
use crate::post::{Letter, Post};
use crate::reply::Reply;
use crate::request::{Http, Request};
use crate::settings::SettingsError;
use crate::token::Grant;
use crate::{dingtalk, email, feishu, slack, telegram, wecom, zoom};

/// A channel with a condition is one of the tests: it can be used, and is listed nowhere.
macro_rules! channels {
    (
        $($variant:ident($settings:ty),)+
        $(#[$condition:meta] $hidden:ident($hidden_settings:ty),)*
    ) => {
        /// The wire names of all channels.
        pub const NAMES: &[&str] = &[$(<$settings as Channel>::NAME),+];

        pub(crate) const FACTS: &[Facts] = &[
            $(Facts::of::<$settings>(),)+
            $(#[$condition] Facts::of::<$hidden_settings>(),)*
        ];

        registry! { $($variant($settings),)+ $(#[$condition] $hidden($hidden_settings),)* }
    };
}

macro_rules! registry {
    ($($(#[$condition:meta])? $variant:ident($settings:ty),)+) => {
        /// A destination on any channel, with all its settings.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Destination {
            $($(#[$condition])? $variant($settings),)+
        }

        impl Destination {
            /// Reads the settings of a destination on `channel`, and those of the channel's provider if it has one
            /// ([`Destination::needs_provider`]). The error names the field and the remedy.
            pub fn parse(
                channel: &str,
                settings: &serde_json::Value,
                provider: Option<&serde_json::Value>,
            ) -> Result<Self, SettingsError> {
                let facts = find(channel)?;
                let (settings, provider) = (facts.settings(settings)?, facts.provider(provider)?);
                $($(#[$condition])? if channel == <$settings as Channel>::NAME {
                    return <$settings as Channel>::parse(&settings, &provider).map(Destination::$variant);
                })+
                Err(SettingsError::unknown_channel(NAMES))
            }

            pub fn name(&self) -> &'static str {
                match self { $($(#[$condition])? Destination::$variant(_) => <$settings as Channel>::NAME,)+ }
            }

            pub fn limits(&self) -> &'static Limits {
                match self { $($(#[$condition])? Destination::$variant(_) => const { &<$settings as Channel>::LIMITS },)+ }
            }

            pub fn kind(&self) -> Kind {
                match self { $($(#[$condition])? Destination::$variant(_) => <$settings as Channel>::KIND,)+ }
            }

            pub fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.request(post, at),)+ }
            }

            /// `None` for a channel whose messages stay as they were sent.
            pub fn update(
                &self,
                post: &Post<'_>,
                receipt: &str,
                at: Moment,
            ) -> Option<Result<Request, RenderError>> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.update(post, receipt, at),)+ }
            }

            pub fn quotas(&self) -> &'static [Quota] {
                match self { $($(#[$condition])? Destination::$variant(_) => <$settings as Channel>::QUOTAS,)+ }
            }

            pub fn account(&self) -> Option<&AccountId> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.account(),)+ }
            }

            pub fn token(&self) -> Option<Http> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.token(),)+ }
            }

            pub fn grant(&self, reply: &Reply) -> Option<Grant> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.grant(reply),)+ }
            }

            pub fn refuses_token(&self, reply: &Reply) -> bool {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.refuses_token(reply),)+ }
            }

            /// `None` for a channel to groups.
            pub fn letter(&self, letter: &Letter<'_>, at: Moment) -> Option<Request> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.letter(letter, at),)+ }
            }

            pub fn outcome(&self, reply: &Reply) -> Outcome {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.outcome(reply),)+ }
            }

            /// The new settings, if the provider says that the destination has moved.
            pub fn moved(&self, reply: &Reply) -> Option<Map<String, Value>> {
                match self { $($(#[$condition])? Destination::$variant(channel) => channel.moved(reply),)+ }
            }

            /// The provider's own text, without secrets that it may have repeated.
            pub fn provider(&self, reply: &Reply) -> ProviderReply {
                match self {
                    $($(#[$condition])? Destination::$variant(channel) => {
                        channel.provider(reply).redacted(&channel.secrets())
                    })+
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
    SlackApp(slack::app::App),
    TelegramBot(telegram::Bot),
    ZoomWebhook(zoom::Webhook),
    Email(email::Email),
    #[cfg(any(test, feature = "echo"))]
    Echo(echo::App),
}

/// The channel of this name. The error lists all channels.
pub(crate) fn find(channel: &str) -> Result<&'static Facts, SettingsError> {
    let found = FACTS.iter().find(|facts| facts.name == channel);
    found.ok_or_else(|| SettingsError::unknown_channel(NAMES))
}
