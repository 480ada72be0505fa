//! Filter policies: which messages a subscriber gets. Pure.
//!
//! `{"severity": ["high", {"prefix": "crit"}], "n": [{"numeric": [">", 5]}]}`: every key must be satisfied, by any of
//! its conditions. The policy reads the message's attributes or, if the subscription says so, its body. Keys of a body
//! may be nested, and a list matches if any of its items does.
//!
//! Supported: exact values, `prefix`, `suffix`, `equals-ignore-case`, `anything-but` (values or a prefix), `numeric`,
//! `exists`. Others (`cidr`, `wildcard`, `$or`) are refused when they are set, never ignored.
//!
//! Source: Amazon SNS subscription filter policies (read 2026-11).

use serde_json::{Map, Value};

use crate::aws::sqs::message::MessageAttributes;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy(Vec<(String, Node)>);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Nested(Policy),
    AnyOf(Vec<Condition>),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Is(Value),
    Prefix(String),
    Suffix(String),
    IgnoringCase(String),
    Not(Vec<Value>),
    NotPrefix(String),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Policy {
    /// The policy, or an error text for the person who set it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Value::Object(keys)) => Self::from_keys(&keys),
            Ok(_) => Err("Filter policy must be an object".to_owned()),
            Err(error) => Err(format!("Filter policy is not JSON: {error}")),
        }
    }

    fn from_keys(keys: &Map<String, Value>) -> Result<Self, String> {
        let node = |(key, value): (&String, &Value)| match value {
            Value::Array(conditions) => {
                let conditions: Vec<Condition> = conditions.iter().map(Condition::parse).collect::<Result<_, _>>()?;
                Ok((key.clone(), Node::AnyOf(conditions)))
            }
            Value::Object(nested) if !key.starts_with('$') => Ok((key.clone(), Node::Nested(Self::from_keys(nested)?))),
            _ => Err(format!("\"{key}\" must be an object or an array")),
        };
        let known =
            |key: &String| if key.starts_with('$') { Err(format!("{key} is not supported here")) } else { Ok(()) };
        keys.keys().try_for_each(known)?;
        keys.iter().map(node).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn takes_attributes(&self, attributes: &MessageAttributes) -> bool {
        let value = |text: Option<&str>, data_type: &str| match (data_type, text) {
            ("Number" | "String.Array", Some(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
            (_, Some(text)) => Value::from(text),
            (_, None) => Value::Null,
        };
        let attributes = attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), value(attribute.string_value.as_deref(), &attribute.data_type)));
        self.takes(&Value::Object(attributes.collect()))
    }

    /// A body that is not an object has no keys that a policy could match.
    pub(crate) fn takes_body(&self, body: &str) -> bool {
        serde_json::from_str::<Value>(body).is_ok_and(|body| body.is_object() && self.takes(&body))
    }

    fn takes(&self, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| self.takes(item)),
            _ => self.0.iter().all(|(key, node)| node.takes(value.get(key))),
        }
    }
}

impl Node {
    fn takes(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Node::Nested(policy), value) => policy.takes(value.unwrap_or(&Value::Null)),
            (Node::AnyOf(conditions), None) => conditions.contains(&Condition::Exists(false)),
            (Node::AnyOf(conditions), Some(Value::Array(items))) => {
                items.iter().any(|item| conditions.iter().any(|condition| condition.takes(item)))
            }
            (Node::AnyOf(conditions), Some(value)) => conditions.iter().any(|condition| condition.takes(value)),
        }
    }
}

impl Condition {
    fn parse(value: &Value) -> Result<Self, String> {
        let Value::Object(operator) = value else {
            return match value {
                Value::Array(_) => Err("A condition must not be an array".to_owned()),
                exact => Ok(Condition::Is(exact.clone())),
            };
        };
        let bad = || Err(format!("Unrecognized match type or operand: {value}"));
        let mut entries = operator.iter();
        let (Some((name, operand)), None) = (entries.next(), entries.next()) else { return bad() };
        Ok(match (name.as_str(), operand) {
            ("prefix", Value::String(text)) => Condition::Prefix(text.clone()),
            ("suffix", Value::String(text)) => Condition::Suffix(text.clone()),
            ("equals-ignore-case", Value::String(text)) => Condition::IgnoringCase(text.to_lowercase()),
            ("exists", Value::Bool(wanted)) => Condition::Exists(*wanted),
            ("numeric", Value::Array(parts)) => Condition::Numeric(comparisons(parts)?),
            ("anything-but", Value::Array(values)) => Condition::Not(values.clone()),
            ("anything-but", Value::Object(inner)) => match inner.get("prefix") {
                Some(Value::String(text)) if inner.len() == 1 => Condition::NotPrefix(text.clone()),
                _ => return bad(),
            },
            ("anything-but", exact) => Condition::Not(vec![exact.clone()]),
            _ => return bad(),
        })
    }

