//! One configured address on a channel, as it is stored. What the settings mean is the channel's business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::DestinationId;
use crate::moment::Moment;
use crate::secret::Sealed;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub id: DestinationId,
    pub name: String,
    pub version: u64,
    /// The channel's wire name: `feishu_bot`, `slack_webhook` …
    pub channel: String,
    /// The settings, a JSON object, under the deployment's data key.
    pub settings: Sealed,
    /// The settings as a listing may show them: secrets as `…last4`.
    pub shown: BTreeMap<String, serde_json::Value>,
    /// Of what is sent there.
    #[serde(default)]
    pub language: Language,
    /// The offset of the times that are sent there, in minutes east of UTC.
    #[serde(default)]
    pub utc_offset_minutes: i16,
    pub created_at: Moment,
}

/// Language of the fixed words in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh")]
    Chinese,
}
