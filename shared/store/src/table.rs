//! The five operations that everything here is made of: get, get many, query one page, write under a condition, delete.
//!
//! A refused condition is an outcome ([`Write::Refused`]) and brings the item that refused it: `ALL_OLD` costs nothing,
//! where a second read would. Reads are eventually consistent unless [`Reading::Latest`] is asked for: half the price.
//! Throttling and server errors are tried again by the SDK, with jitter; what remains is an error for the caller, whose
//! queue repeats the message.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure,
    WriteRequest,
};

use crate::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::Item;
use crate::keys::Key;

/// What one `BatchGetItem` takes.
const BATCH_GET: usize = 100;
/// What one `BatchWriteItem` takes.
const BATCH_WRITE: usize = 25;
/// How often the unprocessed rest of a batch is asked for again, each time after twice the wait.
const BATCH_ROUNDS: u32 = 5;
const BATCH_WAIT: Duration = Duration::from_millis(50);
/// How often a put is tried again while a transaction is at its item. The SDK does not retry this error, and a transaction
/// takes some ten milliseconds: <https://repost.aws/knowledge-center/dynamodb-transactwriteitems>.
const CONFLICT_ROUNDS: u32 = 5;
const CONFLICT_WAIT: Duration = Duration::from_millis(20);

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

