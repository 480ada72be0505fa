//! Signing secrets, decrypted once per saved version of an integration and kept as long as the process runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use alerting::base::ids::IntegrationId;
use alerting::base::secret::Secret;
use alerting::rules::integration::Integration;
use lambda_kit::checked_key::{self, Kind};
use lambda_kit::secrets::{SealError, Sealer};

/// How many decrypted secrets are kept in memory.
const KEPT: usize = 10_000;

#[derive(Debug)]
pub struct Secrets {
    sealer: Arc<Sealer>,
    opened: Mutex<HashMap<IntegrationId, (u64, Secret)>>,
}

impl Secrets {
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, opened: Mutex::default() }
    }

    /// The integration's signing secret; `None` if it has none.
    pub async fn of(&self, integration: &Integration) -> Result<Option<Secret>, SealError> {
        let Some(sealed) = &integration.security.secret else { return Ok(None) };
        if let Some(secret) = self.kept(integration) {
            return Ok(Some(secret));
        }
        let secret = self.sealer.open(integration.id.as_str(), sealed).await?;
        let mut opened = self.opened.lock().expect("nothing panics while it holds the secrets");
        if opened.len() >= KEPT {
            opened.clear();
        }
        opened.insert(integration.id.clone(), (integration.version, secret.clone()));
        Ok(Some(secret))
    }

    /// Whether the form of an intake key proves that this deployment issued it; `false` while the data key cannot be
    /// read.
    pub async fn is_our_key(&self, key: &str) -> bool {
        checked_key::is_ours(&self.sealer, Kind::Intake, key).await.unwrap_or(false)
    }

    fn kept(&self, integration: &Integration) -> Option<Secret> {
        let opened = self.opened.lock().expect("nothing panics while it holds the secrets");
        opened
            .get(&integration.id)
            .filter(|(version, _)| *version == integration.version)
            .map(|(_, secret)| secret.clone())
    }
}
