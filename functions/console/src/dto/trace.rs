//! Why someone was, or was not, notified of a message.

use alerting::base::ids::{AlertId, DestinationId, EscalationRuleId, IncidentId, SilenceId, SpaceId, Stamp};
use alerting::incident::Progress;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use super::incident::AttemptView;
use super::message::MessageView;

/// Outcomes, places and attempts are the recorded ones. What was tried is recomputed from the body as it was received.
/// Sentences are in the requested language; a timeline's own texts stay as they were written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trace)]
pub(crate) struct TraceView {
    /// Why someone was, or was not, notified.
    #[schema(
        example = "In Payments: no escalation rule matched, so the space's own destinations hear of it: ops was told."
    )]
    pub(crate) summary: String,
    /// The message as in the list; `null`: it waits to be judged and is not recorded yet.
    #[schema(required)]
    pub(crate) message: Option<MessageView>,
    /// Whether the configuration has changed since, or the recomputed decision differs from the recorded one.
    pub(crate) configuration_changed: bool,
    /// What has changed, or differs.
    pub(crate) changes: Vec<String>,
    /// What can no longer be explained, and why.
    pub(crate) notes: Vec<String>,
    pub(crate) intake: IntakeTrace,
    /// `null`: the message was not judged, or cannot be judged again.
    #[schema(required)]
    pub(crate) push_mode: Option<PushModeTrace>,
    pub(crate) pipeline: Vec<PipelineTrace>,
    pub(crate) routes: Vec<RouteTrace>,
    #[schema(required)]
    pub(crate) alert: Option<AlertTrace>,
    /// Where the alert went.
    pub(crate) spaces: Vec<SpaceTrace>,
}

