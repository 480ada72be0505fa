//! The protocol of SQS for SDKs: sending, receiving and deleting, one by one and in batches.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Sqs;
use super::error::SqsError;
use super::message::{
    MAX_MESSAGE_BYTES, MessageAttribute, MessageAttributes, Outgoing, Received, Sent, attributes_md5, bytes_of,
};
use super::poll::Poll;
use super::wire_json::to_value;
use crate::aws::names::{ACCOUNT, queue_of_url};

/// The most entries of a batch.
const MAX_BATCH: usize = 10;

/// The longest visibility timeout: twelve hours.
const MAX_VISIBILITY_SECONDS: i64 = 43_200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Message {
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: MessageAttributes,
    #[serde(default)]
    message_system_attributes: MessageAttributes,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

impl Message {
    /// `trace` is the request's trace header, used if the message has none of its own.
    fn outgoing(self, trace: Option<&str>) -> Result<Outgoing, SqsError> {
        let mut system = self.message_system_attributes;
        Ok(Outgoing {
            body: self.message_body,
            attributes: self.message_attributes,
            group: self.message_group_id,
            dedup: self.message_deduplication_id,
            delay: self.delay_seconds.map(|value| seconds("DelaySeconds", value, 900)).transpose()?,
            trace: system
                .remove("AWSTraceHeader")
                .and_then(|header| header.string_value)
                .or_else(|| trace.map(str::to_owned)),
        })
    }
}

fn seconds(name: &'static str, value: i64, max: i64) -> Result<Duration, SqsError> {
    let good = u64::try_from(value).ok().filter(|_| value <= max);
    let bad = || SqsError::BadParameter { name, value: value.to_string(), reason: "It is out of range." };
    good.map(Duration::from_secs).ok_or_else(bad)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    queue_url: String,
    #[serde(flatten)]
    message: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SentAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    body_md5: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

impl SentAnswer {
    fn new(id: Option<String>, sent: Sent) -> Self {
        Self {
            id,
            message_id: sent.message_id,
            body_md5: sent.body_md5,
            attributes_md5: sent.attributes_md5,
            sequence_number: sent.sequence.map(sequence_number),
        }
    }
}

/// AWS's sequence numbers have twenty digits, and receivers compare them as text.
fn sequence_number(seq: i64) -> String {
    format!("{seq:020}")
}

pub(super) async fn send(sqs: &Sqs, request: Send, trace: Option<&str>) -> Result<Value, SqsError> {
    let sent = sqs.send(queue_of_url(&request.queue_url), request.message.outgoing(trace)?).await?;
    Ok(to_value(SentAnswer::new(None, sent)))
}

/// The request of a batch of any action.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch<T> {
    queue_url: String,
    entries: Vec<Entry<T>>,
}

#[derive(Deserialize)]
struct Entry<T> {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    item: T,
}

impl<T> Batch<T> {
    /// The queue, the ids and the items, if the batch as a whole is valid.
    fn checked(self) -> Result<(String, Vec<String>, Vec<T>), SqsError> {
        let good = |id: &str| {
            (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let mut seen = HashSet::new();
        match self.entries.len() {
            0 => return Err(SqsError::EmptyBatch),
            many if many > MAX_BATCH => return Err(SqsError::TooManyEntries(many)),
            _ => {}
        }
        for Entry { id, .. } in &self.entries {
            match good(id) {
                false => return Err(SqsError::BadEntryId),
                true if !seen.insert(id) => return Err(SqsError::RepeatedId(id.clone())),
                true => {}
            }
        }
        let (ids, items) = self.entries.into_iter().map(|entry| (entry.id, entry.item)).unzip();
        Ok((queue_of_url(&self.queue_url).to_owned(), ids, items))
    }
}

/// `Successful` and `Failed`, each with the id of its entry.
fn batch_answer<T>(ids: Vec<String>, results: Vec<Result<T, SqsError>>, show: impl Fn(String, T) -> Value) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in ids.into_iter().zip(results) {
        match result {
            Ok(value) => successful.push(show(id, value)),
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": error.is_callers_fault(),
                "Code": error.codes().1,
                "Message": error.to_string(),
            })),
        }
    }
    json!({"Successful": successful, "Failed": failed})
}

