//! The filter that all rules use: push rules, pipeline steps, routes, escalation rules and silences.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// Groups joined by OR. `{}` matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some_groups")]
    pub any: Vec<Group>,
}

/// Refuses an empty list. It would match everything, which is written as `{}`.
fn some_groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Group>, D::Error> {
    let groups = Vec::deserialize(deserializer)?;
    if groups.is_empty() {
        return Err(D::Error::custom("at least one group is needed; leave `any` out to take everything"));
    }
    Ok(groups)
}

/// Conditions joined by AND.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilterGroup)]
pub struct Group {
    pub all: Vec<Condition>,
}

/// A condition on one field. `match`: the field matches any of the values. `not_match`: it matches none of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FilterCondition)]
pub struct Condition {
    /// The field: `title`, `description`, `severity`, `labels.NAME`, and for messages also `content`.
    pub field: String,
    pub op: Op,
    /// Each value is an exact text, a `/regex/`, a wildcard with `*` and `?`, `cidr:10.0.0.0/8`, or `num:ge:90`. `*`
    /// alone means that the field exists.
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilterOp)]
pub enum Op {
    Match,
    NotMatch,
}
