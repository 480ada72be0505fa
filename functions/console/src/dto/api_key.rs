//! API keys. The key itself is in one answer only: the one to its creation.

use std::collections::BTreeSet;

use alerting::ids::ApiKeyId;
use serde::{Deserialize, Serialize};
use store::api_keys::ApiKey;
use utoipa::ToSchema;

use super::Time;
use crate::auth::scope::Scope;
use crate::error::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyBody {
    /// Shown as the actor in timelines.
    #[schema(example = "deploy bot")]
    pub(crate) name: String,
    /// What the key may: `read` to see all but secrets and API keys, `respond` to act on incidents as well, `admin`
    /// everything. The most of them counts.
    #[serde(default = "everything")]
    #[schema(required = false, default = json!(["admin"]), min_items = 1)]
    pub(crate) scopes: Vec<Scope>,
}

fn everything() -> Vec<Scope> {
    vec![Scope::Admin]
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

impl ApiKeyBody {
    /// The scopes, each once.
    pub(crate) fn scopes(&self) -> Result<Vec<Scope>, ApiError> {
        let named: BTreeSet<Scope> = self.scopes.iter().copied().collect();
        if named.is_empty() {
            return Err(ApiError::invalid("scopes", "expected at least one of `read`, `respond`, `admin`"));
        }
        Ok(named.into_iter().collect())
    }
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
