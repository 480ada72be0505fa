//! Typed ids: one type per kind, parsed where text enters, so that ids of different kinds cannot be confused.
//!
//! A configuration id is a prefix and ten base62 characters (`spc_4fJk2LmNpQ`). The id of an alert or incident is
//! derived from the [`Stamp`] of the message that creates it: every retry, copy and crash recovery computes the same
//! id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::base::moment::Moment;
use crate::text_schema;

/// The error for a text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct ParseIdError(&'static str);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $thing:literal, $example:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The prefix of every id of this kind.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from the characters after the prefix, which the caller drew at random.
            pub fn from_suffix(suffix: &str) -> Result<Self, ParseIdError> {
                format!("{}{suffix}", $prefix).parse()
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The characters after the prefix.
            pub fn suffix(&self) -> &str {
                &self.0[$prefix.len()..]
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                match text.strip_prefix($prefix) {
                    Some(rest)
                        if (1..=64).contains(&rest.len())
                            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
                    {
                        Ok(Self(text.to_owned()))
                    }
                    _ => Err(ParseIdError(concat!($thing, " id (", $prefix, "…)"))),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        text_schema!(
            $name as stringify!($name),
            format!("A{}'s id.", &$thing["a".len()..]),
            concat!("^", $prefix, "[0-9A-Za-z_]{1,64}$"),
            $prefix.len() + 1..=$prefix.len() + 64,
            concat!($prefix, $example)
        );
    )+};
}

ids! {
    /// A collaboration space.
    SpaceId = "spc_", "a space", "4fJk2LmNpQ";
    /// An inbound URL and its policy.
    IntegrationId = "int_", "an integration", "4fJk2LmNpQ";
    /// One configured address on a channel.
    DestinationId = "dst_", "a destination", "8Zp1QeRtYu";
    /// A mapping table: source labels to result labels.
    MappingTableId = "map_", "a mapping table", "4fJk2LmNpQ";
    /// A person who can be notified.
    MemberId = "mem_", "a member", "4fJk2LmNpQ";
    /// Several members under one name.
    TeamId = "team_", "a team", "4fJk2LmNpQ";
    /// A schedule of who is on call when.
    ScheduleId = "sch_", "a schedule", "4fJk2LmNpQ";
    /// One escalation rule of a space.
    EscalationRuleId = "esc_", "an escalation rule", "4fJk2LmNpQ";
    /// One silence of a space.
    SilenceId = "sil_", "a silence", "4fJk2LmNpQ";
    /// An account at a vendor, from which messages are sent: a Feishu app, a Slack workspace.
    AccountId = "app_", "an account", "4fJk2LmNpQ";
    /// An API key; not the key itself, which is kept only as a hash.
    ApiKeyId = "key_", "an API key", "4fJk2LmNpQ";
    /// One episode of an alert, from trigger to close: `alt_{stamp}{integration suffix}`.
    AlertId = "alt_", "an alert", "01KAN5Z8XQ3V9W2Y7B4C6D8E0F4fJk2LmNpQ";
    /// An incident, the object that people work on: `inc_{stamp}{space suffix}`.
    IncidentId = "inc_", "an incident", "01KAN5Z8XQ3V9W2Y7B4C6D8E0F4fJk2LmNpQ";
}

/// The identity of a message, and its place in the order of messages. It is a ULID that the intake makes once per
/// request, before the first send.
///
/// A larger stamp is newer. The queue's message id and sent time cannot be used instead: a redrive changes both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp(Ulid);

impl Stamp {
    /// The length of a stamp as text, in characters.
    pub const LEN: usize = ulid::ULID_LEN;

    pub const fn new(ulid: Ulid) -> Self {
        Self(ulid)
    }

    /// A stamp with these parts, for tests and for the bounds of a time range.
    pub fn from_parts(at: Moment, random: u128) -> Self {
        Self(Ulid::from_parts(at.millis().max(0).unsigned_abs(), random))
    }

    /// The smallest stamp above this one.
    pub fn successor(self) -> Self {
        Self(self.0.increment().unwrap_or_else(|_| Ulid::from_parts(self.0.timestamp_ms() + 1, 0)))
    }

    /// The time at which the message was received, by the clock of the intake that stamped it.
    pub fn received_at(self) -> Moment {
        Moment::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
    }
}

impl FromStr for Stamp {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Ulid::from_string(text).map(Self).map_err(|_| ParseIdError("a stamp (26 characters of base32)"))
    }
}

