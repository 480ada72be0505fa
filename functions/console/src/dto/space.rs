//! Collaboration spaces.

use alerting::base::ids::{DestinationId, SpaceId};
use alerting::incident::space::{AutoClose, Flapping, Grouping, Space};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::space::{AutoCloseShape, FlappingShape, GroupingShape};
use super::schema::text::{DestinationIdText, NameText};
use super::{Time, field_error};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceBody {
    #[schema(value_type = NameText, example = "Payments")]
    name: String,
    /// Who hears of its incidents if no escalation rule takes them.
    #[serde(default)]
    #[schema(value_type = Vec<DestinationIdText>, required = false, example = json!(["dst_8Zp1QeRtYu"]))]
    pub(crate) destinations: Vec<DestinationId>,
    /// Without it, every alert is an incident of its own.
    #[serde(default)]
    #[schema(value_type = Option<GroupingShape>)]
    grouping: Option<Grouping>,
    #[serde(default)]
    #[schema(value_type = FlappingShape, required = false)]
    flapping: Flapping,
    /// Without it, an incident stays open until its alerts recover or someone closes it.
    #[serde(default)]
    #[schema(value_type = Option<AutoCloseShape>)]
    auto_close: Option<AutoClose>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Space)]
pub(crate) struct SpaceView {
    #[schema(value_type = String, example = "spc_4fJk2LmNpQ")]
    id: SpaceId,
    name: String,
    #[schema(value_type = Vec<DestinationIdText>)]
    destinations: Vec<DestinationId>,
    #[schema(required, value_type = Option<GroupingShape>)]
    grouping: Option<Grouping>,
    #[schema(value_type = FlappingShape)]
    flapping: Flapping,
    #[schema(required, value_type = Option<AutoCloseShape>)]
    auto_close: Option<AutoClose>,
    created_at: Time,
}

impl SpaceBody {
    /// `before` with what the request says; its escalation rules and silences have addresses of their own. Whether the
    /// destinations exist, the caller asks.
    pub(crate) fn apply(&self, before: Space) -> Result<Space, ApiError> {
        let Self { name, destinations, grouping, flapping, auto_close } = self.clone();
        let name = super::name("name", &name)?;
        let space = Space { name, destinations, grouping, flapping, auto_close, ..before };
        space.check().map_err(field_error)?;
        Ok(space)
    }
}

impl From<Space> for SpaceView {
    fn from(space: Space) -> Self {
        let Space { id, name, destinations, grouping, flapping, auto_close, created_at, .. } = space;
        Self { id, name, destinations, grouping, flapping, auto_close, created_at: Time(created_at) }
    }
}
