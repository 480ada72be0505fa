//! The requested actions, with the checks that need only the arguments.

use std::time::Duration;

use alerting::base::field_error::FieldError;
use alerting::base::ids::{MemberId, TeamId};
use alerting::base::limits::TITLE_CHARS;
use alerting::base::severity::Severity;
use alerting::incident::timeline::EntryKind;
use alerting::incident::{COMMENT_CHARS, SNOOZE_MAX};
use serde::Serialize;

/// An action that a person requests. A snooze is a length of time from the moment when it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum RequestedAction {
    Acknowledge,
    /// Takes the acknowledgement back.
    Unacknowledge,
    Snooze(Duration),
    Close,
    Reopen,
    /// To this level, counted from zero; `None`: the next one.
    Escalate {
        level: Option<u32>,
    },
    Reassign {
        members: Vec<MemberId>,
        teams: Vec<TeamId>,
    },
    AddResponders {
        members: Vec<MemberId>,
        teams: Vec<TeamId>,
    },
    Comment {
        text: String,
    },
    Edit {
        title: Option<String>,
        severity: Option<Severity>,
    },
}

impl RequestedAction {
    pub fn snooze(minutes: u32) -> Result<Self, FieldError> {
        let length = Duration::from_secs(u64::from(minutes) * 60);
        if length.is_zero() || length > SNOOZE_MAX {
            return Err(FieldError::new("minutes", format!("expected 1 to {}", SNOOZE_MAX.as_secs() / 60)));
        }
        Ok(Self::Snooze(length))
    }

    /// `level`: counted from one, as shown to people; `None`: the next one.
    pub fn escalate(level: Option<u32>) -> Result<Self, FieldError> {
        let counted =
            |level: u32| level.checked_sub(1).ok_or_else(|| FieldError::new("level", "levels are counted from 1"));
        Ok(Self::Escalate { level: level.map(counted).transpose()? })
    }

    pub fn comment(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > COMMENT_CHARS {
            return Err(FieldError::new("text", format!("expected 1 to {COMMENT_CHARS} characters")));
        }
        Ok(Self::Comment { text: text.to_owned() })
    }

    pub fn edit(title: Option<&str>, severity: Option<Severity>) -> Result<Self, FieldError> {
        Ok(Self::Edit { title: title.map(edited_title).transpose()?, severity })
    }

    /// The kind of the entry that the action leaves.
    pub(super) fn entry(&self) -> EntryKind {
        match self {
            Self::Acknowledge => EntryKind::Acknowledged,
            Self::Unacknowledge => EntryKind::Unacknowledged,
            Self::Snooze(_) => EntryKind::Snoozed,
            Self::Close => EntryKind::Closed,
            Self::Reopen => EntryKind::Reopened,
            Self::Escalate { .. } => EntryKind::Escalated,
            Self::Reassign { .. } => EntryKind::Reassigned,
            Self::AddResponders { .. } => EntryKind::ResponderAdded,
            Self::Comment { .. } => EntryKind::Commented,
            Self::Edit { .. } => EntryKind::Edited,
        }
    }
}

fn edited_title(title: &str) -> Result<String, FieldError> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > TITLE_CHARS || title.chars().any(char::is_control) {
        return Err(FieldError::new("title", format!("expected one line of 1 to {TITLE_CHARS} characters")));
    }
    Ok(title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_at_fault_is_named() {
        let long = "x".repeat(COMMENT_CHARS + 1);
        let rows: [(Result<RequestedAction, FieldError>, &str); 8] = [
            (RequestedAction::snooze(0), "minutes"),
            (RequestedAction::snooze(1441), "minutes"),
            (RequestedAction::escalate(Some(0)), "level"),
            (RequestedAction::comment("  "), "text"),
            (RequestedAction::comment(&long), "text"),
            (RequestedAction::edit(Some(""), None), "title"),
            (RequestedAction::edit(Some("two\nlines"), None), "title"),
            (RequestedAction::edit(Some(&"x".repeat(TITLE_CHARS + 1)), None), "title"),
        ];
        for (requested, field) in rows {
            assert_eq!(requested.expect_err("is refused").field, field);
        }
    }

    #[test]
    fn levels_are_counted_from_one_outside_and_from_zero_inside() {
        assert_eq!(RequestedAction::escalate(Some(2)), Ok(RequestedAction::Escalate { level: Some(1) }));
        assert_eq!(RequestedAction::escalate(None), Ok(RequestedAction::Escalate { level: None }));
    }
}
