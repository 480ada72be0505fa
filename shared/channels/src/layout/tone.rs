//! The colour of a change.

use alerting::base::severity::Severity;
use alerting::incident::timeline::EntryKind;

/// The colour of a change: the severity while somebody has to act, and otherwise the state.
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
            (_, Severity::Critical) => Tone::Critical,
            (_, Severity::Warning) => Tone::Warning,
            (_, Severity::Info) => Tone::Info,
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
