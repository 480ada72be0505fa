//! Facts about a channel by its name: its settings, which of them are secrets, and the medium that it serves.
//!
//! Used where settings are saved. The settings of a destination and of a provider are checked and masked separately,
//! because one is saved without the other.

use std::collections::BTreeMap;

use alerting::base::field_error::FieldError;
use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::escalation::{EscalationRule, TemplateTexts};
use alerting::people::medium::Medium;
use serde_json::{Value, json};

use crate::callback::{Callback, Incoming, Refused};
use crate::channel::{ACCOUNT, Example, Kind};
use crate::content::{self, Texts};
use crate::facts::Facts;
use crate::registry::{Destination, FACTS, NAMES, find};
use crate::settings::{PlainSmtpHosts, SettingsError};

/// The identities of a member that channels use for mentions, each with a description.
pub const IDENTITIES: [(&str, &str); 6] = [
    (crate::dingtalk::MENTIONED_BY, "DingTalk: the user id of the company's directory"),
    (crate::feishu::MENTIONED_BY, "Feishu/Lark: the open id or user id"),
    (crate::slack::MENTIONED_BY, "Slack: the member id, such as U024BE7LH"),
    (crate::telegram::MENTIONED_BY, "Telegram: the user name or number"),
    (crate::wecom::MENTIONED_BY, "WeCom: the user id"),
    (crate::zoom::MENTIONED_BY, "Zoom: the JID"),
];

/// The media that at least one channel serves: those that a member's preferences may name, in the order of the pages.
pub fn media() -> Vec<Medium> {
    let is_served = |medium: &Medium| Destination::channels_of(*medium).next().is_some();
    Medium::ALL.into_iter().filter(is_served).collect()
}

/// Whether the templates of a rule may be saved; the error names the field, such as `templates.feishu_bot.en`.
pub fn check_templates(rule: &EscalationRule) -> Result<(), FieldError> {
    for (channel, TemplateTexts { en, zh }) in &rule.templates {
        let field = format!("templates.{channel}");
        if !NAMES.contains(&channel.as_str()) {
            return Err(FieldError::new(field, format!("no such channel; these are: {}", NAMES.join(", "))));
        }
        for (language, source) in [("en", en), ("zh", zh)] {
            let checked = source.as_deref().map_or(Ok(()), content::check);
            checked.map_err(|sentence| FieldError::new(format!("{field}.{language}"), sentence))?;
        }
    }
    Ok(())
}

impl Destination {
    /// Checks the settings of a destination on `channel`; the error names the field and what to do.
    pub fn check_settings(channel: &str, settings: &Value) -> Result<(), SettingsError> {
        let facts = find(channel)?;
        (facts.check)(&facts.settings(settings)?)
    }

    /// Checks the settings of the provider of `channel`, also against the mail servers that this deployment allows to
    /// be used without TLS.
    pub fn check_provider(channel: &str, provider: &Value, plain: &PlainSmtpHosts) -> Result<(), SettingsError> {
        let facts = find(channel)?;
        if !facts.has_one_provider() {
            return Err(SettingsError::needs_no_provider(channel, &providers()));
        }
        (facts.check_provider)(&facts.provider(Some(provider))?, plain)
    }

    /// Checks the settings of an account on `channel`.
    pub fn check_account(channel: &str, account: &Value) -> Result<(), SettingsError> {
        let facts = find(channel)?;
        if !facts.has_accounts {
            return Err(SettingsError::has_no_accounts(channel, &with_accounts()));
        }
        (facts.check_provider)(&facts.provider(Some(account))?, &PlainSmtpHosts::default())
    }

    /// Verifies a callback with the settings of the account on `channel` that its path names, and reads it.
    pub fn open_callback(
        channel: &str,
        account: &Value,
        incoming: &Incoming<'_>,
        now: Moment,
    ) -> Result<Callback, Refused> {
        let facts = find(channel).map_err(|_| Refused("no such channel"))?;
        let account = facts.provider(Some(account)).map_err(|_| Refused("the account is not the channel's"))?;
        (facts.callback)(&account, incoming, now)
    }

