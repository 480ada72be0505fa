//! Incidents, their timelines and deliveries, as the API shows them.

use alerting::base::ids::{AlertId, DestinationId, EscalationRuleId, IncidentId, MemberId, SpaceId, TeamId};
use alerting::base::severity::Severity;
use alerting::incident::detail::Detail;
use alerting::incident::notified::{Notified, WhyNobody};
use alerting::incident::timeline::Entry;
use alerting::incident::{Escalation, Incident, Progress};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use words::timeline::english;

use super::Time;
use super::actor::ActorRef;

/// Alerts that an incident names; `alert_count` says how many there are, and `/incidents/{id}/alerts` has all of them.
const ALERTS_NAMED: usize = 100;
/// Bytes of the timeline that an incident shows. Lambda answers 6 MB at most, and an incident of 5,000 alerts may have a
/// timeline of 16.
const TIMELINE_BYTES: usize = 1024 * 1024;
/// Entries that are read for that.
pub(crate) const TIMELINE_ENTRIES: usize = 1000;
/// Of an entry beside its texts: time, kind and the names of the fields.
const ENTRY_BYTES: usize = 100;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub(crate) struct IncidentView {
    id: IncidentId,
    /// The short code that people use for it.
    #[schema(example = "7KQ2MD")]
    num: String,
    space: SpaceId,
    title: String,
    severity: Severity,
    progress: Progress,
    /// The first hundred alerts; `GET /incidents/{id}/alerts` lists all of them.
    alerts: Vec<AlertId>,
    /// How many alerts the incident has.
    alert_count: usize,
    /// How many of them are open. 0 for an incident that is not closed: somebody reopened it after its alerts had closed, and
    /// it stays open until somebody closes it.
    open_alert_count: usize,
    triggered_at: Time,
    #[schema(required)]
    acknowledged_at: Option<Time>,
    #[schema(required)]
    closed_at: Option<Time>,
    #[schema(required)]
    snoozed_until: Option<Time>,
    /// Members by id; an API key that acknowledged it, by name.
    assignees: Vec<String>,
    /// Those who acknowledged it.
    acknowledged_by: Vec<String>,
    /// Its position in the escalation rule; `null` while only the space's own destinations are notified.
    #[schema(required)]
    escalation: Option<EscalationView>,
    /// The silence or mute that holds back its notices; `null`: none does.
    #[schema(required)]
    silenced: Option<SilencedView>,
    /// `nobody` is a problem: see `not_notified_because`. `pending`: the first notice is on its way, or its level waits.
    /// `not_needed`: it is silenced, or was over before anybody could be notified.
    notified: NotifiedView,
    /// Why nobody was notified: every delivery failed, no escalation rule matched in a space without destinations, or no
    /// level of the rule reaches anybody. `null` unless `notified` is `nobody`.
    #[schema(required)]
    not_notified_because: Option<WhyNobody>,
    /// Its alert opens and closes again and again.
    flapping: bool,
    #[schema(required)]
    merged_into: Option<IncidentId>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Notified)]
enum NotifiedView {
    Somebody,
    Pending,
    Nobody,
    NotNeeded,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentEscalation)]
struct EscalationView {
    /// The escalation rule; `null`: people were assigned by hand.
    #[schema(required)]
    rule: Option<EscalationRuleId>,
    rule_name: String,
    /// The level, counted from one.
    level: u32,
    /// The level has notified nobody yet: it waits for its delay.
    waiting: bool,
    /// When the level was due, or will be.
    since: Time,
    repeated: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentSilenced)]
struct SilencedView {
    /// The silence by name and id, or `flapping`.
    by: String,
    #[schema(required)]
    until: Option<Time>,
}

