//! The content and the actions of an incident's card. A card shows the current incident, not a change.
//!
//! Input: an incident. Output: a [`Card`], the same for every channel that has cards. The channel decides how the card
//! looks. An update of a card needs only the current incident, not the previous card.

use crate::base::actor::Actor;
use crate::base::ids::IncidentId;
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::timeline::{Entry, EntryKind};
use crate::incident::{Incident, Progress};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub state: State,
    pub severity: Severity,
    /// The actions in the order in which they are offered. The link to the incident's page is not among them.
    pub acts: Vec<Act>,
    /// The name of the person who acknowledged or closed the incident.
    pub by: Option<String>,
    /// The end of the snooze or hold. `None`: the incident is in neither state, or the hold has no end.
    pub until: Option<Moment>,
    /// The number of the newest change.
    pub n: u64,
    /// The incident's episode. Buttons of an earlier episode have no effect.
    pub episode: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Triggered,
    Processing,
    Snoozed,
    /// The incident is held by a silence or by the mute of a flapping alert.
    Held,
    Closed,
    Merged {
        into: IncidentId,
    },
}

/// The action of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Acknowledge,
    /// Offered only to the person who acknowledged the incident.
    Unacknowledge,
    Snooze(Hours),
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours(pub u8);

/// The snooze times that a card offers.
pub const SNOOZES: [Hours; 3] = [Hours(2), Hours(4), Hours(12)];

pub fn of(incident: &Incident) -> Card {
    let state = state(incident);
    Card {
        severity: incident.severity,
        acts: acts(&state, incident.progress),
        by: by(incident),
        until: match state {
            State::Snoozed => incident.snoozed_until,
            State::Held => incident.held.as_ref().and_then(|hold| hold.until),
            State::Triggered | State::Processing | State::Closed | State::Merged { .. } => None,
        },
        n: incident.n,
        episode: incident.episode,
        state,
    }
}

fn state(incident: &Incident) -> State {
    if let Some(into) = &incident.merged_into {
        return State::Merged { into: into.clone() };
    }
    match incident.progress {
        Progress::Closed => State::Closed,
        Progress::Triggered | Progress::Processing if incident.held.is_some() => State::Held,
        Progress::Triggered | Progress::Processing if incident.snoozed_until.is_some() => State::Snoozed,
        Progress::Triggered => State::Triggered,
        Progress::Processing => State::Processing,
    }
}

fn acts(state: &State, progress: Progress) -> Vec<Act> {
    let take = if progress == Progress::Processing { Act::Unacknowledge } else { Act::Acknowledge };
    match state {
        State::Triggered | State::Processing => {
            let snoozes = SNOOZES.map(Act::Snooze);
            [take].into_iter().chain(snoozes).chain([Act::Close]).collect()
        }
        State::Snoozed | State::Held => vec![take, Act::Close],
        State::Closed | State::Merged { .. } => Vec::new(),
    }
}

fn by(incident: &Incident) -> Option<String> {
    match incident.progress {
        Progress::Triggered => None,
        Progress::Processing => {
            // The list has ids. The entries have the names of that time; an entry of a long timeline may be elsewhere.
            let name = |id: &String| {
                let is_theirs = |entry: &&Entry| {
                    let member = entry.by.as_ref().and_then(Actor::member);
                    entry.kind == EntryKind::Acknowledged && member.map_or(&entry.actor == id, |one| one.as_str() == id)
                };
                incident.timeline.iter().rev().find(is_theirs).map(|entry| entry.actor.as_str())
            };
            let names: Vec<&str> = incident.acknowledged_by.iter().filter_map(name).collect();
            (!names.is_empty()).then(|| names.join(", "))
        }
        Progress::Closed => {
            let closing = incident.timeline.iter().rev().find(|entry| entry.kind == EntryKind::Closed);
            closing.filter(|entry| Some(entry.at) == incident.closed_at).map(|entry| entry.actor.clone())
        }
    }
}

#[cfg(test)]
mod tests;