    /// Whether the channel has settings that are made once per deployment.
    pub fn needs_provider(channel: &str) -> bool {
        find(channel).is_ok_and(Facts::has_one_provider)
    }

    /// Whether the channel has settings that are made once per account of an app.
    pub fn has_accounts(channel: &str) -> bool {
        find(channel).is_ok_and(|facts| facts.has_accounts)
    }

    /// The medium that the channel serves. `None` for a channel to groups, and for one that does not exist.
    pub fn medium(channel: &str) -> Option<Medium> {
        find(channel).ok()?.medium
    }

    /// Whether what the channel sends is changed as its incident changes.
    pub fn has_cards(channel: &str) -> bool {
        find(channel).is_ok_and(|facts| facts.kind == Kind::Card)
    }

    /// The channels that serve a medium, in order of preference: the first one that the deployment has configured is
    /// used.
    pub fn channels_of(medium: Medium) -> impl Iterator<Item = &'static str> {
        FACTS.iter().filter(move |facts| facts.medium == Some(medium)).map(|facts| facts.name)
    }

    /// The settings of a person's own destination.
    pub fn settings_to(address: &str) -> Value {
        json!({"to": address})
    }

    /// The settings of a destination that is this chat or user of the account, on a channel with accounts.
    pub fn settings_of_chat(channel: &str, account: &AccountId, chat: &str) -> Value {
        match find(channel).ok().and_then(|facts| facts.settings.iter().find(|name| **name != ACCOUNT)) {
            Some(place) => json!({ACCOUNT: account, *place: chat}),
            None => Value::Null,
        }
    }

    /// The channel's own content templates; `None` for a channel that does not exist.
    pub fn content(channel: &str) -> Option<Texts> {
        find(channel).ok().map(|facts| facts.content)
    }

    /// An example destination, for previews of messages.
    pub fn example(channel: &str) -> Result<Self, SettingsError> {
        let read = |json: &str| serde_json::from_str(json).expect("the tests read the example of every channel");
        let Example { settings, provider } = find(channel)?.example;
        Self::parse(channel, &read(settings), provider.map(read).as_ref())
    }

    /// Which settings of a destination are secrets; `None` for a channel that does not exist.
    pub fn secret_fields(channel: &str) -> Option<&'static [&'static str]> {
        find(channel).ok().map(|facts| facts.secrets)
    }

    /// Which settings of the channel's provider are secrets; `None` for a channel that does not exist.
    pub fn provider_secret_fields(channel: &str) -> Option<&'static [&'static str]> {
        find(channel).ok().map(|facts| facts.provider_secrets)
    }

    /// The settings of a destination as a list may show them: secrets as `…last4`.
    pub fn shown(channel: &str, settings: &Value) -> BTreeMap<String, Value> {
        masked(Self::secret_fields(channel).unwrap_or_default(), settings)
    }

    /// The settings of a provider as a list may show them.
    pub fn shown_provider(channel: &str, provider: &Value) -> BTreeMap<String, Value> {
        masked(Self::provider_secret_fields(channel).unwrap_or_default(), provider)
    }
}

/// The channels that have one provider.
fn providers() -> Vec<&'static str> {
    FACTS.iter().filter(|facts| facts.has_one_provider()).map(|facts| facts.name).collect()
}

/// The channels that have accounts.
fn with_accounts() -> Vec<&'static str> {
    FACTS.iter().filter(|facts| facts.has_accounts && NAMES.contains(&facts.name)).map(|facts| facts.name).collect()
}

fn masked(secrets: &[&str], settings: &Value) -> BTreeMap<String, Value> {
    let hidden = |name: &str, value: &Value| match value {
        Value::Null => None,
        _ if !secrets.contains(&name) => Some(value.clone()),
        Value::String(text) => Some(Secret::new(text.as_str()).hint().into()),
        _ => Some("…".into()),
    };
    let fields = settings.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), hidden(name, value)?))).collect()
}
