//! Decides whether anybody was notified of an incident, and if not, why. Pages and lists mark incidents that notified
//! nobody.
//!
//! Input: the incident and the result of each of its deliveries. Output: [`Notified`]. An incident that needs no
//! notification (it is silenced, or was over before it was made) is [`Notified::NotNeeded`], so the mark always means a
//! problem.

use serde::Serialize;
use utoipa::ToSchema;

use crate::incident::detail::Detail;
use crate::incident::timeline::EntryKind;
use crate::incident::{Incident, Progress};

/// The result so far of all notices of an incident to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// At least one notice was delivered, in a message of its own or together with others.
    Arrived,
    /// No notice was delivered yet, and at least one is still being tried.
    Pending,
    /// No notice was delivered, and none will be.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notified {
    Somebody,
    /// The first notice is not delivered yet, or its level waits for its delay.
    Pending,
    Nobody(WhyNobody),
    NotNeeded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyNobody {
    /// Every delivery failed permanently.
    AllFailed,
    /// No escalation rule matched, and the space has no destinations.
    NoRule,
    /// A rule matched, but none of its levels reaches anybody.
    NobodyReached,
}

impl WhyNobody {
    pub const fn as_str(self) -> &'static str {
        match self {
            WhyNobody::AllFailed => "all_failed",
            WhyNobody::NoRule => "no_rule",
            WhyNobody::NobodyReached => "nobody_reached",
        }
    }
}

impl Notified {
    pub fn of(incident: &Incident, sent: impl IntoIterator<Item = Sent>) -> Self {
        let sent: Vec<Sent> = sent.into_iter().collect();
        if sent.contains(&Sent::Arrived) {
            return Notified::Somebody;
        }
        let waits = incident.escalation.as_ref().is_some_and(|escalation| escalation.is_waiting);
        // A destination without a result has not been tried yet.
        let untried = sent.len() < incident.destinations.len();
        let is_over = incident.progress == Progress::Closed;
        if sent.contains(&Sent::Pending) || (!is_over && (waits || untried)) {
            return Notified::Pending;
        }
        if sent.contains(&Sent::Failed) {
            return Notified::Nobody(WhyNobody::AllFailed);
        }
        let was_over_at_once = || incident.timeline.first().is_some_and(|entry| entry.kind == EntryKind::Recovered);
        let needs_nobody = incident.held.is_some() || incident.is_quiet() || incident.merged_into.is_some();
        if needs_nobody || !incident.destinations.is_empty() || (is_over && (waits || was_over_at_once())) {
            return Notified::NotNeeded;
        }
        let mut details = incident.timeline.iter().filter_map(|entry| entry.detail.as_ref());
        let unmatched = details.any(Detail::is_no_rule);
        Notified::Nobody(if unmatched { WhyNobody::NoRule } else { WhyNobody::NobodyReached })
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Notified::Somebody => "somebody",
            Notified::Pending => "pending",
            Notified::Nobody(_) => "nobody",
            Notified::NotNeeded => "not_needed",
        }
    }

    pub const fn why_nobody(self) -> Option<WhyNobody> {
        match self {
            Notified::Nobody(why) => Some(why),
            Notified::Somebody | Notified::Pending | Notified::NotNeeded => None,
        }
    }
}

#[cfg(test)]
mod tests;
