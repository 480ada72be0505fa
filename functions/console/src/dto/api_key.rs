//! API keys. The key itself is in one answer only: the one to its creation.

use alerting::ids::ApiKeyId;
use serde::{Deserialize, Serialize};
use store::api_keys::ApiKey;
use utoipa::ToSchema;

use super::Time;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyBody {
    /// Shown as the actor in timelines.
    #[schema(example = "deploy bot")]
    pub(crate) name: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    #[schema(value_type = String, example = "key_4fJk2LmNpQ")]
    id: ApiKeyId,
    name: String,
    #[schema(example = json!(["admin"]))]
    scopes: Vec<String>,
    /// The key itself when it is created, `…last4` ever after.
    key: String,
    created_at: Time,
}

impl ApiKeyView {
    pub(crate) fn masked(key: ApiKey) -> Self {
        let shown = format!("…{}", key.last4);
        Self::with(key, shown)
    }

    pub(crate) fn with(key: ApiKey, shown: String) -> Self {
        let ApiKey { id, name, scopes, created_at, last4: _ } = key;
        Self { id, name, scopes, key: shown, created_at: Time(created_at) }
    }
}
