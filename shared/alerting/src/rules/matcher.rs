//! A compiled [`Filter`]: parsed fields and values.
//!
//! | value | matches |
//! |---|---|
//! | `disk full` | a field that is exactly this |
//! | `/regex/`, `/regex/i` | a field in which the pattern occurs; for texts over 8 KiB see `compiled.rs` |
//! | `db-*`, `db-?` | a whole field, `*` for any text and `?` for any one character |
//! | `*` | a field that exists: a label that is set, a text that is not empty |
//! | `cidr:10.0.0.0/24` | a field that is an address of that network; other fields never match |
//! | `num:gt:90` | a field that is a number, compared by gt, ge, lt or le; other fields never match |
//!
//! `match` needs any of the values, `not_match` none of them. A missing field matches nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use wildmatch::WildMatch;

use crate::base::field_error::FieldError;
use crate::base::limits;
use crate::base::severity::Severity;
use crate::rules::compiled::{OutOfFuel, PatternId, Patterns, Run};
use crate::rules::filter::{Condition, Filter, Op};
use crate::rules::literals::{self, Literals};
use crate::rules::pattern::Pattern;
use crate::rules::trace::{Asked, Observer};

/// The fields that a filter can test. For a message as received, the title and content are those of the message, the
/// description is the content, and the severity is the default.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub content: &'a str,
    pub severity: Severity,
    pub labels: &'a BTreeMap<String, String>,
}

impl<'a> View<'a> {
    /// The texts that the rules' prefilter searches.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'a str> {
        let description = Some(self.description).filter(|text| !std::ptr::eq(*text, self.content));
        [self.title, self.content].into_iter().chain(description)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    Title,
    Description,
    Content,
    Severity,
    Label(String),
}

impl Field {
    pub(crate) fn parse(text: &str, path: &str) -> Result<Self, FieldError> {
        Ok(match text {
            "title" => Field::Title,
            "description" => Field::Description,
            "content" => Field::Content,
            "severity" => Field::Severity,
            _ => match text.strip_prefix("labels.") {
                Some(name) if !name.is_empty() => Field::Label(name.to_owned()),
                _ => {
                    let message = "a field is title, content, description, severity or labels.NAME";
                    return Err(FieldError::new(path, message));
                }
            },
        })
    }

    pub(crate) fn read<'a>(&self, view: &View<'a>) -> Option<&'a str> {
        match self {
            Field::Title => Some(view.title),
            Field::Description => Some(view.description),
            Field::Content => Some(view.content),
            Field::Severity => Some(view.severity.as_str()),
            Field::Label(name) => view.labels.get(name).map(String::as_str),
        }
    }

    /// Whether the rules' prefilter searches this field.
    fn is_scanned(&self) -> bool {
        matches!(self, Field::Title | Field::Description | Field::Content)
    }
}

/// A compiled filter.
#[derive(Debug)]
pub(crate) struct Matcher {
    /// The groups, joined by OR. Without groups everything matches.
    any: Vec<Vec<Test>>,
}

#[derive(Debug)]
struct Test {
    field: Field,
    op: Op,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Exists,
    Exactly(String),
    Wildcard(WildMatch),
    Regex(PatternId),
    Network(IpNet),
    Number(Comparison, f64),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Greater,
    AtLeast,
    Less,
    AtMost,
}

impl Matcher {
    /// Compiles `filter`. `path`: the field of the integration that errors name.
    pub(crate) fn new(filter: &Filter, path: &str, patterns: &mut Patterns) -> Result<Self, FieldError> {
        let mut any = Vec::with_capacity(filter.any.len());
        for (g, group) in filter.any.iter().enumerate() {
            let tests = group.all.iter().enumerate();
            let tests =
                tests.map(|(c, condition)| Test::new(condition, &format!("{path}.any[{g}].all[{c}]"), patterns));
            any.push(tests.collect::<Result<_, _>>()?);
        }
        Ok(Self { any })
    }

