//! `GET /api/v1/openapi.json`: this API in OpenAPI 3.1, generated from the code that serves it.

use operations::access::Scope;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::app::BASE;
use crate::auth::member::CSRF_HEADER;
use crate::auth::scope::{Scopes, operations};
use crate::error::ErrorBody;

const BEARER: &str = "api_key";
/// A member's browser: both are needed.
const SESSION: &str = "session";
const CSRF: &str = "csrf_token";

/// What no single route says: the title, how to sign in, and how errors look.
pub(crate) fn complete(mut document: OpenApi, scopes: &Scopes) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Larkspur")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Times are RFC 3339 UTC, ids are opaque. Unknown fields are refused by name. Secrets go in and never come \
             out: they are shown as `…last4`.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme(BEARER, scheme);
    let cookie =
        "The cookie of a signed-in member, who may do what the role allows. Over HTTPS its name is `__Host-session`.";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description("session", cookie));
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(cookie));
    let token = "The session's token: the content of `<meta name=\"csrf-token\">` on each page of the console.";
    let token = ApiKey::Header(ApiKeyValue::with_description(CSRF_HEADER, token));
    components.add_security_scheme(CSRF, SecurityScheme::ApiKey(token));
    let mut schemas = vec![(ErrorBody::name().into_owned(), ErrorBody::schema())];
    ErrorBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    document.security = Some(callers(&[]));
    for (path, item) in &mut document.paths.paths {
        let path = path.strip_prefix(BASE).unwrap_or(path);
        for (method, operation) in operations(item) {
            add_scope(operation, scopes.needed(&method, path));
            add_error(operation);
        }
    }
    document
}

/// An API key, or a member's browser with cookie and header.
fn callers(scopes: &[&str]) -> Vec<SecurityRequirement> {
    let member = SecurityRequirement::new(SESSION, scopes.iter().copied()).add(CSRF, Vec::<String>::new());
    vec![SecurityRequirement::new(BEARER, scopes.iter().copied()), member]
}

/// Adds the scope that the operation needs: for programs in its security requirement, for people as a sentence.
fn add_scope(operation: &mut Operation, needed: Scope) {
    operation.security = Some(callers(&[needed.as_str()]));
    let sentence = format!("Needs the scope `{needed}`.");
    let description =
        operation.description.take().map_or_else(|| sentence.clone(), |text| format!("{text}\n\n{sentence}"));
    operation.description = Some(description);
}

fn add_error(operation: &mut Operation) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
    let response = ResponseBuilder::new().description("An error").content("application/json", body).build();
    operation.responses.responses.entry("default".to_owned()).or_insert(response.into());
}
