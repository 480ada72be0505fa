//! The colour of a change, and of a card.

use alerting::base::severity::Severity;
use alerting::incident::card::{Card, State};
use alerting::incident::timeline::EntryKind;

/// The severity while somebody has to act, and otherwise the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    Closed,
    Acknowledged,
    Info,
    Warning,
    Critical,
}

impl Tone {
    pub(crate) fn of(kind: EntryKind, severity: Severity) -> Self {
        match (kind, severity) {
            (EntryKind::Recovered | EntryKind::Closed | EntryKind::AutoClosed, _) => Tone::Closed,
            (EntryKind::Acknowledged | EntryKind::Snoozed, _) => Tone::Acknowledged,
            (_, severity) => Self::of_severity(severity),
        }
    }

    pub(crate) fn of_card(card: &Card) -> Self {
        match card.state {
            State::Triggered => Self::of_severity(card.severity),
            State::Processing | State::Snoozed | State::Held => Tone::Acknowledged,
            State::Closed | State::Merged { .. } => Tone::Closed,
        }
    }

    const fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Tone::Critical,
            Severity::Warning => Tone::Warning,
            Severity::Info => Tone::Info,
        }
    }

    /// `#RRGGBB` for text on white, with a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3). [`Tone::hex`] has less.
    pub(crate) const fn text_hex(self) -> &'static str {
        match self {
            Tone::Critical => "#C5281F",
            Tone::Warning => "#8A5300",
            Tone::Info => "#1F5FAE",
            Tone::Acknowledged => "#7A5C00",
            Tone::Closed => "#218626",
        }
    }

    /// A mark for vendors without colours.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Tone::Critical => "🔴",
            Tone::Warning => "🟠",
            Tone::Info => "🔵",
            Tone::Acknowledged => "🟡",
            Tone::Closed => "✅",
        }
    }

    /// `#RRGGBB`, for vendors that take any colour.
    pub(crate) const fn hex(self) -> &'static str {
        match self {
            Tone::Critical => "#E0352B",
            Tone::Warning => "#F5A623",
            Tone::Info => "#2F80ED",
            Tone::Acknowledged => "#D9A400",
            Tone::Closed => "#218626",
        }
    }
}

/// Whether nobody has to act after such a change.
pub(crate) const fn is_brief(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Acknowledged | EntryKind::Recovered | EntryKind::Closed | EntryKind::AutoClosed)
}
