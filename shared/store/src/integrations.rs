//! Integrations and the keys of their intake URLs.
//!
//! An intake key is found by its hash: `INTAKE_KEY` → integration. The pointer alone is not enough: a key opens an
//! integration only if the integration's own record names the key's hash, as the current one or as an old one before
//! its end. Record and pointers are written in one transaction.

mod queries;

use alerting::base::ids::IntegrationId;
use alerting::base::moment::Moment;
use alerting::base::secret::Sealed;
use alerting::rules::integration::Integration;
use serde::{Deserialize, Serialize};

use crate::config::Record;
use crate::errors::ReadError;
use crate::item::{Item, Reader};
use crate::keys;

/// An integration with the key of its URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredIntegration {
    pub integration: Integration,
    /// The key itself, sealed with the deployment's data key, so that an administrator can see the whole URL again.
    pub intake_key: Sealed,
    /// [`keys::secret_hash`] of the key.
    pub key_hash: String,
    /// The key as a listing may show it.
    pub key_hint: String,
    /// The keys before rotations. Each one opens the integration until its promised time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_keys: Vec<OldKey>,
    /// The only old key that earlier versions kept. The next rotation moves it to the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_key: Option<OldKey>,
}

/// Old keys that may work beside the current one.
pub const OLD_KEYS: usize = 10;

/// A key before a rotation, which still opens the integration for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldKey {
    pub hash: String,
    pub until: Moment,
}

impl StoredIntegration {
    /// An integration with its first key.
    pub fn new(integration: Integration, intake_key: Sealed, key_hash: String, key_hint: String) -> Self {
        Self { integration, intake_key, key_hash, key_hint, old_keys: Vec::new(), old_key: None }
    }

    /// The integration with a new key. The current key works until `until`, and each older one as long as was promised.
    pub fn rotated(self, intake_key: Sealed, key_hash: String, key_hint: String, until: Moment, now: Moment) -> Self {
        let current = OldKey { hash: self.key_hash.clone(), until };
        let old_keys = self.working_old_keys(now).cloned().chain((now < until).then_some(current)).collect();
        Self { old_keys, old_key: None, intake_key, key_hash, key_hint, ..self }
    }

    /// The old keys that still work.
    pub fn working_old_keys(&self, now: Moment) -> impl Iterator<Item = &OldKey> {
        self.all_old_keys().filter(move |old| now < old.until)
    }

    pub(crate) fn all_old_keys(&self) -> impl Iterator<Item = &OldKey> {
        self.old_keys.iter().chain(&self.old_key)
    }

    /// Whether the key with this hash opens the integration.
    pub(crate) fn is_opened_by(&self, hash: &str, now: Moment) -> bool {
        self.key_hash == hash || self.working_old_keys(now).any(|old| old.hash == hash)
    }
}

impl Record for StoredIntegration {
    type Id = IntegrationId;
    const KIND: &'static str = keys::INTEGRATION;

    fn id(&self) -> &IntegrationId {
        &self.integration.id
    }

    fn version(&self) -> u64 {
        self.integration.version
    }

    fn set_version(&mut self, version: u64) {
        self.integration.version = version;
    }

    fn created_at(&self) -> Moment {
        self.integration.created_at
    }
}

/// The integration that an item of the kind is named after.
pub(crate) fn integration_named(item: &Item) -> Result<IntegrationId, ReadError> {
    let name = Reader::new(item).name();
    name.sk.parse().map_err(|_| ReadError::missing(&name, "the integration's id"))
}
