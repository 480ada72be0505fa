//! Members and what is said of them.

use alerting::people;
use channels::catalogue::IDENTITIES;
use store::member_pointers::SUBJECT;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::text::IdentityText;

#[derive(ToSchema)]
#[schema(as = Language, rename_all = "snake_case")]
pub(crate) enum LanguageShape {
    En,
    Zh,
}

#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
pub(crate) enum RoleShape {
    Administrator,
    Responder,
    Viewer,
}

/// Which of a member's addresses.
#[derive(ToSchema)]
#[schema(as = AddressKind, rename_all = "snake_case")]
pub(crate) enum AddressedByShape {
    Email,
    Phone,
}

/// By the name that a channel asks for: `slack_user_id`, `zoom_jid` …
pub(crate) struct IdentitiesShape;

impl PartialSchema for IdentitiesShape {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z_]{1,32}$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(name.build()))
            .additional_properties(Some(Ref::from_schema_name(IdentityText::name())))
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

impl ToSchema for IdentitiesShape {
    fn name() -> std::borrow::Cow<'static, str> {
        "Identities".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((IdentityText::name().into_owned(), IdentityText::schema()));
    }
}

#[cfg(test)]
mod tests {
    use alerting::people::destination::Language;
    use alerting::people::{AddressedBy, Role};

    use super::super::tests::same_names;
    use super::*;

    #[test]
    fn members_are_described_as_they_are() {
        same_names::<LanguageShape>(&[Language::English, Language::Chinese]);
        same_names::<AddressedByShape>(&AddressedBy::ALL);
        same_names::<RoleShape>(&[Role::Administrator, Role::Responder, Role::Viewer]);
    }
}
