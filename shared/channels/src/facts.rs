//! The constants and checks of one channel as a value, for look-ups by name.

use alerting::base::moment::Moment;
use alerting::people::medium::Medium;
use serde_json::Value;

use crate::callback::{Callback, Incoming, Refused};
use crate::channel::{Channel, Example, Kind};
use crate::content::Texts;
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};

/// A channel's constants and checks.
pub(crate) struct Facts {
    pub(crate) name: &'static str,
    pub(crate) settings: &'static [&'static str],
    pub(crate) secrets: &'static [&'static str],
    pub(crate) provider: &'static [&'static str],
    pub(crate) provider_secrets: &'static [&'static str],
    pub(crate) has_accounts: bool,
    pub(crate) medium: Option<Medium>,
    pub(crate) kind: Kind,
    pub(crate) content: Texts,
    pub(crate) example: Example,
    pub(crate) check: fn(&Fields<'_>) -> Result<(), SettingsError>,
    pub(crate) check_provider: fn(&Fields<'_>, &PlainSmtpHosts) -> Result<(), SettingsError>,
    pub(crate) callback: fn(&Fields<'_>, &Incoming<'_>, Moment) -> Result<Callback, Refused>,
}

impl Facts {
    pub(crate) const fn of<C: Channel>() -> Self {
        Self {
            name: C::NAME,
            settings: C::SETTINGS,
            secrets: C::SECRETS,
            provider: C::PROVIDER,
            provider_secrets: C::PROVIDER_SECRETS,
            has_accounts: C::HAS_ACCOUNTS,
            medium: C::MEDIUM,
            kind: C::KIND,
            content: C::CONTENT,
            example: C::EXAMPLE,
            check: C::check,
            check_provider: C::check_provider,
            callback: C::callback,
        }
    }

    /// Whether the channel has settings that are made once per deployment.
    pub(crate) const fn has_one_provider(&self) -> bool {
        !self.provider.is_empty() && !self.has_accounts
    }

    pub(crate) fn settings<'a>(&self, settings: &'a Value) -> Result<Fields<'a>, SettingsError> {
        Fields::new(self.name, self.settings, settings)
    }

    pub(crate) fn provider<'a>(&self, provider: Option<&'a Value>) -> Result<Fields<'a>, SettingsError> {
        match provider {
            _ if self.provider.is_empty() => Ok(Fields::none()),
            Some(provider) => Fields::new(self.name, self.provider, provider),
            None => Err(SettingsError::no_provider(self.name)),
        }
    }
}
