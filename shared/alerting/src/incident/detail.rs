//! The data of a timeline entry, beside its kind. The crate `words` turns it into a sentence in the reader's language.
//!
//! A detail is stored with its `type`: `{"type":"repeated","time":1,"times":3}`. Earlier versions stored an English
//! sentence, which is read as [`Detail::Sentence`] and shown unchanged. Names are stored as they were when the entry
//! was written.

use serde::{Deserialize, Serialize};

use crate::base::ids::{MemberId, ScheduleId, SilenceId, TeamId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;

/// The stored value of a hold by the mute of a flapping alert.
pub const FLAPPING: &str = "flapping";
/// The bytes of a detail or of one of its remarks, without its texts. This is an estimate.
const BESIDES: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Detail {
    /// The text that a person wrote.
    Comment {
        text: String,
    },
    /// The title of the alert that joined.
    Alert {
        title: String,
    },
    /// The number of the incident's alerts.
    Alerts {
        count: u32,
    },
    /// The alert returned to its worst severity, after it was less severe.
    SevereAgain,
    /// Nobody is notified, because the alert recovered before its incident was made.
    RecoveredBefore,
    /// Nobody is notified until this moment, or without an end.
    Held {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
        by: HeldBy,
    },
    /// Nobody is notified, because no escalation rule matches and the space has no destinations.
    NoRule,
    /// Nobody is notified, because no level reaches anybody.
    Unreached(Unreached),
    /// The level of an escalation rule, counted from one.
    Level {
        rule: String,
        level: u32,
        /// When a level with a delay starts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts_at: Option<Time>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remarks: Vec<Remark>,
    },
    Repeated {
        time: u32,
        times: u32,
    },
    /// A person or a group could not be notified.
    ContactFailed {
        name: String,
        /// The contact of the person. `None`: it was a group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The code of the reason.
        reason: String,
        left: Left,
    },
    SnoozedUntil {
        until: Time,
    },
    /// The former values of the changed fields. If there are none, the fields were set to the values that they had.
    Edited {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title_was: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity_was: Option<Severity>,
    },
    /// The incident into which this one was merged, by its number.
    MergedInto {
        num: String,
    },
    /// The incident that was merged into this one, and the alerts that it brought.
    Merged {
        num: String,
        alerts: u32,
    },
    /// Several details of one change, such as a rise of the severity and the assignment of another rule.
    Several {
        parts: Vec<Detail>,
    },
    /// The English sentence that an earlier version stored.
    #[serde(untagged)]
    Sentence(String),
}

/// The reason why an incident currently notifies nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HeldBy {
    Silence {
        id: SilenceId,
        name: String,
    },
    /// The alert opens and closes repeatedly.
    Flapping,
    #[serde(untagged)]
    Other(String),
}

/// The reason why nobody is notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// The name of the escalation rule. `None`: no rule was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub remarks: Vec<Remark>,
}

/// The reason why a level, or a person or group that it names, is not notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Remark {
    /// The level, counted from one. Without a reason: the level names nobody.
    LevelReachesNobody {
        level: u32,
        why: Vec<Remark>,
    },
    NoLevel {
        rule: String,
        level: u32,
    },
    ScheduleDeleted {
        schedule: ScheduleId,
    },
    NobodyOnCall {
        schedule: String,
    },
    TeamDeleted {
        team: TeamId,
    },
    TeamEmpty {
        team: String,
    },
    MemberDeleted {
        member: MemberId,
    },
    NoContact {
        member: String,
    },
    SpaceDeleted,
    AlertGone,
}

/// Who is notified in place of a contact that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Left {
    /// The next contacts are notified.
    Next {
        contacts: Vec<String>,
    },
    /// Other people or groups of the same level were notified.
    Others,
    Nobody,
}

/// A moment that is stored as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Time(pub Moment);

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.0.rfc3339()
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Moment::parse_rfc3339(&text).map(Time).ok_or_else(|| format!("{text} is no RFC 3339 time"))
    }
}

