//! The protocol of SNS for SDKs: AWS Query, with a form as request (`Action=Publish&TopicArn=…`) and XML as answer.
//!
//! Source: the SNS API reference 2010-03-31 and the service model of botocore 1.43 (read 2026-11).

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Sns;
use super::error::SnsError;
use super::topics::{Publication, Subscription};
use crate::aws::names::{ACCOUNT, uuid};
use crate::aws::sqs::message::{Blob, MessageAttribute, MessageAttributes};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The most entries of a batch.
const MAX_BATCH: usize = 10;

/// A request's parameters.
pub(in crate::aws) struct Form {
    parameters: BTreeMap<String, String>,
    /// The request's trace header.
    trace: Option<String>,
}

impl Form {
    pub(in crate::aws) fn parse(body: &[u8], trace: Option<&str>) -> Self {
        Self { parameters: form_urlencoded::parse(body).into_owned().collect(), trace: trace.map(str::to_owned) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, SnsError> {
        self.get(name).ok_or_else(|| SnsError::BadParameter(format!("{name} is missing")))
    }

    /// The values of `field` in the numbered entries of `list`: `Attributes.entry.1`, `Attributes.entry.2`, …
    fn entries(&self, list: &str, field: &str) -> Vec<String> {
        let entry = |n| format!("{list}.{n}");
        (1..).map(entry).take_while(|entry| self.parameters.contains_key(&format!("{entry}.{field}"))).collect()
    }

    fn map(&self, list: &str) -> BTreeMap<String, String> {
        let value = |entry: &str, field| self.get(&format!("{entry}.{field}")).unwrap_or_default().to_owned();
        self.entries(list, "key").iter().map(|entry| (value(entry, "key"), value(entry, "value"))).collect()
    }

    /// The message's own attributes. `at` is empty, or the name of a batch entry followed by a dot.
    fn message_attributes(&self, at: &str) -> Result<MessageAttributes, SnsError> {
        let mut attributes = MessageAttributes::new();
        for entry in self.entries(&format!("{at}MessageAttributes.entry"), "Name") {
            let name = self.required(&format!("{entry}.Name"))?.to_owned();
            let value = |field| self.get(&format!("{entry}.Value.{field}")).map(str::to_owned);
            let binary_value = match value("BinaryValue") {
                Some(text) => {
                    let bytes = STANDARD.decode(text);
                    Some(Blob(bytes.map_err(|_| SnsError::BadParameter(format!("{name} is not base64")))?))
                }
                None => None,
            };
            let data_type = self.required(&format!("{entry}.Value.DataType"))?.to_owned();
            let attribute = MessageAttribute { data_type, string_value: value("StringValue"), binary_value };
            attributes.insert(name, attribute);
        }
        Ok(attributes)
    }

    fn publication(&self, at: &str) -> Result<Publication, SnsError> {
        Ok(Publication {
            message: self.required(&format!("{at}Message"))?.to_owned(),
            subject: self.get(&format!("{at}Subject")).map(str::to_owned),
            attributes: self.message_attributes(at)?,
            trace: self.trace.clone(),
        })
    }
}

/// Answers one request with the whole XML document.
pub(in crate::aws) async fn answer(sns: &Sns, form: &Form) -> Result<String, SnsError> {
    let action = form.get("Action").unwrap_or_default();
    let result = match action {
        "CreateTopic" => element("TopicArn", &sns.create_topic(form.required("Name")?).await?),
        "DeleteTopic" => sns.delete_topic(form.required("TopicArn")?).await.map(|()| String::new())?,
        "ListTopics" => {
            let member = |arn: &String| format!("<member>{}</member>", element("TopicArn", arn));
            format!("<Topics>{}</Topics>", sns.topics().await?.iter().map(member).collect::<String>())
        }
        "GetTopicAttributes" => topic_attributes(sns, form).await?,
        "Subscribe" => subscribe(sns, form).await?,
        "Unsubscribe" => sns.unsubscribe(form.required("SubscriptionArn")?).await.map(|()| String::new())?,
        "GetSubscriptionAttributes" => {
            let subscription = sns.subscription(form.required("SubscriptionArn")?).await?;
            attribute_map(&subscription_attributes(&subscription))
        }
        "SetSubscriptionAttributes" => {
            let (arn, name) = (form.required("SubscriptionArn")?, form.required("AttributeName")?);
            sns.set_subscription_attribute(arn, name, form.get("AttributeValue").unwrap_or_default()).await?;
            String::new()
        }
        "ListSubscriptionsByTopic" => {
            let all = sns.subscriptions(form.required("TopicArn")?).await?;
            format!("<Subscriptions>{}</Subscriptions>", all.iter().map(listed).collect::<String>())
        }
        "Publish" => publish(sns, form).await?,
        "PublishBatch" => publish_batch(sns, form).await?,
        _ => return Err(SnsError::UnknownAction(action.to_owned())),
    };
    let metadata = format!("<ResponseMetadata>{}</ResponseMetadata>", element("RequestId", &uuid()));
    Ok(format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>{metadata}</{action}Response>"
    ))
}

/// The document of a refusal.
pub(in crate::aws) fn refusal(error: &SnsError) -> String {
    let kind = if error.code().1.is_server_error() { "Receiver" } else { "Sender" };
    let (code, message) = (element("Code", error.code().0), element("Message", &error.to_string()));
    let request = element("RequestId", &uuid());
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type>{code}{message}</Error>{request}</ErrorResponse>"
    )
}

