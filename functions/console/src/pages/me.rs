//! "My account": what members may change of themselves, and the codes that confirm their addresses.
//!
//! The same functions as the API's do it: a form is turned into what an administrator could have asked for, with the role
//! and the identities as they are.

use std::collections::BTreeMap;

use alerting::destination::Language;
use alerting::hours::Zone;
use alerting::people::{AddressedBy, CONTACTS, Contact, Member, NotAContact, Role};
use alerting::severity::Severity;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use channels::catalogue::PEOPLE_CHANNELS;
use serde::{Deserialize, Serialize};

use crate::dto::member::{MemberBody, Own};
use crate::error::ApiError;
use crate::extract::Base;
use crate::pages::error::{PageError, refused};
use crate::pages::form::{Form, see_other};
use crate::pages::render::{Reader, page};
use crate::pages::words::words;
use crate::routes::members::change;
use crate::session::SignedIn;
use crate::{App, SharedApp, verification};

/// What the forms of this page act on.
const SUBJECT: &str = "/me";
/// Ways to be notified that the form offers at least.
const PICKS: usize = 3;
/// In a form: as for a member who has said nothing.
const DEFAULT: &str = "default";
/// In a form: not at all.
const NOBODY: &str = "nobody";

pub(crate) fn router() -> Router<SharedApp> {
    Router::new()
        .route("/me", get(show).post(save))
        .route("/me/code", post(send_code))
        .route("/me/verify", post(enter_code))
}

/// What was done just now, after a form's redirection.
#[derive(Debug, Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

