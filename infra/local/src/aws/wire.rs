//! One address for all embedded services: the request says which service is meant.
//!
//! `X-Amz-Target: DynamoDB_20120810.PutItem` → DynamoDB (JSON 1.0) · `AmazonSQS.SendMessage` → SQS (JSON 1.0) ·
//! `secretsmanager.GetSecretValue` → Secrets Manager (JSON 1.1) · a form without a target → SNS (Query, XML).

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::names::uuid;
use super::secrets::{SecretError, Secrets};
use super::sns::Sns;
use super::sns::wire::Form;
use super::sqs::Sqs;
use super::sqs::error::SqsError;
use super::tables::Tables;

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

/// The parts of an SDK's `POST /` that the services read. The signature is not checked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The header `X-Amz-Target`.
    pub target: Option<&'a str>,
    /// The address that the request was sent to. The URLs of queues are made with it.
    pub host: &'a str,
    /// The header [`TRACE_HEADER`](crate::aws_rules::TRACE_HEADER): what the SDK passes on of a chain of calls is stored
    /// with each message that has no trace of its own.
    pub trace: Option<&'a str>,
    pub body: &'a [u8],
}

#[derive(Debug, Clone)]
pub(super) struct Services {
    pub(super) sqs: Sqs,
    pub(super) sns: Sns,
    pub(super) secrets: Secrets,
    pub(super) tables: Tables,
}

pub(super) async fn answer(services: &Services, request: &Request<'_>) -> Response<Bytes> {
    let Request { target, host, trace, body } = *request;
    match target.unwrap_or_default().split_once('.') {
        Some(("DynamoDB_20120810", action)) => {
            let (status, answer) = services.tables.answer(action, body).await;
            response(status, JSON_1_0, answer)
        }
        Some(("AmazonSQS", action)) => {
            let base = format!("http://{host}");
            let answer = super::sqs::wire::answer(&services.sqs, &base, action, body, trace).await;
            answer.map_or_else(|error| sqs_refusal(&error), |answer| json_answer(StatusCode::OK, JSON_1_0, &answer))
        }
        Some(("secretsmanager", action)) => match services.secrets.answer(action, body) {
            Ok(answer) => json_answer(StatusCode::OK, JSON_1_1, &answer),
            Err(error) => secret_refusal(&error),
        },
        Some((service, _)) => other_service(service),
        None => sns_answer(&services.sns, body, trace).await,
    }
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

fn json_answer(status: StatusCode, content_type: &'static str, answer: &Value) -> Response<Bytes> {
    let mut response = response(status, content_type, answer.to_string());
    let id = HeaderValue::try_from(uuid()).expect("a UUID is ASCII");
    response.headers_mut().insert("x-amzn-requestid", id);
    response
}

fn sqs_refusal(error: &SqsError) -> Response<Bytes> {
    let (shape, code) = error.codes();
    let (status, blame) = match error.is_callers_fault() {
        true => (StatusCode::BAD_REQUEST, "Sender"),
        false => (StatusCode::INTERNAL_SERVER_ERROR, "Receiver"),
    };
    let body = json!({"__type": format!("com.amazonaws.sqs#{shape}"), "message": error.to_string()});
    let mut response = json_answer(status, JSON_1_0, &body);
    let code = HeaderValue::try_from(format!("{code};{blame}")).expect("codes are ASCII");
    response.headers_mut().insert("x-amzn-query-error", code);
    response
}

fn secret_refusal(error: &SecretError) -> Response<Bytes> {
    let body = json!({"__type": error.code(), "message": error.to_string()});
    json_answer(StatusCode::BAD_REQUEST, JSON_1_1, &body)
}

fn other_service(service: &str) -> Response<Bytes> {
    let message = format!("{service} is not served at this address");
    json_answer(StatusCode::BAD_REQUEST, JSON_1_0, &json!({"__type": "UnknownOperationException", "message": message}))
}

async fn sns_answer(sns: &Sns, body: &[u8], trace: Option<&str>) -> Response<Bytes> {
    match super::sns::wire::answer(sns, &Form::parse(body, trace)).await {
        Ok(answer) => response(StatusCode::OK, "text/xml", answer),
        Err(error) => response(error.code().1, "text/xml", super::sns::wire::refusal(&error)),
    }
}
