//! Collaboration spaces.

use alerting::base::ids::{DestinationId, SpaceId};
use alerting::incident::space::{AutoClose, Flapping, Grouping, Space};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::{Name, Time, field_error};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceBody {
    name: Name,
    /// The destinations that are notified of its incidents if no escalation rule matches.
    #[serde(default)]
    pub(crate) destinations: Vec<DestinationId>,
    /// Without it, every alert is an incident of its own.
    #[serde(default)]
    grouping: Option<Grouping>,
    #[serde(default)]
    flapping: Flapping,
    /// Without it, an incident stays open until its alerts recover or someone closes it.
    #[serde(default)]
    auto_close: Option<AutoClose>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Space)]
pub(crate) struct SpaceView {
    id: SpaceId,
    name: String,
    destinations: Vec<DestinationId>,
    #[schema(required)]
    grouping: Option<Grouping>,
    flapping: Flapping,
    #[schema(required)]
    auto_close: Option<AutoClose>,
    created_at: Time,
}

impl SpaceBody {
    /// `before` with the changes of the request; its escalation rules and silences have routes of their own. The caller
    /// checks that the destinations exist.
    pub(crate) fn apply(&self, before: Space) -> Result<Space, ApiError> {
        let Self { name, destinations, grouping, flapping, auto_close } = self.clone();
        let space = Space { name: name.into(), destinations, grouping, flapping, auto_close, ..before };
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
