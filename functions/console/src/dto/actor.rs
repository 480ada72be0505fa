//! Who acted, as timelines show it.

use alerting::base::actor::Actor;
use alerting::base::ids::MemberId;
use serde::Serialize;
use utoipa::ToSchema;

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActorRef)]
pub(crate) struct ActorRef {
    /// `member`, `api_key`, `timer`, `rule` or `source`.
    #[serde(rename = "type")]
    #[schema(example = "member")]
    kind: &'static str,
    /// The id of a member or an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// How a member acted: `page`, or `link` (the personal link of a message).
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'static str>,
    /// For an API key: the member for whom it acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
}

impl From<&Actor> for ActorRef {
    fn from(actor: &Actor) -> Self {
        let (id, via, member) = match actor {
            Actor::Member { id, via } => (Some(id.to_string()), Some(via.as_str()), None),
            Actor::ApiKey { id, for_member } => {
                (Some(id.to_string()), None, for_member.as_ref().map(MemberId::to_string))
            }
            Actor::Timer | Actor::Rule | Actor::Source => (None, None, None),
        };
        Self { kind: actor.kind(), id, via, member }
    }
}