    pub(crate) fn matches<O: Observer>(
        &self,
        view: &View<'_>,
        run: &mut Run<'_>,
        seen: &mut O,
    ) -> Result<bool, OutOfFuel> {
        if self.any.is_empty() {
            return Ok(true);
        }
        for (group, tests) in self.any.iter().enumerate() {
            if all(tests, group, view, run, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Texts of which at least one occurs in the title, description or content of everything that the filter matches.
    pub(crate) fn literals(&self, patterns: &Patterns) -> Option<Literals> {
        let group = |tests: &Vec<Test>| tests.iter().map(|test| test.literals(patterns)).fold(None, literals::better);
        literals::union(self.any.iter().map(group))
    }
}

fn all<O: Observer>(
    tests: &[Test],
    group: usize,
    view: &View<'_>,
    run: &mut Run<'_>,
    seen: &mut O,
) -> Result<bool, OutOfFuel> {
    for (condition, test) in tests.iter().enumerate() {
        let text = test.field.read(view);
        let (value, cut) = run.noting_cuts(|run| test.value_of(text, run));
        let value = value?;
        let holds = value.is_some() == (test.op == Op::Match);
        seen.asked(|| Asked { group, condition, value, exists: text.is_some(), cut, holds });
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Test {
    fn new(condition: &Condition, path: &str, patterns: &mut Patterns) -> Result<Self, FieldError> {
        let field = Field::parse(&condition.field, &format!("{path}.field"))?;
        if condition.values.is_empty() {
            return Err(FieldError::new(format!("{path}.values"), "at least one value is needed"));
        }
        let values = condition.values.iter().enumerate();
        let values = values.map(|(v, text)| Value::new(text, &format!("{path}.values[{v}]"), patterns));
        Ok(Self { field, op: condition.op, values: values.collect::<Result<_, _>>()? })
    }

    /// The index of the first value that the field matches. A missing field matches none.
    fn value_of(&self, text: Option<&str>, run: &mut Run<'_>) -> Result<Option<usize>, OutOfFuel> {
        let Some(text) = text else { return Ok(None) };
        for (n, value) in self.values.iter().enumerate() {
            if value.matches(text, run)? {
                return Ok(Some(n));
            }
        }
        Ok(None)
    }

    fn literals(&self, patterns: &Patterns) -> Option<Literals> {
        match self.op {
            Op::Match if self.field.is_scanned() => {
                literals::union(self.values.iter().map(|value| value.literals(patterns)))
            }
            Op::Match | Op::NotMatch => None,
        }
    }
}

impl Value {
    fn new(text: &str, path: &str, patterns: &mut Patterns) -> Result<Self, FieldError> {
        if text == "*" {
            return Ok(Value::Exists);
        }
        if Pattern::is_slashed(text) {
            return patterns.add(text).map(Value::Regex).map_err(|error| FieldError::new(path, error.to_string()));
        }
        patterns.check_flags(text).map_err(|error| FieldError::new(path, error.to_string()))?;
        if text.chars().nth(limits::LABEL_VALUE_CHARS).is_some() {
            let message = format!("longer than {} characters", limits::LABEL_VALUE_CHARS);
            return Err(FieldError::new(path, message));
        }
        if let Some(network) = text.strip_prefix("cidr:") {
            return network_of(network)
                .map(Value::Network)
                .ok_or_else(|| FieldError::new(path, "not a network, such as cidr:10.0.0.0/24"));
        }
        if let Some(comparison) = text.strip_prefix("num:") {
            return number_of(comparison)
                .map(|(comparison, number)| Value::Number(comparison, number))
                .ok_or_else(|| FieldError::new(path, "not a comparison, such as num:gt:90 (gt, ge, lt, le)"));
        }
        Ok(if text.contains(['*', '?']) {
            Value::Wildcard(WildMatch::new(text))
        } else {
            Value::Exactly(text.to_owned())
        })
    }

    fn matches(&self, text: &str, run: &mut Run<'_>) -> Result<bool, OutOfFuel> {
        Ok(match self {
            Value::Exists => !text.is_empty(),
            Value::Exactly(wanted) => wanted == text,
            Value::Wildcard(wildcard) => {
                // In the worst case the match starts again at every character.
                run.charge(text.len() as u64 * wildcard.pattern_chars().len() as u64)?;
                wildcard.matches(text)
            }
            Value::Regex(id) => run.is_match(*id, text)?,
            Value::Network(network) => {
                text.trim().parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical()))
            }
            Value::Number(comparison, bound) => number(text).is_some_and(|number| match comparison {
                Comparison::Greater => number > *bound,
                Comparison::AtLeast => number >= *bound,
                Comparison::Less => number < *bound,
                Comparison::AtMost => number <= *bound,
            }),
        })
    }

    fn literals(&self, patterns: &Patterns) -> Option<Literals> {
        match self {
            Value::Exactly(text) => literals::of_text(text.as_bytes()),
            Value::Wildcard(wildcard) => {
                let pattern = wildcard.pattern();
                let longest = pattern.split(['*', '?']).max_by_key(|part| part.len())?;
                literals::of_text(longest.as_bytes())
            }
            Value::Regex(id) => patterns.get(*id).required().cloned(),
            Value::Exists | Value::Network(_) | Value::Number(..) => None,
        }
    }
}

/// Parses a network or a single address.
fn network_of(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn number_of(text: &str) -> Option<(Comparison, f64)> {
    let (comparison, bound) = text.split_once(':')?;
    let comparison = match comparison {
        "gt" => Comparison::Greater,
        "ge" => Comparison::AtLeast,
        "lt" => Comparison::Less,
        "le" => Comparison::AtMost,
        _ => return None,
    };
    Some((comparison, number(bound)?))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests;
