//! API keys. The key itself is in one answer only: the one to its creation.

use std::collections::BTreeSet;

use alerting::base::ids::{ApiKeyId, MemberId};
use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};
use store::api_keys::ApiKey;
use utoipa::ToSchema;

use crate::dto::{Name, Time};
use crate::error::ApiError;
use operations::access::Scope;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyBody {
    /// Shown as the actor in timelines.
    pub(crate) name: Name,
    /// What the key may do: `read` to see all but secrets and API keys, `respond` to act on incidents as well, `admin`
    /// everything. The highest scope counts.
    #[serde(default = "everything")]
    #[schema(default = json!(["admin"]), min_items = 1)]
    pub(crate) scopes: Vec<Scope>,
    /// When the key expires. Left out or `null`: it is valid until it is revoked.
    #[serde(default)]
    expires_at: Option<Time>,
}

fn everything() -> Vec<Scope> {
    vec![Scope::Admin]
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    id: ApiKeyId,
    name: String,
    #[schema(example = json!(["admin"]))]
    scopes: Vec<String>,
    /// The key itself when it is created, later `…last4`.
    key: String,
    created_at: Time,
    /// The key that created this one; `null`: a member or the deployment created it.
    created_by: Option<ApiKeyId>,
    /// The signed-in member who created this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_member: Option<MemberId>,
    /// When the key expires; `null`: it is valid until it is revoked.
    expires_at: Option<Time>,
    /// When the key was last used, to the hour; `null`: never.
    last_used_at: Option<Time>,
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

    pub(crate) fn expires_at(&self, now: Moment) -> Result<Option<Moment>, ApiError> {
        match &self.expires_at {
            Some(Time(at)) if *at <= now => Err(ApiError::invalid("expires_at", "expected a time that is to come")),
            expires_at => Ok(expires_at.as_ref().map(|Time(at)| *at)),
        }
    }
}

impl ApiKeyView {
    pub(crate) fn masked(key: ApiKey) -> Self {
        let shown = format!("…{}", key.last4);
        Self::with(key, shown)
    }

    pub(crate) fn with(key: ApiKey, shown: String) -> Self {
        let ApiKey { id, name, scopes, created_at, last4: _, expires_at, used_at, created_by, created_by_member } = key;
        let (created_at, expires_at, last_used_at) = (Time(created_at), expires_at.map(Time), used_at.map(Time));
        Self { id, name, scopes, key: shown, created_at, created_by, created_by_member, expires_at, last_used_at }
    }
}
