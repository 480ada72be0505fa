//! Teams: several members under one name.

use alerting::base::ids::{MemberId, TeamId};
use alerting::people::Team;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::text::{MemberIdText, NameText, TeamIdText};
use super::{Time, field_error};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamBody {
    #[schema(value_type = NameText, example = "DBA")]
    name: String,
    /// Each once.
    #[serde(default)]
    #[schema(value_type = HashSet<MemberIdText>, required = false, max_items = 200)]
    members: Vec<MemberId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub(crate) struct TeamView {
    #[schema(value_type = TeamIdText)]
    id: TeamId,
    name: String,
    #[schema(value_type = Vec<MemberIdText>)]
    members: Vec<MemberId>,
    created_at: Time,
}

impl TeamBody {
    /// `before` with what the request says. Whether the members exist, the caller asks.
    pub(crate) fn apply(&self, before: Team) -> Result<Team, ApiError> {
        let team = Team { name: super::name("name", &self.name)?, members: self.members.clone(), ..before };
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
