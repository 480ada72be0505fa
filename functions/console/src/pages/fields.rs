//! A form as a page shows it: the values of its fields and the error of one field, in both languages.
//!
//! In → out: the posted form and the error of the operation → [`Filled`], from which the page shows the form again with
//! all input kept and the error beside its field. Templates such as `html/ui/field.html` render the fields. If people
//! can cause an error in a field, the words have a text `wrong_{field}` for it. Any other error is shown as a page of
//! its own.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::people::destination::Language;
use serde::Serialize;
use words::pages::members::{LANGUAGE_EN, LANGUAGE_ZH};
use words::text::Text;

use super::error::{PageError, refused};
use super::form::Form;
use crate::error::ApiError;
use crate::session::FORM_TOKEN;

/// Secret fields, which no page shows again.
const SECRET: [&str; 4] = ["password", "old_password", "confirm_password", FORM_TOKEN];

/// The values of a form's fields, and the error of one of them.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Filled {
    /// The values by field. Secrets are never included.
    given: BTreeMap<String, String>,
    wrong: Option<Wrong>,
}

impl Filled {
    /// A form that is shown for the first time, with these values.
    pub(crate) fn with(fields: &[(&str, &str)]) -> Self {
        let given = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { given, wrong: None }
    }

    /// The posted values with the error of one field. Secrets are left out.
    pub(crate) fn again(form: &Form, wrong: Wrong) -> Self {
        Self { given: form.without(&SECRET).into_iter().rev().collect(), wrong: Some(wrong) }
    }

    /// The posted values with the error of an operation.
    pub(crate) fn refused(form: &Form, error: ApiError) -> Result<Self, PageError> {
        Wrong::of(error).map(|wrong| Self::again(form, wrong))
    }

    /// Replaces the values with those in `typed`, and takes its error.
    pub(crate) fn over(mut self, typed: &Self) -> Self {
        self.given.extend(typed.given.clone());
        Self { wrong: typed.wrong.clone(), ..self }
    }

    pub(crate) fn or_wrong(self, wrong: Option<Wrong>) -> Self {
        Self { wrong: wrong.or(self.wrong), ..self }
    }

    /// The value of a field.
    pub(crate) fn given(&self, name: &str) -> &str {
        self.given.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_wrong(&self) -> bool {
        self.wrong.is_some()
    }
}

/// The error of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Wrong {
    pub(crate) field: String,
    /// A key of the words.
    pub(crate) text: &'static str,
    /// The minutes to wait before the next try.
    wait: Option<u64>,
}

impl Wrong {
    pub(crate) fn new(field: &str, text: &'static str) -> Self {
        Self { field: field.to_owned(), text, wait: None }
    }

    /// The error of a password field after too many tries.
    pub(crate) fn too_often(field: &str, wait: Duration) -> Self {
        let minutes = wait.as_secs().div_ceil(60).max(1);
        Self { wait: Some(minutes), ..Self::new(field, "too_many_tries") }
    }

    /// The error of a field that has a text in the words. Fails with a page for any other error.
    pub(crate) fn of(error: ApiError) -> Result<Self, PageError> {
        let field = match &error {
            ApiError::Invalid { field: Some(field), .. } => field.clone(),
            _ => return Err(refused(error)),
        };
        // The form has one field per severity and position: `preferences.Critical[1]` is `Critical-1`.
        if let Some(pick) = field.strip_prefix("preferences.") {
            return Ok(Self::new(&pick.replace('[', "-").replace(']', ""), "wrong_preference"));
        }
        let name = match field.split(['[', '.']).next().unwrap_or_default() {
            // The form has one list for members and teams.
            "members" | "teams" => "people",
            name => name,
        };
        match words::by_key(Language::English).get_key_value(&format!("wrong_{name}")) {
            Some((text, _)) => Ok(Self::new(name, text)),
            None => Err(refused(error)),
        }
    }
}

/// One option of a select field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) chosen: bool,
}

impl Choice {
    pub(crate) fn new(value: &str, text: &str, chosen: &str) -> Self {
        Self { value: value.to_owned(), text: text.to_owned(), chosen: value == chosen }
    }
}

/// The languages, each with its code and its own name.
pub(crate) const LANGUAGES: [(Language, &str, Text); 2] =
    [(Language::English, "en", LANGUAGE_EN), (Language::Chinese, "zh", LANGUAGE_ZH)];

/// [`LANGUAGES`] as options of a select field.
pub(crate) fn languages(chosen: &str) -> Vec<Choice> {
    LANGUAGES.map(|(language, code, name)| Choice::new(code, name.of(language), chosen)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_shown_beside_the_field_of_the_form() {
        for (field, beside, text) in [
            ("email", "email", "wrong_email"),
            ("preferences.Critical[1]", "Critical-1", "wrong_preference"),
            ("password", "password", "wrong_password"),
            ("members[0]", "people", "wrong_people"),
        ] {
            let wrong = Wrong::of(ApiError::invalid(field, "a sentence")).expect("known");
            assert_eq!(wrong, Wrong::new(beside, text));
        }
        assert!(Wrong::of(ApiError::invalid("identities", "a sentence")).is_err());
    }

    #[test]
    fn everything_that_was_typed_is_kept_but_secrets() {
        let form = Form::parse(b"form_token=t&name=Ada&note=&password=p&old_password=o&confirm_password=c&name=second");
        let filled = Filled::refused(&form, ApiError::invalid("name", "a sentence")).expect("known");
        let kept: Vec<_> = filled.given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(kept, [("name", "Ada"), ("note", "")]);
        assert!(filled.is_wrong());
    }
}
