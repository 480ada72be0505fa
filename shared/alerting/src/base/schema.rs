//! The schemas of formatted texts in the API's document. Every type defines its schema beside itself: structs and enums
//! derive it, and texts give their pattern with [`text_schema!`](crate::text_schema).

use std::ops::RangeInclusive;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// The schema of a text, from its description, pattern, length in characters, and an example.
pub fn text(description: &str, pattern: &str, length: RangeInclusive<usize>, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .pattern(Some(pattern))
        .min_length(Some(*length.start()))
        .max_length(Some(*length.end()))
        .examples([example])
        .into()
}

/// Implements the schema of a type that is written as a text:
/// `text_schema!(Zone as "TimeZone", "An IANA time zone.", r"^[A-Za-z0-9_+\-/]+$", 1..=64, "Asia/Shanghai");`
#[macro_export]
macro_rules! text_schema {
    ($type:ident as $name:expr, $description:expr, $pattern:expr, $length:expr, $example:expr) => {
        impl ::utoipa::PartialSchema for $type {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                $crate::base::schema::text(&$description, $pattern, $length, $example)
            }
        }

        impl ::utoipa::ToSchema for $type {
            fn name() -> ::std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;
    use utoipa::PartialSchema;

    pub(crate) fn schema_of<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).expect("a schema is JSON")
    }

    /// The minimum and the maximum of a property.
    pub(crate) fn range_of<T: PartialSchema>(field: &str) -> (u32, u32) {
        let schema = schema_of::<T>();
        let bound = |name: &str| schema["properties"][field][name].as_f64().expect("there is such a bound");
        (bound("minimum") as u32, bound("maximum") as u32)
    }
}
