//! Members: who can be notified, and how each of them wants to be reached.

use std::collections::BTreeMap;

use alerting::base::ids::{AccountId, MemberId};
use alerting::base::severity::Severity;
use alerting::people::chat_link::ChatLink;
use alerting::people::destination::Language;
use alerting::people::hours::Zone;
use alerting::people::medium::Medium;
use alerting::people::{AddressedBy, Contact, Member, Role, Verified};
use channels::catalogue::IDENTITIES;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::schema::{Code, EMAIL_CHARS, Email, Identities, Phone};
use super::{Name, Time, field_error, given};
use crate::error::ApiError;
use crate::extract::Patch;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberBody {
    name: Name,
    #[serde(default)]
    #[schema(value_type = Option<Email>)]
    email: Option<String>,
    /// `true`: you vouch that the address belongs to the member. Left out, an unchanged address stays verified, and a new one
    /// is unverified until its code is entered.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    email_verified: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<Phone>)]
    phone: Option<String>,
    /// `true`: you vouch that the phone number belongs to the member, as for the email address.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    phone_verified: Option<bool>,
    /// The language of messages to the member.
    #[serde(default)]
    #[schema(default = Language::default)]
    language: Language,
    /// The time zone of times in messages to the member.
    #[serde(default = "Zone::utc")]
    #[schema(default = Zone::utc)]
    time_zone: Zone,
    #[serde(default)]
    #[schema(default = Role::default)]
    role: Role,
    #[serde(default)]
    #[schema(example = json!({"Critical": ["email", "dst_8Zp1QeRtYu"]}))]
    preferences: PreferencesBody,
    #[serde(default)]
    #[schema(value_type = Identities, example = json!({"slack_user_id": "U024BE7LH"}))]
    identities: BTreeMap<String, String>,
    /// `null`: forget the member's identity at the sign-in provider; the next sign-in with the verified address sets it again.
    /// Left out, it stays.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    sign_in: Patch<Value>,
}

/// Contacts by severity: the first, and if that fails for good the next. Of a severity that is left out, a member with
/// an email address is notified there; an empty list: nobody is notified.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Preferences)]
struct PreferencesBody {
    #[serde(rename = "Info", default, deserialize_with = "given")]
    #[schema(value_type = HashSet<Contact>, required = false, max_items = 8)]
    info: Option<Vec<Contact>>,
    #[serde(rename = "Warning", default, deserialize_with = "given")]
    #[schema(value_type = HashSet<Contact>, required = false, max_items = 8)]
    warning: Option<Vec<Contact>>,
    #[serde(rename = "Critical", default, deserialize_with = "given")]
    #[schema(value_type = HashSet<Contact>, required = false, max_items = 8)]
    critical: Option<Vec<Contact>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberView {
    id: MemberId,
    name: String,
    #[schema(required)]
    email: Option<String>,
    /// Whether it is verified as the member's own; nothing is sent to an unverified address.
    email_verified: bool,
    /// The API key that vouched for it, by name; `null`: the member entered its code, or it is not verified.
    #[schema(required)]
    email_vouched_by: Option<String>,
    #[schema(required)]
    phone: Option<String>,
    phone_verified: bool,
    #[schema(required)]
    phone_vouched_by: Option<String>,
    /// A new address that the member asked for; it replaces `email` once its code is entered. Setting another `email`
    /// forgets it.
    #[schema(required)]
    email_pending: Option<String>,
    /// A new phone number that waits for its code, as for the email address.
    #[schema(required)]
    phone_pending: Option<String>,
    /// The member's identity at the sign-in provider since the first sign-in; no other identity can sign in as this member.
    #[schema(required)]
    sign_in: Option<SignInView>,
    language: Language,
    time_zone: Zone,
    role: Role,
    #[schema(value_type = PreferencesBody)]
    preferences: BTreeMap<Severity, Vec<Contact>>,
    #[schema(value_type = Identities)]
    identities: BTreeMap<String, String>,
    /// The chat users who act on cards as this member, the newest last.
    links: Vec<ChatLinkView>,
    created_at: Time,
}

/// A chat user of an app's account who is linked to a member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatLink)]
pub(crate) struct ChatLinkView {
    account: AccountId,
    /// The vendor's id of the user.
    #[schema(example = "U012AB3CD")]
    user: String,
    /// The user's name in the chat when the link was made; empty if the vendor does not say it.
    name: String,
    since: Time,
}

impl From<ChatLink> for ChatLinkView {
    fn from(link: ChatLink) -> Self {
        let ChatLink { account, user, chat: _, name, since } = link;
        Self { account, user, name, since: Time(since) }
    }
}

/// One person at one sign-in provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInIdentity)]
pub(crate) struct SignInView {
    #[schema(example = "https://accounts.example.com")]
    issuer: String,
    /// The provider's id of the person: `sub`.
    subject: String,
    since: Time,
}

/// The request for a one-time code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendCodeBody {
    /// The kind of address to which the code is sent.
    pub(crate) field: AddressedBy,
}

