//! The only listener: it does what API Gateway does on AWS, and serves the built-in groups.
//!
//! A request that matches a route of the template becomes an HTTP API event (payload format 2.0), which the function
//! reads as on AWS. As on AWS, a body that is not text is base64 in the event. A body over 10 MB is answered 413, a
//! request without a route 404, and a request whose function panics or hangs 500 or 503.
//!
//! On AWS, API Gateway and `CloudFront` stand between the functions and the network. Here the front refuses what they
//! would refuse: foreign host names ([`Hosts`]), forwarding headers of untrusted clients ([`TrustedProxies`]), and
//! bodies that never end ([`Bodies`]).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use lambda_kit::clock::Clock;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use vendors::fakes::Fakes;
use vendors::{pages, router as platforms};

use crate::aws_rules::{self, Limits};
use crate::bodies::{Bodies, BodyError};
use crate::functions::{Functions, INGEST};
use crate::health::Health;
use crate::hosts::Hosts;
use crate::proxies::{Client, TrustedProxies};
use crate::schedule::Time;
use crate::stack::Stack;
use crate::stack::route::{self, Route};

/// The path of the intake, at the root of the host.
const INTAKE: &str = "/open-apis/";
/// The path of the simulated platforms.
pub(crate) const PLATFORMS: &str = "/fake";
/// How many bytes of a message are kept: one more than the intake accepts, so that it sees that the message is too
/// large.
const MESSAGE_BYTES: usize = alerting::base::limits::BODY_BYTES + 1;
/// The most bytes that Lambda accepts as an event (Lambda quotas, read 2026-11). A larger one never reaches the
/// function.
const EVENT_BYTES: usize = 6 * 1024 * 1024;
/// How long API Gateway waits for a function at most.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP API.
pub(crate) struct Gateway {
    pub(crate) functions: Arc<Functions>,
    pub(crate) stack: Stack,
    pub(crate) clock: Clock,
    pub(crate) limits: Arc<Limits>,
    pub(crate) hosts: Hosts,
    pub(crate) proxies: TrustedProxies,
    pub(crate) bodies: Bodies,
    pub(crate) health: Health,
    /// The page that `/` redirects to.
    pub(crate) home: &'static str,
}

/// Requests that no other router takes go through the template's routes. `demo`: adds the built-in groups. `time`: adds
/// a route that moves the clock.
pub(crate) fn router(gateway: Arc<Gateway>, demo: Option<&Fakes>, time: Option<Time>) -> Router {
    let groups = demo.map(|fakes| Router::new().nest(PLATFORMS, platforms::router(fakes)).merge(pages::router(fakes)));
    let clock = time.map(|time| Router::new().route("/_local/clock", post(advance)).with_state(time));
    Router::new()
        .route("/healthz", get(|State(gateway): State<Arc<Gateway>>| async move { gateway.health.answer().await }))
        .fallback(serve)
        .with_state(Arc::clone(&gateway))
        .merge(groups.unwrap_or_default())
        .merge(clock.unwrap_or_default())
        .layer(middleware::from_fn_with_state(gateway, refuse_foreign_hosts))
}

