//! The changes of an incident, as a list of entries. Entries are never deleted.

use serde::{Deserialize, Serialize};

use crate::base::actor::Actor;
use crate::base::ids::{AlertId, DestinationId};
use crate::base::moment::Moment;
use crate::incident::detail::Detail;

/// One change of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub n: u64,
    pub at: Moment,
    pub kind: EntryKind,
    /// The name of the actor at that time: the name of a member or API key, `source`, `timer` or `rule`.
    pub actor: String,
    /// The actor who made the change. `None`: an earlier version wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// The name of the action or timer that wrote the entry. A repeated request or timer finds the entry by this name
    /// and carries out its follow-up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The data of the entry, stored as `data`. An earlier version stored a sentence as `detail`, and reads an entry
    /// without its `data`.
    #[serde(default, rename = "data", alias = "detail", skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The number of the alert's transition, if a transition made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_n: Option<u64>,
    /// The alert of that transition, if it is not the alert that made the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertId>,
    /// The destinations that are notified.
    #[serde(default, rename = "told", skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
}

impl Entry {
    /// Whether a person or an API key made the change, and not a source, a timer or a rule.
    pub fn is_by_person(&self) -> bool {
        match &self.by {
            Some(actor) => actor.is_person(),
            // An entry of an earlier version has only the name of its actor.
            None => !matches!(self.actor.as_str(), "source" | "timer"),
        }
    }

    /// The approximate size of the entry in the table, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let destinations = match &self.audience {
            Audience::Everyone => 0,
            Audience::Only(destinations) => destinations.len(),
        };
        // A quote or a line end in a text is stored as two characters.
        200 + 2 * self.detail.as_ref().map_or(0, Detail::weight) + 50 * destinations
    }
}

/// The destinations that are notified of an entry, if entries of its kind notify.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// All destinations that were notified of the incident before.
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

/// The kinds of entries with their wire names, whether they notify, and whether a card looks different afterwards.
///
/// These kinds notify: trigger, severity rise, reopen, acknowledge and close by a person, recovery, every assignment,
/// and the storm warning.
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
    /// The snooze ended, and the incident was assigned again.
    SnoozeEnded = "snooze_ended", true, true;
    Closed = "closed", true, true;
    AutoClosed = "auto_closed", false, true;
    /// A person reopened the incident, and it was assigned again.
    Reopened = "reopened", true, true;
    /// An alert of the same group joined the incident.
    AlertJoined = "alert_joined", false, true;
    /// One of the alerts recovered, and others are open.
    AlertRecovered = "alert_recovered", false, true;
    /// The number of alerts reached a threshold of the space's grouping.
    StormWarning = "storm_warning", true, true;
    /// A timer or a person assigned a level of the escalation rule.
    Escalated = "escalated", true, true;
    /// The people of the current level are notified again.
    Repeated = "repeated", true, false;
    /// A person assigned the incident to other people.
    Reassigned = "reassigned", true, true;
    ResponderAdded = "responder_added", true, true;
    Commented = "commented", false, false;
    /// Another incident was merged into this one.
    Merged = "merged", false, true;
    /// This incident was merged into another one and is closed.
    MergedAway = "merged_away", false, true;
    Edited = "edited", false, true;
    /// The hold ended: the silence, or the mute of a flapping alert. The incident is assigned now.
    SilenceEnded = "silence_ended", true, true;
    /// Another silence holds the incident, or the same one until another moment.
    SilenceChanged = "silence_changed", false, true;
    /// A contact of a person failed permanently. The next contact is notified, if there is one.
    ContactFailed = "contact_failed", true, false;
    /// A level was due that reaches nobody.
    NobodyReached = "nobody_reached", false, true;
}
