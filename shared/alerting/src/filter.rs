//! One filter type, used everywhere: push rules, pipeline, routes, and later escalation and silence.

use serde::{Deserialize, Serialize};

/// Groups joined by OR. No groups: everything matches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<Group>,
}

/// Conditions joined by AND.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub all: Vec<Condition>,
}

/// `field op values`. `match`: any of the values; `not_match`: none of them.
///
/// A value is exact, `/regex/` (or `/regex/i`), a wildcard with `*` and `?`, `cidr:10.0.0.0/24`, or `num:gt:90`
/// (gt, ge, lt, le). `*` alone means "exists".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// `title`, `description`, `severity`, `labels.NAME`, and for messages `content`.
    pub field: String,
    pub op: Op,
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Match,
    NotMatch,
}