/// Refuses requests with a foreign host name. The intake accepts any host name, because a message needs only its key: a
/// web page that has the key could send a message without the browser as well. Requests to a built-in group have its
/// vendor's host name, which no web page can have.
async fn refuse_foreign_hosts(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_valid_host(host) {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    }
    let path = request.uri().path();
    let is_for_a_platform = path.starts_with(PLATFORMS) && platforms::is_vendor_host(host);
    if !gateway.hosts.allows(host) && !path.starts_with(INTAKE) && !is_for_a_platform {
        let text = format!("Larkspur does not answer as {host}. If that is its name, start it with --public-url");
        return message(StatusCode::MISDIRECTED_REQUEST, &text);
    }
    next.run(request).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(State(time): State<Time>, Json(by): Json<Advance>) -> Json<Value> {
    time.advance(Duration::from_secs(by.advance_seconds)).await;
    Json(json!({"now": time.clock.now().rfc3339()}))
}

async fn serve(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some(route) = route::choose(&gateway.stack.routes, parts.method.as_str(), parts.uri.path()) else {
        // A person who opens the address in a browser is sent to the first page.
        if parts.uri.path() == "/" {
            return Redirect::temporary(gateway.home).into_response();
        }
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let most = if route.function == INGEST { MESSAGE_BYTES } else { EVENT_BYTES + 1 };
    let body = match gateway.bodies.read(body, most).await {
        Ok(body) => body,
        Err(unread) => return refuse_body(unread),
    };
    let client = gateway.proxies.client(peer.ip(), &parts.headers);
    let event = event(&parts, &body.bytes, route, client, &gateway.clock).to_string();
    if event.len() > EVENT_BYTES {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    // The body's share of memory stays taken until the call has ended, because the event is a copy of it.
    gateway.call(&route.function, event).await
}

fn refuse_body(unread: BodyError) -> Response {
    let (status, text) = match unread {
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        BodyError::NoMemory => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "Bad Request"),
    };
    // The rest of the body may still be on its way.
    let mut response = message(status, text);
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}

impl Gateway {
    async fn call(&self, function: &str, event: String) -> Response {
        let timeout = self.stack.functions.get(function).map_or(GATEWAY_TIMEOUT, |function| function.timeout);
        let Ok(_execution) = self.limits.execution_for_request().await else {
            return message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
        };
        let functions = self.functions.clone();
        let (name, lineage) = (function.to_owned(), self.limits.lineage(function, []));
        // The call runs in its own task, so that neither a panic nor a disconnected client ends it in the middle.
        let task = tokio::spawn(aws_rules::traced(lineage, async move { functions.http(&name, &event).await }));
        let abort = task.abort_handle();
        match tokio::time::timeout(timeout.min(GATEWAY_TIMEOUT), task).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(error))) => {
                tracing::error!(error = &*error as &dyn std::error::Error, function, "the call failed");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Ok(Err(_)) => {
                tracing::error!(function, "the call panicked");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Err(_) => {
                abort.abort();
                tracing::error!(function, "the call timed out");
                message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
        }
    }
}

/// API Gateway's own answers.
fn message(status: StatusCode, text: &str) -> Response {
    let body = json!({"message": text}).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// On AWS the host has led to the API, so it is valid. `lambda_http` panics on an invalid one.
fn is_valid_host(host: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    host.bytes().all(valid) && host.parse::<http::uri::Authority>().is_ok()
}

/// The event of an HTTP API, payload format 2.0.
fn event(parts: &http::request::Parts, body: &[u8], route: &Route, client: Client, clock: &Clock) -> Value {
    let now = clock.now();
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let text = std::str::from_utf8(body).ok().filter(|_| is_text(&parts.headers));
    let mut headers = joined(&parts.headers);
    headers.insert("x-forwarded-for".to_owned(), client.address.to_string().into());
    headers.insert("x-forwarded-proto".to_owned(), client.scheme.into());
    json!({
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": parts.uri.path(),
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": crate::aws::names::ACCOUNT,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": parts.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": client.address.to_string(),
                "userAgent": parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()),
            },
            "requestId": format!("local-{}", now.millis()),
            "routeKey": route.key,
            "stage": "$default",
            "time": now.rfc3339(),
            "timeEpoch": now.millis(),
        },
        "body": text.map_or_else(|| STANDARD.encode(body), str::to_owned),
        "isBase64Encoded": text.is_none(),
    })
}

/// Joins headers of one name into one, and converts their bytes to text.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let all = match joined.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        joined.insert(name.as_str().to_owned(), all.into());
    }
    joined
}

/// The content types whose bodies API Gateway passes on unchanged.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return true };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::RequestExt as _;

    fn request_of(content_type: &str, body: &[u8]) -> lambda_http::Request {
        let request = http::Request::post("/open-apis/bot/v2/hook/abc/?x=1")
            .header("host", "127.0.0.1:9000")
            .header("content-type", content_type)
            .header("x-two", "a")
            .header("x-two", "b")
            .body(())
            .expect("a request");
        let (parts, ()) = request.into_parts();
        let route = Route::parse("ANY /open-apis/bot/v2/hook/{key+}", "IngestFunction").expect("a route");
        let client = Client { address: "203.0.113.7".parse().expect("an address"), scheme: "http" };
        let event = event(&parts, body, &route, client, &Clock::system());
        lambda_http::request::from_str(&event.to_string()).expect("an event")
    }

    #[test]
    fn a_function_gets_the_body_byte_for_byte() {
        for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain; charset=utf-8"] {
            for body in ["{\"msg_type\":\"text\"}".as_bytes(), "告警".as_bytes(), &[0xff, 0xfe, 0x00], b""] {
                assert_eq!(request_of(content_type, body).body().as_ref(), body, "{content_type}");
            }
        }
    }

    #[test]
    fn a_function_gets_path_query_headers_and_source() {
        let request = request_of("application/json", b"{}");
        assert_eq!(request.uri().path(), "/open-apis/bot/v2/hook/abc/");
        assert_eq!(request.uri().query(), Some("x=1"));
        assert_eq!(request.headers()["x-two"], "a,b");
        let Some(lambda_http::request::RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            panic!("no context of an HTTP API");
        };
        assert_eq!(context.http.source_ip.as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn an_invalid_host_is_not_passed_on() {
        for (host, valid) in
            [("127.0.0.1:9000", true), ("[::1]:9000", true), ("a b", false), ("x<y", false), ("", false)]
        {
            assert_eq!(is_valid_host(host), valid, "{host}");
        }
    }
}
