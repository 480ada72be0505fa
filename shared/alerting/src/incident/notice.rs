//! Requests to notify one destination of one change of an incident: the records of the FIFO queue "notices".

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::actor::Actor;
use crate::base::ids::{AccountId, DestinationId, EscalationRuleId, IncidentId, MemberId, SpaceId, hash128};
use crate::base::limits;
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::refresh::Refresh;
use crate::incident::timeline::{Audience, Entry, EntryKind};
use crate::incident::{Incident, Progress};
use crate::people::{AddressedBy, Member, Person};

/// One record of the queue. The message group is the destination, so one worker at a time sends to a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeRecord {
    Tell(Notice),
    /// A retry of a notice: postponed until `due`, or requested by a person.
    Again {
        notice: Notice,
        due: Moment,
        /// When a person requested the retry. Such a notice is sent even if it was delivered or given up before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Moment>,
    },
    /// Sends the notices that wait in the destination's digest.
    Flush {
        destination: DestinationId,
        due: Moment,
    },
    /// Updates the destination's cards of an incident.
    Refresh(Refresh),
    /// A private answer to a chat user.
    Say(Say),
}

/// A few lines to a chat user, or to a private chat, of an app's account. It is tried for a short time, and then
/// forgotten: an answer that comes late is of no use. It may hold a link, so its text is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    /// The same for the same answer.
    pub id: String,
    /// No stored destination: the answers to one chat are sent in their order.
    pub destination: DestinationId,
    pub account: AccountId,
    /// The chat or the user, by the vendor's id.
    pub chat: String,
    pub text: String,
}

impl Say {
    pub fn new(id: String, account: AccountId, chat: String, text: String) -> Self {
        let destination = DestinationId::from_suffix(&hash128(&[account.as_str(), &chat])).expect("a hash makes an id");
        Self { id, destination, account, chat, text }
    }
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Say").field("id", &self.id).field("account", &self.account).finish_non_exhaustive()
    }
}

impl NoticeRecord {
    pub fn destination(&self) -> &DestinationId {
        match self {
            NoticeRecord::Tell(notice) | NoticeRecord::Again { notice, .. } => &notice.destination,
            NoticeRecord::Flush { destination, .. } => destination,
            NoticeRecord::Refresh(refresh) => &refresh.destination,
            NoticeRecord::Say(say) => &say.destination,
        }
    }

