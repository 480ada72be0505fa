//! Decides who is notified when an incident becomes more severe, and whether another escalation rule takes over.
//!
//! Everyone who was notified before is notified. While nobody has acknowledged the incident, the rules are matched
//! again, because another rule may apply to the new severity. Another rule starts at its first level. If the same rule
//! matches, the level stays, and its people are reached by their preferences for the new severity. People who were
//! assigned by hand stay assigned.

use crate::base::moment::Moment;
use crate::incident::assignment::{Assigned, Assignment, AssignmentQuery};
use crate::incident::detail::Detail;
use crate::incident::due::{add_all, refresh, start};
use crate::incident::entry_draft::EntryDraft;
use crate::incident::timeline::Audience;
use crate::incident::{Incident, Progress};

/// The assignment that is needed before the incident becomes more severe.
pub(super) fn assignment_query(incident: &Incident) -> Option<AssignmentQuery> {
    if incident.progress != Progress::Triggered || incident.is_quiet() {
        return None;
    }
    match &incident.escalation {
        None => Some(AssignmentQuery::Rule),
        Some(escalation) => Some(AssignmentQuery::Raised { rule: escalation.rule.clone()?, level: escalation.level }),
    }
}

/// Assigns the incident, whose new severity is already set. Returns the draft of the entry with its audience.
pub(super) fn assign(
    incident: &mut Incident,
    assigned: Option<&Assigned>,
    draft: EntryDraft,
    now: Moment,
) -> EntryDraft {
    // If no rule matches, the current escalation continues.
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
    if let Audience::Only(audience) = &draft.audience {
        add_all(&mut everyone, audience);
    }
    draft.audience = Audience::Only(everyone);
    draft.detail = Detail::and(detail, draft.detail.take());
    draft
}
