//! Incidents, their timelines and deliveries, as they are told.

use alerting::ids::{AlertId, DestinationId, IncidentId, SpaceId};
use alerting::incident::{Entry, Incident, Progress};
use alerting::severity::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::schema::{ProgressShape, SeverityShape};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Incident)]
pub(crate) struct IncidentView {
    #[schema(value_type = String)]
    id: IncidentId,
    /// What people call it by.
    #[schema(example = "7KQ2MD")]
    num: String,
    #[schema(value_type = String, example = "spc_4fJk2LmNpQ")]
    space: SpaceId,
    title: String,
    #[schema(value_type = SeverityShape)]
    severity: Severity,
    #[schema(value_type = ProgressShape)]
    progress: Progress,
    #[schema(value_type = Vec<String>)]
    alerts: Vec<AlertId>,
    triggered_at: Time,
    #[schema(required)]
    acknowledged_at: Option<Time>,
    #[schema(required)]
    closed_at: Option<Time>,
    #[schema(required)]
    snoozed_until: Option<Time>,
    assignees: Vec<String>,
}

/// With everything that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IncidentDetail)]
pub(crate) struct IncidentDetail {
    #[serde(flatten)]
    incident: IncidentView,
    timeline: Vec<EntryView>,
    pub(crate) deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
struct EntryView {
    at: Time,
    #[schema(example = "acknowledged")]
    kind: &'static str,
    /// A member or API key by name, `source`, or `timer`.
    actor: String,
    #[schema(required)]
    detail: Option<String>,
}

/// One destination's notices of this incident.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryView {
    #[schema(value_type = String, example = "dst_8Zp1QeRtYu")]
    pub(crate) destination: DestinationId,
    /// The destination's name and channel; `null` once it is deleted.
    #[schema(required)]
    pub(crate) name: Option<String>,
    #[schema(required, example = "feishu_bot")]
    pub(crate) channel: Option<String>,
    /// Of its newest notice: `delivered`, `folded` (into a message with others), `failed` or `pending`.
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
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        Self {
            id: incident.id,
            num: incident.num,
            space: incident.space,
            title: incident.title,
            severity: incident.severity,
            progress: incident.progress,
            alerts: incident.alerts,
            triggered_at: Time(incident.triggered_at),
            acknowledged_at: incident.acknowledged_at.map(Time),
            closed_at: incident.closed_at.map(Time),
            snoozed_until: incident.snoozed_until.map(Time),
            assignees: incident.assignees,
        }
    }
}

impl IncidentDetail {
    pub(crate) fn new(mut incident: Incident, deliveries: Vec<DeliveryView>) -> Self {
        let timeline = std::mem::take(&mut incident.timeline).into_iter().map(EntryView::from).collect();
        Self { incident: incident.into(), timeline, deliveries }
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let Entry { n: _, at, kind, actor, detail, alert_n: _ } = entry;
        Self { at: Time(at), kind: kind.as_str(), actor, detail }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnoozeBody {
    /// At most 24 hours.
    #[schema(minimum = 1, maximum = 1440, example = 120)]
    pub(crate) minutes: u32,
}

/// For actions without arguments: an empty body or `{}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoArguments {}