impl Done {
    /// A key of the words; whatever else stands in the address is not shown.
    fn words(&self) -> Option<&'static str> {
        match self.done.as_str() {
            "saved" => Some("me_saved"),
            "sent" => Some("me_code_sent"),
            "verified" => Some("me_address_verified"),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct Account {
    done: Option<&'static str>,
    form_token: String,
    name: String,
    role: &'static str,
    email: String,
    phone: String,
    languages: Vec<Choice>,
    time_zone: String,
    severities: Vec<Preference>,
    addresses: Vec<Address>,
}

#[derive(Serialize)]
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

#[derive(Serialize)]
struct Preference {
    label: String,
    picks: Vec<Pick>,
}

/// One way to be notified.
#[derive(Serialize)]
struct Pick {
    name: String,
    label: &'static str,
    choices: Vec<Choice>,
}

#[derive(Serialize)]
struct Address {
    field: &'static str,
    label: &'static str,
    value: String,
    verified: bool,
    vouched_by: Option<String>,
    /// Whether anything can be sent there at all.
    has_channel: bool,
}

async fn show(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Query(done): Query<Done>,
) -> Result<Html<String>, PageError> {
    let member = &signed_in.member;
    let ways = ways(&app, member.language).await?;
    let languages = [(Language::English, "en", "English"), (Language::Chinese, "zh", "中文")];
    let languages = languages.map(|(language, value, text)| Choice {
        value: value.to_owned(),
        text: text.to_owned(),
        chosen: member.language == language,
    });
    let account = Account {
        done: done.words(),
        form_token: signed_in.form_token(SUBJECT),
        name: member.name.clone(),
        role: match member.role {
            Role::Administrator => "role_administrator",
            Role::Responder => "role_responder",
            Role::Viewer => "role_viewer",
        },
        email: member.email.clone().unwrap_or_default(),
        phone: member.phone.clone().unwrap_or_default(),
        languages: languages.into(),
        time_zone: member.time_zone.as_str().to_owned(),
        severities: severities().map(|severity| preference(member, severity, &ways)).collect(),
        addresses: AddressedBy::ALL.into_iter().filter_map(|by| address(member, by)).collect(),
    };
    Ok(page("me.html", "my_account", &account, &Reader::of(signed_in)))
}

/// The worst first: it is what people want to be sure of.
fn severities() -> impl Iterator<Item = Severity> {
    [Severity::Critical, Severity::Warning, Severity::Info].into_iter()
}

/// Every way to be notified: its contact, and what it is called.
async fn ways(app: &App, language: Language) -> Result<Vec<(String, String)>, PageError> {
    let words = words(language);
    let channel = |name: &&str| {
        let text = words.get(format!("me_{name}").as_str()).copied().unwrap_or(name);
        ((*name).to_owned(), text.to_owned())
    };
    let destinations = app.store.destinations().all().await?;
    let destinations = destinations.into_iter().map(|one| (one.id.to_string(), one.name));
    Ok(PEOPLE_CHANNELS.iter().map(channel).chain(destinations).collect())
}

fn preference(member: &Member, severity: Severity, ways: &[(String, String)]) -> Preference {
    let said = member.preferences.get(&severity);
    let contacts: Vec<String> = said.into_iter().flatten().map(ToString::to_string).collect();
    let count = PICKS.max(contacts.len() + 1).min(CONTACTS);
    let picks = (0..count).map(|n| {
        let chosen = match (n, said, contacts.get(n)) {
            (_, _, Some(contact)) => contact.as_str(),
            (0, None, None) => DEFAULT,
            (0, Some(_), None) => NOBODY,
            (_, _, None) => "",
        };
        pick(member.language, severity, n, chosen, ways)
    });
    Preference { label: format!("me_severity_{severity}"), picks: picks.collect() }
}

fn pick(language: Language, severity: Severity, n: usize, chosen: &str, ways: &[(String, String)]) -> Pick {
    let words = words(language);
    let fixed: &[(&str, &str)] = match n {
        0 => &[(DEFAULT, "me_default"), (NOBODY, "me_nobody")],
        _ => &[("", "me_nothing")],
    };
    let choice =
        |value: &str, text: &str| Choice { value: value.to_owned(), text: text.to_owned(), chosen: value == chosen };
    let fixed = fixed.iter().map(|(value, text)| choice(value, words[text]));
    let choices = fixed.chain(ways.iter().map(|(value, text)| choice(value, text))).collect();
    let label = if n == 0 { "me_first" } else { "me_then" };
    Pick { name: pick_name(severity, n), label, choices }
}

fn pick_name(severity: Severity, n: usize) -> String {
    format!("{severity}-{n}")
}

/// `None`: the member has none of this kind.
fn address(member: &Member, by: AddressedBy) -> Option<Address> {
    let verified = member.verified(by);
    Some(Address {
        field: by.as_str(),
        label: match by {
            AddressedBy::Email => "me_email",
            AddressedBy::Phone => "me_phone",
        },
        value: member.address(by)?.to_owned(),
        verified: verified.is_some(),
        vouched_by: verified.and_then(|verified| verified.vouched_by.clone()),
        has_channel: channels::Destination::channel_to(by).is_some(),
    })
}

async fn save(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let (member, wanted) = (&signed_in.member, own(&form).map_err(refused)?);
    if let Some(email) = wanted.email.as_deref().filter(|email| member.email.as_deref() != Some(*email)) {
        nobody_elses(&app, member, email).await?;
    }
    let saved = change(&app, &member.id, &member.name, |before| MemberBody::own(before, wanted.clone()));
    saved.await.map_err(refused)?;
    Ok(see_other("/me?done=saved"))
}

/// Refuses an address that another member has: people sign in by it, and of two who have the same neither could.
/// Administrators may let two share one.
async fn nobody_elses(app: &App, member: &Member, email: &str) -> Result<(), PageError> {
    let others = app.store.members_with_email(email).await?;
    if others.iter().all(|other| other.id == member.id) {
        return Ok(());
    }
    Err(refused(ApiError::invalid("email", "another member has this email address; an administrator can change that")))
}

async fn send_code(
    State(app): State<SharedApp>,
    signed_in: SignedIn,
    Base(base): Base,
    form: Form,
) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let member = &signed_in.member;
    let by = addressed_by(&form)?;
    verification::send_code(&app, &member.id, by, &member.name, &base).await.map_err(refused)?;
    Ok(see_other("/me?done=sent"))
}

async fn enter_code(State(app): State<SharedApp>, signed_in: SignedIn, form: Form) -> Result<Response, PageError> {
    signed_in.check_form(SUBJECT, form.token())?;
    let by = addressed_by(&form)?;
    verification::enter_code(&app, &signed_in.member.id, by, form.text("code")).await.map_err(refused)?;
    Ok(see_other("/me?done=verified"))
}

fn addressed_by(form: &Form) -> Result<AddressedBy, PageError> {
    let field = form.text("field");
    AddressedBy::ALL.into_iter().find(|by| by.as_str() == field).ok_or(PageError::NotFound)
}

fn own(form: &Form) -> Result<Own, ApiError> {
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

/// The ways that were picked; `None`: what is done for a member who says nothing.
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
