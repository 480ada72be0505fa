//! The fields of the "My account" form, converted from the member or from the posted form, and back.

use std::collections::BTreeMap;

use alerting::base::severity::Severity;
use alerting::people::destination::Language;
use alerting::people::hours::Zone;
use alerting::people::medium::Medium;
use alerting::people::{CONTACTS, Contact, Member, NotAContact};
use channels::catalogue::media;
use serde::Serialize;

use crate::app::App;
use crate::dto::member::Own;
use crate::error::ApiError;
use crate::pages::error::PageError;
use crate::pages::fields::{Choice, Filled};
use crate::pages::form::Form;

/// The subject that the tokens of this page's forms are bound to.
pub(super) const SUBJECT: &str = "/me";

/// The least number of contact fields that the form shows for each severity.
const PICKS: usize = 3;
/// The value for the default, as for a member without preferences.
const DEFAULT: &str = "default";
/// The value for no notification at all.
const NOBODY: &str = "nobody";

/// The values in the form: the member's own, or the posted ones if they were refused.
pub(super) struct Fields {
    name: String,
    email: String,
    phone: String,
    pub(super) language: &'static str,
    time_zone: String,
    /// The selected contacts by severity, in order.
    pub(super) picks: BTreeMap<Severity, Vec<String>>,
}

#[derive(Serialize)]
pub(super) struct Preference {
    label: String,
    picks: Vec<Pick>,
}

/// One select field for a contact.
#[derive(Serialize)]
pub(super) struct Pick {
    name: String,
    label: &'static str,
    choices: Vec<Choice>,
}

impl Fields {
    pub(super) fn of(member: &Member) -> Self {
        let picks = |severity| {
            let chosen = match member.preferences.get(&severity) {
                None => vec![DEFAULT.to_owned()],
                Some(none) if none.is_empty() => vec![NOBODY.to_owned()],
                Some(contacts) => contacts.iter().map(ToString::to_string).collect(),
            };
            (severity, chosen)
        };
        Self {
            name: member.name.clone(),
            email: member.email.clone().unwrap_or_default(),
            phone: member.phone.clone().unwrap_or_default(),
            language: if member.language == Language::Chinese { "zh" } else { "en" },
            time_zone: member.time_zone.as_str().to_owned(),
            picks: severities().map(picks).collect(),
        }
    }

    pub(super) fn form(&self) -> Filled {
        let Self { name, email, phone, time_zone, .. } = self;
        Filled::with(&[("name", name), ("email", email), ("phone", phone), ("time_zone", time_zone)])
    }

    /// The values as they were posted.
    pub(super) fn typed(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        let picks = |severity| (severity, (0..CONTACTS).map(|n| text(&pick_name(severity, n))).collect());
        Self {
            name: text("name"),
            email: text("email"),
            phone: text("phone"),
            language: if form.text("language") == "zh" { "zh" } else { "en" },
            time_zone: text("time_zone"),
            picks: severities().map(picks).collect(),
        }
    }
}

/// All severities, the most severe first.
pub(super) fn severities() -> impl Iterator<Item = Severity> {
    [Severity::Critical, Severity::Warning, Severity::Info].into_iter()
}

/// Every contact that can be selected, with its display name.
pub(super) async fn ways(app: &App, language: Language) -> Result<Vec<(String, String)>, PageError> {
    let words = words::by_key(language);
    let medium = |medium: Medium| {
        let name = medium.as_str();
        (name.to_owned(), words.get(&format!("me_{name}")).copied().unwrap_or(name).to_owned())
    };
    let destinations = app.store.destinations().all().await?;
    let destinations = destinations.into_iter().map(|one| (one.id.to_string(), one.name));
    Ok(media().into_iter().map(medium).chain(destinations).collect())
}

pub(super) fn preference(
    language: Language,
    severity: Severity,
    chosen: &[String],
    ways: &[(String, String)],
) -> Preference {
    let used = chosen.iter().rposition(|way| !way.is_empty()).map_or(0, |last| last + 1);
    let count = PICKS.max(used + 1).min(CONTACTS);
    let chosen = |n: usize| chosen.get(n).map_or("", String::as_str);
    let picks = (0..count).map(|n| pick(language, severity, n, chosen(n), ways));
    Preference { label: format!("severity_{}", severity.as_str().to_ascii_lowercase()), picks: picks.collect() }
}

