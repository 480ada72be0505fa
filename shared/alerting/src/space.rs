//! A collaboration space: a team's or service's incidents and who hears of them.

use serde::{Deserialize, Serialize};

use crate::ids::{DestinationId, SpaceId};
use crate::moment::Moment;

/// `destinations` act as a last escalation rule of one level that takes everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    pub id: SpaceId,
    pub name: String,
    pub version: u64,
    pub destinations: Vec<DestinationId>,
    pub created_at: Moment,
}
