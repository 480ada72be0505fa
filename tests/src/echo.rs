//! The vendor of the echo app: it grants tokens, takes messages, changes them, and counts.
//!
//! It answers as a vendor would, and remembers what each of its messages shows now. It takes fifty requests in any second.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::base::moment::Moment;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use lambda_kit::clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::api::Api;

/// The app and its secret.
const APP: &str = "app_echo";
const SECRET: &str = "secret-of-the-echo-app";
/// Requests in any second.
const RATE: usize = 50;
pub const TOKEN_LASTS: Duration = Duration::from_secs(7200);
/// How long granting a token takes: long enough for other workers to request one at the same time.
const GRANT_TAKES: Duration = Duration::from_millis(300);

/// A message as its room shows it.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub room: String,
    pub text: String,
    /// Null: it has no card.
    pub card: Value,
    /// How often it was changed.
    pub changes: usize,
}

#[derive(Debug, Default)]
struct Seen {
    messages: Vec<Message>,
    tokens: usize,
    /// Tokens up to this one are not valid.
    revoked: usize,
    /// The times of the requests in the last second.
    recent: VecDeque<Moment>,
    refused: usize,
}

#[derive(Debug, Clone)]
pub struct Echo {
    /// The value of `LARKSPUR_PROVIDER_BASE`.
    pub base: String,
    clock: Clock,
    seen: Arc<Mutex<Seen>>,
}

impl Echo {
    /// Starts the vendor. It uses this clock.
    pub async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let echo = Self { base, clock, seen: Arc::default() };
        let router = Router::new().fallback(answer).with_state(echo.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        echo
    }

    /// Configures the app and a room of it; the destination's id.
    pub async fn room(&self, api: &Api, room: &str) -> String {
        let settings = json!({"app": APP, "secret": SECRET});
        let saved = api.call("PUT", "/providers/echo_app", Some(&json!({"settings": settings}))).await;
        assert_eq!(saved.status, 200, "{}", saved.text);
        let destination = json!({"name": room, "channel": "echo_app", "settings": {"room": room}});
        let made = api.create("/destinations", &destination).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    pub fn messages(&self) -> Vec<Message> {
        self.seen().messages.clone()
    }

    pub fn message(&self, id: &str) -> Message {
        let messages = self.messages();
        messages.into_iter().find(|message| message.id == id).unwrap_or_else(|| panic!("no message {id}"))
    }

    /// How often a token was asked for.
    pub fn token_requests(&self) -> usize {
        self.seen().tokens
    }

    /// Makes every token invalid that was granted so far.
    pub fn revoke_tokens(&self) {
        let mut seen = self.seen();
        seen.revoked = seen.tokens;
    }

    /// How many requests were more than it takes.
    pub fn refused(&self) -> usize {
        self.seen().refused
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_too_much(&self) -> bool {
        let now = self.clock.now();
        let mut seen = self.seen();
        while seen.recent.front().is_some_and(|first| *first + Duration::from_secs(1) <= now) {
            seen.recent.pop_front();
        }
        let is_too_much = seen.recent.len() >= RATE;
        if is_too_much {
            seen.refused += 1;
        } else {
            seen.recent.push_back(now);
        }
        is_too_much
    }

    fn grant(&self, asked: &Value) -> Response {
        if asked["app"] != APP || asked["secret"] != SECRET {
            return refused(StatusCode::FORBIDDEN, "unknown_app");
        }
        let mut seen = self.seen();
        seen.tokens += 1;
        json_of(&json!({"token": format!("token-{}", seen.tokens), "lasts": TOKEN_LASTS.as_secs()}))
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let number = given.strip_prefix("Bearer token-").and_then(|number| number.parse::<usize>().ok());
        let seen = self.seen();
        number.is_some_and(|number| number > seen.revoked && number <= seen.tokens)
    }

    fn take(&self, body: &Value) -> Response {
        let mut seen = self.seen();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let id = format!("m{}", seen.messages.len() + 1);
        let message =
            Message { id: id.clone(), room: text("room"), text: text("text"), card: body["card"].clone(), changes: 0 };
        seen.messages.push(message);
        json_of(&json!({"id": id}))
    }

    fn change(&self, id: &str, body: &Value) -> Response {
        let mut seen = self.seen();
        let Some(message) = seen.messages.iter_mut().find(|message| message.id == id) else {
            return refused(StatusCode::NOT_FOUND, "gone");
        };
        message.card = body["card"].clone();
        message.changes += 1;
        json_of(&json!({"id": id}))
    }
}

async fn answer(State(echo): State<Echo>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().trim_end_matches('/');
    if (method.as_str(), path) == ("POST", "/token") {
        tokio::time::sleep(GRANT_TAKES).await;
        return echo.grant(&body);
    }
    if !echo.is_known(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_token");
    }
    if echo.is_too_much() {
        return refused(StatusCode::TOO_MANY_REQUESTS, "too_many");
    }
    match (method.as_str(), path.strip_prefix("/messages/")) {
        ("PUT", Some(id)) => echo.change(id, &body),
        ("POST", None) if path == "/messages" => echo.take(&body),
        _ => refused(StatusCode::NOT_FOUND, "no_such_call"),
    }
}

fn json_of(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, json_of(&json!({"error": error}))).into_response()
}
