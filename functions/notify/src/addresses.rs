//! Where a message goes: a saved destination, or a member's own address by a medium. Their settings are kept opened between
//! batches: opening costs a key and a parse.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use alerting::base::ids::{DestinationId, MemberId};
use alerting::base::secret::Sealed;
use alerting::people::destination::{ChannelName, Destination, Language, TimeZone};
use alerting::people::medium::Medium;
use alerting::people::{AddressedBy, Member};
use channels::outcome::Reason;
use serde_json::{Map, Value};
use store::config::Expect;
use store::errors::SaveError;

use crate::app::App;
use crate::error::NotifyError;

/// Addresses that are kept; above this many, the cache is emptied.
const KEPT: usize = 500;

/// Where a message goes and how it is worded.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) id: DestinationId,
    version: Version,
    pub(crate) channel: channels::registry::Destination,
    pub(crate) language: Language,
    pub(crate) time_zone: TimeZone,
}

/// Of the destination or member, and of the provider where the channel has one.
type Version = (u64, Option<u64>);

/// Why there is no address, now and for as long as nobody changes the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nowhere {
    /// The destination was deleted: nobody is to be notified there any more.
    Deleted,
    /// Somebody is to be notified, and cannot be.
    Unusable(Reason),
}

#[derive(Default)]
pub(crate) struct Addresses {
    kept: Mutex<HashMap<DestinationId, Arc<Address>>>,
}

/// What an address is opened from.
struct Draft {
    channel: String,
    version: u64,
    settings: Source,
    language: Language,
    time_zone: TimeZone,
}

enum Source {
    Sealed(Sealed),
    Plain(Value),
}

impl Addresses {
    pub(crate) async fn find(
        &self,
        app: &App,
        id: &DestinationId,
    ) -> Result<Result<Arc<Address>, Nowhere>, NotifyError> {
        let draft = match id.member() {
            Some((medium, member)) => of_member(app, medium, &member).await?,
            None => of_destination(app, id).await?,
        };
        let draft = match draft {
            Ok(draft) => draft,
            Err(nowhere) => return Ok(Err(nowhere)),
        };
        let provider = match provider(app, &draft.channel).await? {
            Ok(provider) => provider,
            Err(nowhere) => return Ok(Err(nowhere)),
        };
        let version = (draft.version, provider.as_ref().map(|provider| provider.version));
        if let Some(address) = self.get(id).filter(|address| address.version == version) {
            return Ok(Ok(address));
        }
        let provider = match provider {
            Some(provider) => Some(unsealed(app, provider.id.as_str(), &provider.settings).await?),
            None => None,
        };
        let settings = match draft.settings {
            Source::Plain(settings) => settings,
            Source::Sealed(sealed) => unsealed(app, id.as_str(), &sealed).await?,
        };
        let channel = match channels::registry::Destination::parse(&draft.channel, &settings, provider.as_ref()) {
            Ok(channel) => channel,
            Err(error) => {
                tracing::error!(destination.id = %id, channel = draft.channel, field = error.field, "the stored settings are not the channel's");
                return Ok(Err(Nowhere::Unusable(Reason::BadDestination)));
            }
        };
        let (language, time_zone) = (draft.language, draft.time_zone);
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

async fn of_destination(app: &App, id: &DestinationId) -> Result<Result<Draft, Nowhere>, NotifyError> {
    let Some(stored) = app.parts.store.cached_destination(id, app.parts.clock.now()).await? else {
        return Ok(Err(Nowhere::Deleted));
    };
    let Destination { channel, version, settings, language, time_zone, .. } = (*stored).clone();
    Ok(Ok(Draft { channel, version, settings: Source::Sealed(settings), language, time_zone }))
}

async fn of_member(app: &App, medium: &str, id: &MemberId) -> Result<Result<Draft, Nowhere>, NotifyError> {
    let Some(member) = app.parts.store.cached_member(id, app.parts.clock.now()).await? else {
        return Ok(Err(Nowhere::Unusable(Reason::BadDestination)));
    };
    let Ok(medium) = medium.parse::<Medium>() else {
        return Ok(Err(Nowhere::Unusable(Reason::BadDestination)));
    };
    let (Some(channel), Some(addressed_by)) = (channel_of(app, medium).await?, AddressedBy::of(medium)) else {
        return Ok(Err(Nowhere::Unusable(Reason::BadDestination)));
    };
    let settings = match (member.address(addressed_by), member.verified(addressed_by)) {
        (None, _) => return Ok(Err(Nowhere::Unusable(Reason::NoAddress))),
        // It may be anyone's. The timeline says so, and the next contact or level is notified instead.
        (Some(_), None) => return Ok(Err(Nowhere::Unusable(Reason::NotVerified))),
        (Some(address), Some(_)) => channels::registry::Destination::settings_to(address),
    };
    let Member { version, language, time_zone, .. } = (*member).clone();
    let (channel, time_zone) = (channel.to_owned(), TimeZone::Place(time_zone));
    Ok(Ok(Draft { channel, version, settings: Source::Plain(settings), language, time_zone }))
}

/// The first channel that serves the medium and is configured; if none is, the first, which then says so.
async fn channel_of(app: &App, medium: Medium) -> Result<Option<&'static str>, NotifyError> {
    for channel in channels::registry::Destination::channels_of(medium) {
        if provider(app, channel).await?.is_ok() {
            return Ok(Some(channel));
        }
    }
    Ok(channels::registry::Destination::channels_of(medium).next())
}

/// The channel's provider, if it is of those that have one.
async fn provider(
    app: &App,
    channel: &str,
) -> Result<Result<Option<Arc<alerting::people::destination::Provider>>, Nowhere>, NotifyError> {
    if !channels::registry::Destination::needs_provider(channel) {
        return Ok(Ok(None));
    }
    let name: ChannelName = channel.parse().expect("channels have names that are ids");
    let stored = app.parts.store.cached_provider(&name, app.parts.clock.now()).await?;
    Ok(stored.map(Some).ok_or(Nowhere::Unusable(Reason::NotConfigured)))
}

/// Stores what the provider said of where a destination is now. Whether it is stored, by this process or another.
pub(crate) async fn change_settings(
    app: &App,
    id: &DestinationId,
    moved: &Map<String, Value>,
) -> Result<bool, NotifyError> {
    let destinations = app.parts.store.destinations();
    let Some(mut destination) = destinations.get(id).await? else { return Ok(false) };
    let Value::Object(mut settings) = unsealed(app, id.as_str(), &destination.settings).await? else {
        return Ok(false);
    };
    settings.extend(moved.clone());
    destination.settings = app.parts.sealer.seal(id.as_str(), &Value::Object(settings).to_string()).await?;
    destination.shown.extend(moved.clone());
    let expect = Expect::Version(destination.version);
    match destinations.put(&destination, expect).await {
        Ok(_) => tracing::warn!(destination.id = %id, "the provider said where the destination is now; it was changed"),
        // Somebody else changed it meanwhile: the next try finds out whether that was enough.
        Err(SaveError::Conflict { .. }) => {}
        Err(SaveError::TooLarge { .. }) => return Ok(false),
        Err(SaveError::Write(error)) => return Err(error.into()),
    }
    Ok(true)
}

/// Settings that are no JSON are null, which no channel takes.
async fn unsealed(app: &App, id: &str, sealed: &Sealed) -> Result<Value, NotifyError> {
    let opened = app.parts.sealer.open(id, sealed).await?;
    Ok(serde_json::from_str(opened.expose()).unwrap_or_default())
}
