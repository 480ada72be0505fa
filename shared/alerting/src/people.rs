//! Members, teams, and how a member wants to be notified.

pub mod chat_link;
pub mod code;
pub mod destination;
pub mod hours;
pub mod medium;
pub mod schedule;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::field_error::FieldError;
use crate::base::ids::{DestinationId, MemberId, TeamId};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::people::chat_link::ChatLink;
use crate::people::destination::Language;
use crate::people::hours::Zone;
use crate::people::medium::Medium;
use crate::rules::checks;
use crate::text_schema;

/// The most contacts for one severity. More contacts would only delay the next level.
pub const CONTACTS: usize = 8;
/// The most members of one team.
pub const TEAM_MEMBERS: usize = 200;
/// The number of digits of a phone number in E.164, with the country code. No country has shorter numbers.
pub const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// The most identities of one member: several times the number of channels that mention people.
pub const IDENTITIES: usize = 20;
/// The most characters of an identity's name.
pub const IDENTITY_NAME_CHARS: usize = 32;
/// The most characters of an identity. The longest identities of a platform have about sixty.
pub const IDENTITY_CHARS: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub id: MemberId,
    pub version: u64,
    pub name: String,
    pub email: Option<String>,
    /// How the email address was verified. `None`: nothing is sent there, and the address does not identify the member.
    #[serde(default)]
    pub email_verified: Option<Verified>,
    /// The phone number in E.164: `+8613800000000`.
    pub phone: Option<String>,
    /// How the phone number was verified, as for the email address.
    #[serde(default)]
    pub phone_verified: Option<Verified>,
    /// A new email address that the member requested. The old one stays valid until the code of the new one is entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_pending: Option<String>,
    /// A new phone number that the member requested, as for the email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_pending: Option<String>,
    /// The member's identity at the sign-in provider, set at the first sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInIdentity>,
    pub language: Language,
    pub time_zone: Zone,
    pub role: Role,
    /// The member's contacts by severity, in order: if the first contact fails permanently, the next is used. For a
    /// missing severity see [`Member::contacts`].
    pub preferences: BTreeMap<Severity, Vec<Contact>>,
    /// The member's ids on chat platforms, by the name that the channel uses, such as `slack_user_id` or `zoom_jid`.
    pub identities: BTreeMap<String, String>,
    /// The chat users that are this member, the newest last. Unlike `identities`, they give authority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<ChatLink>,
    pub created_at: Moment,
}

/// How an address was verified as the member's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub at: Moment,
    /// The name of the administrator's API key that confirmed the address. `None`: the member entered a one-time code
    /// that was sent there.
    pub vouched_by: Option<String>,
}

/// One person at one sign-in provider. The pair is unique and never changes (OpenID Connect Core 1.0, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInIdentity {
    pub issuer: String,
    pub subject: String,
    pub since: Moment,
}

/// One of the addresses of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AddressKind)]
pub enum AddressedBy {
    Email,
    Phone,
}

impl AddressedBy {
    pub const ALL: [Self; 2] = [Self::Email, Self::Phone];

    /// The address that the medium needs. `None`: the medium uses a linked account.
    pub const fn of(medium: Medium) -> Option<Self> {
        match medium {
            Medium::Email => Some(Self::Email),
            Medium::Sms | Medium::Voice => Some(Self::Phone),
            Medium::Feishu | Medium::DingTalk | Medium::WeCom | Medium::Slack | Medium::Teams => None,
        }
    }

    /// The medium by which a code is sent to this address.
    pub const fn confirmed_by(self) -> Medium {
        match self {
            Self::Email => Medium::Email,
            Self::Phone => Medium::Sms,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Email => "email address",
            Self::Phone => "phone number",
        }
    }

    /// The name of the field of a member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Administrator,
    #[default]
    Responder,
    Viewer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub id: TeamId,
    pub version: u64,
    pub name: String,
    pub members: Vec<MemberId>,
    pub created_at: Moment,
}

/// One way to reach one person: a medium (`email`), or a destination that only this person reads (`dst_…`), such as a
/// bot's private chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Contact {
    Medium(Medium),
    Destination(DestinationId),
}

text_schema!(
    Contact as "Contact",
    "A channel that is addressed to people (`email`), or the id of a destination that only this person reads.",
    "^([a-z_]{1,32}|dst_[0-9A-Za-z_]{1,64})$",
    1..=68,
    "email"
);

