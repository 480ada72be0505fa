//! The five operations as requests of the SDK.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    DeleteRequest, KeysAndAttributes, PutRequest, ReturnValue, ReturnValuesOnConditionCheckFailure, WriteRequest,
};

use super::{Condition, Part, Range, Reading, Rows, Table, Update, Write};
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::Item;
use crate::keys::Key;

/// The most keys of one `BatchGetItem`.
const BATCH_GET: usize = 100;
/// The most writes of one `BatchWriteItem`.
const BATCH_WRITE: usize = 25;
/// How often the unprocessed rest of a batch is requested again. The wait doubles each time.
const BATCH_ROUNDS: u32 = 5;
const BATCH_WAIT: Duration = Duration::from_millis(50);
/// How often a put is retried while a transaction uses its item. The SDK does not retry this error, and a transaction
/// takes some ten milliseconds: <https://repost.aws/knowledge-center/dynamodb-transactwriteitems>.
const CONFLICT_ROUNDS: u32 = 5;
const CONFLICT_WAIT: Duration = Duration::from_millis(20);

impl Store {
    pub(crate) fn table_name(&self, table: Table) -> &str {
        match table {
            Table::Config => &self.inner.tables.config,
            Table::Alerts => &self.inner.tables.alerts,
        }
    }

    pub(crate) async fn get(&self, table: Table, key: &Key, reading: Reading) -> Result<Option<Item>, ReadError> {
        let request = self.client().get_item().table_name(self.table_name(table)).set_key(Some(key.attributes()));
        let reply = request.consistent_read(reading == Reading::Latest).send().await;
        Ok(reply.map_err(|error| ReadError::aws(key, error))?.item)
    }

    /// The items that exist, in no order. A key that is named twice is requested once, because DynamoDB refuses
    /// duplicates.
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

    /// Deletes an item. Returns whether there was one.
    pub(crate) async fn delete(&self, table: Table, key: &Key) -> Result<bool, WriteError> {
        let request = self.client().delete_item().table_name(self.table_name(table)).set_key(Some(key.attributes()));
        let reply = request.return_values(ReturnValue::AllOld).send().await;
        let reply = reply.map_err(|error| WriteError::aws(key, error))?;
        Ok(reply.attributes.is_some_and(|old| !old.is_empty()))
    }

    /// Writes without conditions, so only items whose content is the same at every repetition. The keys must all be
    /// different.
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
