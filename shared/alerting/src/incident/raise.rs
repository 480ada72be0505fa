//! An incident that becomes more severe: who is notified of it now, and whether another rule takes it over.
//!
//! Everyone who was notified so far is. While nobody has acknowledged it, the rules are asked again, because the rule for
//! warnings need not be the one for what is critical: another rule starts with its first level; the same rule stays at its
//! level, whose people are reached as they prefer for the new severity. People who were chosen by hand keep it.

use crate::base::moment::Moment;
use crate::incident::assignment::{Assigned, Assignment, AssignmentQuery};
use crate::incident::detail::Detail;
use crate::incident::due::{add_all, refresh, start};
use crate::incident::entry_draft::EntryDraft;
use crate::incident::timeline::Audience;
use crate::incident::{Incident, Progress};

/// What has to be found out before the incident becomes more severe.
pub(super) fn assignment_query(incident: &Incident) -> Option<AssignmentQuery> {
    if incident.progress != Progress::Triggered || incident.is_quiet() {
        return None;
    }
    match &incident.escalation {
        None => Some(AssignmentQuery::Rule),
        Some(escalation) => Some(AssignmentQuery::Raised { rule: escalation.rule.clone()?, level: escalation.level }),
    }
}

/// Gives the incident, which has its new severity, to whom `assigned` says; the draft, with whom it notifies.
pub(super) fn assign(
    incident: &mut Incident,
    assigned: Option<&Assigned>,
    draft: EntryDraft,
    now: Moment,
) -> EntryDraft {
    // Without a rule for it, what goes on goes on.
    let Some(Assigned::Level(assignment)) = assigned else { return draft };
    match &mut incident.escalation {
        Some(escalation) if escalation.rule == assignment.rule => {
            if escalation.level == assignment.level {
                refresh(incident, assignment);
            }
            draft
        }
        _ => take_over(incident, assignment, draft, now),
    }
}

fn take_over(incident: &mut Incident, assignment: &Assignment, draft: EntryDraft, now: Moment) -> EntryDraft {
    let mut everyone = incident.destinations.clone();
    let detail = draft.detail.clone();
    let mut draft = start(incident, &Assigned::Level(Box::new(assignment.clone())), false, draft, now);
    if let Audience::Only(audience) = &draft.told {
        add_all(&mut everyone, audience);
    }
    draft.told = Audience::Only(everyone);
    draft.detail = Detail::and(detail, draft.detail.take());
    draft
}
