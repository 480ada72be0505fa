//! Collaboration spaces.

use alerting::ids::{DestinationId, SpaceId};
use alerting::space::Space;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceBody {
    #[schema(example = "Payments")]
    pub(crate) name: String,
    /// Who hears of its incidents.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["dst_8Zp1QeRtYu"]))]
    pub(crate) destinations: Vec<DestinationId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Space)]
pub(crate) struct SpaceView {
    #[schema(value_type = String, example = "spc_4fJk2LmNpQ")]
    id: SpaceId,
    name: String,
    #[schema(value_type = Vec<String>)]
    destinations: Vec<DestinationId>,
    created_at: Time,
}

impl From<Space> for SpaceView {
    fn from(space: Space) -> Self {
        let Space { id, name, version: _, destinations, created_at } = space;
        Self { id, name, destinations, created_at: Time(created_at) }
    }
}
