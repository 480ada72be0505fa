//! The five operations that this crate uses: get, get many, query one page, write under a condition, delete.
//!
//! A refused condition is an outcome ([`Write::Refused`]) and returns the item that refused it: `ALL_OLD` costs
//! nothing, a second read would. Reads are eventually consistent, at half the price, unless [`Reading::Latest`] is
//! asked for. The SDK retries throttling and server errors, with jitter. Other errors go to the caller, whose queue
//! repeats the message.

mod requests;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use crate::item::Item;
use crate::keys::Key;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Config,
    Alerts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Eventual,
    Latest,
}

/// Placeholders and their values. Every attribute but the keys is named by placeholder, so that no name collides
/// with DynamoDB's reserved words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Terms {
    pub(crate) fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.names.insert(placeholder.to_owned(), attribute.to_owned());
        self
    }

    pub(crate) fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// What must hold for a write to take effect.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) expression: String,
    pub(crate) terms: Terms,
}

impl Condition {
    pub(crate) fn new(expression: &str, terms: Terms) -> Self {
        Self { expression: expression.to_owned(), terms }
    }

    /// Nothing is stored under this key yet.
    pub(crate) fn absent() -> Self {
        Self::new("attribute_not_exists(pk)", Terms::default())
    }

    /// Something is stored under this key.
    pub(crate) fn exists() -> Self {
        Self::new("attribute_exists(pk)", Terms::default())
    }

    /// The stored item has this value, or (`None`) there is none.
    pub(crate) fn unchanged(attribute: &str, value: Option<u64>) -> Self {
        let Some(value) = value else { return Self::absent() };
        let terms = Terms::default().name("#unchanged", attribute);
        Self::new("#unchanged = :unchanged", terms.value(":unchanged", AttributeValue::N(value.to_string())))
    }

    /// Puts this condition on a transaction's write.
    pub(crate) fn guard(self, put: PutBuilder) -> PutBuilder {
        put.condition_expression(self.expression)
            .set_expression_attribute_names(self.terms.names())
            .set_expression_attribute_values(self.terms.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// One `UpdateItem`.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) key: Key,
    pub(crate) expression: String,
    pub(crate) condition: Option<String>,
    pub(crate) terms: Terms,
}

#[derive(Debug)]
pub(crate) enum Write {
    /// For an update: the item as it is now.
    Done(Item),
    /// The condition did not hold; the item as it was and is, if there is one.
    Refused(Option<Item>),
}

/// A part of one partition.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) partition: String,
    pub(crate) range: Range,
    pub(crate) limit: Option<usize>,
    /// Attributes to return; all if empty. It saves transfer, not read units.
    pub(crate) only: &'static [&'static str],
    pub(crate) reading: Reading,
}

#[derive(Debug, Clone)]
pub(crate) enum Range {
    All,
    /// Newest first, below the sort key if there is one.
    Newest {
        below: Option<String>,
    },
    /// Oldest first, up to the sort key.
    UpTo(String),
    /// Both ends included.
    Between(String, String),
}

/// One page of a query and where the next begins.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) items: Vec<Item>,
    pub(crate) next: Option<Item>,
}

impl Part {
    pub(crate) fn all(partition: impl Into<String>) -> Self {
        Self { partition: partition.into(), range: Range::All, limit: None, only: &[], reading: Reading::Eventual }
    }

    pub(crate) fn range(mut self, range: Range) -> Self {
        self.range = range;
        self
    }

    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(crate) fn only(mut self, attributes: &'static [&'static str]) -> Self {
        self.only = attributes;
        self
    }

    pub(crate) fn latest(mut self) -> Self {
        self.reading = Reading::Latest;
        self
    }

    pub(super) fn key_condition(&self) -> (String, Terms) {
        let terms = Terms::default().value(":pk", AttributeValue::S(self.partition.clone()));
        let text = |text: &String| AttributeValue::S(text.clone());
        let (sort, terms) = match &self.range {
            Range::All | Range::Newest { below: None } => ("", terms),
            Range::Newest { below: Some(below) } => (" AND sk < :a", terms.value(":a", text(below))),
            Range::UpTo(last) => (" AND sk <= :a", terms.value(":a", text(last))),
            Range::Between(first, last) => {
                (" AND sk BETWEEN :a AND :b", terms.value(":a", text(first)).value(":b", text(last)))
            }
        };
        (format!("pk = :pk{sort}"), terms)
    }

    pub(super) fn projection(&self, terms: Terms) -> (Option<String>, Terms) {
        if self.only.is_empty() {
            return (None, terms);
        }
        let mut expression = "pk, sk".to_owned();
        let mut terms = terms;
        for (index, attribute) in self.only.iter().enumerate() {
            expression.push_str(&format!(", #p{index}"));
            terms = terms.name(&format!("#p{index}"), attribute);
        }
        (Some(expression), terms)
    }
}
