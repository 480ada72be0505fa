//! Messages as senders and receivers have them, and the checksums that SDKs compare.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::moment::Moment;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::SqsError;

/// The limit of SQS for one message. A queue's `MaximumMessageSize` can only lower it.
pub const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// The most attributes of one message in SQS.
const MAX_ATTRIBUTES: usize = 10;

/// A named value that is sent with the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, optionally with the sender's own label after a dot.
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<Blob>,
}

/// Bytes, encoded as base64 in requests and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Blob).map_err(serde::de::Error::custom)
    }
}

pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// A message as its sender has it.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    pub body: String,
    pub attributes: MessageAttributes,
    /// `MessageGroupId`: the unit of order in a FIFO queue, the unit of fairness in a standard one.
    pub group: Option<String>,
    /// `MessageDeduplicationId`, on FIFO queues only.
    pub dedup: Option<String>,
    /// `None`: the queue's own delay.
    pub delay: Option<Duration>,
    /// `AWSTraceHeader`.
    pub trace: Option<String>,
}

/// The answer to a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub message_id: String,
    pub body_md5: String,
    pub attributes_md5: Option<String>,
    /// Set on FIFO queues only.
    pub sequence: Option<i64>,
}

/// A message as its receiver gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub message_id: String,
    /// Identifies this receive of the message, for deletion and visibility.
    pub receipt: String,
    pub body: String,
    pub body_md5: String,
    pub attributes: MessageAttributes,
    pub group: Option<String>,
    pub dedup: Option<String>,
    pub trace: Option<String>,
    /// Set on FIFO queues only.
    pub sequence: Option<i64>,
    pub sent_at: Moment,
    pub first_received_at: Moment,
    /// `ApproximateReceiveCount`, over all queues that the message was in.
    pub receives: u32,
    /// The ARN of the queue from which the message was moved because it was received too often.
    pub dead_from: Option<String>,
}

/// A message that passed all checks that do not need its queue, ready for the storage thread.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) message: Outgoing,
    pub(crate) bytes: usize,
    pub(crate) body_md5: String,
    pub(crate) attributes_md5: Option<String>,
}

impl Prepared {
    pub(crate) fn new(message: Outgoing) -> Result<Self, SqsError> {
        if message.body.is_empty() {
            return Err(SqsError::MissingParameter("MessageBody".to_owned()));
        }
        check_attributes(&message.attributes)?;
        check_characters(&message.body)?;
        let (group, dedup) = (&message.group, &message.dedup);
        for (name, id) in [("MessageGroupId", group), ("MessageDeduplicationId", dedup)] {
            check_id(name, id.as_deref())?;
        }
        Ok(Self {
            bytes: message.body.len() + bytes_of(&message.attributes),
            body_md5: hex(&md5::compute(&message.body).0),
            attributes_md5: attributes_md5(&message.attributes),
            message,
        })
    }
}

fn check_id(name: &'static str, id: Option<&str>) -> Result<(), SqsError> {
    let good = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    match id {
        Some(id) if !good(id) => Err(SqsError::BadParameter {
            name,
            value: id.to_owned(),
            reason: "It can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        }),
        _ => Ok(()),
    }
}

fn check_attributes(attributes: &MessageAttributes) -> Result<(), SqsError> {
    let bad = |value: &str, reason| {
        Err(SqsError::BadParameter { name: "MessageAttributes", value: value.to_owned(), reason })
    };
    if attributes.len() > MAX_ATTRIBUTES {
        return bad("", "Number of message attributes exceeds the allowed maximum [10].");
    }
    for (name, attribute) in attributes {
        let kind = attribute.data_type.split('.').next().unwrap_or_default();
        match (kind, &attribute.string_value, &attribute.binary_value) {
            ("String" | "Number", Some(text), _) if !text.is_empty() => check_characters(text)?,
            ("Binary", _, Some(Blob(bytes))) if !bytes.is_empty() => {}
            ("String" | "Number" | "Binary", ..) => return bad(name, "The attribute must contain a non-empty value."),
            _ => return bad(name, "The type must be String, Number or Binary."),
        }
    }
    Ok(())
}

/// SQS accepts only the characters of XML 1.0.
fn check_characters(text: &str) -> Result<(), SqsError> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) { Ok(()) } else { Err(SqsError::BadCharacters) }
}

pub(crate) fn bytes_of(attributes: &MessageAttributes) -> usize {
    let of_value = |attribute: &MessageAttribute| match (&attribute.string_value, &attribute.binary_value) {
        (Some(text), _) => text.len(),
        (None, Some(Blob(bytes))) => bytes.len(),
        (None, None) => 0,
    };
    attributes.iter().map(|(name, attribute)| name.len() + attribute.data_type.len() + of_value(attribute)).sum()
}

/// `MD5OfMessageAttributes`: over name, type and value of each attribute, sorted by name, each preceded by its length.
pub(crate) fn attributes_md5(attributes: &MessageAttributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut text = Vec::new();
    let mut push = |bytes: &[u8], before: Option<u8>| {
        text.extend(before);
        text.extend(u32::try_from(bytes.len()).expect("a message is at most 1 MiB").to_be_bytes());
        text.extend(bytes);
    };
    for (name, attribute) in attributes {
        push(name.as_bytes(), None);
        push(attribute.data_type.as_bytes(), None);
        match (&attribute.string_value, &attribute.binary_value) {
            (Some(value), _) => push(value.as_bytes(), Some(1)),
            (None, Some(Blob(bytes))) => push(bytes, Some(2)),
            (None, None) => {}
        }
    }
    Some(hex(&md5::compute(&text).0))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data_type: &str, value: &str) -> MessageAttribute {
        MessageAttribute { data_type: data_type.to_owned(), string_value: Some(value.to_owned()), binary_value: None }
    }

    #[test]
    fn checksums_are_those_that_aws_documents() {
        let prepared = Prepared::new(Outgoing { body: "This is a test message".to_owned(), ..Outgoing::default() });
        assert_eq!(prepared.expect("valid").body_md5, "fafb00f5732ab283681e124bf8747ed1");
    }

    #[test]
    fn the_attributes_checksum_covers_names_types_and_values_in_order_of_name() {
        let attributes: MessageAttributes =
            [("n".to_owned(), text("Number", "1")), ("k".to_owned(), text("String", "v"))].into();
        let spelled = b"\0\0\0\x01k\0\0\0\x06String\x01\0\0\0\x01v\0\0\0\x01n\0\0\0\x06Number\x01\0\0\0\x011";
        assert_eq!(attributes_md5(&attributes), Some(hex(&md5::compute(spelled).0)));
        assert_eq!(attributes_md5(&MessageAttributes::new()), None);
    }

    #[test]
    fn characters_that_sqs_refuses_are_refused() {
        for (body, good) in [("a\u{0}", false), ("\u{b}", false), ("\u{fffe}", false), ("告警 🔥\n", true)] {
            let message = Outgoing { body: body.to_owned(), ..Outgoing::default() };
            assert_eq!(Prepared::new(message).is_ok(), good, "{body:?}");
        }
    }
}
