//! Attributes in and out of an item.

use std::collections::HashMap;

use alerting::base::moment::Moment;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::{ReadError, WriteError};
use crate::keys::Key;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The moment of expiry in seconds, as DynamoDB's TTL reads it.
pub(crate) fn expiry(at: Moment) -> AttributeValue {
    number(at.secs())
}

pub(crate) fn json<T: Serialize>(key: &Key, value: &T) -> Result<AttributeValue, WriteError> {
    let text = serde_json::to_string(value).map_err(|source| WriteError::Encode { item: key.to_string(), source })?;
    Ok(AttributeValue::S(text))
}

/// A random value, by which a write whose answer was lost recognises itself.
pub(crate) fn nonce() -> String {
    let number = getrandom::u64().expect("the operating system has random numbers");
    format!("{number:016x}")
}

/// The item of `key` with these attributes beside it.
pub(crate) fn item<const N: usize>(key: &Key, attributes: [(&str, AttributeValue); N]) -> Item {
    let mut item = key.attributes();
    item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// Reads attributes of one item. Its errors name the attribute that is wrong.
pub(crate) struct Reader<'a> {
    item: &'a Item,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(item: &'a Item) -> Self {
        Self { item }
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<&'a str, ReadError> {
        self.optional_text(field).ok_or_else(|| ReadError::missing(self.name(), field))
    }

    pub(crate) fn optional_text(&self, field: &str) -> Option<&'a str> {
        self.item.get(field)?.as_s().ok().map(String::as_str)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, field: &'static str) -> Result<T, ReadError> {
        self.optional_number(field).ok_or_else(|| ReadError::missing(self.name(), field))
    }

    pub(crate) fn optional_number<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.item.get(field)?.as_n().ok()?.parse().ok()
    }

    pub(crate) fn bytes(&self, field: &'static str) -> Result<&'a [u8], ReadError> {
        let value = self.item.get(field).and_then(|value| value.as_b().ok());
        value.map(AsRef::as_ref).ok_or_else(|| ReadError::missing(self.name(), field))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, field: &'static str) -> Result<T, ReadError> {
        serde_json::from_str(self.text(field)?).map_err(|source| ReadError::unreadable(self.name(), field, source))
    }

    /// A list of JSON texts; an absent one is empty.
    pub(crate) fn json_list<T: DeserializeOwned>(&self, field: &'static str) -> Result<Vec<T>, ReadError> {
        let list = self.item.get(field).and_then(|value| value.as_l().ok());
        let parse = |value: &AttributeValue| {
            let text = value.as_s().map_err(|_| ReadError::missing(self.name(), field))?;
            serde_json::from_str(text).map_err(|source| ReadError::unreadable(self.name(), field, source))
        };
        list.map_or_else(|| Ok(Vec::new()), |list| list.iter().map(parse).collect())
    }

    /// The item's own name, for errors.
    pub(crate) fn name(&self) -> Key {
        let part = |field| self.optional_text(field).unwrap_or("?");
        Key::new(part("pk"), part("sk"))
    }
}
