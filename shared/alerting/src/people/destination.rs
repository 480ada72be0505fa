//! Destinations (configured addresses on a channel), providers (settings of a channel for the whole deployment) and
//! accounts of apps (settings of a channel that a deployment may have several times), in their stored form. The crate
//! `channels` reads their settings.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::ids::{AccountId, DestinationId};
use crate::base::moment::Moment;
use crate::base::secret::Sealed;
use crate::people::hours::{UnknownZone, Zone};
use crate::text_schema;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub id: DestinationId,
    pub name: String,
    pub version: u64,
    /// The channel's wire name, such as `feishu_bot` or `slack_webhook`.
    pub channel: String,
    /// The settings as a JSON object, encrypted with the deployment's data key.
    pub settings: Sealed,
    /// The settings that a list may show, with secrets as `…last4`.
    pub shown: BTreeMap<String, serde_json::Value>,
    /// The language of messages to this destination.
    #[serde(default)]
    pub language: Language,
    /// The time zone of times in messages to this destination.
    #[serde(default, alias = "utc_offset_minutes")]
    pub time_zone: TimeZone,
    pub created_at: Moment,
}

/// The settings of a channel that the whole deployment shares, such as a mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    pub id: ChannelName,
    pub version: u64,
    /// The settings as a JSON object, encrypted with the deployment's data key and bound to this id, like a
    /// destination's.
    pub settings: Sealed,
    /// The settings that a list may show, with secrets as `…last4`.
    pub shown: BTreeMap<String, serde_json::Value>,
    pub created_at: Moment,
}

/// An app that is installed at a chat vendor, such as one Feishu app or one Slack workspace: what its channel needs to
/// send and to verify callbacks. A deployment may have several on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppAccount {
    pub id: AccountId,
    pub version: u64,
    pub name: String,
    /// The channel's wire name: `slack_app`. It never changes.
    pub channel: String,
    /// The settings, a JSON object, encrypted with the deployment's data key and bound to this id.
    pub settings: Sealed,
    /// The settings as a list may show them: secrets as `…last4`.
    pub shown: BTreeMap<String, serde_json::Value>,
    pub created_at: Moment,
}

/// A channel's wire name (`email`), which is the id of its [`Provider`]. The channel need not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelName(String);

/// The error for a text that is not a channel's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a channel's name: lower-case letters and `_`, at most 32 of them")]
pub struct NotAChannelName;

impl ChannelName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = NotAChannelName;

    fn from_str(text: &str) -> Result<Self, NotAChannelName> {
        let is_name = (1..=32).contains(&text.len());
        let is_name = is_name && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_name { Ok(Self(text.to_owned())) } else { Err(NotAChannelName) }
    }
}

impl TryFrom<String> for ChannelName {
    type Error = NotAChannelName;

    fn try_from(text: String) -> Result<Self, NotAChannelName> {
        text.parse()
    }
}

impl From<ChannelName> for String {
    fn from(name: ChannelName) -> String {
        name.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_schema!(ChannelName as "ChannelName", "A channel's wire name.", "^[a-z_]{1,32}$", 1..=32, "email");

/// How times are shown: in the local time of a place (`Asia/Shanghai`), or at an offset from UTC (`+08:00`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredTimeZone", into = "String")]
pub enum TimeZone {
    Offset {
        /// The offset in minutes, positive east of UTC.
        minutes: i16,
    },
    Place(Zone),
}

/// The largest offset from UTC of any place, in minutes.
const OFFSET_MINUTES_MAX: u16 = 14 * 60;

/// The error for a text that is neither a time zone nor an offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an offset from UTC such as `+08:00`, or an IANA name such as `Asia/Shanghai`")]
pub struct NotATimeZone;

/// The stored form. Earlier versions stored a number of minutes.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredTimeZone {
    Minutes(i16),
    Text(String),
}

impl TimeZone {
    /// The offset at this moment in seconds, positive east of UTC.
    pub fn offset_secs(&self, at: Moment) -> i32 {
        match self {
            TimeZone::Offset { minutes } => i32::from(*minutes) * 60,
            TimeZone::Place(zone) => {
                let at = jiff::Timestamp::from_second(at.secs()).unwrap_or_default();
                zone.rules().to_offset(at).seconds()
            }
        }
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        TimeZone::Offset { minutes: 0 }
    }
}

impl FromStr for TimeZone {
    type Err = NotATimeZone;

