//! Merges two incidents: the source is closed, and later changes of its alerts apply to the target.
//!
//! A merge is one decision and one write of both incidents, with the condition that neither changed since it was read.
//! So neither incident can close, recover or be merged elsewhere in between. An incident is never merged into a merged
//! one, so merges form no circle. An earlier version wrote the two incidents one after the other; its incomplete merges
//! are repaired here.

use crate::base::actor::NamedActor;
use crate::base::moment::Moment;
use crate::incident::action::ActionError;
use crate::incident::detail::Detail;
use crate::incident::entry_draft::EntryDraft;
use crate::incident::timeline::{Entry, EntryKind};
use crate::incident::{ALERTS, Incident, Linked, Progress};

/// The incidents and entries to write in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The closed source. `None`: an earlier version closed it already, but did not give its alerts to the target.
    pub source: Option<(Incident, Entry)>,
    pub target: (Incident, Entry),
}

/// Merges `source` into `target`, or returns why this is refused. `None`: they are already merged.
pub fn merge(
    source: &Incident,
    target: &Incident,
    actor: &NamedActor,
    action: &str,
    now: Moment,
) -> Result<Option<Merge>, ActionError> {
    let is_merged = source.merged_into.as_ref() == Some(&target.id);
    if let Some(other) = source.merged_into.as_ref().filter(|_| !is_merged) {
        return Err(ActionError::Merged(other.clone()));
    }
    let missing = missing(source, target);
    if is_merged && missing.is_empty() {
        return Ok(None);
    }
    if let Some(other) = &target.merged_into {
        return Err(ActionError::Merged(other.clone()));
    }
    if target.progress == Progress::Closed {
        return Err(ActionError::Closed);
    }
    if target.alerts.len() + missing.len() > ALERTS {
        return Err(ActionError::TooManyAlerts);
    }
    let source_after = (!is_merged).then(|| leave(source, target, actor, action, now));
    Ok(Some(Merge { source: source_after, target: absorb(target, source, missing, actor, action, now) }))
}

/// The alerts of the source that are missing in the target.
fn missing(source: &Incident, target: &Incident) -> Vec<Linked> {
    source.alerts.iter().filter(|linked| target.linked(&linked.alert).is_none()).cloned().collect()
}

fn leave(source: &Incident, target: &Incident, actor: &NamedActor, action: &str, now: Moment) -> (Incident, Entry) {
    let mut next = source.clone();
    next.close(now);
    next.merged_into = Some(target.id.clone());
    let draft =
        EntryDraft::new(EntryKind::MergedAway, actor.clone()).detail(Detail::MergedInto { num: target.num.clone() });
    EntryDraft { action: Some(action.to_owned()), ..draft }.record(next, now, None)
}

fn absorb(
    target: &Incident,
    source: &Incident,
    missing: Vec<Linked>,
    actor: &NamedActor,
    action: &str,
    now: Moment,
) -> (Incident, Entry) {
    let mut next = target.clone();
    let alerts = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    next.alerts.extend(missing);
    if !next.fixed.severity {
        next.severity = next.severity.max(source.severity);
    }
    let draft = EntryDraft::new(EntryKind::Merged, actor.clone());
    let draft = draft.detail(Detail::Merged { num: source.num.clone(), alerts });
    EntryDraft { action: Some(action.to_owned()), ..draft }.record(next, now, None)
}

impl Incident {
    /// Removes the incident from a circle of merges that an earlier version made. It is open again if one of its alerts
    /// is open.
    pub fn out_of_circle(mut self) -> Self {
        self.merged_into = None;
        if self.alerts.iter().any(|linked| linked.is_open) {
            self.progress = if self.acknowledged_by.is_empty() { Progress::Triggered } else { Progress::Processing };
            self.closed_at = None;
        }
        self
    }
}
