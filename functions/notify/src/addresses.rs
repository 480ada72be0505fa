//! Destinations with their settings opened, kept between batches: opening costs a key and a parse.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use alerting::destination::Destination;
use alerting::destination::Language;
use alerting::ids::DestinationId;

use crate::{App, NotifyError};

/// Destinations that are kept; above this many, all are opened anew.
const KEPT: usize = 500;

/// Where a message goes and how it is worded.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) id: DestinationId,
    version: u64,
    pub(crate) channel: channels::Destination,
    pub(crate) language: Language,
    pub(crate) utc_offset_minutes: i16,
}

#[derive(Default)]
pub(crate) struct Addresses {
    kept: Mutex<HashMap<DestinationId, Arc<Address>>>,
}

impl Addresses {
    /// The address of `id`; `None` if the destination was deleted, or holds what its channel no longer takes.
    pub(crate) async fn find(&self, app: &App, id: &DestinationId) -> Result<Option<Arc<Address>>, NotifyError> {
        let Some(stored) = app.parts.store.cached_destination(id, app.parts.clock.now()).await? else {
            return Ok(None);
        };
        if let Some(address) = self.get(id)
            && address.version == stored.version
        {
            return Ok(Some(address));
        }
        let Some(address) = open(app, &stored).await? else { return Ok(None) };
        let address = Arc::new(address);
        let mut kept = self.kept.lock().expect("nothing panics while it holds the addresses");
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(id.clone(), Arc::clone(&address));
        Ok(Some(address))
    }

    fn get(&self, id: &DestinationId) -> Option<Arc<Address>> {
        self.kept.lock().expect("nothing panics while it holds the addresses").get(id).cloned()
    }
}

async fn open(app: &App, stored: &Destination) -> Result<Option<Address>, NotifyError> {
    let settings = app.parts.sealer.open(stored.id.as_str(), &stored.settings).await?;
    let parsed = serde_json::from_str::<serde_json::Value>(settings.expose()).ok();
    let channel = parsed.and_then(|value| channels::Destination::parse(&stored.channel, &value).ok());
    let Some(channel) = channel else {
        tracing::error!(destination.id = %stored.id, channel = stored.channel, "the stored settings are not the channel's");
        return Ok(None);
    };
    Ok(Some(Address {
        id: stored.id.clone(),
        version: stored.version,
        channel,
        language: stored.language,
        utc_offset_minutes: stored.utc_offset_minutes,
    }))
}
