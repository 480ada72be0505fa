//! Integrations: an inbound URL with its policy, as an operator saves it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::base::ids::{IntegrationId, MappingTableId, SpaceId};
use crate::base::moment::Moment;
use crate::base::secret::Sealed;
use crate::base::severity::Severity;
use crate::rules::filter::Filter;
use crate::rules::message::MsgType;

/// One integration. It is saved only if [`crate::rules::policy::Policy::new`] accepts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    pub id: IntegrationId,
    pub name: String,
    /// The version, which grows with every save. Caches of compiled rules use it.
    pub version: u64,
    /// The inbound protocol. Records of earlier versions have no source, which means Feishu.
    #[serde(default)]
    pub source: Source,
    pub routing: Routing,
    pub message_types: Vec<MsgType>,
    pub title_from: TitleFrom,
    pub push_mode: PushMode,
    pub security: Security,
    pub pipeline: Vec<Step>,
    pub limits: IntakeLimits,
    /// The hours after which an alert of the "each message" mode closes automatically. No message closes such an alert.
    pub auto_close_hours: u32,
    pub created_at: Moment,
}

/// The inbound protocol that the integration's URL speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The protocol of the Feishu (Lark) custom bot.
    #[default]
    Feishu,
}

/// The spaces to which alerts are routed: one space, or spaces by rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    Dedicated { space: SpaceId },
    Shared { routes: Vec<Route>, default_spaces: Vec<SpaceId> },
}

/// An ordered rule of a shared integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    #[serde(default)]
    pub filter: Filter,
    pub spaces: Vec<SpaceId>,
    #[serde(default)]
    #[schema(default = Then::default)]
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    #[default]
    Continue,
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TitleFrom {
    #[default]
    Default,
    FirstLine,
}

/// How an integration turns messages into alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", from = "PushModeFields")]
pub enum PushMode {
    #[default]
    EachMessage,
    ByTitle,
    ByRules {
        trigger: Vec<Filter>,
        close: Vec<Filter>,
        key: Vec<KeyExtractor>,
        unmatched: Unmatched,
    },
}

/// The form in which [`PushMode`] is read. All variants have braces, because serde accepts unknown fields in variants
/// without braces.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum PushModeFields {
    EachMessage {},
    ByTitle {},
    ByRules {
        // If a field is missing, the policy returns an error that names it.
        #[serde(default)]
        trigger: Vec<Filter>,
        #[serde(default)]
        close: Vec<Filter>,
        #[serde(default)]
        key: Vec<KeyExtractor>,
        #[serde(default)]
        unmatched: Unmatched,
    },
}

impl From<PushModeFields> for PushMode {
    fn from(fields: PushModeFields) -> Self {
        match fields {
            PushModeFields::EachMessage {} => PushMode::EachMessage,
            PushModeFields::ByTitle {} => PushMode::ByTitle,
            PushModeFields::ByRules { trigger, close, key, unmatched } => {
                PushMode::ByRules { trigger, close, key, unmatched }
            }
        }
    }
}

/// Extracts the key with a pattern: the first capture group, or the whole match if the pattern has no group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyExtractor {
    pub field: KeyField,
    /// The pattern: bare, `/…/` or `/…/i`.
    #[schema(example = r"/host=(\S+)/")]
    pub pattern: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyField {
    Title,
    Content,
}

/// What happens to a message that no rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    #[default]
    Discard,
    Trigger,
}

/// Optional checks, the same that Feishu's own bots have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Security {
    pub secret: Option<Sealed>,
    pub keywords: Vec<String>,
    /// The allowed source addresses: an address, `203.0.113.*` or CIDR.
    pub sources: Vec<String>,
}

