//! Recognises repeated requests.
//!
//! An action has a name, which is stored in its entry of the timeline
//! ([`Entry::action`](alerting::incident::timeline::Entry)). With an idempotency key the name follows from the key, the
//! actor and the action. The same request again finds the entry of that name, writes nothing and gets the same answer.
//! The same key with another action or other arguments gives another name. A request without a key gets a random name
//! and depends on the present state alone.
//!
//! Limits: a name is found among the newest entries that the incident itself holds
//! ([`TIMELINE_INLINE`](alerting::incident::TIMELINE_INLINE)). An action that was refused, or that changed nothing,
//! leaves no entry, so its repetition depends on the state at that time.

use alerting::base::actor::Actor;
use alerting::base::field_error::FieldError;
use alerting::base::ids::hash128;
use lambda_kit::random;
use serde::Serialize;

/// Random base62 characters of an action's name: 71 bits distinguish the actions of one incident.
const NAME_CHARS: usize = 12;

/// The caller's name for one request: the id of a callback, the token of a form, the header `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key.
    pub const CHARS: usize = 255;

    /// `field`: the name of the field or header that had the key.
    pub fn new(field: &str, text: &str) -> Result<Self, FieldError> {
        let is_valid = (1..=Self::CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_valid {
            return Ok(Self(text.to_owned()));
        }
        let message = format!("expected 1 to {} visible ASCII characters without spaces", Self::CHARS);
        Err(FieldError::new(field, message))
    }
}

/// The name of an action: the same for the same key, actor and `request`; random without a key.
pub(crate) fn action_name(key: Option<&IdempotencyKey>, actor: &Actor, request: &impl Serialize) -> String {
    let Some(IdempotencyKey(key)) = key else { return random::base62(NAME_CHARS) };
    let text = |value| serde_json::to_string(value).expect("an action is plain data");
    let request = serde_json::to_string(request).expect("an action is plain data");
    format!("key.{}", hash128(&[key, &text(actor), &request]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(key: &str, actor: &Actor, request: &str) -> String {
        action_name(Some(&IdempotencyKey::new("key", key).expect("valid")), actor, &request)
    }

    #[test]
    fn the_same_key_actor_and_action_have_the_same_name_and_nothing_else_has() {
        let key = |id: &str| Actor::ApiKey { id: id.parse().expect("valid"), for_member: None };
        let name = named("k1", &key("key_1"), "close");
        assert_eq!(named("k1", &key("key_1"), "close"), name);
        for other in [
            named("k2", &key("key_1"), "close"),
            named("k1", &key("key_2"), "close"),
            named("k1", &key("key_1"), "reopen"),
            action_name(None, &key("key_1"), &"close"),
        ] {
            assert_ne!(other, name);
        }
        assert_ne!(action_name(None, &Actor::Timer, &"close"), action_name(None, &Actor::Timer, &"close"));
    }

    #[test]
    fn a_key_is_visible_ascii_of_limited_length() {
        let longest = "k".repeat(IdempotencyKey::CHARS);
        for text in ["a", "\"8e03978e-40d5\"", longest.as_str()] {
            assert!(IdempotencyKey::new("Idempotency-Key", text).is_ok(), "{text}");
        }
        for text in ["", "a b", "a\n", "键", &"k".repeat(IdempotencyKey::CHARS + 1)] {
            let error = IdempotencyKey::new("Idempotency-Key", text).expect_err("is refused");
            assert_eq!(error.field, "Idempotency-Key", "{text}");
        }
    }
}
