//! Looks up where a message to a destination goes: a saved destination, or a member's own address by a medium.
//!
//! [`Addresses`] keeps opened settings between calls, because opening costs a decryption and a parse.
//! [`Directory::channel_to`] is for messages to an address that is not verified yet, such as a code.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use alerting::base::ids::{AccountId, DestinationId, MemberId};
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use alerting::incident::notice::Say;
use alerting::people::destination::{AppAccount, ChannelName, Destination, Language, Provider, TimeZone};
use alerting::people::medium::Medium;
use alerting::people::{AddressedBy, Member};
use channels::channel::ACCOUNT;
use channels::outcome::Reason;
use channels::registry;
use channels::settings::SettingsError;
use lambda_kit::secrets::{SealError, Sealer};
use serde_json::{Map, Value};
use store::Store;
use store::config::Expect;
use store::errors::{ReadError, SaveError, WriteError};

/// The most addresses that are kept; above this number, the cache is emptied.
const KEPT: usize = 500;

/// Where a message goes and how it is worded.
#[derive(Debug)]
pub struct Address {
    pub id: DestinationId,
    version: Version,
    pub channel: registry::Destination,
    pub language: Language,
    pub time_zone: TimeZone,
}

/// The version of the destination or member, and that of the provider or account if the channel has one.
type Version = (u64, Option<u64>);

/// Why there is no address. This stays so until somebody changes the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAddress {
    /// The destination was deleted, so nobody is to be notified there any more.
    Deleted,
    /// Somebody is to be notified there, and cannot be.
    Unusable(Reason),
}