/// The answer after a code was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeSent {
    /// The time at which the code expires.
    pub(crate) until: Time,
}

/// A one-time code that a member received.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnterCodeBody {
    /// The address that it was sent to.
    pub(crate) field: AddressedBy,
    #[schema(value_type = Code)]
    pub(crate) code: String,
}

/// What members may change of themselves.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) language: Language,
    pub(crate) time_zone: Zone,
    pub(crate) preferences: BTreeMap<Severity, Vec<Contact>>,
}

impl Own {
    /// The member's present data.
    pub(crate) fn of(member: &Member) -> Self {
        Self {
            name: member.name.clone(),
            email: member.email.clone(),
            phone: member.phone.clone(),
            language: member.language,
            time_zone: member.time_zone.clone(),
            preferences: member.preferences.clone(),
        }
    }
}

/// A one-time link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Invitation {
    #[schema(example = "https://alerts.example.com/set-up/mem_4fJk2LmNpQ.…")]
    pub(crate) url: String,
    pub(crate) expires_at: Time,
}

/// A member in an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NamedMember)]
pub(crate) struct MemberName {
    pub(crate) id: MemberId,
    /// The member's name; `null`: the member was deleted.
    #[schema(required)]
    pub(crate) name: Option<String>,
}

impl MemberBody {
    /// The request in which only the member's own fields differ from `before`: role and identities stay, and no address
    /// counts as vouched for.
    pub(crate) fn own(before: &Member, own: Own) -> Result<Self, ApiError> {
        let Own { name, email, phone, language, time_zone, mut preferences } = own;
        let mut at = |severity| preferences.remove(&severity);
        let preferences = PreferencesBody {
            info: at(Severity::Info),
            warning: at(Severity::Warning),
            critical: at(Severity::Critical),
        };
        let (role, identities) = (before.role, before.identities.clone());
        let name = Name::try_from(name).map_err(|message| ApiError::invalid("name", message))?;
        Ok(Self {
            name,
            email,
            email_verified: None,
            phone,
            phone_verified: None,
            language,
            time_zone,
            role,
            preferences,
            identities,
            sign_in: Patch::Keep,
        })
    }

    /// `before` with the changes of the request. The caller checks that the destinations exist. `media`: those that are
    /// addressed to people. `vouched`: the verification of an address that the request vouches for.
    pub(crate) fn apply(&self, before: Member, media: &[Medium], vouched: &Verified) -> Result<Member, ApiError> {
        let name = self.name.to_string();
        let email = self.email.as_deref().map(email).transpose()?;
        let phone = self.phone.as_deref().map(|phone| phone.trim().to_owned());
        let Self { language, time_zone, role, preferences, identities, .. } = self.clone();
        let preferences = preferences.by_severity();
        let old = before.clone();
        let mut member = Member { name, email, phone, language, time_zone, role, preferences, identities, ..before };
        member.check(media).map_err(field_error)?;
        check_identities(&member, &old)?;
        match &self.sign_in {
            Patch::Keep => {}
            Patch::Remove => member.sign_in = None,
            Patch::Set(_) => {
                let message = "it is set by the member's first sign-in; give `null` to forget it, or leave it out";
                return Err(ApiError::invalid("sign_in", message));
            }
        }
        for by in AddressedBy::ALL.into_iter().filter(|by| old.address(*by) != member.address(*by)).collect::<Vec<_>>()
        {
            member.set_pending(by, None);
        }
        for (by, claim) in [(AddressedBy::Email, self.email_verified), (AddressedBy::Phone, self.phone_verified)] {
            let verified = verified(by, claim, &old, &member, vouched)?;
            member.set_verified(by, verified);
        }
        Ok(member)
    }
}

