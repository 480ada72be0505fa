//! The data of a timeline entry, beside its kind. The crate `words` makes a sentence of it in the reader's language.
//!
//! Stored by its `type`: `{"type":"repeated","time":1,"times":3}`. Earlier versions stored a sentence in English; it is
//! read as [`Detail::Sentence`] and shown as it is. Names are stored as they were when the entry was written.

use serde::{Deserialize, Serialize};

use crate::base::ids::{MemberId, ScheduleId, SilenceId, TeamId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;

/// The stored value of a hold by the mute of a flapping alert.
pub const FLAPPING: &str = "flapping";
/// Bytes of a detail besides its texts, and of each of its remarks.
const BESIDES: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Detail {
    /// What a person wrote.
    Comment {
        text: String,
    },
    /// The alert that joined, by its title.
    Alert {
        title: String,
    },
    /// The incident has this many alerts.
    Alerts {
        count: u32,
    },
    /// The alert is as severe as before, after it was less severe.
    SevereAgain,
    /// Nobody is notified: the alert recovered before its incident was made.
    RecoveredBefore,
    /// Nobody is notified until a moment, or without an end.
    Held {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
        by: HeldBy,
    },
    /// Nobody is notified: no escalation rule matches, and the space has no destinations.
    NoRule,
    /// Nobody is notified: no level reaches anybody.
    Unreached(Unreached),
    /// A level of an escalation rule, counted from one.
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
        /// The contact of a person; `None`: a group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The code of the reason.
        reason: String,
        left: Left,
    },
    SnoozedUntil {
        until: Time,
    },
    /// The former values of the fields that were changed. None: the fields were fixed with the values that they had.
    Edited {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title_was: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity_was: Option<Severity>,
    },
    /// The incident that this one was merged into, by its number.
    MergedInto {
        num: String,
    },
    /// The incident that was merged into this one, with the alerts that it brought.
    Merged {
        num: String,
        alerts: u32,
    },
    /// Several at once: the severity rose, and another rule was assigned.
    Several {
        parts: Vec<Detail>,
    },
    /// As an earlier version stored it: in English.
    #[serde(untagged)]
    Sentence(String),
}

/// Why an incident notifies nobody for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HeldBy {
    Silence {
        id: SilenceId,
        name: String,
    },
    /// The alert opens and closes again and again.
    Flapping,
    #[serde(untagged)]
    Other(String),
}

/// Why nobody is notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// The name of the escalation rule. `None`: no rule was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub remarks: Vec<Remark>,
}

/// Why a level, or somebody whom it names, is not notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Remark {
    /// Counted from one. Without a reason: the level names nobody.
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
    /// The next contacts.
    Next {
        contacts: Vec<String>,
    },
    /// Others of the same level were notified.
    Others,
    Nobody,
}

/// A moment as RFC 3339.
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
    /// The text of a comment, of this or of an earlier version.
    pub fn comment(&self) -> Option<&str> {
        match self {
            Detail::Comment { text } | Detail::Sentence(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says that nobody is notified, with no known end.
    pub fn is_nobody(&self) -> bool {
        match self {
            Detail::RecoveredBefore | Detail::NoRule | Detail::Unreached(_) | Detail::Held { until: None, .. } => true,
            Detail::Several { parts } => parts.first().is_some_and(Detail::is_nobody),
            Detail::Sentence(text) => text.starts_with("nobody is told: "),
            _ => false,
        }
    }

    /// Whether it says that no escalation rule matches, and the space has no destinations.
    pub fn is_no_rule(&self) -> bool {
        match self {
            Detail::NoRule => true,
            Detail::Sentence(text) => {
                text == "nobody is told: no escalation rule matches, and the space has no destinations"
            }
            _ => false,
        }
    }

    /// Whether the mute of a flapping alert holds the incident back.
    pub fn is_muted(&self) -> bool {
        match self {
            Detail::Held { by, .. } => *by == HeldBy::Flapping,
            Detail::Sentence(text) => text.ends_with(FLAPPING),
            _ => false,
        }
    }

    /// This one, and another one after it.
    pub(crate) fn and(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Some(Detail::Several { parts: vec![first, second] }),
            (first, second) => first.or(second),
        }
    }

    /// Roughly how many bytes it takes as JSON.
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