/// Why an address could not be looked up. A retry may succeed.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("reading the destination, the member or the provider failed")]
    Read(#[from] ReadError),
    #[error("changing the destination failed")]
    Write(#[from] WriteError),
    #[error("the settings could not be opened")]
    Open(#[from] SealError),
}

/// Why nothing can be sent to such an address.
#[derive(Debug, thiserror::Error)]
pub enum NoChannel {
    #[error("no channel reaches addresses of this kind")]
    None,
    #[error("`{0}` has no provider in this deployment; an administrator has to configure it")]
    NotConfigured(&'static str),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// The parts that addresses are looked up with.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    pub store: &'a Store,
    pub sealer: &'a Sealer,
    pub now: Moment,
}

/// The addresses that a process has opened.
#[derive(Debug, Default)]
pub struct Addresses {
    kept: Mutex<HashMap<DestinationId, Arc<Address>>>,
}

/// The sealed settings from which an address is opened.
struct Unopened {
    channel: String,
    version: u64,
    settings: Settings,
    /// The account that the settings name.
    account: Option<AccountId>,
    language: Language,
    time_zone: TimeZone,
}

/// The settings of a channel's provider, or of an account on it, as they are stored.
struct SealedProvider {
    /// What the settings are bound to.
    id: String,
    version: u64,
    settings: Sealed,
}

enum Settings {
    Sealed(Sealed),
    Plain(Value),
}

impl Address {
    /// Whether it is a member's own, and not that of a group.
    pub fn is_a_person(&self) -> bool {
        self.id.member().is_some()
    }
}

impl Addresses {
    /// The address of a destination.
    pub async fn find(
        &self,
        directory: Directory<'_>,
        id: &DestinationId,
    ) -> Result<Result<Arc<Address>, NoAddress>, AddressError> {
        let unopened = match id.member() {
            Some((medium, member)) => directory.member(medium, &member).await?,
            None => directory.destination(id).await?,
        };
        let unopened = match unopened {
            Ok(unopened) => unopened,
            Err(none) => return Ok(Err(none)),
        };
        let provider = match directory.cached_provider(&unopened.channel, unopened.account.as_ref()).await? {
            Ok(provider) => provider,
            Err(none) => return Ok(Err(none)),
        };
        let version = (unopened.version, provider.as_ref().map(|provider| provider.version));
        if let Some(address) = self.get(id).filter(|address| address.version == version) {
            return Ok(Ok(address));
        }
        let provider = match provider {
            Some(provider) => Some(directory.opened(&provider.id, &provider.settings).await?),
            None => None,
        };
        let settings = match unopened.settings {
            Settings::Plain(settings) => settings,
            Settings::Sealed(sealed) => directory.opened(id.as_str(), &sealed).await?,
        };
        let channel = match registry::Destination::parse(&unopened.channel, &settings, provider.as_ref()) {
            Ok(channel) => channel,
            Err(error) => {
                tracing::error!(destination.id = %id, channel = unopened.channel, field = error.field, "the stored settings are not the channel's");
                return Ok(Err(NoAddress::Unusable(Reason::BadDestination)));
            }
        };
        let (language, time_zone) = (unopened.language, unopened.time_zone);
        Ok(Ok(self.keep(Address { id: id.clone(), version, channel, language, time_zone })))
    }

    /// The address of a chat to which a private answer goes. It is not kept.
    pub async fn of_chat(
        &self,
        directory: Directory<'_>,
        say: &Say,
    ) -> Result<Result<Address, NoAddress>, AddressError> {
        let unusable = |reason| Ok(Err(NoAddress::Unusable(reason)));
        let Some(account) = directory.store.cached_app_account(&say.account, directory.now).await? else {
            return unusable(Reason::NotConfigured);
        };
        let opened = directory.opened(account.id.as_str(), &account.settings).await?;
        let settings = registry::Destination::settings_of_chat(&account.channel, &account.id, &say.chat);
        let Ok(channel) = registry::Destination::parse(&account.channel, &settings, Some(&opened)) else {
            return unusable(Reason::BadDestination);
        };
        let version = (account.version, None);
        let (language, time_zone) = (Language::default(), TimeZone::default());
        Ok(Ok(Address { id: say.destination.clone(), version, channel, language, time_zone }))
    }

    fn get(&self, id: &DestinationId) -> Option<Arc<Address>> {
        self.kept.lock().expect("nothing panics while it holds the addresses").get(id).cloned()
    }

    fn keep(&self, address: Address) -> Arc<Address> {
        let address = Arc::new(address);
        let mut kept = self.kept.lock().expect("nothing panics while it holds the addresses");
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(address.id.clone(), Arc::clone(&address));
        address
    }
}

impl Directory<'_> {
    async fn destination(&self, id: &DestinationId) -> Result<Result<Unopened, NoAddress>, AddressError> {
        let Some(stored) = self.store.cached_destination(id, self.now).await? else {
            return Ok(Err(NoAddress::Deleted));
        };
        let Destination { channel, version, settings, shown, language, time_zone, .. } = (*stored).clone();
        let account = shown.get(ACCOUNT).and_then(account_of);
        Ok(Ok(Unopened { channel, version, settings: Settings::Sealed(settings), account, language, time_zone }))
    }

    async fn member(&self, medium: &str, id: &MemberId) -> Result<Result<Unopened, NoAddress>, AddressError> {
        let unusable = |reason| Ok(Err(NoAddress::Unusable(reason)));
        let Some(member) = self.store.cached_member(id, self.now).await? else {
            return unusable(Reason::BadDestination);
        };
        let Ok(medium) = medium.parse::<Medium>() else { return unusable(Reason::BadDestination) };
        let Some(addressed_by) = AddressedBy::of(medium) else { return self.linked(medium, &member).await };
        let Some(channel) = self.channel_of(medium).await? else { return unusable(Reason::BadDestination) };
        let settings = match (member.address(addressed_by), member.verified(addressed_by)) {
            (None, _) => return unusable(Reason::NoAddress),
            // The address may belong to anyone. The timeline says so, and the next contact or level is notified
            // instead.
            (Some(_), None) => return unusable(Reason::NotVerified),
            (Some(address), Some(_)) => registry::Destination::settings_to(address),
        };
        let Member { version, language, time_zone, .. } = (*member).clone();
        let (channel, time_zone) = (channel.to_owned(), TimeZone::Place(time_zone));
        Ok(Ok(Unopened { channel, version, settings: Settings::Plain(settings), account: None, language, time_zone }))
    }

    /// The chat of a member with an app, in the account in which they linked last.
    async fn linked(&self, medium: Medium, member: &Member) -> Result<Result<Unopened, NoAddress>, AddressError> {
        for link in member.links.iter().rev() {
            let Some(account) = self.store.cached_app_account(&link.account, self.now).await? else { continue };
            if registry::Destination::medium(&account.channel) != Some(medium) {
                continue;
            }
            let settings = {
                let chat = link.chat.as_deref().unwrap_or(&link.user);
                registry::Destination::settings_of_chat(&account.channel, &account.id, chat)
            };
            return Ok(Ok(Unopened {
                channel: account.channel.clone(),
                version: member.version,
                settings: Settings::Plain(settings),
                account: Some(account.id.clone()),
                language: member.language,
                time_zone: TimeZone::Place(member.time_zone.clone()),
            }));
        }
        Ok(Err(NoAddress::Unusable(Reason::NoAddress)))
    }

    /// The first configured channel that serves the medium. If none is configured, the first one, whose use then fails
    /// with the reason.
    async fn channel_of(&self, medium: Medium) -> Result<Option<&'static str>, AddressError> {
        for channel in registry::Destination::channels_of(medium) {
            if self.cached_provider(channel, None).await?.is_ok() {
                return Ok(Some(channel));
            }
        }
        Ok(registry::Destination::channels_of(medium).next())
    }

    /// The channel's provider or the account, if the channel needs one.
    async fn cached_provider(
        &self,
        channel: &str,
        account: Option<&AccountId>,
    ) -> Result<Result<Option<SealedProvider>, NoAddress>, AddressError> {
        let unconfigured = Err(NoAddress::Unusable(Reason::NotConfigured));
        if registry::Destination::has_accounts(channel) {
            let Some(account) = account else { return Ok(unconfigured) };
            let stored = self.store.cached_app_account(account, self.now).await?;
            let stored = stored.filter(|stored| stored.channel == channel);
            return Ok(stored.map_or(unconfigured, |stored| Ok(Some(SealedProvider::from((*stored).clone())))));
        }
        if !registry::Destination::needs_provider(channel) {
            return Ok(Ok(None));
        }
        let name: ChannelName = channel.parse().expect("channels have names that are ids");
        let stored = self.store.cached_provider(&name, self.now).await?;
        Ok(stored.map_or(unconfigured, |stored| Ok(Some(SealedProvider::from((*stored).clone())))))
    }

    /// The current settings of the channel's provider, or of the account that the settings of a destination name;
    /// `None`: it has none.
    pub async fn provider(&self, channel: &str, settings: &Value) -> Result<Option<Value>, AddressError> {
        let stored = if registry::Destination::has_accounts(channel) {
            let Some(account) = settings.get(ACCOUNT).and_then(account_of) else { return Ok(None) };
            let stored = self.store.app_accounts().get(&account).await?;
            stored.filter(|stored| stored.channel == channel).map(SealedProvider::from)
        } else {
            let Ok(name) = channel.parse::<ChannelName>() else { return Ok(None) };
            self.store.providers().get(&name).await?.map(SealedProvider::from)
        };
        let Some(stored) = stored else { return Ok(None) };
        Ok(Some(self.opened(&stored.id, &stored.settings).await?))
    }

    /// Whether a message can be sent to addresses of this kind.
    pub async fn can_reach(&self, by: AddressedBy) -> Result<bool, AddressError> {
        let Some(channel) = channel_to(by) else { return Ok(false) };
        Ok(!registry::Destination::needs_provider(channel) || self.provider(channel, &Value::Null).await?.is_some())
    }

    /// How to send a message to an address of this kind, whether or not it is verified.
    pub async fn channel_to(&self, by: AddressedBy, address: &str) -> Result<registry::Destination, NoChannel> {
        let channel = channel_to(by).ok_or(NoChannel::None)?;
        let provider = self.provider(channel, &Value::Null).await?;
        if provider.is_none() && registry::Destination::needs_provider(channel) {
            return Err(NoChannel::NotConfigured(channel));
        }
        let settings = registry::Destination::settings_to(address);
        Ok(registry::Destination::parse(channel, &settings, provider.as_ref())?)
    }

    /// Saves the settings by which a provider said that a destination has moved. Returns whether they are saved, by
    /// this process or another.
    pub async fn move_destination(&self, id: &DestinationId, moved: &Map<String, Value>) -> Result<bool, AddressError> {
        let destinations = self.store.destinations();
        let Some(mut destination) = destinations.get(id).await? else { return Ok(false) };
        let Value::Object(mut settings) = self.opened(id.as_str(), &destination.settings).await? else {
            return Ok(false);
        };
        settings.extend(moved.clone());
        destination.settings = self.sealer.seal(id.as_str(), &Value::Object(settings).to_string()).await?;
        destination.shown.extend(moved.clone());
        let expect = Expect::Version(destination.version);
        match destinations.put(&destination, expect).await {
            Ok(_) => {
                tracing::warn!(destination.id = %id, "the provider said where the destination is now; it was changed");
            }
            // Somebody else changed it meanwhile. The next attempt shows whether that change was enough.
            Err(SaveError::Conflict { .. }) => {}
            Err(SaveError::TooLarge { .. }) => return Ok(false),
            Err(SaveError::Write(error)) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Settings that are not JSON become null, which no channel accepts.
    async fn opened(&self, id: &str, sealed: &Sealed) -> Result<Value, AddressError> {
        let opened = self.sealer.open(id, sealed).await?;
        Ok(serde_json::from_str(opened.expose()).unwrap_or_default())
    }
}

impl From<Provider> for SealedProvider {
    fn from(provider: Provider) -> Self {
        Self { id: provider.id.to_string(), version: provider.version, settings: provider.settings }
    }
}

impl From<AppAccount> for SealedProvider {
    fn from(account: AppAccount) -> Self {
        Self { id: account.id.to_string(), version: account.version, settings: account.settings }
    }
}

fn account_of(value: &Value) -> Option<AccountId> {
    value.as_str()?.parse().ok()
}

/// The channel that sends to such an address, if there is one.
pub fn channel_to(by: AddressedBy) -> Option<&'static str> {
    registry::Destination::channels_of(by.confirmed_by()).next()
}