    /// The queue's deduplication id, which is effective for five minutes. After that, the records of `notify` prevent
    /// duplicates.
    pub fn deduplication_id(&self) -> String {
        match self {
            NoticeRecord::Tell(notice) => notice.id(),
            // The queue drops a second record with the same id within five minutes, so each attempt has its own id.
            NoticeRecord::Again { notice, due, .. } => hash128(&["again", &notice.id(), &due.millis().to_string()]),
            NoticeRecord::Flush { destination, due } => {
                hash128(&["flush", destination.as_str(), &due.millis().to_string()])
            }
            NoticeRecord::Refresh(refresh) => refresh.id(),
            NoticeRecord::Say(say) => say.id.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub destination: DestinationId,
    /// The number of the change in its incident. After this notice, the destination is never notified of an older
    /// change.
    pub n: u64,
    pub kind: EntryKind,
    pub at: Moment,
    /// The name of the actor who made the change: the name of a member or API key, `source`, or `timer`.
    pub actor: String,
    /// The same actor by id. `None`: an earlier version queued the notice, or the notice is a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    pub incident: IncidentId,
    pub num: String,
    pub space: SpaceId,
    pub space_name: String,
    pub title: String,
    pub description: String,
    pub severity: Severity,
    pub progress: Progress,
    /// The [`Incident::episode`] of the change.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub episode: u32,
    pub triggered_at: Moment,
    pub closed_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The name of the integration that sent the alert.
    pub integration_name: String,
    /// The number of the incident's alerts.
    #[serde(default = "one")]
    pub alert_count: u32,
    /// The incident's escalation rule, whose templates the notice uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<EscalationRuleId>,
    /// The notified level of the escalation rule, counted from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Whether the alert opens and closes repeatedly.
    #[serde(default)]
    pub flapping: bool,
    /// The person whom this destination reaches. `None`: the destination is a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<MemberId>,
    /// The names of the assignees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assigned: Vec<String>,
    /// The assignees to mention at this destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Person>,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The data that a notice needs besides the incident and the entry.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    pub space_name: String,
    pub integration_name: String,
    pub description: String,
    pub labels: BTreeMap<String, String>,
    /// The assignees who exist as members.
    pub people: BTreeMap<MemberId, Member>,
    /// The groups that mention the assignees.
    pub mentions: Vec<Mentions>,
}

/// A group that mentions the assignees.
#[derive(Debug, Clone)]
pub struct Mentions {
    pub destination: DestinationId,
    /// Identities from a mapping table, found by email, for members who have not set their own.
    pub mapped: BTreeMap<MemberId, BTreeMap<String, String>>,
}

impl Notice {
    /// Whether the incident is open and not acknowledged, so that the recipient can acknowledge it.
    pub fn can_be_acknowledged(&self) -> bool {
        self.progress == Progress::Triggered
    }

    /// The id of the notice, which is the same for every copy of one change to one destination.
    pub fn id(&self) -> String {
        hash128(&["notice", self.incident.as_str(), self.destination.as_str(), &self.n.to_string()])
    }
}

/// The notices of one change, one per notified destination. The list is empty if changes of this kind do not notify.
pub fn plan(incident: &Incident, entry: &Entry, subject: &Subject) -> Vec<Notice> {
    if !entry.kind.notifies() {
        return Vec::new();
    }
    let audience = match &entry.audience {
        Audience::Everyone => &incident.destinations,
        Audience::Only(destinations) => destinations,
    };
    let is_their_own = |destination: &&DestinationId| is_their_own(entry, destination);
    let others = audience.iter().filter(|destination| !is_their_own(destination));
    others.map(|destination| to_one(incident, entry, destination, subject)).collect()
}

/// The notice of one change to one destination, regardless of whether such a change notifies.
pub fn to_one(incident: &Incident, entry: &Entry, destination: &DestinationId, subject: &Subject) -> Notice {
    let level =
        incident.escalation.as_ref().filter(|at| at.rule.is_some() && assigns(entry.kind)).map(|at| at.level + 1);
    Notice {
        destination: destination.clone(),
        n: entry.n,
        kind: kind_of_notice(incident, entry),
        at: entry.at,
        actor: entry.actor.clone(),
        by: entry.by.clone(),
        incident: incident.id.clone(),
        num: incident.num.clone(),
        space: incident.space.clone(),
        space_name: subject.space_name.clone(),
        title: incident.title.clone(),
        description: limits::cut_bytes(&subject.description, limits::DESCRIPTION_BYTES),
        severity: incident.severity,
        progress: incident.progress,
        episode: incident.episode,
        triggered_at: incident.triggered_at,
        closed_at: incident.closed_at,
        labels: subject.labels.clone(),
        integration_name: subject.integration_name.clone(),
        alert_count: u32::try_from(incident.alerts.len()).unwrap_or(u32::MAX),
        rule: incident.escalation.as_ref().and_then(|at| at.rule.clone()),
        level,
        flapping: incident.flapping,
        person: reached_at(incident, destination),
        assigned: incident.assignees.iter().map(|id| name_of(id, subject)).collect(),
        mentions: if assigns(entry.kind) { mentioned(incident, destination, subject) } else { Vec::new() },
    }
}

/// Whether the notice would be sent to the person who made the change.
fn is_their_own(entry: &Entry, destination: &DestinationId) -> bool {
    let by = entry.by.as_ref().and_then(Actor::member);
    let is_action = matches!(entry.kind, EntryKind::Acknowledged | EntryKind::Closed | EntryKind::SeverityRaised);
    is_action && by.is_some() && by == destination.member().map(|(_, member)| member).as_ref()
}

/// Whether a change assigns the incident to people. These people are mentioned, and if one of them cannot be notified,
/// the next contact is tried.
pub const fn assigns(kind: EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::Triggered
            | EntryKind::Reopened
            | EntryKind::SnoozeEnded
            | EntryKind::SilenceEnded
            | EntryKind::Escalated
            | EntryKind::Repeated
            | EntryKind::Reassigned
            | EntryKind::ResponderAdded
            | EntryKind::SeverityRaised
            | EntryKind::ContactFailed
    )
}

/// The kind of change that the notice shows. A next contact gets the kind that the failed contact would have received.
fn kind_of_notice(incident: &Incident, entry: &Entry) -> EntryKind {
    match (entry.kind, &incident.escalation) {
        (EntryKind::ContactFailed, Some(at)) if at.level > 0 => EntryKind::Escalated,
        (EntryKind::ContactFailed, _) => EntryKind::Triggered,
        (kind, _) => kind,
    }
}

/// The member whose contact this destination is.
fn reached_at(incident: &Incident, destination: &DestinationId) -> Option<MemberId> {
    let people = incident.escalation.iter().flat_map(|escalation| &escalation.people);
    let reached = people.into_iter().find(|reach| reach.contacts.contains(destination));
    reached.map(|reach| reach.member.clone()).or_else(|| destination.member().map(|(_, member)| member))
}

fn name_of(id: &str, subject: &Subject) -> String {
    let member = id.parse::<MemberId>().ok();
    let member = member.and_then(|id| subject.people.get(&id));
    member.map_or_else(|| id.to_owned(), |member| member.name.clone())
}

fn mentioned(incident: &Incident, destination: &DestinationId, subject: &Subject) -> Vec<Person> {
    let Some(mentions) = subject.mentions.iter().find(|mentions| mentions.destination == *destination) else {
        return Vec::new();
    };
    let people = incident.escalation.iter().flat_map(|escalation| &escalation.people);
    let person = |member: &Member| {
        let mut identities = mentions.mapped.get(&member.id).cloned().unwrap_or_default();
        identities.extend(member.identities.clone());
        let phone = member.verified_address(AddressedBy::Phone).map(str::to_owned);
        Person { name: member.name.clone(), phone, identities }
    };
    people.filter_map(|reach| subject.people.get(&reach.member)).map(person).collect()
}