/// The error for a text that is not a contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither a medium (`email`) nor a destination (`dst_…`)")]
pub struct NotAContact;

/// A person whom a message mentions, with the ids that channels need for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The [`Member::identities`], and the identities from the mapping table of the group's destination.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, String>,
}

impl Member {
    /// The member's address of this kind, verified or not.
    pub fn address(&self, by: AddressedBy) -> Option<&str> {
        match by {
            AddressedBy::Email => self.email.as_deref(),
            AddressedBy::Phone => self.phone.as_deref(),
        }
    }

    pub fn set_address(&mut self, by: AddressedBy, address: Option<String>) {
        match by {
            AddressedBy::Email => self.email = address,
            AddressedBy::Phone => self.phone = address,
        }
    }

    /// The requested address of this kind, which replaces the current one when its code is entered.
    pub fn pending(&self, by: AddressedBy) -> Option<&str> {
        match by {
            AddressedBy::Email => self.email_pending.as_deref(),
            AddressedBy::Phone => self.phone_pending.as_deref(),
        }
    }

    pub fn set_pending(&mut self, by: AddressedBy, address: Option<String>) {
        match by {
            AddressedBy::Email => self.email_pending = address,
            AddressedBy::Phone => self.phone_pending = address,
        }
    }

    /// The address to which a code is sent: the pending one, otherwise an address that is not verified yet.
    pub fn to_confirm(&self, by: AddressedBy) -> Option<&str> {
        self.pending(by).or_else(|| self.address(by).filter(|_| self.verified(by).is_none()))
    }

    pub fn verified(&self, by: AddressedBy) -> Option<&Verified> {
        match by {
            AddressedBy::Email => self.email_verified.as_ref(),
            AddressedBy::Phone => self.phone_verified.as_ref(),
        }
    }

    pub fn set_verified(&mut self, by: AddressedBy, verified: Option<Verified>) {
        match by {
            AddressedBy::Email => self.email_verified = verified,
            AddressedBy::Phone => self.phone_verified = verified,
        }
    }

    /// The member's address of this kind, if it is verified.
    pub fn verified_address(&self, by: AddressedBy) -> Option<&str> {
        self.address(by).filter(|_| self.verified(by).is_some())
    }

    /// The member's contacts for this severity, in order.
    pub fn contacts(&self, severity: Severity) -> Vec<Contact> {
        match self.preferences.get(&severity) {
            Some(contacts) => contacts.clone(),
            None if self.email.is_some() => vec![Contact::Medium(Medium::Email)],
            None => Vec::new(),
        }
    }

    /// Checks everything except the name and email address of a member before it is saved. `media`: the media that a
    /// channel serves.
    pub fn check(&self, media: &[Medium]) -> Result<(), FieldError> {
        if self.phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
            let (min, max) = (PHONE_DIGITS.start(), PHONE_DIGITS.end());
            let message = format!("expected `+`, country code and number, {min} to {max} digits: `+8613800000000`");
            return Err(FieldError::new("phone", message));
        }
        for (severity, contacts) in &self.preferences {
            let path = format!("preferences.{severity}");
            check_contacts(contacts, media, &path)?;
            for (n, contact) in contacts.iter().enumerate() {
                let missing = contact.needs().filter(|by| self.address(*by).is_none());
                if let Some(by) = missing {
                    let (noun, field) = (by.noun(), by.as_str());
                    let message = format!("the member has no {noun}; give `{field}`, or take this contact out");
                    return Err(FieldError::new(format!("{path}[{n}]"), message));
                }
            }
        }
        self.check_identities()
    }

    fn check_identities(&self) -> Result<(), FieldError> {
        if self.identities.len() > IDENTITIES {
            return Err(FieldError::new("identities", format!("at most {IDENTITIES} identities")));
        }
        for (name, value) in &self.identities {
            let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            if !(1..=IDENTITY_NAME_CHARS).contains(&name.len()) || !name.bytes().all(is_letter) {
                let message = format!("an identity is named by 1 to {IDENTITY_NAME_CHARS} of a–z and `_`: `zoom_jid`");
                return Err(FieldError::new("identities", message));
            }
            let chars = value.chars().count();
            if !(1..=IDENTITY_CHARS).contains(&chars) || value.chars().any(char::is_control) {
                let message = format!("expected 1 to {IDENTITY_CHARS} characters, none of them a control character");
                return Err(FieldError::new(format!("identities.{name}"), message));
            }
        }
        Ok(())
    }
}

