//! Parses requests into types. Errors name the field and the remedy and never repeat the input, which may be a secret.
//!
//! `{"push_mode":{"type":"by_title","bogus":1}}` → 400, field `push_mode.bogus`, "unknown field; known here: …".
//! The content type is ignored: this API accepts JSON only, and `curl -d` sends another type.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, header};
use lambda_http::request::RequestContext;
use operations::idempotency::IdempotencyKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use crate::app::App;
use crate::error::ApiError;

/// The largest request body: a `try` request with an inbound message of 256 KiB in which every character is escaped.
pub(crate) const BODY_BYTES: usize = 2 * 1024 * 1024;

/// A JSON body. An empty one counts as `{}`, so that actions without arguments need no body. A `PUT` may contain the
/// read-only fields that a `GET` returned.
pub(crate) struct ApiJson<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let replaces = request.method() == Method::PUT;
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        match replaces.then(|| without_read_only(&bytes)).flatten() {
            Some(bytes) => parse(&bytes).map(Self),
            None => parse(&bytes).map(Self),
        }
    }
}

/// Fields of an answer that a request cannot change. They are ignored.
const READ_ONLY: [&str; 9] =
    ["id", "created_at", "created_by", "warnings", "url", "old_key_until", "active", "gaps", "row_count"];

/// The object without its read-only fields; `None` if it has none of them or is not an object.
fn without_read_only(body: &[u8]) -> Option<Vec<u8>> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let before = fields.len();
    fields.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    if fields.len() == before { None } else { serde_json::to_vec(&fields).ok() }
}

/// A body of text: a CSV file.
pub(crate) struct ApiText(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for ApiText {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Self(text)),
            Err(_) => Err(ApiError::Invalid { field: None, message: "the body is not UTF-8 text".to_owned() }),
        }
    }
}

/// The query string. Its types hold texts only; the routes parse them, because only they know the field names.
pub(crate) struct ApiQuery<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(named("", &rejection.body_text())),
        }
    }
}

/// Ids in the path. An invalid id gets the same answer as an unknown one.
pub(crate) struct ApiPath<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ApiPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(ApiError::not_found("such object: the id in the address has the wrong form")),
        }
    }
}

/// The header with the idempotency key, by which a repeated request is recognised.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct Idempotency {
    /// Identifies this request. A repetition with the same key, action and arguments takes effect once and gets the
    /// same answer; use a new random key for every new intent. Without a key, a request is judged by the present state
    /// alone, so a comment that is sent twice appears twice. A key is remembered for the newest hundred entries of an
    /// incident's timeline.
    #[param(rename = "Idempotency-Key", value_type = Option<String>, min_length = 1, max_length = 255,
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    pub(crate) key: Option<IdempotencyKey>,
}

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(Self { key: None }) };
        // A key that is not ASCII is refused like an empty one.
        let text = value.to_str().unwrap_or_default();
        Ok(Self { key: Some(IdempotencyKey::new(IDEMPOTENCY_KEY, text)?) })
    }
}

/// The start of intake URLs and links: the deployment's setting, or the scheme and host that the caller used.
pub(crate) struct Base(pub(crate) String);

impl FromRequestParts<Arc<App>> for Base {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(base) = &app.base_url {
            return Ok(Self(base.trim_end_matches('/').to_owned()));
        }
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).or_else(|| parts.uri.authority().map(Authority::as_str));
        let host = host.ok_or_else(|| ApiError::invalid("Host", "the Host header is missing"))?;
        Ok(Self(format!("{}://{host}", forwarded_scheme(&parts.headers))))
    }
}

/// The scheme that the caller used. API Gateway sets the header, and the local deployment does as well.
pub(crate) fn forwarded_scheme(headers: &HeaderMap) -> &'static str {
    let forwarded = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    if forwarded.is_some_and(|list| list.starts_with("https")) { "https" } else { "http" }
}

/// The source address as API Gateway saw it. A header could be forged.
pub(crate) fn source(extensions: &Extensions) -> &str {
    match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().unwrap_or("unknown"),
        _ => "unknown",
    }
}

/// A field that is kept if it is absent and cleared if it is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Patch<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Patch::Remove, Patch::Set))
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    // Serde would accept an array for an object, with the fields in order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::Invalid { field: None, message: "expected a JSON object".to_owned() });
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() { named(&path, &inner.to_string()) } else { not_json(&inner) }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> ApiError {
    let message = format!("the body is not valid JSON (line {}, column {})", error.line(), error.column());
    ApiError::Invalid { field: None, message }
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::TooLarge(format!("the body is larger than {} KiB", BODY_BYTES / 1024));
    }
    ApiError::Invalid { field: None, message: "the body could not be read to its end".to_owned() }
}