fn pick(language: Language, severity: Severity, n: usize, chosen: &str, ways: &[(String, String)]) -> Pick {
    let words = words::by_key(language);
    let fixed: &[(&str, &str)] = match n {
        0 => &[(DEFAULT, "me_default"), (NOBODY, "me_nobody")],
        _ => &[("", "me_nothing")],
    };
    let choice = |value: &str, text: &str| Choice::new(value, text, chosen);
    let fixed = fixed.iter().map(|(value, text)| choice(value, words[*text]));
    let choices = fixed.chain(ways.iter().map(|(value, text)| choice(value, text))).collect();
    let label = if n == 0 { "me_first" } else { "me_then" };
    Pick { name: pick_name(severity, n), label, choices }
}

fn pick_name(severity: Severity, n: usize) -> String {
    format!("{severity}-{n}")
}

pub(super) fn own(form: &Form) -> Result<Own, ApiError> {
    let text = |name: &str| form.text(name).to_owned();
    let optional = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let time_zone = text("time_zone").parse::<Zone>();
    let mut preferences = BTreeMap::new();
    for severity in severities() {
        if let Some(contacts) = contacts(form, severity)? {
            preferences.insert(severity, contacts);
        }
    }
    Ok(Own {
        name: text("name"),
        email: optional("email"),
        phone: optional("phone"),
        language: match form.text("language") {
            "zh" => Language::Chinese,
            _ => Language::English,
        },
        time_zone: time_zone.map_err(|error| ApiError::invalid("time_zone", error.to_string()))?,
        preferences,
    })
}

/// The selected contacts. `None`: the default, as for a member without preferences.
fn contacts(form: &Form, severity: Severity) -> Result<Option<Vec<Contact>>, ApiError> {
    let picked = (0..CONTACTS).map(|n| form.text(&pick_name(severity, n)).to_owned());
    let picked: Vec<String> = picked.filter(|way| !["", DEFAULT, NOBODY].contains(&way.as_str())).collect();
    if picked.is_empty() && form.text(&pick_name(severity, 0)) != NOBODY {
        return Ok(None);
    }
    let contact = |(n, way): (usize, &String)| {
        let field = format!("preferences.{severity}[{n}]");
        way.parse().map_err(|error: NotAContact| ApiError::invalid(field, error.to_string()))
    };
    picked.iter().enumerate().map(contact).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_picked_is_tried_in_order_and_nothing_picked_is_one_of_two_things() {
        let rows: [(&str, Option<&[&str]>); 6] = [
            ("", None),
            ("Critical-0=default&Critical-1=", None),
            ("Critical-0=nobody&Critical-1=", Some(&[])),
            ("Critical-0=email&Critical-1=&Critical-2=dst_1", Some(&["email", "dst_1"])),
            ("Critical-0=default&Critical-1=dst_1", Some(&["dst_1"])),
            ("Critical-0=nobody&Critical-1=dst_1", Some(&["dst_1"])),
        ];
        for (form, expected) in rows {
            let contacts = contacts(&Form::parse(form.as_bytes()), Severity::Critical).expect("contacts");
            let contacts = contacts.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
            let expected = expected.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(contacts, expected, "{form}");
        }
        assert!(contacts(&Form::parse(b"Critical-0=Carrier Pigeon"), Severity::Critical).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_form_names_its_field() {
        let own = |form: &str| own(&Form::parse(form.as_bytes()));
        assert!(own("name=Ada&time_zone=UTC&language=zh").is_ok_and(|own| own.language == Language::Chinese));
        match own("name=Ada&time_zone=Mars").err() {
            Some(ApiError::Invalid { field, .. }) => assert_eq!(field.as_deref(), Some("time_zone")),
            other => panic!("{other:?}"),
        }
    }
}