impl HeldBy {
    /// Reads the stored value of a hold: `silence NAME (ID)`, or `flapping`.
    pub fn of(stored: &str) -> Self {
        if stored == FLAPPING {
            return HeldBy::Flapping;
        }
        let silence = stored.strip_prefix("silence ").and_then(|rest| rest.strip_suffix(')'));
        let named = silence.and_then(|rest| rest.rsplit_once(" ("));
        match named.and_then(|(name, id)| Some((name, id.parse().ok()?))) {
            Some((name, id)) => HeldBy::Silence { id, name: name.to_owned() },
            None => HeldBy::Other(stored.to_owned()),
        }
    }
}

impl Detail {
    /// The text of a comment, as this or an earlier version stored it.
    pub fn comment(&self) -> Option<&str> {
        match self {
            Detail::Comment { text } | Detail::Sentence(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the detail says that nobody is notified, without a known end.
    pub fn is_nobody(&self) -> bool {
        match self {
            Detail::RecoveredBefore | Detail::NoRule | Detail::Unreached(_) | Detail::Held { until: None, .. } => true,
            Detail::Several { parts } => parts.first().is_some_and(Detail::is_nobody),
            Detail::Sentence(text) => text.starts_with("nobody is told: "),
            _ => false,
        }
    }

    /// Whether the detail says that no escalation rule matches and the space has no destinations.
    pub fn is_no_rule(&self) -> bool {
        match self {
            Detail::NoRule => true,
            Detail::Sentence(text) => {
                text == "nobody is told: no escalation rule matches, and the space has no destinations"
            }
            _ => false,
        }
    }

    /// Whether the mute of a flapping alert holds the incident.
    pub fn is_muted(&self) -> bool {
        match self {
            Detail::Held { by, .. } => *by == HeldBy::Flapping,
            Detail::Sentence(text) => text.ends_with(FLAPPING),
            _ => false,
        }
    }

    /// Combines two optional details into one, in this order.
    pub(crate) fn and(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Some(Detail::Several { parts: vec![first, second] }),
            (first, second) => first.or(second),
        }
    }

    /// The approximate size of the detail as JSON, in bytes.
    pub fn weight(&self) -> usize {
        let remarks = |remarks: &[Remark]| remarks.iter().map(Remark::weight).sum::<usize>();
        BESIDES
            + match self {
                Detail::Comment { text } | Detail::Alert { title: text } | Detail::Sentence(text) => text.len(),
                Detail::Unreached(unreached) => {
                    unreached.rule.as_ref().map_or(0, String::len) + remarks(&unreached.remarks)
                }
                Detail::Level { rule, remarks: all, .. } => rule.len() + remarks(all),
                Detail::ContactFailed { name, by, reason, left } => {
                    let left = match left {
                        Left::Next { contacts } => contacts.iter().map(|contact| contact.len() + 3).sum(),
                        Left::Others | Left::Nobody => 0,
                    };
                    name.len() + by.as_ref().map_or(0, String::len) + reason.len() + left
                }
                Detail::Held { by: HeldBy::Silence { id, name }, .. } => id.as_str().len() + name.len(),
                Detail::Held { by: HeldBy::Other(text), .. } => text.len(),
                Detail::Edited { title_was, .. } => title_was.as_ref().map_or(0, String::len),
                Detail::Several { parts } => parts.iter().map(Detail::weight).sum(),
                Detail::Alerts { .. }
                | Detail::SevereAgain
                | Detail::RecoveredBefore
                | Detail::Held { by: HeldBy::Flapping, .. }
                | Detail::NoRule
                | Detail::Repeated { .. }
                | Detail::SnoozedUntil { .. }
                | Detail::MergedInto { .. }
                | Detail::Merged { .. } => 0,
            }
    }
}

impl Remark {
    fn weight(&self) -> usize {
        BESIDES
            + match self {
                Remark::LevelReachesNobody { why, .. } => why.iter().map(Remark::weight).sum(),
                Remark::NoLevel { rule: name, .. }
                | Remark::NobodyOnCall { schedule: name }
                | Remark::TeamEmpty { team: name }
                | Remark::NoContact { member: name } => name.len(),
                Remark::ScheduleDeleted { .. }
                | Remark::TeamDeleted { .. }
                | Remark::MemberDeleted { .. }
                | Remark::SpaceDeleted
                | Remark::AlertGone => 0,
            }
    }
}

#[cfg(test)]
mod tests;