/// One check or rule that was tried.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceStep)]
pub(crate) struct StepView {
    /// The place in the configuration, or the name of the step: `close[0]`, `trigger[1]`, `key[0]`, `unmatched`,
    /// `signature` …
    #[schema(example = "close[0]")]
    pub(crate) step: String,
    /// `match`, `no_match`, `not_reached`, `unusable`, `too_costly`; of an extractor `found`, `found_nothing`, `found_empty`;
    /// of a check of the intake `passed`, `failed`, `not_asked`, `not_reached`.
    #[schema(example = "no_match")]
    pub(crate) result: &'static str,
    #[schema(example = "content does not match /RESOLVED/")]
    pub(crate) because: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntakeTrace {
    /// `accepted`, `refused`, or `unknown` while nothing is recorded.
    pub(crate) result: &'static str,
    /// The checks in their order.
    pub(crate) steps: Vec<StepView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PushModeTrace {
    /// `each_message`, `by_title`, `by_rules`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// Close rules, trigger rules, then the extractors of the alert key.
    pub(crate) steps: Vec<StepView>,
    /// As recorded.
    #[schema(required)]
    pub(crate) alert_key: Option<String>,
    /// `rule` or `title`, as recorded.
    #[schema(required)]
    pub(crate) key_from: Option<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PipelineTrace {
    #[schema(example = "pipeline[0]")]
    pub(crate) step: String,
    /// What the step does: `set_title`, `add_label` …
    #[schema(example = "set_severity")]
    pub(crate) action: &'static str,
    /// `changed`, `unchanged`, `dropped`, `no_match`, `found_nothing`, `template_failed`, `unusable`, `too_costly`,
    /// `not_reached`.
    #[schema(example = "changed")]
    pub(crate) result: &'static str,
    pub(crate) because: String,
    pub(crate) changes: Vec<ChangeView>,
}

/// Texts are cut to 200 characters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceChange)]
pub(crate) struct ChangeView {
    #[schema(example = "severity")]
    pub(crate) field: String,
    #[schema(required)]
    pub(crate) before: Option<String>,
    #[schema(required)]
    pub(crate) after: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RouteTrace {
    /// `space` (the integration has one), `routes[0]`, `default_spaces`, or `alert`: the alert stays in its first
    /// spaces.
    #[schema(example = "routes[0]")]
    pub(crate) step: String,
    #[schema(example = "match")]
    pub(crate) result: &'static str,
    pub(crate) because: String,
    /// The spaces to which the route leads.
    pub(crate) spaces: Vec<SpaceId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertTrace {
    pub(crate) id: AlertId,
    /// The message that opened the alert: it decided about silence, grouping and escalation.
    pub(crate) opened_by: Stamp,
    pub(crate) title: String,
    /// `open` or `closed`, as it is now.
    pub(crate) status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpaceTrace {
    pub(crate) space: SpaceId,
    /// `null`: it was deleted.
    #[schema(required)]
    pub(crate) name: Option<String>,
    /// The decision about the message that opened the alert; `null` for later messages.
    #[schema(required)]
    pub(crate) silence: Option<SilenceTrace>,
    #[schema(required)]
    pub(crate) grouping: Option<GroupingTrace>,
    /// The incident to which the alert belongs; `null`: there is none.
    #[schema(required)]
    pub(crate) incident: Option<IncidentTrace>,
    #[schema(required)]
    pub(crate) escalation: Option<EscalationTrace>,
    /// For the message that created the incident, all notices; for any other, those that it caused itself.
    pub(crate) notices: Vec<NoticeTrace>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SilenceTrace {
    /// `none`, `kept` (an incident was made, which notified when the silence ended), `muted` (the alert flaps), `dropped` (no
    /// incident was made). As recorded.
    pub(crate) result: &'static str,
    pub(crate) because: String,
    /// Tried in this order, at the time of the message.
    pub(crate) silences: Vec<SilenceTried>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SilenceTried {
    pub(crate) silence: SilenceId,
    pub(crate) name: String,
    /// `match`, `no_match`, `not_now`, `not_reached`, `unusable`, `too_costly`.
    pub(crate) result: &'static str,
    pub(crate) because: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupingTrace {
    /// `off`, `alone` (it lacks a value), `first` (it made the group's incident), `joined`. As recorded.
    pub(crate) result: &'static str,
    pub(crate) because: String,
    /// The values of this alert by which the space groups its alerts.
    pub(crate) by: Vec<GroupValue>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupValue {
    #[schema(example = "labels.host")]
    pub(crate) field: String,
    #[schema(required)]
    pub(crate) value: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentTrace {
    pub(crate) id: IncidentId,
    #[schema(example = "7KQ2MD")]
    pub(crate) num: String,
    pub(crate) title: String,
    pub(crate) progress: Progress,
    pub(crate) flapping: bool,
    /// Whether this message created the incident.
    pub(crate) made: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EscalationTrace {
    /// When the rules were tried; `null`: they were not, because the incident was held back or closed, or no message of
    /// this alert caused it.
    #[schema(required)]
    pub(crate) asked_at: Option<Time>,
    /// Tried in their order.
    pub(crate) rules: Vec<RuleTried>,
    /// The name of the rule, as recorded; `null`: the space's own destinations, or people chosen by hand.
    #[schema(required)]
    pub(crate) rule: Option<String>,
    /// The present level, counted from one.
    #[schema(required)]
    pub(crate) level: Option<u32>,
    /// The level has notified nobody yet; it waits until this time.
    #[schema(required)]
    pub(crate) waits_until: Option<Time>,
    /// Every assignment, oldest first.
    pub(crate) told: Vec<AssignmentTrace>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleTried {
    pub(crate) rule: EscalationRuleId,
    pub(crate) name: String,
    /// `match`, `no_match`, `not_now`, `not_reached`, `unusable`, `too_costly`.
    pub(crate) result: &'static str,
    pub(crate) because: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ToldTrace)]
pub(crate) struct AssignmentTrace {
    pub(crate) at: Time,
    #[schema(example = "escalated")]
    pub(crate) change: &'static str,
    /// The text of the timeline: the rule and level, or why nobody was notified.
    #[schema(required)]
    pub(crate) detail: Option<String>,
    /// The names of those who were notified.
    pub(crate) to: Vec<String>,
}

/// One change of the incident and one destination that was to be notified of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeTrace {
    pub(crate) destination: DestinationId,
    /// The destination's or the member's name, and the channel; `null` once it is deleted.
    #[schema(required)]
    pub(crate) name: Option<String>,
    #[schema(required, example = "feishu_bot")]
    pub(crate) channel: Option<String>,
    /// The change that it reports: `triggered`, `escalated`, `recovered` …; `null`: its entry is not kept any more.
    #[schema(required, example = "triggered")]
    pub(crate) change: Option<&'static str>,
    /// `delivered`, `folded` (into a message with others), `accepted` (by the provider, not confirmed yet), `failed` or
    /// `pending`.
    #[schema(example = "delivered")]
    pub(crate) state: &'static str,
    /// The provider's answer to each attempt.
    pub(crate) attempts: Vec<AttemptView>,
}
