//! The content of a link in a message before it is signed: the incident, its episode, the allowed action and the time
//! of expiry. The link only locates the incident. The page checks the rights of the person who opens it.
//!
//! A link as text: `01KE…abc-0-a-1768212000-4fJk2LmNpQ`. No character needs escaping in a URL, and no id contains `-`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::ids::{DestinationId, IncidentId, MemberId};
use crate::base::moment::Moment;
use crate::incident::notice::Notice;

/// How long a link in a message is valid.
pub const LINK_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long one person can acknowledge with a link without signing in.
pub const PERSONAL_LIFE: Duration = Duration::from_secs(24 * 3600);
/// The most bytes of a token with its signature. A longer text is refused without decoding.
pub const TOKEN_BYTES: usize = 512;

/// The action that a link allows, besides reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allows {
    Nothing,
    Acknowledge,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub incident: IncidentId,
    /// The incident's episode when the message was made. After the incident is reopened, the link allows no changes.
    pub episode: u32,
    pub allows: Allows,
    /// The destination to which the message was sent.
    pub destination: DestinationId,
    /// The time of expiry, in whole seconds.
    pub expires_at: Moment,
    /// The only person who can acknowledge with this link without signing in. `None`: acknowledging requires a sign-in.
    pub member: Option<MemberId>,
}

/// Makes the complete URLs of the links in a notice.
pub trait Links: fmt::Debug + Sync {
    /// The URL of the incident's page.
    fn details(&self, notice: &Notice) -> String;
    /// The URL of the page with the acknowledge button, for a notice that can be acknowledged.
    fn acknowledge(&self, notice: &Notice) -> String;
}

impl Link {
    /// The link in a message of this notice. Every attempt to send the message has the same link.
    pub fn of(notice: &Notice) -> Self {
        Self {
            incident: notice.incident.clone(),
            episode: notice.episode,
            allows: if notice.can_be_acknowledged() { Allows::Acknowledge } else { Allows::Nothing },
            destination: notice.destination.clone(),
            expires_at: Moment::from_secs((notice.at + LINK_LIFE).secs()),
            member: None,
        }
    }

    /// The link with which only `member` can acknowledge without signing in.
    pub fn of_person(notice: &Notice, member: MemberId) -> Self {
        let expires_at = Moment::from_secs((notice.at + PERSONAL_LIFE).secs());
        Self { expires_at, member: Some(member), ..Self::of(notice) }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allows = match self.allows {
            Allows::Nothing => 'v',
            Allows::Acknowledge => 'a',
        };
        let (incident, destination) = (self.incident.suffix(), self.destination.suffix());
        write!(f, "{incident}-{}-{allows}-{}-{destination}", self.episode, self.expires_at.secs())?;
        self.member.as_ref().map_or(Ok(()), |member| write!(f, "-{}", member.suffix()))
    }
}

/// The error for a text that is not a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a link")]
pub struct ParseLinkError;

impl FromStr for Link {
    type Err = ParseLinkError;

    fn from_str(text: &str) -> Result<Self, ParseLinkError> {
        let parts: Vec<&str> = text.split('-').collect();
        let (incident, episode, allows, expires_at, destination, member) = match parts[..] {
            [incident, episode, allows, expires_at, destination] => {
                (incident, episode, allows, expires_at, destination, None)
            }
            [incident, episode, allows, expires_at, destination, member] => {
                (incident, episode, allows, expires_at, destination, Some(member))
            }
            _ => return Err(ParseLinkError),
        };
        let expires_at: i64 = expires_at.parse().map_err(|_| ParseLinkError)?;
        // A time that a moment cannot hold is not the time of a link.
        let expires_at = expires_at.checked_mul(1000).map(Moment::from_millis).ok_or(ParseLinkError)?;
        Ok(Self {
            incident: IncidentId::from_suffix(incident).map_err(|_| ParseLinkError)?,
            episode: episode.parse().map_err(|_| ParseLinkError)?,
            allows: match allows {
                "v" => Allows::Nothing,
                "a" => Allows::Acknowledge,
                _ => return Err(ParseLinkError),
            },
            destination: DestinationId::from_suffix(destination).map_err(|_| ParseLinkError)?,
            expires_at,
            member: member.map(MemberId::from_suffix).transpose().map_err(|_| ParseLinkError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(member: Option<&str>) -> Link {
        Link {
            incident: "inc_01KE6W5Z000000000000000001abc".parse().expect("valid"),
            episode: 2,
            allows: Allows::Acknowledge,
            destination: "dst_email_4fJk2LmNpQ".parse().expect("valid"),
            expires_at: Moment::from_secs(1_768_212_000),
            member: member.map(|id| id.parse().expect("valid")),
        }
    }

    #[test]
    fn a_link_is_read_back_as_it_was_written_in_characters_of_a_url() {
        for member in [None, Some("mem_4fJk2LmNpQ")] {
            for allows in [Allows::Nothing, Allows::Acknowledge] {
                let link = Link { allows, ..link(member) };
                let text = link.to_string();
                assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
                assert_eq!(text.parse(), Ok(link));
            }
        }
    }

    #[test]
    fn what_is_no_link_is_refused() {
        let whole = link(None).to_string();
        let beyond_time = whole.replace("1768212000", "9000000000000000000");
        let (other, longer) = (whole.replace("-a-", "-x-"), format!("{whole}-a-b"));
        for text in ["", "-----", "x", &other, &longer, &whole.replace("-2-", "--"), &beyond_time] {
            assert_eq!(text.parse::<Link>(), Err(ParseLinkError), "{text}");
        }
    }
}
