//! The result of a change: the incident and entry to write, if any.

use crate::base::ids::IncidentId;
use crate::incident::Incident;
use crate::incident::timeline::Entry;

/// The result of [`apply`](crate::incident::apply::apply).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart at once; a box would cost more than it saves"
)]
pub enum ChangeResult {
    /// The incident changed. Write it with this entry.
    Changed(Incident, Entry),
    /// The same change took effect before and wrote this entry. Notify of it again, under the same number.
    Already(Entry),
    /// The change has no effect, and nobody is notified.
    Nothing,
    /// The incident was merged into this one. Apply the change there.
    Moved(IncidentId),
    /// The alert cannot join, because the incident is closed or full.
    CannotJoin,
}

impl ChangeResult {
    /// Sets the name of the action or timer that makes the change on the entry.
    pub fn named(self, action: Option<&str>) -> Self {
        match (self, action) {
            (ChangeResult::Changed(mut incident, mut entry), Some(action)) => {
                entry.action = Some(action.to_owned());
                if let Some(last) = incident.timeline.last_mut() {
                    last.action.clone_from(&entry.action);
                }
                ChangeResult::Changed(incident, entry)
            }
            (other, _) => other,
        }
    }
}

/// The entry that the action or timer of this name wrote, if it took effect before.
pub fn entry_of_action<'i>(incident: &'i Incident, action: &str) -> Option<&'i Entry> {
    incident.timeline.iter().rev().find(|entry| entry.action.as_deref() == Some(action))
}
