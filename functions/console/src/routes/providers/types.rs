//! Providers: the settings that a channel to people needs once per deployment. Their settings are the channel's business
//! ([`channels::registry::Destination::check_provider`]).

use std::collections::BTreeMap;

use alerting::people::destination::{ChannelName, Provider};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::dto::Time;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderBody {
    /// By channel: `email` {host, port, tls: `implicit` or `starttls`, username?, password?, from, `reply_to`?}. A secret
    /// that is left out is kept as long as host and port stay the same, and `null` removes it.
    #[schema(value_type = Object, example = json!({"host": "smtp.example.com", "port": 465, "tls": "implicit",
        "username": "larkspur", "password": "…", "from": "Larkspur <alerts@example.com>"}))]
    pub(crate) settings: Map<String, Value>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderSettings)]
pub(crate) struct ProviderView {
    channel: ChannelName,
    /// Secrets as `…last4`.
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Value>,
    created_at: Time,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderTestBody {
    /// Whom to write to, as the channel addresses people: an email address.
    #[schema(max_length = 1024, example = "ada@example.org")]
    pub(crate) to: String,
}

impl From<Provider> for ProviderView {
    fn from(provider: Provider) -> Self {
        let Provider { id, version: _, settings: _, shown, created_at } = provider;
        Self { channel: id, settings: shown, created_at: Time(created_at) }
    }
}