impl PreferencesBody {
    fn by_severity(self) -> BTreeMap<Severity, Vec<Contact>> {
        let Self { info, warning, critical } = self;
        let all = [(Severity::Info, info), (Severity::Warning, warning), (Severity::Critical, critical)];
        all.into_iter().filter_map(|(severity, contacts)| Some((severity, contacts?))).collect()
    }
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let Member {
            id,
            version: _,
            name,
            email,
            email_verified,
            phone,
            phone_verified,
            email_pending,
            phone_pending,
            sign_in,
            language,
            time_zone,
            role,
            preferences,
            identities,
            links,
            created_at,
        } = member;
        Self {
            id,
            name,
            email,
            email_verified: email_verified.is_some(),
            email_vouched_by: email_verified.and_then(|verified| verified.vouched_by),
            phone,
            phone_verified: phone_verified.is_some(),
            phone_vouched_by: phone_verified.and_then(|verified| verified.vouched_by),
            email_pending,
            phone_pending,
            sign_in: sign_in.map(|known| SignInView {
                issuer: known.issuer,
                subject: known.subject,
                since: Time(known.since),
            }),
            language,
            time_zone,
            role,
            preferences,
            identities,
            links: links.into_iter().map(ChatLinkView::from).collect(),
            created_at: Time(created_at),
        }
    }
}

/// Refuses an identity that no channel uses: it would be stored without any effect. One that is stored
/// already may stay.
fn check_identities(member: &Member, before: &Member) -> Result<(), ApiError> {
    let names: Vec<&str> = IDENTITIES.iter().map(|(name, _)| *name).chain([store::member_pointers::SUBJECT]).collect();
    let is_new = |name: &&String| !names.contains(&name.as_str()) && !before.identities.contains_key(*name);
    let Some(unknown) = member.identities.keys().find(is_new) else { return Ok(()) };
    let message = format!("`{unknown}` is no identity that anything asks for; known are: {}", names.join(", "));
    Err(ApiError::invalid(format!("identities.{unknown}"), message))
}

/// The verification of an address after a request that contains this address and this claim.
fn verified(
    by: AddressedBy,
    claim: Option<bool>,
    before: &Member,
    member: &Member,
    vouched: &Verified,
) -> Result<Option<Verified>, ApiError> {
    let address = member.address(by);
    let known = before.verified(by).filter(|_| address.is_some() && address == before.address(by)).cloned();
    match claim {
        Some(true) if address.is_none() => {
            let field = by.as_str();
            let message = format!("there is no `{field}` to vouch for; give one, or leave this out");
            Err(ApiError::invalid(format!("{field}_verified"), message))
        }
        Some(true) => Ok(known.or_else(|| Some(vouched.clone()))),
        Some(false) => Ok(None),
        None => Ok(known),
    }
}

/// An address that the channel `email` can write to.
fn email(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let is_plain = text.len() <= EMAIL_CHARS && !text.chars().any(char::is_whitespace);
    if is_plain && channels::registry::Destination::check_settings("email", &json!({"to": text})).is_ok() {
        return Ok(text.to_owned());
    }
    let message = format!("expected an email address such as `ada@example.org`, at most {EMAIL_CHARS} bytes long");
    Err(ApiError::invalid("email", message))
}

#[cfg(test)]
mod tests {
    use alerting::people::CONTACTS;

    use super::super::tests::schema_of;
    use super::*;

    #[test]
    fn preferences_are_described_by_severity() {
        let schema = schema_of::<PreferencesBody>();
        for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
            assert_eq!(schema["properties"][severity.as_str()]["maxItems"], CONTACTS);
            assert_eq!(schema["properties"][severity.as_str()]["default"], Value::Null);
        }
        assert_eq!((&schema["required"], &schema["additionalProperties"]), (&Value::Null, &Value::Bool(false)));
    }

    #[test]
    fn an_email_address_is_one_that_mail_can_be_sent_to() {
        for text in ["ada@example.org", "ada.l+oncall@mail.example.org", " ada@example.org ", "ada@例子.中国"] {
            assert_eq!(email(text).expect("valid"), text.trim());
        }
        let long = format!("a@{}.org", "x.".repeat(130));
        for text in
            ["", "ada", "ada@", "@example.org", "a@b@c", "ada@example..org", "a da@example.org", "a@b\n.org", &long]
        {
            assert!(email(text).is_err(), "{text:?}");
        }
    }
}