/// One step of the pipeline: an optional filter and exactly one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Map<String, serde_json::Value>")]
pub struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Filter>,
    #[serde(flatten)]
    pub action: Action,
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    /// Reads a step by hand, because serde does not refuse unknown fields beside flattened ones.
    fn try_from(mut fields: Map<String, Value>) -> Result<Self, String> {
        let when = match fields.remove("when") {
            None | Some(Value::Null) => None,
            Some(when) => Some(serde_json::from_value(when).map_err(|error| format!("when: {error}"))?),
        };
        if let Some(unknown) = fields.keys().find(|name| !Action::NAMES.contains(&name.as_str())) {
            return Err(format!("unknown field `{unknown}`, expected `when` or one of {}", Action::NAMES.join(", ")));
        }
        let mut actions = fields.into_iter();
        let (name, value) = match (actions.next(), actions.next()) {
            (Some(action), None) => action,
            (Some((name, _)), Some((second, _))) => {
                return Err(format!("a step has one action; `{second}` stands beside `{name}`"));
            }
            (None, _) => return Err(format!("a step needs an action, one of {}", Action::NAMES.join(", "))),
        };
        let action = serde_json::from_value(Value::from(Map::from_iter([(name.clone(), value)])));
        Ok(Self { when, action: action.map_err(|error| format!("{name}: {error}"))? })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    SetTitle(String),
    SetDescription(String),
    SetSeverity(SeveritySource),
    AddLabel(AddLabel),
    /// Adds labels from the row of a mapping table whose source labels equal those of the alert.
    MapLabels {
        table: MappingTableId,
    },
    DeleteLabel(String),
    Drop(bool),
}

impl Action {
    /// The fields that a step's action may have.
    pub const NAMES: [&'static str; 7] =
        ["set_title", "set_description", "set_severity", "add_label", "map_labels", "delete_label", "drop"];
}

/// A severity by name, or a template that renders to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SeveritySource {
    Fixed(Severity),
    Template(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "AddLabelFields")]
pub enum AddLabel {
    /// The value is extracted from a field (`title`, `content`, `labels.NAME` …): the first capture group, or the whole
    /// match.
    Extract { name: String, from: String, pattern: String },
    /// The value is rendered from a template.
    Compose { name: String, value: String },
}

/// The form in which [`AddLabel`] is read, so that an unknown field is refused by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddLabelFields {
    name: String,
    from: Option<String>,
    pattern: Option<String>,
    value: Option<String>,
}

impl TryFrom<AddLabelFields> for AddLabel {
    type Error = &'static str;

    fn try_from(fields: AddLabelFields) -> Result<Self, &'static str> {
        match fields {
            AddLabelFields { name, from: Some(from), pattern: Some(pattern), value: None } => {
                Ok(AddLabel::Extract { name, from, pattern })
            }
            AddLabelFields { name, from: None, pattern: None, value: Some(value) } => {
                Ok(AddLabel::Compose { name, value })
            }
            _ => Err("a label is added from a field by a pattern (`from` and `pattern`), or by a template (`value`)"),
        }
    }
}

/// The most messages per second and per minute (counted per process, approximately), and the most open alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IntakeLimits {
    pub per_second: u32,
    pub per_minute: u32,
    pub open_alerts: u32,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self { per_second: 100, per_minute: 1000, open_alerts: 10_000 }
    }
}

/// A table that maps source labels to result labels, with one row per combination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingTable {
    pub id: MappingTableId,
    pub name: String,
    pub version: u64,
    pub source_labels: Vec<String>,
    pub result_labels: Vec<String>,
    pub rows: Vec<BTreeMap<String, String>>,
    pub created_at: Moment,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_integration_stored_before_sources_had_names_speaks_feishus_protocol() {
        let mut stored = json!({
            "id": "int_1", "name": "a", "version": 1, "routing": {"dedicated": {"space": "spc_1"}},
            "message_types": ["text"], "title_from": "default", "push_mode": {"type": "each_message"},
            "security": {"secret": null, "keywords": [], "sources": []}, "pipeline": [],
            "limits": {"per_second": 100, "per_minute": 1000, "open_alerts": 10000},
            "auto_close_hours": 24, "created_at": 0,
        });
        let source = |stored: &Value| Integration::deserialize(stored).map(|integration| integration.source);
        assert_eq!(source(&stored).expect("is read"), Source::Feishu);
        stored["source"] = json!("feishu");
        assert_eq!(source(&stored).expect("is read"), Source::Feishu);
        stored["source"] = json!("carrier_pigeon");
        assert!(source(&stored).expect_err("is refused").to_string().contains("expected `feishu`"));
    }
}