    fn takes(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Condition::Is(exact) => same(exact, value),
            Condition::Prefix(start) => text.is_some_and(|text| text.starts_with(start)),
            Condition::Suffix(end) => text.is_some_and(|text| text.ends_with(end)),
            Condition::IgnoringCase(lower) => text.is_some_and(|text| text.to_lowercase() == *lower),
            Condition::Not(values) => !values.iter().any(|exact| same(exact, value)),
            Condition::NotPrefix(start) => !text.is_some_and(|text| text.starts_with(start)),
            Condition::Numeric(all) => {
                value.as_f64().is_some_and(|n| all.iter().all(|(op, limit)| op.holds(n, *limit)))
            }
            Condition::Exists(wanted) => *wanted,
        }
    }
}

/// Compares numbers by value: `1` equals `1.0`.
fn same(exact: &Value, value: &Value) -> bool {
    match (exact.as_f64(), value.as_f64()) {
        (Some(exact), Some(value)) => Comparison::Equal.holds(value, exact),
        _ => exact == value,
    }
}

/// `[">", 0, "<=", 10]`
fn comparisons(parts: &[Value]) -> Result<Vec<(Comparison, f64)>, String> {
    let pair = |pair: &[Value]| match pair {
        [Value::String(op), Value::Number(limit)] => Some((Comparison::parse(op)?, limit.as_f64()?)),
        _ => None,
    };
    let all: Option<Vec<_>> = parts.chunks(2).map(pair).collect();
    all.filter(|all| !all.is_empty()).ok_or_else(|| "\"numeric\" takes operators and numbers in turn".to_owned())
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Comparison::Equal => value == limit,
            Comparison::Less => value < limit,
            Comparison::LessOrEqual => value <= limit,
            Comparison::Greater => value > limit,
            Comparison::GreaterOrEqual => value >= limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_must_be_satisfied_by_any_of_its_conditions() {
        for (policy, body, taken) in [
            (r#"{"a":["x","y"]}"#, r#"{"a":"y"}"#, true),
            (r#"{"a":["x"],"b":["y"]}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":[{"prefix":"cr"}]}"#, r#"{"a":"critical"}"#, true),
            (r#"{"a":[{"suffix":".fifo"}]}"#, r#"{"a":"q"}"#, false),
            (r#"{"a":[{"equals-ignore-case":"HIGH"}]}"#, r#"{"a":"high"}"#, true),
            (r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":5}"#, true),
            (r#"{"a":[{"numeric":[">",0,"<=",5]}]}"#, r#"{"a":5.5}"#, false),
            (r#"{"a":[1]}"#, r#"{"a":1.0}"#, true),
            (r#"{"a":[{"anything-but":["x","y"]}]}"#, r#"{"a":"z"}"#, true),
            (r#"{"a":[{"anything-but":"x"}]}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, r#"{"a":"xy"}"#, false),
            (r#"{"a":[{"anything-but":"x"}]}"#, r#"{}"#, false),
            (r#"{"a":[{"exists":false}]}"#, r#"{}"#, true),
            (r#"{"a":[{"exists":true}]}"#, r#"{"a":null}"#, true),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":{"b":["w","x"]}}"#, true),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":[{"b":"w"},{"b":"x"}]}"#, true),
            (r#"{"a":{"b":["x"]}}"#, r#"{"a":"x"}"#, false),
            (r#"{"a":["x"]}"#, "not JSON", false),
        ] {
            assert_eq!(Policy::parse(policy).expect(policy).takes_body(body), taken, "{policy} on {body}");
        }
    }

    #[test]
    fn unsupported_conditions_are_refused_when_a_policy_is_set() {
        for policy in ["[]", "{", r#"{"a":"x"}"#, r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#, r#"{"$or":[{"a":["x"]}]}"#] {
            assert!(Policy::parse(policy).is_err(), "{policy}");
        }
    }
}