/// Converts an error of serde: the path of the field, and the remedy instead of the wrong value.
fn named(path: &str, sentence: &str) -> ApiError {
    let sentence = sentence.split(" at line ").next().unwrap_or(sentence);
    if let Some((name, rest)) = quoted(sentence, "unknown field ") {
        let known = rest.split_once("expected ").map_or("none", |(_, known)| known);
        let known = known.trim_start_matches("one of ");
        return ApiError::invalid(join(path, name), format!("unknown field `{name}`; known here: {known}"));
    }
    if let Some((name, _)) = quoted(sentence, "missing field ") {
        return ApiError::invalid(join(path, name), format!("`{name}` is required"));
    }
    if let Some((name, _)) = quoted(sentence, "duplicate field ") {
        return ApiError::invalid(join(path, name), format!("`{name}` is given more than once"));
    }
    let field = (path != ".").then(|| path.to_owned());
    let value_is_told = ["invalid type", "invalid value", "invalid length", "unknown variant"]
        .iter()
        .any(|kind| sentence.starts_with(kind));
    let message = match sentence.split_once("expected ") {
        Some((_, expected)) if value_is_told => format!("expected {}", in_json(expected)),
        _ => sentence.to_owned(),
    };
    ApiError::Invalid { field, message }
}

/// The JSON name for a type that serde calls by its Rust name.
fn in_json(expected: &str) -> &str {
    match expected {
        "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "a sequence" => "a list",
        "a map" => "an object",
        name if name.starts_with("struct ") => "an object",
        other => other,
    }
}

/// The name in backquotes after `before`, and the rest of the sentence.
fn quoted<'a>(sentence: &'a str, before: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = sentence.split_once(before)?;
    rest.strip_prefix('`')?.split_once('`')
}

fn join(path: &str, name: &str) -> String {
    // If serde refuses a name, the tracked path ends in that name already, or in `?`.
    let path = path.strip_suffix('?').unwrap_or(path).trim_end_matches('.');
    match path {
        "" => name.to_owned(),
        _ if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Outer {
        #[serde(default)]
        inner: Vec<Inner>,
        name: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its errors are looked at")]
        kind: alerting::rules::filter::Op,
        #[serde(default)]
        secret: Patch<String>,
    }

    fn fault(body: &str) -> (Option<String>, String) {
        match parse::<Outer>(body.as_bytes()).expect_err("is refused") {
            ApiError::Invalid { field, message } => (field, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_field_at_fault_is_named_with_its_whole_path_and_the_remedy() {
        let rows = [
            (
                r#"{"name":"a","inner":[{"kind":"match","bogus":1}]}"#,
                "inner[0].bogus",
                "unknown field `bogus`; known here: `kind` or `secret`",
            ),
            (r#"{"name":"a","bogus":1}"#, "bogus", "unknown field `bogus`; known here: `inner` or `name`"),
            (r#"{}"#, "name", "`name` is required"),
            ("", "name", "`name` is required"),
            (r#"{"name":"a","inner":[{}]}"#, "inner[0].kind", "`kind` is required"),
            (r#"{"name":"a","inner":[{"kind":"x"}]}"#, "inner[0].kind", "expected `match` or `not_match`"),
            (r#"{"name":7}"#, "name", "expected a string"),
            (r#"{"name":"a","name":"b"}"#, "name", "`name` is given more than once"),
        ];
        for (body, field, message) in rows {
            assert_eq!(fault(body), (Some(field.to_owned()), message.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_value_at_fault_is_never_repeated() {
        let (_, message) = fault(r#"{"name":"a","inner":[{"kind":"match","secret":48151623}]}"#);
        assert_eq!(message, "expected a string");
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for body in ["{", "{\"name\":", r#"{"name":"a"} x"#] {
            assert_eq!(fault(body).0, None, "{body}");
            assert!(fault(body).1.starts_with("the body is not valid JSON (line 1"), "{body}");
        }
    }

    #[test]
    fn a_list_is_no_object() {
        assert_eq!(fault(r#"[[], "a"]"#), (None, "expected a JSON object".to_owned()));
        assert_eq!(fault("7"), (None, "expected an object".to_owned()));
    }

    #[test]
    fn absent_null_and_given_are_three_things() {
        let secret = |body: &str| parse::<Inner>(body.as_bytes()).expect("valid").secret;
        assert_eq!(secret(r#"{"kind":"match"}"#), Patch::Keep);
        assert_eq!(secret(r#"{"kind":"match","secret":null}"#), Patch::Remove);
        assert_eq!(secret(r#"{"kind":"match","secret":"s"}"#), Patch::Set("s".to_owned()));
    }
}
