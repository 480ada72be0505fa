//! A channel: its limits, how to write a request, and how to read the reply.

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use alerting::people::medium::Medium;
use serde_json::{Map, Value};

use crate::callback::{Callback, Incoming, Refused};
use crate::content::{self, Texts};
use crate::fit::RenderError;
use crate::outcome::{Outcome, ProviderReply};
use crate::post::{Letter, Post};
use crate::reply::Reply;
use crate::request::{Http, Request};
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};
use crate::size::Size;
use crate::token::Grant;

/// One way to send notifications. The implementing type holds the settings of a destination; a value of it is always
/// valid.
pub trait Channel: Sized {
    /// The channel's name in the API and in the table.
    const NAME: &'static str;
    const LIMITS: Limits;
    /// All settings, in the order of the documentation.
    const SETTINGS: &'static [&'static str];
    /// The settings that are shown as `…last4` only.
    const SECRETS: &'static [&'static str];
    /// The settings of the provider, made once per deployment or account, in the order of the documentation. Bots have
    /// none.
    const PROVIDER: &'static [&'static str] = &[];
    /// The provider's settings that are shown as `…last4` only.
    const PROVIDER_SECRETS: &'static [&'static str] = &[];
    /// Whether a deployment may have several providers: accounts of an app, such as the workspaces that it is installed
    /// in. The setting [`ACCOUNT`] of a destination then names one.
    const HAS_ACCOUNTS: bool = false;
    /// The medium that it serves; the setting `to` is then the person's address. `None` for a channel to groups.
    const MEDIUM: Option<Medium> = None;
    /// The template between headline and link of a message about one incident. An escalation rule may replace it.
    const CONTENT: Texts = content::USUAL;
    /// Example settings of a destination, and of the provider if there is one, as JSON: used for previews.
    const EXAMPLE: Example;
    const KIND: Kind = Kind::Text;
    /// Requests of one account to all destinations together. All of these rates are kept.
    const QUOTAS: &'static [Quota] = &[];

    /// Reads the settings of a destination, and those of the provider if there is one.
    fn parse(settings: &Fields<'_>, provider: &Fields<'_>) -> Result<Self, SettingsError>;
    /// Whether the settings of a destination are valid, without those of the provider.
    fn check(settings: &Fields<'_>) -> Result<(), SettingsError> {
        Self::parse(settings, &Fields::none()).map(drop)
    }
    /// Whether the settings of the provider are valid, without those of a destination.
    fn check_provider(_provider: &Fields<'_>, _plain: &PlainSmtpHosts) -> Result<(), SettingsError> {
        Ok(())
    }
    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError>;
    /// Updates the message of this `receipt` to show `post`. `None` for a channel without updates.
    fn update(&self, _post: &Post<'_>, _receipt: &str, _at: Moment) -> Option<Result<Request, RenderError>> {
        None
    }
    /// The account that requests are made with, for a vendor that has accounts: it has the access token and the quotas.
    fn account(&self) -> Option<&AccountId> {
        None
    }
    /// Verifies a request of the vendor with the settings of an account, and reads it. The signature covers the bytes as
    /// they came, so nothing is parsed before it is verified.
    fn callback(_account: &Fields<'_>, _incoming: &Incoming<'_>, _now: Moment) -> Result<Callback, Refused> {
        Err(Refused("the channel has no callbacks"))
    }
    /// The request for an access token. `None` for a channel without access tokens.
    fn token(&self) -> Option<Http> {
        None
    }
    /// Reads the reply to [`Channel::token`]. `None`: the vendor granted no token.
    fn grant(&self, _reply: &Reply) -> Option<Grant> {
        None
    }
    /// Whether the reply says that the access token is invalid or has expired, so that nothing was shown.
    fn refuses_token(&self, _reply: &Reply) -> bool {
        false
    }
    /// A few lines to the person of the destination. `None` for a channel to groups.
    fn letter(&self, _letter: &Letter<'_>, _at: Moment) -> Option<Request> {
        None
    }
    /// Reads the body: HTTP 200 can mean refused.
    fn outcome(&self, reply: &Reply) -> Outcome;
    /// The provider's own text in the same reply, for people.
    fn provider(&self, reply: &Reply) -> ProviderReply;
    /// The new settings, if the provider says that the destination has moved. The same message is sent there again.
    fn moved(&self, _reply: &Reply) -> Option<Map<String, Value>> {
        None
    }
    /// The secrets. They are removed from every text of the provider.
    fn secrets(&self) -> Vec<&str>;
}

/// The setting of a destination that names the account of an app.
pub const ACCOUNT: &str = "account";

/// The kind of a channel's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Free text with links. A sent message does not change.
    Text,
    /// A card with buttons that shows the incident. It is updated when the incident changes.
    Card,
    /// The variables of a text that the vendor has approved.
    Variables,
}

/// A vendor's limit for the requests of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The channel's name for the requests that are counted together.
    pub scope: &'static str,
    pub of: Counted,
    pub rates: &'static [Rate],
}

/// The requests of an account that a [`Quota`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    All,
    /// Those that change a message which was sent before.
    Updates,
}

/// See [`Channel::EXAMPLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    pub settings: &'static str,
    pub provider: Option<&'static str>,
}

/// A vendor's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The hosts that HTTP requests may go to. No other host is connected to.
    pub hosts: &'static [&'static str],
    /// Size of one message, in the vendor's unit: of its text, or of the whole request body where the channel says so.
    pub text: Size,
    /// Requests to one destination. All of these rates are kept.
    pub rates: &'static [Rate],
    /// Whether notices above the rate may be folded into one message with a line each. Messages to a person are never
    /// folded: a line among others wakes nobody up.
    pub folds: bool,
}
