//! The changes of an incident, as a list of entries. Entries are never deleted.

use serde::{Deserialize, Serialize};

use crate::base::actor::Actor;
use crate::base::ids::{AlertId, DestinationId};
use crate::base::moment::Moment;
use crate::incident::detail::Detail;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub n: u64,
    pub at: Moment,
    pub kind: EntryKind,
    /// The name that the actor had then: a member or API key by name, `source`, `timer` or `rule`.
    pub actor: String,
    /// Who made the change. `None`: an earlier version wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// Name of the action or the timer that wrote the entry. A repeated request or timer finds the entry by this name
    /// and carries out its follow-up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Stored as `data`. An earlier version stored a sentence as `detail`, and reads an entry without its `data`.
    #[serde(default, rename = "data", alias = "detail", skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The number of the alert's transition, if a transition made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_n: Option<u64>,
    /// The alert of that transition, if it is not the one that made the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    /// Who is notified.
    #[serde(default, rename = "told", skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
}

impl Entry {
    /// Whether a person or an API key did it, rather than a source, a timer or a rule.
    pub fn is_by_person(&self) -> bool {
        match &self.by {
            Some(actor) => actor.is_person(),
            // As an earlier version wrote it.
            None => !matches!(self.actor.as_str(), "source" | "timer"),
        }
    }

    /// Roughly how many bytes it takes in the table.
    pub(crate) fn weight(&self) -> usize {
        let destinations = match &self.audience {
            Audience::Everyone => 0,
            Audience::Only(destinations) => destinations.len(),
        };
        // A quote or a line end in a text is stored as two characters.
        200 + 2 * self.detail.as_ref().map_or(0, Detail::weight) + 50 * destinations
    }
}

/// Who is notified of an entry, if its kind notifies at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everyone who was notified of the incident so far.
    #[default]
    Everyone,
    /// Only these destinations.
    Only(Vec<DestinationId>),
}

impl Audience {
    fn is_everyone(&self) -> bool {
        *self == Audience::Everyone
    }
}

/// Kinds with their wire names, whether they notify, and whether a card looks different afterwards.
///
/// These notify: trigger, severity rise, reopen, acknowledge and close by a person, recovery, every assignment, and the
/// storm warning.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $notifies:literal, $changes_card:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EntryKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        impl EntryKind {
            pub const ALL: &[EntryKind] = &[$(EntryKind::$kind,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(EntryKind::$kind => $name,)+ }
            }

            pub const fn notifies(self) -> bool {
                match self { $(EntryKind::$kind => $notifies,)+ }
            }

            /// Whether a card that shows the incident looks different afterwards.
            pub const fn changes_card(self) -> bool {
                match self { $(EntryKind::$kind => $changes_card,)+ }
            }
        }
    };
}

kinds! {
    Triggered = "triggered", true, true;
    SeverityRaised = "severity_raised", true, true;
    Recovered = "recovered", true, true;
    Acknowledged = "acknowledged", true, true;
    Unacknowledged = "unacknowledged", false, true;
    Snoozed = "snoozed", false, true;
    /// Assigned again.
    SnoozeEnded = "snooze_ended", true, true;
    Closed = "closed", true, true;
    AutoClosed = "auto_closed", false, true;
    /// Assigned again.
    Reopened = "reopened", true, true;
    /// An alert of the same group joined it.
    AlertJoined = "alert_joined", false, true;
    /// One of its alerts recovered, others are open.
    AlertRecovered = "alert_recovered", false, true;
    /// Its number of alerts reached a threshold of its grouping.
    StormWarning = "storm_warning", true, true;
    /// A level of its escalation rule was assigned, by a timer or by a person.
    Escalated = "escalated", true, true;
    /// The people of the current level are notified again.
    Repeated = "repeated", true, false;
    /// A person assigned it to other people.
    Reassigned = "reassigned", true, true;
    ResponderAdded = "responder_added", true, true;
    Commented = "commented", false, false;
    /// Another incident was merged into this one.
    Merged = "merged", false, true;
    /// This one was merged into another, and is closed.
    MergedAway = "merged_away", false, true;
    Edited = "edited", false, true;
    /// Its hold ended: the silence, or the mute of a flapping alert. It is assigned now.
    SilenceEnded = "silence_ended", true, true;
    /// Another silence holds it, or the same one until another moment.
    SilenceChanged = "silence_changed", false, true;
    /// A contact of a person failed permanently. The next one is notified, if there is one.
    ContactFailed = "contact_failed", true, false;
    /// A level was due that reaches nobody.
    NobodyReached = "nobody_reached", false, true;
}