impl TryFrom<String> for Stamp {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        text.parse()
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> String {
        stamp.to_string()
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

text_schema!(Stamp as "MessageId", "A message's id, a ULID.", "^[0-7][0-9A-HJKMNP-TV-Z]{25}$", 26..=26, "01KAN5Z8XQ3V9W2Y7B4C6D8E0F");

/// The first 128 bits of SHA-256 over the parts, in lower-case hex. The parts are delimited, so that ("ab", "c") and
/// ("a", "bc") differ.
pub fn hash128(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()[..16].iter().fold(String::with_capacity(32), |mut hex, byte| {
        use fmt::Write as _;
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

impl AlertId {
    /// The alert that the message with the stamp `opened_by` triggered at `integration`.
    pub fn of(integration: &IntegrationId, opened_by: Stamp) -> Self {
        Self(format!("{}{opened_by}{}", Self::PREFIX, integration.suffix()))
    }

    /// The integration and the opening message, or `None` for an id that no message can have made.
    pub fn parts(&self) -> Option<(IntegrationId, Stamp)> {
        let (stamp, suffix) = self.suffix().split_at_checked(Stamp::LEN)?;
        Some((IntegrationId::from_suffix(suffix).ok()?, stamp.parse().ok()?))
    }
}

impl DestinationId {
    /// The destination of a member at a medium: `dst_email_4fJk2LmNpQ`. A saved destination has no `_` after the
    /// prefix, so the two kinds cannot be confused.
    pub fn of_member(member: &MemberId, medium: &str) -> Self {
        Self(format!("{}{medium}_{}", Self::PREFIX, member.suffix()))
    }

    /// The medium and the member, if this is a destination of a member.
    pub fn member(&self) -> Option<(&str, MemberId)> {
        let (medium, suffix) = self.suffix().rsplit_once('_')?;
        Some((medium, MemberId::from_suffix(suffix).ok()?))
    }
}

impl IncidentId {
    /// The incident in `space` of the alert that the message with the stamp `opened_by` opened.
    pub fn of(space: &SpaceId, opened_by: Stamp) -> Self {
        Self(format!("{}{opened_by}{}", Self::PREFIX, space.suffix()))
    }

    /// The space and the opening message, or `None` for an id that no alert can have made.
    pub fn parts(&self) -> Option<(SpaceId, Stamp)> {
        let (stamp, suffix) = self.suffix().split_at_checked(Stamp::LEN)?;
        Some((SpaceId::from_suffix(suffix).ok()?, stamp.parse().ok()?))
    }

    /// The short code that people use for the incident (`INC #7KQ2MD`): 30 bits of the id's hash, without similar
    /// letters.
    pub fn num(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        Sha256::digest(self.0.as_bytes())[..6].iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::schema::tests::schema_of;

    #[test]
    fn an_alert_id_names_its_integration_and_its_first_message() {
        let integration: IntegrationId = "int_4fJk2LmNpQ".parse().expect("valid");
        let stamp = Stamp::from_parts(Moment::from_millis(1_767_607_200_000), 7);
        assert_eq!(AlertId::of(&integration, stamp).parts(), Some((integration, stamp)));
    }

    #[test]
    fn ids_of_another_kind_are_refused_by_name() {
        let refused = "dst_4fJk2LmNpQ".parse::<SpaceId>().expect_err("wrong prefix");
        assert_eq!(refused.to_string(), "not a space id (spc_…)");
    }

    #[test]
    fn a_members_address_names_the_medium_and_the_member() {
        let member: MemberId = "mem_4fJk2LmNpQ".parse().expect("valid");
        let destination = DestinationId::of_member(&member, "smtp_email");
        assert_eq!(destination.as_str().parse(), Ok(destination.clone()));
        assert_eq!(destination.member(), Some(("smtp_email", member)));
        assert_eq!("dst_8Zp1QeRtYu".parse::<DestinationId>().expect("valid").member(), None);
    }

    #[test]
    fn an_id_is_described_as_it_is_parsed() {
        let schema = schema_of::<DestinationId>();
        let (pattern, example) = (schema["pattern"].as_str(), schema["examples"][0].as_str().expect("an example"));
        assert_eq!(schema["description"], "A destination's id.");
        assert_eq!(pattern, Some("^dst_[0-9A-Za-z_]{1,64}$"));
        assert!(example.parse::<DestinationId>().is_ok(), "{example}");
        for length in ["minLength", "maxLength"] {
            let suffix = schema[length].as_u64().expect("a length") as usize - DestinationId::PREFIX.len();
            assert!(DestinationId::from_suffix(&"x".repeat(suffix)).is_ok(), "{length}");
        }
        assert!(schema_of::<Stamp>()["examples"][0].as_str().is_some_and(|text| text.parse::<Stamp>().is_ok()));
    }

    #[test]
    fn hashed_parts_do_not_run_into_each_other() {
        assert_ne!(hash128(&["ab", "c"]), hash128(&["a", "bc"]));
    }
}