/// With everything that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentDetail)]
pub(crate) struct IncidentDetail {
    #[serde(flatten)]
    incident: IncidentView,
    /// What was done and who was notified, oldest first. A very long timeline is cut to the newest thousand entries and
    /// to a megabyte; `GET /incidents/{id}/timeline` lists all entries.
    timeline: Vec<EntryView>,
    /// How many entries the timeline has, without the attempts to notify.
    timeline_count: usize,
    pub(crate) deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(crate) struct EntryView {
    at: Time,
    /// What happened; `notified` is one attempt to notify someone.
    #[schema(example = "acknowledged")]
    kind: &'static str,
    /// A member or API key by name, `source`, `timer`, or `rule` (a setting); of an attempt, the destination by name.
    actor: String,
    /// The actor by id; absent for an attempt, and if an earlier version wrote the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_ref: Option<ActorRef>,
    /// The description in English.
    #[schema(required)]
    detail: Option<String>,
    /// The description as data, by its `type`; absent for a comment, whose text is `detail`, for an attempt, and if an
    /// earlier version wrote the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!({"type": "level", "rule": "Night", "level": 1}))]
    data: Option<Detail>,
}

/// One destination's notices of this incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryView {
    pub(crate) destination: DestinationId,
    /// The destination's or the member's name, and the channel; `null` once it is deleted.
    #[schema(required)]
    pub(crate) name: Option<String>,
    #[schema(required, example = "feishu_bot")]
    pub(crate) channel: Option<String>,
    /// Of its newest notice: `delivered`, `folded` (into a message with others), `accepted` (by the provider, not confirmed
    /// yet), `failed` or `pending`.
    #[schema(example = "delivered")]
    pub(crate) state: &'static str,
    pub(crate) attempts: Vec<AttemptView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    pub(crate) at: Time,
    /// `delivered`, `retry`, `rejected`, `unknown` (sent, but no answer came).
    pub(crate) outcome: &'static str,
    #[schema(required)]
    pub(crate) reason: Option<String>,
    /// Why the escalation rule's template was not used, but the channel's own; `null` if nothing failed.
    #[schema(required, example = "line 1: undefined value")]
    pub(crate) template: Option<String>,
}

impl AttemptView {
    /// `channel`: `None` of a destination that was deleted.
    fn detail(&self, channel: Option<&str>) -> String {
        let mut detail = channel.map_or_else(String::new, |channel| format!("{channel}: "));
        detail += self.outcome;
        if let Some(reason) = &self.reason {
            detail += &format!(" ({reason})");
        }
        if let Some(failure) = &self.template {
            detail += &format!("; the rule's template failed ({failure}), the default was used");
        }
        detail
    }
}

impl IncidentView {
    pub(crate) fn new(incident: Incident, notified: Notified) -> Self {
        let alert_count = incident.alerts.len();
        let open_alert_count = incident.alerts.iter().filter(|linked| linked.is_open).count();
        Self {
            id: incident.id,
            num: incident.num,
            space: incident.space,
            title: incident.title,
            severity: incident.severity,
            progress: incident.progress,
            alerts: incident.alerts.into_iter().take(ALERTS_NAMED).map(|linked| linked.alert).collect(),
            alert_count,
            open_alert_count,
            triggered_at: Time(incident.triggered_at),
            acknowledged_at: incident.acknowledged_at.map(Time),
            closed_at: incident.closed_at.map(Time),
            snoozed_until: incident.snoozed_until.map(Time),
            assignees: incident.assignees,
            acknowledged_by: incident.acknowledged_by,
            escalation: incident.escalation.map(EscalationView::from),
            silenced: incident.held.map(|held| SilencedView { by: held.by, until: held.until.map(Time) }),
            notified: notified.into(),
            not_notified_because: notified.why_nobody(),
            flapping: incident.flapping,
            merged_into: incident.merged_into,
        }
    }
}

impl From<Notified> for NotifiedView {
    fn from(notified: Notified) -> Self {
        match notified {
            Notified::Somebody => Self::Somebody,
            Notified::Pending => Self::Pending,
            Notified::Nobody(_) => Self::Nobody,
            Notified::NotNeeded => Self::NotNeeded,
        }
    }
}

impl From<Escalation> for EscalationView {
    fn from(escalation: Escalation) -> Self {
        Self {
            rule: escalation.rule,
            rule_name: escalation.rule_name,
            level: escalation.level + 1,
            waiting: escalation.is_waiting,
            since: Time(escalation.since),
            repeated: escalation.repeated,
        }
    }
}

