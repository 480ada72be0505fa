//! The media by which people choose to be reached. A medium is not a vendor: several channels can serve one medium,
//! such as two vendors of text messages. The deployment's configuration decides which channel serves it.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Medium {
    Email,
    Sms,
    Voice,
    Feishu,
    DingTalk,
    WeCom,
    Slack,
    Teams,
}

/// The error for a text that is not a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a medium")]
pub struct NotAMedium;

impl Medium {
    pub const ALL: [Self; 8] =
        [Self::Email, Self::Sms, Self::Voice, Self::Feishu, Self::DingTalk, Self::WeCom, Self::Slack, Self::Teams];

    /// The name of the medium in preferences and in the id of a member's own destination.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
            Self::WeCom => "wecom",
            Self::Slack => "slack",
            Self::Teams => "teams",
        }
    }
}

impl FromStr for Medium {
    type Err = NotAMedium;

    fn from_str(text: &str) -> Result<Self, NotAMedium> {
        Self::ALL.into_iter().find(|medium| medium.as_str() == text).ok_or(NotAMedium)
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
