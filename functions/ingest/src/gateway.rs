//! The gateway's event → an HTTP request, and an answer → an HTTP response and the gateway's reply.
//!
//! `lambda_http` does this too, but panics on a body that is marked as base64 and is not, and on an invalid `Host`: the sender
//! would get the gateway's own 500 instead of an answer of the protocol. This is also cheaper, because only the fields that the
//! intake uses are read: no headers, no query.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::http::header::{ALLOW, CONTENT_TYPE};
use lambda_http::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};

use intake::protocol::Answer;
use intake::result::IntakeResult;
use intake::sources;

/// An event of an HTTP API, payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    #[serde(default)]
    raw_path: String,
    request_context: Context,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    http: Http,
    /// When the gateway received the request, by its own clock; 0 if it gives no time.
    #[serde(default)]
    time_epoch: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    #[serde(default)]
    source_ip: Option<String>,
}

/// The reply that the gateway sends to the sender.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    status_code: u16,
    headers: Headers,
    body: String,
    is_base64_encoded: bool,
}

#[derive(Debug, Serialize)]
struct Headers {
    #[serde(rename = "content-type")]
    content_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<String>,
}

impl Event {
    /// The request, or the answer if the event holds no valid one.
    pub fn into_request(self) -> Result<Request, Answer> {
        let Some(body) = body(self.body, self.is_base64_encoded) else {
            let result = IntakeResult::Unusable("the body is not base64".into());
            return Err(sources::target(&self.raw_path).version().answer(&result));
        };
        let mut request = Request::new(body);
        *request.uri_mut() = uri(&self.raw_path);
        // A name that is not an HTTP method is replaced by one that the protocol does not know.
        *request.method_mut() =
            Method::from_bytes(self.request_context.http.method.as_bytes()).unwrap_or(Method::TRACE);
        let mut context = ApiGatewayV2httpRequestContext::default();
        context.http.source_ip = self.request_context.http.source_ip;
        context.time_epoch = self.request_context.time_epoch;
        request.extensions_mut().insert(RequestContext::ApiGatewayV2(context));
        Ok(request)
    }
}

/// `None`: the body is marked as base64 but is not valid base64.
fn body(text: Option<String>, is_base64: bool) -> Option<Body> {
    match text {
        None => Some(Body::Empty),
        Some(text) if is_base64 => STANDARD.decode(text).ok().map(Body::Binary),
        Some(text) => Some(Body::Text(text)),
    }
}

/// The gateway may have decoded the path. Characters that a path cannot hold are encoded again; no key has them.
fn uri(path: &str) -> Uri {
    path.parse().unwrap_or_else(|_| {
        let encoded = path.bytes().map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        });
        encoded.collect::<String>().parse().unwrap_or_default()
    })
}

/// The answer as an HTTP response.
pub fn response(answer: Answer) -> Response<Body> {
    let body = match answer.body {
        Cow::Borrowed(text) => Body::from(text),
        Cow::Owned(text) => Body::from(text),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if answer.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

impl From<Response<Body>> for Reply {
    fn from(response: Response<Body>) -> Self {
        let header = |headers: &HeaderMap, name| {
            headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned)
        };
        let headers = Headers {
            content_type: header(response.headers(), CONTENT_TYPE).unwrap_or_default(),
            allow: header(response.headers(), ALLOW),
        };
        let status_code = response.status().as_u16();
        let body = match response.into_body() {
            Body::Text(text) => text,
            _ => String::new(),
        };
        Self { status_code, headers, body, is_base64_encoded: false }
    }
}

#[cfg(test)]
mod tests {
    use alerting::rules::integration::Source;
    use intake::sources::SourceVersion;
    use lambda_http::RequestExt as _;

    use super::*;

    fn event(raw_path: &str, body: &str, is_base64: bool) -> Event {
        let event = serde_json::json!({
            "version": "2.0", "routeKey": "$default", "rawPath": raw_path, "rawQueryString": "noat=1",
            "headers": {"host": "not a host", "content-type": "text/plain"},
            "requestContext": {"http": {"method": "POST", "path": raw_path, "sourceIp": "203.0.113.7"}, "stage": "$default"},
            "body": body, "isBase64Encoded": is_base64,
        });
        serde_json::from_value(event).expect("an event")
    }

    // Proves: fault 8
    #[test]
    fn a_base64_body_is_decoded_and_a_bad_one_answered() {
        let request = event("/open-apis/bot/v2/hook/k", "eyJ9", true).into_request().expect("a request");
        assert_eq!(request.body(), &Body::Binary(b"{\"}".to_vec()));
        let answer = event("/open-apis/bot/v2/hook/k", "{\"msg", true).into_request().expect_err("refused");
        assert_eq!(answer.status, 400);
    }

    #[test]
    fn method_path_and_address_are_read_from_a_request_with_any_host() {
        let request = event("/open-apis/bot/v2/hook/k", "{}", false).into_request().expect("a request");
        assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/open-apis/bot/v2/hook/k"));
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { panic!("no context") };
        assert_eq!(context.http.source_ip.as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn a_path_that_is_not_a_valid_uri_becomes_an_unknown_key() {
        for path in ["/open-apis/bot/v2/hook/a b", "/open-apis/bot/v2/hook/密钥", "/open-apis/bot/v2/hook/a?b"] {
            let request = event(path, "{}", false).into_request().expect("a request");
            assert!(request.uri().path().starts_with("/open-apis/bot/v2/hook/a") || path.contains('密'), "{path}");
        }
    }

    #[test]
    fn a_reply_has_the_answer_as_it_is() {
        let answer = SourceVersion::newest(Source::Feishu).answer(&IntakeResult::NotPost);
        let reply = Reply::from(response(answer));
        let reply = serde_json::to_value(&reply).expect("JSON");
        assert_eq!(reply["statusCode"], 405);
        assert_eq!(reply["headers"], serde_json::json!({"content-type": "application/json", "allow": "POST"}));
    }
}