impl IncidentDetail {
    /// `newest`: the newest entries of the timeline. The attempts of the deliveries take their places between them.
    pub(crate) fn new(
        incident: Incident,
        notified: Notified,
        newest: Vec<Entry>,
        deliveries: Vec<DeliveryView>,
    ) -> Self {
        let timeline_count = usize::try_from(incident.spilled).unwrap_or(usize::MAX) + incident.timeline.len();
        let cut = newest.len() - newest_within(&newest, TIMELINE_BYTES);
        let mut timeline: Vec<EntryView> = newest.into_iter().skip(cut).map(EntryView::from).collect();
        timeline.extend(deliveries.iter().flat_map(DeliveryView::entries));
        timeline.sort_by_key(|entry| entry.at.0);
        Self { incident: IncidentView::new(incident, notified), timeline, timeline_count, deliveries }
    }
}

/// How many of the newest entries have room in so many bytes.
fn newest_within(entries: &[Entry], bytes: usize) -> usize {
    let mut room = bytes;
    let fits = |entry: &&Entry| {
        let detail =
            entry.detail.as_ref().map_or(0, |detail| detail.weight() * if is_shown_as_data(detail) { 2 } else { 1 });
        let size = entry.actor.len() + detail + ENTRY_BYTES;
        let left = room.checked_sub(size);
        room = left.unwrap_or(0);
        left.is_some()
    };
    entries.iter().rev().take_while(fits).count()
}

impl DeliveryView {
    fn entries(&self) -> impl Iterator<Item = EntryView> {
        let who = self.name.clone().unwrap_or_else(|| format!("deleted: {}", self.destination));
        let channel = self.channel.clone();
        self.attempts.iter().map(move |attempt| EntryView {
            at: attempt.at,
            kind: "notified",
            actor: who.clone(),
            actor_ref: None,
            detail: Some(attempt.detail(channel.as_deref())),
            data: None,
        })
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            at: Time(entry.at),
            kind: entry.kind.as_str(),
            actor: entry.actor,
            actor_ref: entry.by.as_ref().map(ActorRef::from),
            detail: entry.detail.as_ref().map(english),
            data: entry.detail.filter(is_shown_as_data),
        }
    }
}

/// A comment's text and the sentence of an earlier version are the entry's `detail`, and nothing else.
const fn is_shown_as_data(detail: &Detail) -> bool {
    !matches!(detail, Detail::Sentence(_) | Detail::Comment { .. })
}

/// The body of a request without arguments: empty or `{}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoArguments {}

/// The body of actions without other arguments: empty, `{}`, or with the acting member.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActBody {
    /// The member who does it; without it, the API key does.
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnoozeBody {
    /// At most 24 hours; pages offer 120, 240 and 720.
    #[schema(minimum = 1, maximum = 1440, example = 120)]
    pub(crate) minutes: u32,
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalateBody {
    /// Counted from one; without it, the next one.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10)]
    pub(crate) level: Option<u32>,
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

/// People to whom an incident is assigned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleBody {
    #[serde(default)]
    pub(crate) members: Vec<MemberId>,
    #[serde(default)]
    pub(crate) teams: Vec<TeamId>,
    /// The member who does it; without it, the API key does.
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentBody {
    #[schema(min_length = 1, max_length = 4000)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

/// Later messages of the alerts do not change what is set here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditBody {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 512)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) severity: Option<Severity>,
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeBody {
    /// The incidents to merge. They are closed, and their alerts move here. They must be of the same space.
    #[schema(min_items = 1, max_items = 50)]
    pub(crate) incidents: Vec<IncidentId>,
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}

/// A silence for alerts like this incident's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuickSilenceBody {
    #[schema(minimum = 1, maximum = 43_200, example = 120)]
    pub(crate) minutes: u32,
    /// The labels that another alert must share, besides the title. Left out: all labels of the alert.
    #[serde(default)]
    pub(crate) labels: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) member: Option<MemberId>,
}
