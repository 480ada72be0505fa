//! Messages as the log keeps them, and the result of a trial.

use std::collections::BTreeMap;

use alerting::base::ids::{AlertId, SpaceId, Stamp};
use alerting::base::severity::Severity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::log::LogEntry;
use utoipa::ToSchema;

use super::Time;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageView {
    id: Stamp,
    received_at: Time,
    title: String,
    content: String,
    /// The type that the sender gave.
    #[schema(required)]
    msg_type: Option<String>,
    /// `triggered`, `updated`, `recovered`, `superseded`, `discarded`, `refused`.
    #[schema(example = "triggered")]
    outcome: &'static str,
    #[schema(required, example = "nothing_open")]
    reason: Option<String>,
    #[schema(required)]
    alert_key: Option<String>,
    /// `rule`, or `title` where no extractor found a key.
    #[schema(required)]
    key_from: Option<&'static str>,
    /// The rule that decided: `close[0]`, `trigger[1]`, `unmatched`, `pipeline[2]`.
    #[schema(required)]
    rule: Option<String>,
    #[schema(required)]
    alert_id: Option<AlertId>,
    /// Exceptions to the rules: `key_fallback`, `template_failed` …
    flags: Vec<&'static str>,
    /// Labels of its alert that were cut because the message's own took their place; with the flag `labels_cut`.
    labels_cut: Vec<String>,
    /// How many messages the record stands for: of messages that are refused for their source, rate or size, only a few
    /// samples a minute are kept, and the others are counted.
    times: u64,
    /// The message of which this one is a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_of: Option<Stamp>,
}

impl From<LogEntry> for MessageView {
    fn from(entry: LogEntry) -> Self {
        Self {
            id: entry.stamp,
            received_at: Time(entry.stamp.received_at()),
            title: entry.title,
            content: entry.content,
            msg_type: entry.msg_type,
            outcome: entry.outcome.as_str(),
            reason: entry.reason,
            alert_key: entry.alert_key,
            key_from: entry.key_from.map(|from| from.as_str()),
            rule: entry.rule,
            alert_id: entry.alert,
            flags: entry.flags.into_iter().map(|flag| flag.as_str()).collect(),
            labels_cut: entry.cut_labels,
            times: entry.times,
            replay_of: entry.replay_of,
        }
    }
}

/// A replayed message: the id under which it was queued again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Replayed {
    pub(crate) id: Stamp,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TryBody {
    /// The body that a sender would post: any JSON. If it is not a valid message, the answer shows the sender's error.
    #[schema(example = json!({"msg_type": "text", "content": {"text": "disk full on db-1"}}))]
    pub(crate) body: Value,
}

/// The result that a message would have now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tried)]
pub(crate) struct TrialView {
    /// `triggered`, `updated`, `recovered`, `discarded`, `refused`.
    #[schema(example = "triggered")]
    pub(crate) outcome: &'static str,
    #[schema(required)]
    pub(crate) reason: Option<&'static str>,
    /// The title of the alert, after the pipeline.
    #[schema(required)]
    pub(crate) title: Option<String>,
    #[schema(required)]
    pub(crate) content: Option<String>,
    #[schema(required)]
    pub(crate) alert_key: Option<String>,
    #[schema(required)]
    pub(crate) key_from: Option<&'static str>,
    #[schema(required)]
    pub(crate) rule: Option<String>,
    #[schema(required)]
    pub(crate) severity: Option<Severity>,
    pub(crate) labels: BTreeMap<String, String>,
    /// The spaces that its alert is routed to, or is in already.
    pub(crate) spaces: Vec<SpaceId>,
    /// Exceptions to the rules: `key_fallback`, `template_failed` …
    pub(crate) flags: Vec<&'static str>,
    pub(crate) answer: TrialAnswer,
}

/// The answer that the sender would get.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriedAnswer)]
pub(crate) struct TrialAnswer {
    #[schema(example = 200)]
    pub(crate) status: u16,
    #[schema(value_type = Object)]
    pub(crate) body: Value,
}
