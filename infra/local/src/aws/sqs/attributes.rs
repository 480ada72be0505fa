//! A queue's attributes: text in requests and in the file, checked and typed once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::error::SqsError;
use super::line::Kind;
use super::message::MAX_MESSAGE_BYTES;
use crate::aws::names::name_of_arn;

pub type QueueAttributes = BTreeMap<String, String>;

/// Name, default, smallest and largest value (SQS API reference, `CreateQueue`, read 2026-11).
const NUMBERS: [(&str, u64, u64, u64); 5] = [
    ("VisibilityTimeout", 30, 0, 43_200),
    ("DelaySeconds", 0, 0, 900),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
    ("MaximumMessageSize", MAX_MESSAGE_BYTES as u64, 1_024, MAX_MESSAGE_BYTES as u64),
];

/// Attributes that are stored and returned, but have no effect on one machine.
const KEPT: [&str; 6] = [
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

/// The typed values of the attributes.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) kind: Kind,
    pub(crate) visibility: Duration,
    pub(crate) delay: Duration,
    pub(crate) retention: Duration,
    pub(crate) wait: Duration,
    pub(crate) max_bytes: usize,
    pub(crate) redrive: Option<Redrive>,
    pub(crate) content_dedup: bool,
    /// Deduplication considers the message's group only, not the whole queue.
    pub(crate) dedup_per_group: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redrive {
    pub(crate) dead_queue: String,
    pub(crate) max_receives: u32,
}

impl Settings {
    pub(crate) fn parse(queue: &str, attributes: &QueueAttributes) -> Result<Self, SqsError> {
        check_name(queue)?;
        if let Some(unknown) = attributes.keys().find(|name| !is_known(name)) {
            return Err(SqsError::UnknownAttribute(unknown.clone()));
        }
        let seconds = |name| number(attributes, name).map(Duration::from_secs);
        Ok(Self {
            kind: kind(queue, attributes)?,
            visibility: seconds("VisibilityTimeout")?,
            delay: seconds("DelaySeconds")?,
            retention: seconds("MessageRetentionPeriod")?,
            wait: seconds("ReceiveMessageWaitTimeSeconds")?,
            max_bytes: usize::try_from(number(attributes, "MaximumMessageSize")?).unwrap_or(MAX_MESSAGE_BYTES),
            redrive: redrive(attributes)?,
            content_dedup: is_true(attributes, "ContentBasedDeduplication"),
            dedup_per_group: attributes.get("DeduplicationScope").is_some_and(|scope| scope == "messageGroup"),
        })
    }
}

/// The attributes with the defaults of those that were not given.
pub(crate) fn with_defaults(attributes: &QueueAttributes) -> QueueAttributes {
    let mut all: QueueAttributes = NUMBERS.map(|(name, default, ..)| (name.to_owned(), default.to_string())).into();
    all.extend(attributes.iter().map(|(name, value)| (name.clone(), value.clone())));
    if is_true(attributes, "FifoQueue") {
        all.entry("ContentBasedDeduplication".to_owned()).or_insert_with(|| "false".to_owned());
    }
    all
}

fn is_known(name: &str) -> bool {
    let acted_on = ["ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "RedrivePolicy"];
    NUMBERS.iter().any(|(known, ..)| *known == name) || KEPT.contains(&name) || acted_on.contains(&name)
}

fn check_name(queue: &str) -> Result<(), SqsError> {
    let stem = queue.strip_suffix(".fifo").unwrap_or(queue);
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=80).contains(&queue.len()) && !stem.is_empty() && stem.bytes().all(good) {
        return Ok(());
    }
    Err(SqsError::BadParameter {
        name: "QueueName",
        value: queue.to_owned(),
        reason: "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
    })
}

/// A FIFO queue is marked by its name and by an attribute, and both must agree.
fn kind(queue: &str, attributes: &QueueAttributes) -> Result<Kind, SqsError> {
    match (queue.ends_with(".fifo"), is_true(attributes, "FifoQueue")) {
        (true, true) => Ok(Kind::Fifo),
        (false, false) => Ok(Kind::Standard),
        (true, false) | (false, true) => Err(SqsError::BadAttribute {
            name: "FifoQueue".to_owned(),
            reason: "The name of a FIFO queue, and only of one, ends with .fifo.".to_owned(),
        }),
    }
}

fn is_true(attributes: &QueueAttributes, name: &str) -> bool {
    attributes.get(name).is_some_and(|value| value == "true")
}

fn number(attributes: &QueueAttributes, name: &'static str) -> Result<u64, SqsError> {
    let (_, default, min, max) =
        NUMBERS.iter().find(|(known, ..)| *known == name).expect("every number is in the table").to_owned();
    let Some(text) = attributes.get(name) else { return Ok(default) };
    text.parse().ok().filter(|value| (min..=max).contains(value)).ok_or_else(|| SqsError::BadAttribute {
        name: name.to_owned(),
        reason: format!("It must be a number from {min} to {max}."),
    })
}

/// `{"deadLetterTargetArn": "…", "maxReceiveCount": 5}`. The count may be a text, and an empty policy means none.
fn redrive(attributes: &QueueAttributes) -> Result<Option<Redrive>, SqsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        dead_letter_target_arn: String,
        max_receive_count: serde_json::Value,
    }
    let Some(text) = attributes.get("RedrivePolicy").filter(|text| !text.is_empty()) else { return Ok(None) };
    let bad = |reason: &str| SqsError::BadAttribute { name: "RedrivePolicy".to_owned(), reason: reason.to_owned() };
    let policy: Policy = serde_json::from_str(text).map_err(|error| bad(&error.to_string()))?;
    let count = match &policy.max_receive_count {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let max_receives = count.and_then(|count| u32::try_from(count).ok()).filter(|count| (1..=1_000).contains(count));
    Ok(Some(Redrive {
        dead_queue: name_of_arn(&policy.dead_letter_target_arn).to_owned(),
        max_receives: max_receives.ok_or_else(|| bad("maxReceiveCount must be a number from 1 to 1000."))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(queue: &str, attributes: &[(&str, &str)]) -> Result<Settings, &'static str> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::parse(queue, &attributes).map_err(|error| error.codes().1)
    }

    #[test]
    fn a_queue_without_attributes_has_the_defaults_of_sqs() {
        let settings = check("messages", &[]).expect("valid");
        assert_eq!(settings.visibility, Duration::from_secs(30));
        assert_eq!(settings.retention, Duration::from_secs(4 * 86_400));
        assert_eq!(settings.max_bytes, 1_048_576);
        assert_eq!(settings.kind, Kind::Standard);
    }

    #[test]
    fn the_receive_count_of_a_redrive_policy_may_be_a_text() {
        for count in ["3", "\"3\""] {
            let policy = format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:r:0:dead","maxReceiveCount":{count}}}"#);
            let settings = check("messages", &[("RedrivePolicy", &policy)]).expect("valid");
            assert_eq!(settings.redrive, Some(Redrive { dead_queue: "dead".to_owned(), max_receives: 3 }));
        }
    }

    #[test]
    fn what_sqs_refuses_is_refused() {
        for (queue, attribute, code) in [
            ("messages", ("VisibilityTimeout", "43201"), "InvalidAttributeValue"),
            ("messages", ("VisiblityTimeout", "30"), "InvalidAttributeName"),
            ("messages", ("FifoQueue", "true"), "InvalidAttributeValue"),
            ("notices.fifo", ("DelaySeconds", "1"), "InvalidAttributeValue"),
            ("mess ages", ("DelaySeconds", "1"), "InvalidParameterValue"),
            ("messages", ("RedrivePolicy", "{}"), "InvalidAttributeValue"),
        ] {
            assert_eq!(check(queue, &[attribute]).expect_err(queue), code, "{attribute:?}");
        }
    }
}