async fn topic_attributes(sns: &Sns, form: &Form) -> Result<String, SnsError> {
    let arn = form.required("TopicArn")?;
    let confirmed = sns.subscriptions(arn).await?.len().to_string();
    Ok(attribute_map(&BTreeMap::from([
        ("TopicArn".to_owned(), arn.to_owned()),
        ("Owner".to_owned(), ACCOUNT.to_owned()),
        ("SubscriptionsConfirmed".to_owned(), confirmed),
    ])))
}

async fn subscribe(sns: &Sns, form: &Form) -> Result<String, SnsError> {
    if form.required("Protocol")? != "sqs" {
        return Err(SnsError::BadParameter("Protocol: only sqs is supported here".to_owned()));
    }
    let attributes = form.map("Attributes.entry");
    let arn = sns.subscribe(form.required("TopicArn")?, form.required("Endpoint")?, attributes).await?;
    Ok(element("SubscriptionArn", &arn))
}

async fn publish(sns: &Sns, form: &Form) -> Result<String, SnsError> {
    let publication = form.publication("")?;
    let topic = form.get("TopicArn").or(form.get("TargetArn"));
    let message_id = match (topic, form.get("PhoneNumber")) {
        (Some(topic), _) => sns.publish(topic, publication).await?,
        (None, Some(phone)) => sns.send_text(phone, &publication.message).await?,
        (None, None) => return Err(SnsError::BadParameter("TopicArn or PhoneNumber is missing".to_owned())),
    };
    Ok(element("MessageId", &message_id))
}

async fn publish_batch(sns: &Sns, form: &Form) -> Result<String, SnsError> {
    let entries = form.entries("PublishBatchRequestEntries.member", "Id");
    match entries.len() {
        0 => return Err(SnsError::EmptyBatch),
        many if many > MAX_BATCH => return Err(SnsError::TooManyEntries),
        _ => {}
    }
    let ids: Vec<&str> = entries.iter().map(|entry| form.required(&format!("{entry}.Id"))).collect::<Result<_, _>>()?;
    if ids.iter().collect::<HashSet<_>>().len() != ids.len() {
        return Err(SnsError::RepeatedId);
    }
    let all: Vec<_> = entries.iter().map(|entry| form.publication(&format!("{entry}."))).collect::<Result<_, _>>()?;
    let message_ids = sns.publish_batch(form.required("TopicArn")?, all).await?;
    let member = |(id, message_id): (&&str, &String)| {
        format!("<member>{}{}</member>", element("Id", id), element("MessageId", message_id))
    };
    let members: String = ids.iter().zip(&message_ids).map(member).collect();
    Ok(format!("<Successful>{members}</Successful><Failed></Failed>"))
}

fn subscription_attributes(subscription: &Subscription) -> BTreeMap<String, String> {
    let mut all = subscription.attributes.clone();
    for (name, value) in [
        ("SubscriptionArn", subscription.arn.as_str()),
        ("TopicArn", &subscription.topic),
        ("Protocol", "sqs"),
        ("Endpoint", &subscription.endpoint),
        ("Owner", ACCOUNT),
        ("PendingConfirmation", "false"),
    ] {
        all.insert(name.to_owned(), value.to_owned());
    }
    all
}

fn listed(subscription: &Subscription) -> String {
    let mut fields = element("SubscriptionArn", &subscription.arn);
    fields += &element("TopicArn", &subscription.topic);
    fields += &element("Protocol", "sqs");
    fields += &element("Endpoint", &subscription.endpoint);
    fields += &element("Owner", ACCOUNT);
    format!("<member>{fields}</member>")
}

fn attribute_map(attributes: &BTreeMap<String, String>) -> String {
    let entry = |(name, value): (&String, &String)| {
        format!("<entry>{}{}</entry>", element("key", name), element("value", value))
    };
    format!("<Attributes>{}</Attributes>", attributes.iter().map(entry).collect::<String>())
}

fn element(name: &str, text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A bare carriage return would be read as a newline.
            '\r' => write!(escaped, "&#xD;").expect("writing to a string cannot fail"),
            c => escaped.push(c),
        }
    }
    format!("<{name}>{escaped}</{name}>")
}
