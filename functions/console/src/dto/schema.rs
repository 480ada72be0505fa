//! Schemas of texts that have no type of their own. They are validated where they are parsed.

use alerting::{people, text_schema};
use channels::catalogue::IDENTITIES;
use store::member_pointers::SUBJECT;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Characters of an email address: the limit of SMTP's paths (RFC 3696, erratum 1690).
pub(crate) const EMAIL_CHARS: usize = 254;

/// An email address that mail servers take.
pub(crate) struct Email;

impl PartialSchema for Email {
    fn schema() -> RefOr<Schema> {
        let email = SchemaFormat::KnownFormat(KnownFormat::Email);
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(email));
        text.max_length(Some(EMAIL_CHARS)).examples(["ada@example.org"]).into()
    }
}

impl ToSchema for Email {}

pub(crate) struct Phone;

text_schema!(Phone as "Phone", "In E.164: `+`, country code and number.", r"^\+[1-9][0-9]{6,14}$", 8..=16, "+8613800000000");

pub(crate) struct Code;

text_schema!(Code as "Code", "The digits of a one-time code.", "^[0-9]{6}$", 6..=6, "483920");

struct Identity;

text_schema!(
    Identity as "Identity",
    "Who a member is to a chat platform.",
    r"^[^\x00-\x1F\x7F-\x9F]+$",
    1..=people::IDENTITY_CHARS,
    "U024BE7LH"
);

/// Who a member is to each chat platform, by the name that a channel asks for: `slack_user_id`, `zoom_jid` …
pub(crate) struct Identities;

impl PartialSchema for Identities {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z_]{1,32}$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(name.build()))
            .additional_properties(Some(Ref::from_schema_name(Identity::name())))
            .max_properties(Some(people::IDENTITIES))
            .description(Some(names()))
            .into()
    }
}

/// What each identity is.
fn names() -> String {
    let known = IDENTITIES.iter().map(|(name, what)| format!("`{name}` ({what})"));
    let subject = format!("`{}` (the sign-in provider's name for the person, until the first sign-in)", SUBJECT);
    format!(
        "By the name that a channel asks for; others are refused. {}.",
        known.chain([subject]).collect::<Vec<_>>().join("; ")
    )
}

impl ToSchema for Identities {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Identity::name().into_owned(), Identity::schema()));
    }
}
