//! What every channel is: its limits, how to ask, and how to read the answer.

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use alerting::people::medium::Medium;
use serde_json::{Map, Value};

use crate::content::{self, Texts};
use crate::fit::RenderError;
use crate::outcome::{Outcome, Provider};
use crate::post::{Letter, Post};
use crate::reply::Reply;
use crate::request::{Http, Request};
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};
use crate::size::Size;
use crate::token::Grant;

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
    /// What the vendor takes of one account, whatever the destination; every one of these holds for every request.
    const QUOTAS: &'static [Quota] = &[];

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
    /// Changes the message that `receipt` names so that it shows `post`; `None` for a channel whose messages stay as they
    /// were sent.
    fn update(&self, _post: &Post<'_>, _receipt: &str, _at: Moment) -> Option<Result<Request, RenderError>> {
        None
    }
    /// The account that requests are made with, for a vendor that has accounts: it has the access token and the quotas.
    fn account(&self) -> Option<&AccountId> {
        None
    }
    /// Asks for an access token; `None` for a channel whose requests have no place for one.
    fn token(&self) -> Option<Http> {
        None
    }
    /// Reads the answer to [`Channel::token`]; `None`: the vendor granted none.
    fn grant(&self, _reply: &Reply) -> Option<Grant> {
        None
    }
    /// Whether the answer says that the access token is invalid or has expired, so that nothing was shown.
    fn refuses_token(&self, _reply: &Reply) -> bool {
        false
    }
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

/// What a vendor takes of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The channel's own name for what is counted together.
    pub scope: &'static str,
    pub rates: &'static [Rate],
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
