//! The types of the API that several resources share, where they differ from the stored ones. A type named "body" is a
//! request, a "view" is an answer. The types of one resource stand beside its routes: `routes/{resource}/types.rs`.

pub(crate) mod actor;
pub(crate) mod alert;
pub(crate) mod destination;
pub(crate) mod escalation;
pub(crate) mod incident;
pub(crate) mod member;
pub(crate) mod message;
pub(crate) mod on_call;
pub(crate) mod schedule;
pub(crate) mod schema;
pub(crate) mod silence;
pub(crate) mod trace;
pub(crate) mod warning;

use std::fmt;

use alerting::base::field_error::FieldError;
use alerting::base::moment::Moment;
use alerting::text_schema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ApiError;

/// The most characters of a name: one line of a chat card.
const NAME_CHARS: usize = 128;

/// A moment as the API writes it: RFC 3339, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Moment);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}

/// The years in which a moment may lie. All calendar calculations support them.
const YEARS: std::ops::Range<i64> = 0..7_258_118_400; // 1970 to 2199, in seconds

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(NOT_A_TIME))
    }
}

/// The message for a text that is not a valid time.
pub(crate) const NOT_A_TIME: &str = "expected a time in RFC 3339 from 1970 to 2199, such as `2026-11-22T05:00:00Z`";

impl Time {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Moment::parse_rfc3339(text).filter(|at| YEARS.contains(&at.secs())).map(Self)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-22T05:00:00Z"])
            .into()
    }
}

impl ToSchema for Time {}

/// Reads a field that may be left out, but must not be `null`.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A name from a request: one line, not empty, at most [`NAME_CHARS`], without spaces around it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(String);

text_schema!(
    Name as "Name",
    "One line with something in it.",
    r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$",
    1..=NAME_CHARS,
    "Payments"
);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("expected a name that is not empty".to_owned());
        }
        if text.chars().count() > NAME_CHARS {
            return Err(format!("longer than {NAME_CHARS} characters"));
        }
        if text.chars().any(char::is_control) {
            return Err("a name is one line without control characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Converts an error that `alerting` finds in an object before it is saved.
pub(crate) fn field_error(error: FieldError) -> ApiError {
    ApiError::invalid(error.field, error.message)
}

/// Whether `text` is the mask of a secret (`…last4`).
pub(crate) fn is_masked(text: &str) -> bool {
    text.starts_with('…')
}

/// Refuses a masked secret, which a program has read from an answer and sent back.
pub(crate) fn masked(field: &str) -> ApiError {
    ApiError::invalid(
        field,
        "this is the masked form of a secret: leave the field out to keep the secret, or send a new one",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::extract::parse;

    pub(super) fn schema_of<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).expect("a schema is JSON")
    }

    /// The smallest and the largest value of a property.
    pub(super) fn range_of<T: PartialSchema>(field: &str) -> (u32, u32) {
        let schema = schema_of::<T>();
        let bound = |name: &str| schema["properties"][field][name].as_f64().expect("there is such a bound");
        (bound("minimum") as u32, bound("maximum") as u32)
    }

    #[test]
    fn a_name_is_one_line_and_not_empty() {
        let name = |text: &str| Name::try_from(text.to_owned());
        assert_eq!(name(" Payments ").expect("valid").to_string(), "Payments");
        for text in ["", "  ", "a\nb", &"x".repeat(129)] {
            assert!(name(text).is_err(), "{text:?}");
        }
        assert!(name(&"支".repeat(128)).is_ok());
    }

    #[test]
    fn a_wrong_name_is_refused_by_its_field() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "none is read")]
            name: Name,
        }
        let refused = parse::<Body>(br#"{"name": " "}"#).expect_err("an empty name");
        let ApiError::Invalid { field, message } = refused else { panic!("{refused:?}") };
        assert_eq!((field.as_deref(), &*message), (Some("name"), "expected a name that is not empty"));
    }
}