pub(super) async fn send_batch(sqs: &Sqs, request: Batch<Message>, trace: Option<&str>) -> Result<Value, SqsError> {
    let (queue, ids, messages) = request.checked()?;
    let sent = messages.iter().map(|message| message.message_body.len() + bytes_of(&message.message_attributes)).sum();
    if sent > MAX_MESSAGE_BYTES {
        return Err(SqsError::BatchTooLong { limit: MAX_MESSAGE_BYTES, sent });
    }
    let messages: Vec<Outgoing> =
        messages.into_iter().map(|message| message.outgoing(trace)).collect::<Result<_, _>>()?;
    let results = sqs.send_batch(&queue, messages).await?;
    Ok(batch_answer(ids, results, |id, sent| to_value(SentAnswer::new(Some(id), sent))))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    queue_url: String,
    #[serde(default = "one")]
    max_number_of_messages: usize,
    wait_time_seconds: Option<i64>,
    visibility_timeout: Option<i64>,
    /// The older name of the next field.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

fn one() -> usize {
    1
}

pub(super) async fn receive(sqs: &Sqs, mut request: Receive) -> Result<Value, SqsError> {
    let max = request.max_number_of_messages;
    if !(1..=10).contains(&max) {
        let reason = "Must be between 1 and 10, if provided.";
        return Err(SqsError::BadParameter { name: "MaxNumberOfMessages", value: max.to_string(), reason });
    }
    let wait = request.wait_time_seconds.map(|value| seconds("WaitTimeSeconds", value, 20)).transpose()?;
    let visibility = request
        .visibility_timeout
        .map(|value| seconds("VisibilityTimeout", value, MAX_VISIBILITY_SECONDS))
        .transpose()?;
    let received = sqs.poll(queue_of_url(&request.queue_url), Poll { max, wait, visibility }).await?;
    if received.is_empty() {
        return Ok(json!({}));
    }
    request.message_system_attribute_names.append(&mut request.attribute_names);
    let wanted = request.message_system_attribute_names;
    let messages = received.into_iter().map(|message| shown(message, &wanted, &request.message_attribute_names));
    Ok(json!({"Messages": messages.collect::<Vec<_>>()}))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    body_md5: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, MessageAttribute>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
}

fn shown(mut message: Received, system: &[String], own: &[String]) -> Shown {
    let mut attributes = system_attributes(&mut message);
    attributes.retain(|name, _| system.iter().any(|wanted| wanted == "All" || wanted == name));
    let mut message_attributes = message.attributes;
    message_attributes.retain(|name, _| own.iter().any(|wanted| is_wanted(name, wanted)));
    Shown {
        message_id: message.message_id,
        receipt_handle: message.receipt,
        body_md5: message.body_md5,
        body: message.body,
        attributes_md5: attributes_md5(&message_attributes),
        attributes,
        message_attributes,
    }
}

/// Matches `All`, `.*`, a whole name, or a prefix followed by `.*`.
fn is_wanted(name: &str, wanted: &str) -> bool {
    wanted == "All" || wanted == name || wanted.strip_suffix(".*").is_some_and(|start| name.starts_with(start))
}

fn system_attributes(message: &mut Received) -> BTreeMap<&'static str, String> {
    let mut attributes = BTreeMap::from([
        ("SenderId", ACCOUNT.to_owned()),
        ("SentTimestamp", message.sent_at.millis().to_string()),
        ("ApproximateReceiveCount", message.receives.to_string()),
        ("ApproximateFirstReceiveTimestamp", message.first_received_at.millis().to_string()),
    ]);
    let mut add = |name, value: Option<String>| attributes.extend(value.map(|value| (name, value)));
    add("SequenceNumber", message.sequence.map(sequence_number));
    add("MessageGroupId", message.group.take());
    add("MessageDeduplicationId", message.dedup.take());
    add("AWSTraceHeader", message.trace.take());
    add("DeadLetterQueueSourceArn", message.dead_from.take());
    attributes
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeVisibility {
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl ChangeVisibility {
    fn change(self) -> Result<(String, Duration), SqsError> {
        let after = self.visibility_timeout.ok_or(SqsError::MissingParameter("VisibilityTimeout".to_owned()))?;
        Ok((self.receipt_handle, seconds("VisibilityTimeout", after, MAX_VISIBILITY_SECONDS)?))
    }
}

/// A request about one receipt of one queue.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct One<T> {
    queue_url: String,
    #[serde(flatten)]
    item: T,
}

pub(super) async fn delete(sqs: &Sqs, request: One<Delete>) -> Result<Value, SqsError> {
    only(sqs.delete(queue_of_url(&request.queue_url), vec![request.item.receipt_handle]).await?)
}

pub(super) async fn change_visibility(sqs: &Sqs, request: One<ChangeVisibility>) -> Result<Value, SqsError> {
    only(sqs.change_visibility(queue_of_url(&request.queue_url), vec![request.item.change()?]).await?)
}

/// The answer of a batch of one.
fn only(results: Vec<Result<(), SqsError>>) -> Result<Value, SqsError> {
    results.into_iter().collect::<Result<(), _>>().map(|()| json!({}))
}

pub(super) async fn delete_batch(sqs: &Sqs, request: Batch<Delete>) -> Result<Value, SqsError> {
    let (queue, ids, items) = request.checked()?;
    let results = sqs.delete(&queue, items.into_iter().map(|item| item.receipt_handle).collect()).await?;
    Ok(batch_answer(ids, results, |id, ()| json!({ "Id": id })))
}

pub(super) async fn change_visibility_batch(sqs: &Sqs, request: Batch<ChangeVisibility>) -> Result<Value, SqsError> {
    let (queue, ids, items) = request.checked()?;
    let changes = items.into_iter().map(ChangeVisibility::change).collect::<Result<_, _>>()?;
    let results = sqs.change_visibility(&queue, changes).await?;
    Ok(batch_answer(ids, results, |id, ()| json!({ "Id": id })))
}
