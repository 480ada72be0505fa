//! Teams: several members under one name.

use alerting::base::ids::{MemberId, TeamId};
use alerting::people::Team;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::{Name, Time, field_error};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamBody {
    name: Name,
    /// Each once.
    #[serde(default)]
    #[schema(value_type = HashSet<MemberId>, max_items = 200)]
    members: Vec<MemberId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub(crate) struct TeamView {
    id: TeamId,
    name: String,
    members: Vec<MemberId>,
    created_at: Time,
}

impl TeamBody {
    /// `before` with the changes of the request. The caller checks that the members exist.
    pub(crate) fn apply(&self, before: Team) -> Result<Team, ApiError> {
        let team = Team { name: self.name.to_string(), members: self.members.clone(), ..before };
        team.check().map_err(field_error)?;
        Ok(team)
    }
}

impl From<Team> for TeamView {
    fn from(team: Team) -> Self {
        let Team { id, version: _, name, members, created_at } = team;
        Self { id, name, members, created_at: Time(created_at) }
    }
}
