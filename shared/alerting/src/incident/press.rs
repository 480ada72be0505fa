//! What a button of a card carries: the incident, its episode, the destination of the card, and the action.
//!
//! In: a [`Press`]. Out: `v1.inc_….0.dst_….acknowledge`, at most [`BYTES`] bytes of ASCII, which every chat app accepts
//! as a button's value (Slack's options have the lowest limit). The text gives no authority: anyone may write one. Who pressed is what the app's signed
//! callback says, and what that person may do is what their linked member may do.

use std::fmt;
use std::str::FromStr;

use crate::base::ids::{DestinationId, IncidentId};
use crate::incident::card::{Act, Hours};

/// The longest text of a press.
pub const BYTES: usize = 150;
const VERSION: &str = "v1";
/// The longest snooze of a button, in hours.
const HOURS: std::ops::RangeInclusive<u8> = 1..=24;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    pub incident: IncidentId,
    /// A button of an earlier episode has no effect.
    pub episode: u32,
    /// Where the card was sent.
    pub destination: DestinationId,
    pub act: Act,
}

/// Why a text is no press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the value of a button that this version makes")]
pub struct NotAPress;

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { incident, episode, destination, act } = self;
        write!(f, "{VERSION}.{incident}.{episode}.{destination}.")?;
        match act {
            Act::Acknowledge => f.write_str("acknowledge"),
            Act::Unacknowledge => f.write_str("unacknowledge"),
            Act::Snooze(Hours(hours)) => write!(f, "snooze{hours}"),
            Act::Close => f.write_str("close"),
        }
    }
}

impl FromStr for Press {
    type Err = NotAPress;

    fn from_str(text: &str) -> Result<Self, NotAPress> {
        if text.len() > BYTES {
            return Err(NotAPress);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [VERSION, incident, episode, destination, act] = parts[..] else { return Err(NotAPress) };
        Ok(Self {
            incident: incident.parse().map_err(|_| NotAPress)?,
            episode: episode.parse().map_err(|_| NotAPress)?,
            destination: destination.parse().map_err(|_| NotAPress)?,
            act: act_of(act).ok_or(NotAPress)?,
        })
    }
}

fn act_of(text: &str) -> Option<Act> {
    match text {
        "acknowledge" => Some(Act::Acknowledge),
        "unacknowledge" => Some(Act::Unacknowledge),
        "close" => Some(Act::Close),
        text => {
            let hours = text.strip_prefix("snooze")?.parse().ok().filter(|hours| HOURS.contains(hours))?;
            Some(Act::Snooze(Hours(hours)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::card::SNOOZES;

    const START: &str = "v1.inc_01KAN5Z8XQ3V9W2Y7B4C6D8E0F4fJk2LmNpQ.3.dst_8Zp1QeRtYu";

    fn press(act: Act) -> Press {
        Press {
            incident: "inc_01KAN5Z8XQ3V9W2Y7B4C6D8E0F4fJk2LmNpQ".parse().expect("valid"),
            episode: 3,
            destination: "dst_8Zp1QeRtYu".parse().expect("valid"),
            act,
        }
    }

    #[test]
    fn a_press_reads_back_and_fits_into_every_apps_button() {
        let rows = [
            (Act::Acknowledge, "acknowledge"),
            (Act::Unacknowledge, "unacknowledge"),
            (Act::Close, "close"),
            (Act::Snooze(SNOOZES[2]), "snooze12"),
        ];
        for (act, name) in rows {
            let press = press(act);
            assert_eq!(press.to_string(), format!("{START}.{name}"));
            assert_eq!(press.to_string().parse(), Ok(press));
        }
        let member = "mem_4fJk2LmNpQ".parse().expect("valid");
        let longest = Press {
            episode: u32::MAX,
            destination: DestinationId::of_member(&member, "dingtalk"),
            ..press(Act::Unacknowledge)
        };
        assert!(longest.to_string().len() <= BYTES && longest.to_string().is_ascii());
    }

    #[test]
    fn a_text_of_another_form_is_no_press() {
        let ack = format!("{START}.acknowledge");
        let wrong = [
            String::new(),
            "acknowledge".to_owned(),
            START.to_owned(),
            ack.replace("v1", "v2"),
            ack.replace("inc_", "dst_"),
            ack.replace(".3.", ".-3."),
            ack.replace(".3.", ".99999999999."),
            format!("{ack}.more"),
            format!("{START}.delete"),
            format!("{START}.snooze"),
            format!("{START}.snooze0"),
            format!("{START}.snooze25"),
            format!("{START}.snooze-2"),
            format!("{ack} "),
            format!("{START}{}.close", "0".repeat(BYTES)),
        ];
        for text in wrong {
            assert_eq!(text.parse::<Press>(), Err(NotAPress), "{text}");
        }
    }
}
