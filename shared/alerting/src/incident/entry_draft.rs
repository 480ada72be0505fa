//! The entry of a change, before it is written with the changed incident.

use crate::base::actor::NamedActor;
use crate::base::ids::AlertId;
use crate::base::moment::Moment;
use crate::incident::Incident;
use crate::incident::change_result::ChangeResult;
use crate::incident::detail::Detail;
use crate::incident::timeline::{Audience, Entry, EntryKind};

/// A timeline entry that has no number and no moment yet.
pub(super) struct EntryDraft {
    pub(super) kind: EntryKind,
    pub(super) by: NamedActor,
    /// The name of the action, if it is already known.
    pub(super) action: Option<String>,
    pub(super) detail: Option<Detail>,
    pub(super) audience: Audience,
}

impl EntryDraft {
    pub(super) const fn new(kind: EntryKind, by: NamedActor) -> Self {
        Self { kind, by, action: None, detail: None, audience: Audience::Everyone }
    }

    pub(super) fn by_timer(kind: EntryKind) -> Self {
        Self::new(kind, NamedActor::timer())
    }

    pub(super) fn by_source(kind: EntryKind) -> Self {
        Self::new(kind, NamedActor::source())
    }

    pub(super) fn detail(self, detail: Detail) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// Appends the entry to the incident under its next number.
    pub(super) fn write(self, incident: Incident, at: Moment) -> ChangeResult {
        self.write_of(incident, at, None)
    }

    /// Appends the entry like [`EntryDraft::write`], for a transition of one of the incident's alerts.
    pub(super) fn write_of(self, incident: Incident, at: Moment, alert: Option<(&AlertId, u64)>) -> ChangeResult {
        let (incident, entry) = self.record(incident, at, alert);
        ChangeResult::Changed(incident, entry)
    }

    pub(super) fn record(
        self,
        mut incident: Incident,
        at: Moment,
        alert: Option<(&AlertId, u64)>,
    ) -> (Incident, Entry) {
        incident.n += 1;
        let entry = Entry {
            n: incident.n,
            at,
            kind: self.kind,
            actor: self.by.name,
            by: Some(self.by.actor),
            action: self.action,
            detail: self.detail,
            alert_n: alert.map(|(_, n)| n),
            alert: alert.map(|(alert, _)| alert).filter(|alert| incident.first_alert() != Some(alert)).cloned(),
            audience: self.audience,
        };
        incident.timeline.push(entry.clone());
        (incident, entry)
    }
}
