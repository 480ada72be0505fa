//! What happened to an incident, entry by entry. Nothing is deleted from a timeline.

use serde::{Deserialize, Serialize};

use crate::base::actor::Actor;
use crate::base::ids::{AlertId, DestinationId};
use crate::base::moment::Moment;
use crate::incident::detail::Detail;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub n: u64,
    pub at: Moment,
    pub kind: EntryKind,
    /// The name that the actor had then: a member or API key by name, `source`, `timer` or `rule`.
    pub actor: String,
    /// Who did it; `None`: an earlier version wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// Names the action or the timer that wrote the entry. What follows from it is carried out again by finding the entry
    /// by this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Stored as `data`, which an earlier version does not know: it reads the entry without it. That version stored a
    /// sentence, as `detail`.
    #[serde(default, rename = "data", alias = "detail", skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The alert's transition that this is, if it is one …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_n: Option<u64>,
    /// … and the alert, if it is not the one that made the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    /// Who is notified of it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub told: Audience,
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

    /// Roughly how many bytes it takes where it is stored.
    pub(crate) fn weight(&self) -> usize {
        let told = match &self.told {
            Audience::Everyone => 0,
            Audience::Only(destinations) => destinations.len(),
        };
        // A text may hold quotes and line ends, which are written as two characters.
        200 + 2 * self.detail.as_ref().map_or(0, Detail::weight) + 50 * told
    }
}

/// Who is notified of an entry, if its kind notifies at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everyone who was notified of the incident so far.
    #[default]
    Everyone,
    /// Those to whom this entry assigns it.
    Only(Vec<DestinationId>),
}

impl Audience {
    fn is_everyone(&self) -> bool {
        *self == Audience::Everyone
    }
}

/// Kinds with their wire names, whether they notify, and whether a card looks different afterwards.
///
/// Told are: trigger, severity rise, reopen, acknowledge and close by a person, recovery; whatever assigns the incident
/// to someone, for the first time or again; and the warning that it swallows very many alerts.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $told:literal, $changes_card:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EntryKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        impl EntryKind {
            pub const ALL: &[EntryKind] = &[$(EntryKind::$kind,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(EntryKind::$kind => $name,)+ }
            }

            pub const fn is_told(self) -> bool {
                match self { $(EntryKind::$kind => $told,)+ }
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
    /// It has swallowed as many alerts as a threshold of its grouping says.
    StormWarning = "storm_warning", true, true;
    /// A level of its escalation rule took over, by a timer or at someone's wish.
    Escalated = "escalated", true, true;
    /// The people of the current level are notified again.
    Repeated = "repeated", true, false;
    /// Someone gave it to other people.
    Reassigned = "reassigned", true, true;
    ResponderAdded = "responder_added", true, true;
    Commented = "commented", false, false;
    /// Another incident was merged into this one.
    Merged = "merged", false, true;
    /// This one was merged into another, and is closed.
    MergedAway = "merged_away", false, true;
    Edited = "edited", false, true;
    /// The silence, or the mute of a flapping alert, that kept it from notifying is over; assigned now.
    SilenceEnded = "silence_ended", true, true;
    /// Another silence holds it now, or the same one until another moment.
    SilenceChanged = "silence_changed", false, true;
    /// A contact of a person failed for good; the next one is notified, if there is one.
    ContactFailed = "contact_failed", true, false;
    /// A level is due, and nobody is there to be notified.
    NobodyReached = "nobody_reached", false, true;
}