impl Team {
    /// Checks everything except the name of a team before it is saved.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.members.len() > TEAM_MEMBERS {
            return Err(FieldError::new("members", format!("a team has at most {TEAM_MEMBERS} members")));
        }
        checks::each_once(&self.members, "members")
    }
}

/// Checks a list of contacts that are tried one after the other.
pub(crate) fn check_contacts(contacts: &[Contact], media: &[Medium], path: &str) -> Result<(), FieldError> {
    if contacts.len() > CONTACTS {
        return Err(FieldError::new(path, format!("at most {CONTACTS} contacts")));
    }
    checks::each_once(contacts, path)?;
    let unserved = |contact: &Contact| matches!(contact, Contact::Medium(medium) if !media.contains(medium));
    match contacts.iter().position(unserved) {
        Some(n) => {
            let served: Vec<&str> = media.iter().map(|medium| medium.as_str()).collect();
            let message = format!("expected {} or a destination (`dst_…`)", served.join(", "));
            Err(FieldError::new(format!("{path}[{n}]"), message))
        }
        None => Ok(()),
    }
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    // A country code never starts with 0.
    PHONE_DIGITS.contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

impl Contact {
    /// The destination of this contact for this member.
    pub fn destination(&self, member: &MemberId) -> DestinationId {
        match self {
            Contact::Medium(medium) => DestinationId::of_member(member, medium.as_str()),
            Contact::Destination(destination) => destination.clone(),
        }
    }

    /// The member's address that this contact needs, if any.
    fn needs(&self) -> Option<AddressedBy> {
        match self {
            Contact::Medium(medium) => AddressedBy::of(*medium),
            Contact::Destination(_) => None,
        }
    }
}

impl FromStr for Contact {
    type Err = NotAContact;

    fn from_str(text: &str) -> Result<Self, NotAContact> {
        if text.starts_with(DestinationId::PREFIX) {
            return text.parse().map(Contact::Destination).map_err(|_| NotAContact);
        }
        text.parse().map(Contact::Medium).map_err(|_| NotAContact)
    }
}

impl TryFrom<String> for Contact {
    type Error = NotAContact;

    fn try_from(text: String) -> Result<Self, NotAContact> {
        text.parse()
    }
}

impl From<Contact> for String {
    fn from(contact: Contact) -> String {
        contact.to_string()
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contact::Medium(medium) => f.write_str(medium.as_str()),
            Contact::Destination(destination) => f.write_str(destination.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> Member {
        Member {
            id: "mem_1".parse().expect("valid"),
            version: 0,
            name: "Ada".to_owned(),
            email: Some("ada@example.org".to_owned()),
            email_verified: None,
            phone: None,
            phone_verified: None,
            email_pending: None,
            phone_pending: None,
            sign_in: None,
            language: Language::English,
            time_zone: Zone::utc(),
            role: Role::Responder,
            preferences: BTreeMap::new(),
            identities: BTreeMap::new(),
            links: Vec::new(),
            created_at: Moment::from_secs(0),
        }
    }

    #[track_caller]
    fn check(member: &Member, field: Option<&str>) {
        let found = member.check(&[Medium::Email]).err().map(|error| error.field);
        assert_eq!(found.as_deref(), field, "{member:?}");
    }

    #[test]
    fn an_address_counts_once_it_is_known_to_be_the_members_own() {
        let mut ada = member();
        assert_eq!(ada.verified_address(AddressedBy::Email), None);
        let verified = Verified { at: Moment::from_secs(1), vouched_by: None };
        ada.set_verified(AddressedBy::Email, Some(verified.clone()));
        ada.set_verified(AddressedBy::Phone, Some(verified));
        assert_eq!(ada.verified_address(AddressedBy::Email), Some("ada@example.org"));
        assert_eq!(ada.verified_address(AddressedBy::Phone), None, "there is none");
    }

    #[test]
    fn a_member_who_was_stored_before_addresses_were_verified_is_read() {
        let mut stored = serde_json::to_value(member()).expect("JSON");
        let fields = stored.as_object_mut().expect("an object");
        assert!(fields.remove("email_verified").is_some() && fields.remove("phone_verified").is_some());
        assert_eq!(serde_json::from_value::<Member>(stored).expect("read"), member());
    }

    #[test]
    fn a_phone_number_is_in_e_164() {
        for (phone, valid) in [
            ("+8613800000000", true),
            ("+1234567", true),
            ("+123456", false),
            ("+1234567890123456", false),
            ("8613800000000", false),
            ("+0049301234", false),
            ("+49 30 1234", false),
            ("+８６13800000000", false),
        ] {
            check(&Member { phone: Some(phone.to_owned()), ..member() }, (!valid).then_some("phone"));
        }
    }

    #[test]
    fn preferences_name_each_contact_once_and_only_what_reaches_the_member() {
        let many: Vec<String> = (0..9).map(|n| format!("dst_{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!("pigeon".parse::<Contact>(), Err(NotAContact));
        let rows: [(&[&str], bool, Option<&str>); 6] = [
            (&["email", "dst_1"], true, None),
            (&[], false, None),
            (&["dst_1", "email"], false, Some("preferences.Critical[1]")),
            (&["dst_1", "dst_1"], true, Some("preferences.Critical[1]")),
            (&["sms"], true, Some("preferences.Critical[0]")),
            (&many, true, Some("preferences.Critical")),
        ];
        for (contacts, has_email, field) in rows {
            let contacts = contacts.iter().map(|contact| contact.parse().expect("a contact")).collect();
            let email = member().email.filter(|_| has_email);
            check(&Member { preferences: [(Severity::Critical, contacts)].into(), email, ..member() }, field);
        }
    }

    #[test]
    fn a_medium_is_chosen_only_if_the_member_has_the_address_that_it_needs() {
        let media = [Medium::Email, Medium::Voice];
        let mut ada =
            Member { preferences: [(Severity::Info, vec![Contact::Medium(Medium::Voice)])].into(), ..member() };
        let refused = ada.check(&media).expect_err("no phone");
        assert_eq!(refused.field, "preferences.Info[0]");
        assert!(refused.message.contains("no phone number; give `phone`"), "{refused:?}");
        ada.phone = Some("+8613800000000".to_owned());
        assert_eq!(ada.check(&media), Ok(()));
    }

    #[test]
    fn a_stored_contact_names_a_medium_or_a_destination() {
        let contacts: Vec<Contact> =
            serde_json::from_str(r#"["email","dst_1"]"#).expect("stored by an earlier version");
        assert_eq!(contacts, [Contact::Medium(Medium::Email), Contact::Destination("dst_1".parse().expect("valid"))]);
        let mem = "mem_4fJk2LmNpQ".parse().expect("valid");
        assert_eq!(contacts[0].destination(&mem).as_str(), "dst_email_4fJk2LmNpQ");
        assert_eq!(serde_json::to_string(&contacts).expect("JSON"), r#"["email","dst_1"]"#);
        for medium in Medium::ALL {
            assert_eq!(medium.as_str().parse(), Ok(medium));
        }
    }

    #[test]
    fn an_identity_is_a_short_text_under_a_short_name() {
        let long = "x".repeat(129);
        let rows = [
            ("slack_user_id", "U024BE7LH", None),
            ("Slack", "U1", Some("identities")),
            ("", "U1", Some("identities")),
            ("zoom_jid", "", Some("identities.zoom_jid")),
            ("zoom_jid", "a\nb", Some("identities.zoom_jid")),
            ("zoom_jid", &long, Some("identities.zoom_jid")),
        ];
        for (name, value, field) in rows {
            check(&Member { identities: [(name.to_owned(), value.to_owned())].into(), ..member() }, field);
        }
        let many = (b'a'..=b'u').map(|letter| (char::from(letter).to_string(), "x".to_owned())).collect();
        check(&Member { identities: many, ..member() }, Some("identities"));
    }

    #[test]
    fn a_team_names_each_member_once() {
        let [one, two] = ["mem_1", "mem_2"].map(|id| id.parse::<MemberId>().expect("valid"));
        let check = |members: Vec<MemberId>, field: Option<&str>| {
            let team = Team {
                id: "team_1".parse().expect("valid"),
                version: 0,
                name: "DBA".to_owned(),
                members,
                created_at: Moment::from_secs(0),
            };
            assert_eq!(team.check().err().map(|error| error.field).as_deref(), field);
        };
        check(vec![one.clone(), two.clone()], None);
        check(vec![one.clone(), two, one], Some("members[2]"));
        check(
            (0..=TEAM_MEMBERS).map(|n| MemberId::from_suffix(&n.to_string()).expect("valid")).collect(),
            Some("members"),
        );
    }
}
