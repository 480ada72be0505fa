//! Looks up where a message to a destination goes: a saved destination, or a member's own address by a medium.
//!
//! [`Addresses`] keeps opened settings between calls, because opening costs a decryption and a parse.
//! [`Directory::channel_to`] is for messages to an address that is not verified yet, such as a code.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use alerting::base::ids::{DestinationId, MemberId};
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use alerting::people::destination::{ChannelName, Destination, Language, Provider, TimeZone};
use alerting::people::medium::Medium;
use alerting::people::{AddressedBy, Member};
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

/// The version of the destination or member, and that of the provider if the channel has one.
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
    language: Language,
    time_zone: TimeZone,
}

enum Settings {
    Sealed(Sealed),
    Plain(Value),
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
        let provider = match directory.cached_provider(&unopened.channel).await? {
            Ok(provider) => provider,
            Err(none) => return Ok(Err(none)),
        };
        let version = (unopened.version, provider.as_ref().map(|provider| provider.version));
        if let Some(address) = self.get(id).filter(|address| address.version == version) {
            return Ok(Ok(address));
        }
        let provider = match provider {
            Some(provider) => Some(directory.opened(provider.id.as_str(), &provider.settings).await?),
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
        let Destination { channel, version, settings, language, time_zone, .. } = (*stored).clone();
        Ok(Ok(Unopened { channel, version, settings: Settings::Sealed(settings), language, time_zone }))
    }

    async fn member(&self, medium: &str, id: &MemberId) -> Result<Result<Unopened, NoAddress>, AddressError> {
        let unusable = |reason| Ok(Err(NoAddress::Unusable(reason)));
        let Some(member) = self.store.cached_member(id, self.now).await? else {
            return unusable(Reason::BadDestination);
        };
        let Ok(medium) = medium.parse::<Medium>() else { return unusable(Reason::BadDestination) };
        let (Some(channel), Some(addressed_by)) = (self.channel_of(medium).await?, AddressedBy::of(medium)) else {
            return unusable(Reason::BadDestination);
        };
        let settings = match (member.address(addressed_by), member.verified(addressed_by)) {
            (None, _) => return unusable(Reason::NoAddress),
            // The address may belong to anyone. The timeline says so, and the next contact or level is notified
            // instead.
            (Some(_), None) => return unusable(Reason::NotVerified),
            (Some(address), Some(_)) => registry::Destination::settings_to(address),
        };
        let Member { version, language, time_zone, .. } = (*member).clone();
        let (channel, time_zone) = (channel.to_owned(), TimeZone::Place(time_zone));
        Ok(Ok(Unopened { channel, version, settings: Settings::Plain(settings), language, time_zone }))
    }

    /// The first configured channel that serves the medium. If none is configured, the first one, whose use then fails
    /// with the reason.
    async fn channel_of(&self, medium: Medium) -> Result<Option<&'static str>, AddressError> {
        for channel in registry::Destination::channels_of(medium) {
            if self.cached_provider(channel).await?.is_ok() {
                return Ok(Some(channel));
            }
        }
        Ok(registry::Destination::channels_of(medium).next())
    }

    /// The channel's provider, if the channel needs one.
    async fn cached_provider(&self, channel: &str) -> Result<Result<Option<Arc<Provider>>, NoAddress>, AddressError> {
        if !registry::Destination::needs_provider(channel) {
            return Ok(Ok(None));
        }
        let name: ChannelName = channel.parse().expect("channels have names that are ids");
        let stored = self.store.cached_provider(&name, self.now).await?;
        Ok(stored.map(Some).ok_or(NoAddress::Unusable(Reason::NotConfigured)))
    }

    /// The current settings of the channel's provider; `None`: it has none.
    pub async fn provider(&self, channel: &str) -> Result<Option<Value>, AddressError> {
        let Ok(name) = channel.parse::<ChannelName>() else { return Ok(None) };
        let Some(stored) = self.store.providers().get(&name).await? else { return Ok(None) };
        Ok(Some(self.opened(stored.id.as_str(), &stored.settings).await?))
    }

    /// Whether a message can be sent to addresses of this kind.
    pub async fn can_reach(&self, by: AddressedBy) -> Result<bool, AddressError> {
        let Some(channel) = channel_to(by) else { return Ok(false) };
        Ok(!registry::Destination::needs_provider(channel) || self.provider(channel).await?.is_some())
    }

    /// How to send a message to an address of this kind, whether or not it is verified.
    pub async fn channel_to(&self, by: AddressedBy, address: &str) -> Result<registry::Destination, NoChannel> {
        let channel = channel_to(by).ok_or(NoChannel::None)?;
        let provider = self.provider(channel).await?;
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

/// The channel that sends to such an address, if there is one.
pub fn channel_to(by: AddressedBy) -> Option<&'static str> {
    registry::Destination::channels_of(by.confirmed_by()).next()
}
