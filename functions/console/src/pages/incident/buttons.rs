//! The actions that a person may take on an incident in its present state. An action that is not allowed has no button.

use alerting::base::ids::IncidentId;
use alerting::incident::{Incident, Progress};
use alerting::people::Member;
use operations::access::may_act;
use serde::Serialize;

/// The durations that the page's snooze and silence buttons offer, in minutes.
pub(super) const LENGTHS: [(u32, &str); 3] = [(120, "two_hours"), (240, "four_hours"), (720, "twelve_hours")];

/// The subject that the tokens of the page's forms are bound to.
pub(crate) fn subject(id: &IncidentId) -> String {
    format!("/incidents/{id}")
}

/// Which buttons the page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a button each, as the template asks for them")]
pub(crate) struct Buttons {
    pub(crate) acknowledge: bool,
    pub(crate) unacknowledge: bool,
    pub(crate) snooze: bool,
    pub(crate) escalate: bool,
    pub(crate) close: bool,
    pub(crate) reopen: bool,
    /// Reassigning the incident, or adding responders.
    pub(crate) assign: bool,
    pub(crate) silence: bool,
    pub(crate) comment: bool,
    pub(crate) edit: bool,
}

impl Buttons {
    pub(crate) fn of(incident: &Incident, member: &Member) -> Self {
        if !may_act(member) || incident.merged_into.is_some() {
            return Self::default();
        }
        let open = incident.progress != Progress::Closed;
        let works_on_it = incident.acknowledged_by.iter().any(|id| id == member.id.as_str());
        Self {
            acknowledge: open && !works_on_it,
            unacknowledge: open && works_on_it,
            snooze: open,
            escalate: open && incident.escalation.as_ref().is_some_and(|at| at.rule.is_some()),
            close: open,
            reopen: !open,
            assign: open,
            silence: open,
            comment: true,
            edit: true,
        }
    }

    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use operations::incidents::requested::RequestedAction;

    use super::*;

    #[test]
    fn every_length_that_is_offered_is_one_that_is_taken() {
        for (minutes, _) in LENGTHS {
            let length = Duration::from_secs(u64::from(minutes) * 60);
            assert_eq!(RequestedAction::snooze(minutes), Ok(RequestedAction::Snooze(length)));
        }
    }
}
