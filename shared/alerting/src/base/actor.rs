//! The actor of a change: a closed set. The timeline stores actors by id; their names are looked up for display.

use serde::{Deserialize, Serialize};

use crate::base::ids::{ApiKeyId, MemberId};

/// The person, key or component that changes an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Member {
        id: MemberId,
        via: Via,
    },
    ApiKey {
        id: ApiKeyId,
        /// The member for whom the key acted, as named in the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_member: Option<MemberId>,
    },
    /// A timer that was due, such as a level of an escalation rule or the end of a snooze.
    Timer,
    /// A setting of the space or the integration, such as auto-close.
    Rule,
    /// A message of the alert's source.
    Source,
}

/// How a member acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// On a page, after signing in.
    Page,
    /// By the personal link of a message, without signing in.
    Link,
    /// A button of a card, in the app of this platform.
    Feishu,
    #[serde(rename = "dingtalk")]
    DingTalk,
    #[serde(rename = "wecom")]
    WeCom,
    Slack,
    Teams,
}

impl Via {
    pub const fn as_str(self) -> &'static str {
        match self {
            Via::Page => "page",
            Via::Link => "link",
            Via::Feishu => "feishu",
            Via::DingTalk => "dingtalk",
            Via::WeCom => "wecom",
            Via::Slack => "slack",
            Via::Teams => "teams",
        }
    }
}

impl Actor {
    pub const fn kind(&self) -> &'static str {
        match self {
            Actor::Member { .. } => "member",
            Actor::ApiKey { .. } => "api_key",
            Actor::Timer => "timer",
            Actor::Rule => "rule",
            Actor::Source => "source",
        }
    }

    /// The member who acted, or for whom an API key acted.
    pub const fn member(&self) -> Option<&MemberId> {
        match self {
            Actor::Member { id, .. } | Actor::ApiKey { for_member: Some(id), .. } => Some(id),
            Actor::ApiKey { for_member: None, .. } | Actor::Timer | Actor::Rule | Actor::Source => None,
        }
    }

    /// Whether a person or an API key acted, and not a timer, a rule or the source.
    pub const fn is_person(&self) -> bool {
        matches!(self, Actor::Member { .. } | Actor::ApiKey { .. })
    }
}

/// An actor with its current name. The name is stored beside the id, so that it can be shown after the member or the
/// key is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedActor {
    pub actor: Actor,
    pub name: String,
}

impl NamedActor {
    pub fn member(id: MemberId, name: impl Into<String>, via: Via) -> Self {
        Self { actor: Actor::Member { id, via }, name: name.into() }
    }

    pub fn api_key(id: ApiKeyId, name: impl Into<String>) -> Self {
        Self { actor: Actor::ApiKey { id, for_member: None }, name: name.into() }
    }

    pub fn timer() -> Self {
        Self { actor: Actor::Timer, name: Actor::Timer.kind().to_owned() }
    }

    pub fn rule() -> Self {
        Self { actor: Actor::Rule, name: Actor::Rule.kind().to_owned() }
    }

    pub fn source() -> Self {
        Self { actor: Actor::Source, name: Actor::Source.kind().to_owned() }
    }

    /// How an incident lists the actor as an assignee: a member by id, an API key without a member by name.
    pub fn assignee(&self) -> &str {
        self.actor.member().map_or(&self.name, MemberId::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Proves: finding D2
    #[test]
    fn actors_are_stored_by_id_in_a_form_that_stays() {
        let member = |id: &str| id.parse::<MemberId>().expect("valid");
        let key: ApiKeyId = "key_1".parse().expect("valid");
        let rows = [
            (Actor::Member { id: member("mem_1"), via: Via::Page }, json!({"member": {"id": "mem_1", "via": "page"}})),
            (Actor::ApiKey { id: key.clone(), for_member: None }, json!({"api_key": {"id": "key_1"}})),
            (
                Actor::ApiKey { id: key, for_member: Some(member("mem_1")) },
                json!({"api_key": {"id": "key_1", "for_member": "mem_1"}}),
            ),
            (Actor::Timer, json!("timer")),
            (Actor::Rule, json!("rule")),
            (Actor::Source, json!("source")),
        ];
        for (actor, stored) in rows {
            assert_eq!(serde_json::to_value(&actor).expect("JSON"), stored);
            assert_eq!(serde_json::from_value::<Actor>(stored).expect("read"), actor);
        }
    }

    // Proves: finding D2
    #[test]
    fn a_member_named_like_the_timer_is_still_a_person() {
        let named = NamedActor::member("mem_1".parse().expect("valid"), "timer", Via::Page);
        assert!(named.actor.is_person() && !Actor::Timer.is_person());
        assert_eq!((named.assignee(), named.actor.kind()), ("mem_1", "member"));
    }
}
