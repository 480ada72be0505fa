//! Members: who can be told, and how each of them wants to be reached.

use std::collections::BTreeMap;

use alerting::destination::Language;
use alerting::hours::Zone;
use alerting::ids::MemberId;
use alerting::people::{Contact, Member, Role};
use alerting::severity::Severity;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::schema::people::{IdentitiesShape, LanguageShape, RoleShape};
use super::schema::text::{ContactText, EmailText, MemberIdText, NameText, PhoneText, ZoneText};
use super::{Time, field_error, given};
use crate::error::ApiError;

/// Characters of an email address: what SMTP's paths have room for (RFC 3696, erratum 1690).
pub(crate) const EMAIL_CHARS: usize = 254;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberBody {
    #[schema(value_type = NameText, example = "Ada Lovelace")]
    name: String,
    #[serde(default)]
    #[schema(value_type = Option<EmailText>)]
    email: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<PhoneText>)]
    phone: Option<String>,
    /// Of what is sent to the member.
    #[serde(default)]
    #[schema(value_type = LanguageShape, required = false, default = "en")]
    language: Language,
    /// Of the times that are sent to the member.
    #[serde(default = "Zone::utc")]
    #[schema(value_type = ZoneText, required = false, default = "UTC")]
    time_zone: Zone,
    #[serde(default)]
    #[schema(value_type = RoleShape, required = false, default = "responder")]
    role: Role,
    #[serde(default)]
    #[schema(value_type = PreferencesBody, required = false, example = json!({"Critical": ["email", "dst_8Zp1QeRtYu"]}))]
    preferences: PreferencesBody,
    #[serde(default)]
    #[schema(value_type = IdentitiesShape, required = false, example = json!({"slack_user_id": "U024BE7LH"}))]
    identities: BTreeMap<String, String>,
}

/// Contacts by severity: the first, and if that fails for good the next. Of a severity that is left out, a member with
/// an email address is told there; an empty list: nobody is told.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Preferences)]
struct PreferencesBody {
    #[serde(rename = "Info", default, deserialize_with = "given")]
    #[schema(value_type = HashSet<ContactText>, required = false, max_items = 8)]
    info: Option<Vec<Contact>>,
    #[serde(rename = "Warning", default, deserialize_with = "given")]
    #[schema(value_type = HashSet<ContactText>, required = false, max_items = 8)]
    warning: Option<Vec<Contact>>,
    #[serde(rename = "Critical", default, deserialize_with = "given")]
    #[schema(value_type = HashSet<ContactText>, required = false, max_items = 8)]
    critical: Option<Vec<Contact>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberView {
    #[schema(value_type = MemberIdText)]
    id: MemberId,
    name: String,
    #[schema(required)]
    email: Option<String>,
    #[schema(required)]
    phone: Option<String>,
    #[schema(value_type = LanguageShape)]
    language: Language,
    #[schema(value_type = ZoneText)]
    time_zone: Zone,
    #[schema(value_type = RoleShape)]
    role: Role,
    #[schema(value_type = PreferencesBody)]
    preferences: BTreeMap<Severity, Vec<Contact>>,
    #[schema(value_type = IdentitiesShape)]
    identities: BTreeMap<String, String>,
    created_at: Time,
}

/// Someone whom an answer names.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NamedMember)]
pub(crate) struct MemberName {
    #[schema(value_type = MemberIdText)]
    pub(crate) id: MemberId,
    /// `null`: deleted since.
    #[schema(required)]
    pub(crate) name: Option<String>,
}

impl MemberBody {
    /// `before` with what the request says. Whether the destinations exist, the caller asks. `channels`: those that are
    /// addressed to people.
    pub(crate) fn apply(&self, before: Member, channels: &[&str]) -> Result<Member, ApiError> {
        let name = super::name("name", &self.name)?;
        let email = self.email.as_deref().map(email).transpose()?;
        let phone = self.phone.as_deref().map(|phone| phone.trim().to_owned());
        let Self { language, time_zone, role, preferences, identities, .. } = self.clone();
        let preferences = preferences.by_severity();
        let member = Member { name, email, phone, language, time_zone, role, preferences, identities, ..before };
        member.check(channels).map_err(field_error)?;
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
            phone,
            language,
            time_zone,
            role,
            preferences,
            identities,
            created_at,
        } = member;
        let created_at = Time(created_at);
        Self { id, name, email, phone, language, time_zone, role, preferences, identities, created_at }
    }
}

/// An address that the channel `email` can write to.
fn email(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let is_plain = text.len() <= EMAIL_CHARS && !text.chars().any(char::is_whitespace);
    if is_plain && channels::Destination::check_settings("email", &json!({"to": text})).is_ok() {
        return Ok(text.to_owned());
    }
    let message = format!("expected an email address such as `ada@example.org`, at most {EMAIL_CHARS} bytes long");
    Err(ApiError::invalid("email", message))
}

#[cfg(test)]
mod tests {
    use alerting::people::CONTACTS;
    use serde_json::Value;
    use utoipa::PartialSchema as _;

    use super::*;

    #[test]
    fn preferences_are_described_by_severity() {
        let schema = serde_json::to_value(PreferencesBody::schema()).expect("JSON");
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
