//! One address for all embedded services: which one is meant stands in the request.
//!
//! `X-Amz-Target: AmazonSQS.SendMessage` → SQS (JSON 1.0) · `X-Amz-Target: secretsmanager.GetSecretValue` → Secrets
//! Manager (JSON 1.1) · a form → SNS (Query, XML). Signatures are not checked: who reaches this port may use it all.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::names::uuid;
use super::secrets::{SecretError, Secrets};
use super::sns::Sns;
use super::sns::wire::Form;
use super::sqs::Sqs;
use super::sqs::error::SqsError;
use crate::aws_rules::TRACE_HEADER;

/// A batch of the largest messages, every character of them escaped (`\u0000`).
const MAX_REQUEST_BYTES: usize = 8 * 1_048_576;

#[derive(Debug, Clone)]
pub(super) struct Services {
    pub(super) sqs: Sqs,
    pub(super) sns: Sns,
    pub(super) secrets: Secrets,
}

pub(super) fn router(services: Services) -> Router {
    Router::new()
        .route("/", post(answer))
        // Some clients post to the queue's own URL.
        .route("/{account}/{queue}", post(answer))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .with_state(services)
}

async fn answer(State(services): State<Services>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // What the SDK passes on of a chain of calls is stored with each message that has no trace header of its own.
    let trace = header(TRACE_HEADER);
    match header("x-amz-target").unwrap_or_default().split_once('.') {
        Some(("AmazonSQS", action)) => {
            let base = format!("http://{}", header(HOST.as_str()).unwrap_or("localhost"));
            let answer = super::sqs::wire::answer(&services.sqs, &base, action, &body, trace).await;
            answer.map_or_else(|error| sqs_refusal(&error), |answer| json_answer("application/x-amz-json-1.0", &answer))
        }
        Some(("secretsmanager", action)) => match services.secrets.answer(action, &body) {
            Ok(answer) => json_answer("application/x-amz-json-1.1", &answer),
            Err(error) => secret_refusal(&error),
        },
        Some((service, _)) => other_service(service),
        None => sns_answer(&services.sns, &body, trace).await,
    }
}

fn json_answer(content_type: &'static str, answer: &Value) -> Response {
    let headers = [(CONTENT_TYPE.as_str(), content_type.to_owned()), ("x-amzn-requestid", uuid())];
    (headers, answer.to_string()).into_response()
}

fn sqs_refusal(error: &SqsError) -> Response {
    let (shape, code) = error.codes();
    let (status, blame) = match error.is_callers_fault() {
        true => (StatusCode::BAD_REQUEST, "Sender"),
        false => (StatusCode::INTERNAL_SERVER_ERROR, "Receiver"),
    };
    let body = json!({"__type": format!("com.amazonaws.sqs#{shape}"), "message": error.to_string()});
    let answer = json_answer("application/x-amz-json-1.0", &body);
    (status, [("x-amzn-query-error", format!("{code};{blame}"))], answer).into_response()
}

fn secret_refusal(error: &SecretError) -> Response {
    let body = json!({"__type": error.code(), "message": error.to_string()});
    (StatusCode::BAD_REQUEST, json_answer("application/x-amz-json-1.1", &body)).into_response()
}

fn other_service(service: &str) -> Response {
    let message = format!("{service} is not served at this address");
    let body = json!({"__type": "UnknownOperationException", "message": message});
    (StatusCode::BAD_REQUEST, json_answer("application/x-amz-json-1.0", &body)).into_response()
}

async fn sns_answer(sns: &Sns, body: &[u8], trace: Option<&str>) -> Response {
    let xml = [(CONTENT_TYPE, "text/xml")];
    match super::sns::wire::answer(sns, &Form::parse(body, trace)).await {
        Ok(answer) => (xml, answer).into_response(),
        Err(error) => (error.code().1, xml, super::sns::wire::refusal(&error)).into_response(),
    }
}
