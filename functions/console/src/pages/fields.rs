//! What is wrong with a field of a form, in words of both languages, beside the field that it is about.

use serde::Serialize;

use super::error::{PageError, refused};
use crate::error::ApiError;

/// A fault that the form shows again with everything that was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Wrong {
    pub(crate) field: String,
    /// A key of the words.
    pub(crate) text: &'static str,
}

impl Wrong {
    pub(crate) fn new(field: &str, text: &'static str) -> Self {
        Self { field: field.to_owned(), text }
    }

    /// A fault of a field that the words know; any other error is a page of its own.
    pub(crate) fn of(error: ApiError) -> Result<Self, PageError> {
        let field = match &error {
            ApiError::Invalid { field: Some(field), .. } => field.clone(),
            _ => return Err(refused(error)),
        };
        // The form has one field per severity and place: `preferences.Critical[1]` is `Critical-1`.
        if let Some(pick) = field.strip_prefix("preferences.") {
            return Ok(Self { field: pick.replace('[', "-").replace(']', ""), text: "wrong_preference" });
        }
        let text = match field.as_str() {
            "name" => "wrong_name",
            "email" => "wrong_email",
            "phone" => "wrong_phone",
            "time_zone" => "wrong_time_zone",
            "password" => "password_length",
            "code" => "wrong_code",
            _ => return Err(refused(error)),
        };
        Ok(Self { field, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_shown_beside_the_field_of_the_form() {
        for (field, beside, text) in [
            ("email", "email", "wrong_email"),
            ("preferences.Critical[1]", "Critical-1", "wrong_preference"),
            ("password", "password", "password_length"),
        ] {
            let wrong = Wrong::of(ApiError::invalid(field, "a sentence")).expect("known");
            assert_eq!(wrong, Wrong::new(beside, text));
        }
        assert!(Wrong::of(ApiError::invalid("identities", "a sentence")).is_err());
    }
}