    fn from_str(text: &str) -> Result<Self, NotATimeZone> {
        if text == "Z" {
            return Ok(Self::default());
        }
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return text.parse().map(TimeZone::Place).map_err(|UnknownZone| NotATimeZone),
        };
        let (hours, minutes) = rest.split_once(':').ok_or(NotATimeZone)?;
        let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !two_digits(hours) || !two_digits(minutes) {
            return Err(NotATimeZone);
        }
        let (hours, minutes): (i16, i16) =
            (hours.parse().map_err(|_| NotATimeZone)?, minutes.parse().map_err(|_| NotATimeZone)?);
        let offset = sign * (hours * 60 + minutes);
        let is_offset = minutes < 60 && offset.unsigned_abs() <= OFFSET_MINUTES_MAX;
        if is_offset { Ok(TimeZone::Offset { minutes: offset }) } else { Err(NotATimeZone) }
    }
}

impl TryFrom<StoredTimeZone> for TimeZone {
    type Error = NotATimeZone;

    fn try_from(stored: StoredTimeZone) -> Result<Self, NotATimeZone> {
        match stored {
            StoredTimeZone::Minutes(minutes) => Ok(TimeZone::Offset { minutes }),
            StoredTimeZone::Text(text) => text.parse(),
        }
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> String {
        zone.to_string()
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeZone::Place(zone) => f.write_str(zone.as_str()),
            TimeZone::Offset { minutes } => {
                let sign = if *minutes < 0 { '-' } else { '+' };
                let minutes = minutes.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// The language of the fixed words in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh")]
    Chinese,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_an_offset_or_a_place_and_reads_back_as_it_was_given() {
        for text in ["+08:00", "-03:30", "+00:00", "+14:00", "Asia/Shanghai", "Europe/Berlin", "UTC"] {
            assert_eq!(text.parse::<TimeZone>().expect(text).to_string(), text);
        }
        for text in ["", "8", "+8:00", "+08:60", "+15:00", "Asia/Atlantis", "+0８:00", "++1:00", "+"] {
            assert_eq!(text.parse::<TimeZone>(), Err(NotATimeZone), "{text}");
        }
    }

    #[test]
    fn a_destination_that_was_saved_with_minutes_keeps_its_offset() {
        let saved = serde_json::json!({
            "id": "dst_a", "name": "ops", "version": 3, "channel": "feishu_bot", "settings": "c2VhbGVk", "shown": {},
            "utc_offset_minutes": -210, "created_at": 0,
        });
        let mut destination: Destination = serde_json::from_value(saved).expect("readable");
        assert_eq!(destination.time_zone, TimeZone::Offset { minutes: -210 });
        destination.time_zone = "Asia/Shanghai".parse().expect("known");
        let saved = serde_json::to_value(&destination).expect("JSON");
        assert_eq!(saved["time_zone"], "Asia/Shanghai");
        assert_eq!(serde_json::from_value::<Destination>(saved).expect("readable"), destination);
    }

    #[test]
    fn a_place_has_its_own_summer() {
        let offset = |zone: &str, at: &str| {
            let zone: TimeZone = zone.parse().expect("known");
            zone.offset_secs(Moment::parse_rfc3339(at).expect("valid")) / 3600
        };
        assert_eq!(offset("Europe/Berlin", "2026-01-05T10:00:00Z"), 1);
        assert_eq!(offset("Europe/Berlin", "2026-07-05T10:00:00Z"), 2);
        assert_eq!(offset("+08:00", "2026-07-05T10:00:00Z"), 8);
    }
}
