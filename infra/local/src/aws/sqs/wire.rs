//! The protocol of SQS for SDKs: AWS JSON 1.0, with the action in `X-Amz-Target: AmazonSQS.…`. This file has the
//! dispatch and the actions on whole queues; those on messages are in `wire_messages`.
//!
//! Source: the SQS API reference and the service model of botocore 1.43 (read 2026-11).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Sqs;
use super::attributes::QueueAttributes;
use super::error::SqsError;
use super::wire_json::{read, to_value};
use super::wire_messages as messages;
use crate::aws::names::{queue_of_url, queue_url};

/// Answers one request. `base` is the endpoint as the caller named it, for the queue URLs; `trace` is the request's
/// trace header.
pub(in crate::aws) async fn answer(
    sqs: &Sqs,
    base: &str,
    action: &str,
    body: &[u8],
    trace: Option<&str>,
) -> Result<Value, SqsError> {
    match action {
        "CreateQueue" => create_queue(sqs, base, read(body)?).await,
        "GetQueueUrl" => get_queue_url(sqs, base, read(body)?).await,
        "ListQueues" => list_queues(sqs, base, read(body)?).await,
        "GetQueueAttributes" => get_attributes(sqs, read(body)?).await,
        "SetQueueAttributes" => set_attributes(sqs, read(body)?).await,
        "PurgeQueue" => sqs.purge(read::<OneQueue>(body)?.name()).await.map(|()| json!({})),
        "DeleteQueue" => sqs.delete_queue(read::<OneQueue>(body)?.name()).await.map(|()| json!({})),
        "SendMessage" => messages::send(sqs, read(body)?, trace).await,
        "SendMessageBatch" => messages::send_batch(sqs, read(body)?, trace).await,
        "ReceiveMessage" => messages::receive(sqs, read(body)?).await,
        "DeleteMessage" => messages::delete(sqs, read(body)?).await,
        "DeleteMessageBatch" => messages::delete_batch(sqs, read(body)?).await,
        "ChangeMessageVisibility" => messages::change_visibility(sqs, read(body)?).await,
        "ChangeMessageVisibilityBatch" => messages::change_visibility_batch(sqs, read(body)?).await,
        _ => Err(SqsError::UnknownAction(action.to_owned())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneQueue {
    queue_url: String,
}

impl OneQueue {
    fn name(&self) -> &str {
        queue_of_url(&self.queue_url)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: QueueAttributes,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct QueueUrl {
    queue_url: String,
}

async fn create_queue(sqs: &Sqs, base: &str, request: CreateQueue) -> Result<Value, SqsError> {
    sqs.create_queue(&request.queue_name, request.attributes).await?;
    Ok(to_value(QueueUrl { queue_url: queue_url(base, &request.queue_name) }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
}

async fn get_queue_url(sqs: &Sqs, base: &str, request: GetQueueUrl) -> Result<Value, SqsError> {
    sqs.counts(&request.queue_name).await?;
    Ok(to_value(QueueUrl { queue_url: queue_url(base, &request.queue_name) }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
    #[serde(default = "most_queues")]
    max_results: usize,
    /// The last name of the previous page.
    next_token: Option<String>,
}

fn most_queues() -> usize {
    1_000
}

async fn list_queues(sqs: &Sqs, base: &str, request: ListQueues) -> Result<Value, SqsError> {
    let mut names = sqs.queue_names().await?;
    names.retain(|name| name.starts_with(&request.queue_name_prefix));
    if let Some(after) = &request.next_token {
        names.retain(|name| name > after);
    }
    let more = names.len() > request.max_results;
    names.truncate(request.max_results);
    let urls: Vec<String> = names.iter().map(|name| queue_url(base, name)).collect();
    Ok(match names.last().filter(|_| more) {
        Some(last) => json!({"QueueUrls": urls, "NextToken": last}),
        None => json!({"QueueUrls": urls}),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

async fn get_attributes(sqs: &Sqs, request: GetAttributes) -> Result<Value, SqsError> {
    let mut attributes = sqs.attributes(queue_of_url(&request.queue_url)).await?;
    if !request.attribute_names.iter().any(|name| name == "All") {
        attributes.retain(|name, _| request.attribute_names.contains(name));
    }
    Ok(json!({ "Attributes": attributes }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetAttributes {
    queue_url: String,
    attributes: QueueAttributes,
}

async fn set_attributes(sqs: &Sqs, request: SetAttributes) -> Result<Value, SqsError> {
    sqs.set_attributes(queue_of_url(&request.queue_url), request.attributes).await?;
    Ok(json!({}))
}