/// Placeholders and what they stand for. Every attribute but the keys is named by placeholder, so that no name collides
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

    fn key_condition(&self) -> (String, Terms) {
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

    fn projection(&self, terms: Terms) -> (Option<String>, Terms) {
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

impl Store {
    pub(crate) async fn get(&self, table: Table, key: &Key, reading: Reading) -> Result<Option<Item>, ReadError> {
        let request = self.client().get_item().table_name(self.table_name(table)).set_key(Some(key.attributes()));
        let reply = request.consistent_read(reading == Reading::Latest).send().await;
        Ok(reply.map_err(|error| ReadError::aws(key, error))?.item)
    }

    /// The items that exist, in no order. A key that is named twice is asked for once: DynamoDB refuses it otherwise.
    pub(crate) async fn get_many(&self, table: Table, keys: &[Key]) -> Result<Vec<Item>, ReadError> {
        let different: Vec<&Key> = keys.iter().collect::<HashSet<&Key>>().into_iter().collect();
        let mut found = Vec::with_capacity(different.len());
        for chunk in different.chunks(BATCH_GET) {
            let keys = chunk.iter().map(|key| key.attributes()).collect();
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys));
            let wanted = wanted.build().expect("a chunk is not empty");
            let mut open = HashMap::from([(self.table_name(table).to_owned(), wanted)]);
            for round in 0.. {
                let reply = self.client().batch_get_item().set_request_items(Some(open)).send().await;
                let reply = reply.map_err(|error| ReadError::aws(chunk[0], error))?;
                found.extend(reply.responses.unwrap_or_default().into_values().flatten());
                open = reply.unprocessed_keys.unwrap_or_default();
                if open.is_empty() {
                    break;
                }
                if round == BATCH_ROUNDS {
                    return Err(ReadError::throttled(chunk[0]));
                }
                tokio::time::sleep(BATCH_WAIT * 2_u32.pow(round)).await;
            }
        }
        Ok(found)
    }

    pub(crate) async fn query(&self, table: Table, part: &Part, from: Option<Item>) -> Result<Rows, ReadError> {
        let (condition, terms) = part.key_condition();
        let (projection, terms) = part.projection(terms);
        let request = self.client().query().table_name(self.table_name(table));
        let request = request.key_condition_expression(condition).set_projection_expression(projection);
        let request = request
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .set_exclusive_start_key(from)
            .consistent_read(part.reading == Reading::Latest)
            .scan_index_forward(!matches!(part.range, Range::Newest { .. }))
            .set_limit(part.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)));
        let reply = request.send().await.map_err(|error| ReadError::aws(&part.partition, error))?;
        Ok(Rows { items: reply.items.unwrap_or_default(), next: reply.last_evaluated_key })
    }

    /// Every item of a part, page by page: only for partitions that are bounded by what they are (the destinations of
    /// one incident, one hour), or that a caller folds into a count.
    pub(crate) async fn query_all<T>(
        &self,
        table: Table,
        part: &Part,
        mut take: impl FnMut(&Item) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let mut taken = Vec::new();
        let mut from = None;
        loop {
            let rows = self.query(table, part, from).await?;
            for item in &rows.items {
                taken.push(take(item)?);
            }
            match rows.next {
                Some(next) => from = Some(next),
                None => return Ok(taken),
            }
        }
    }

    pub(crate) async fn put(
        &self,
        table: Table,
        key: &Key,
        item: Item,
        condition: Option<Condition>,
    ) -> Result<Write, WriteError> {
        let mut request = self.client().put_item().table_name(self.table_name(table)).set_item(Some(item));
        if let Some(Condition { expression, terms }) = condition {
            request = request
                .condition_expression(expression)
                .set_expression_attribute_names(terms.names())
                .set_expression_attribute_values(terms.values())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        for round in 1.. {
            let Err(error) = request.clone().send().await else { break };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                    return Ok(Write::Refused(refusal.item.clone()));
                }
                Some(PutItemError::TransactionConflictException(_)) if round <= CONFLICT_ROUNDS => {
                    tokio::time::sleep(CONFLICT_WAIT * round).await;
                }
                _ => return Err(WriteError::aws(key, error)),
            }
        }
        Ok(Write::Done(Item::new()))
    }

    pub(crate) async fn update(&self, table: Table, update: Update) -> Result<Write, WriteError> {
        let Update { key, expression, condition, terms } = update;
        let request = self
            .client()
            .update_item()
            .table_name(self.table_name(table))
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(reply) => Ok(Write::Done(reply.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    Ok(Write::Refused(refusal.item.clone()))
                }
                _ => Err(WriteError::aws(&key, error)),
            },
        }
    }

    /// Whether there was something to delete.
    pub(crate) async fn delete(&self, table: Table, key: &Key) -> Result<bool, WriteError> {
        let request = self.client().delete_item().table_name(self.table_name(table)).set_key(Some(key.attributes()));
        let reply = request.return_values(ReturnValue::AllOld).send().await;
        let reply = reply.map_err(|error| WriteError::aws(key, error))?;
        Ok(reply.attributes.is_some_and(|old| !old.is_empty()))
    }

    /// Unconditional, so for items only whose content is the same at every repetition. The keys are all different.
    pub(crate) async fn write_many(&self, table: Table, writes: &[(Key, Option<Item>)]) -> Result<(), WriteError> {
        for chunk in writes.chunks(BATCH_WRITE) {
            let mut open = HashMap::from([(self.table_name(table).to_owned(), chunk.iter().map(request).collect())]);
            for round in 0.. {
                let reply = self.client().batch_write_item().set_request_items(Some(open)).send().await;
                let reply = reply.map_err(|error| WriteError::aws(&chunk[0].0, error))?;
                open = reply.unprocessed_items.unwrap_or_default();
                if open.is_empty() {
                    break;
                }
                if round == BATCH_ROUNDS {
                    return Err(ReadError::throttled(&chunk[0].0).into());
                }
                tokio::time::sleep(BATCH_WAIT * 2_u32.pow(round)).await;
            }
        }
        Ok(())
    }
}

/// An item to put, or a key to delete.
fn request((key, item): &(Key, Option<Item>)) -> WriteRequest {
    let request = WriteRequest::builder();
    match item {
        Some(item) => {
            let put = PutRequest::builder().set_item(Some(item.clone())).build();
            request.put_request(put.expect("the item is set")).build()
        }
        None => {
            let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build();
            request.delete_request(delete.expect("the key is set")).build()
        }
    }
}
