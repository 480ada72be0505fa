//! The answers of the handler that need no table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ingest::App;
use ingest::outbox::sqs_client;
use lambda_http::http::{Method, Request};
use lambda_http::{Body, Response};
use lambda_kit::aws;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use store::{Store, Tables};

/// A function whose services are all unreachable.
fn app() -> App {
    let config = aws::local_config("http://127.0.0.1:9");
    let tables = Tables { config: "config".to_owned(), alerts: "alerts".to_owned() };
    App::new(
        Clock::system(),
        Store::new(aws_sdk_dynamodb::Client::new(&config), tables),
        Queue::new(sqs_client(&config), "http://127.0.0.1:9/000000000000/messages"),
        Arc::new(Sealer::new(aws_sdk_secretsmanager::Client::new(&config), "data-key")),
    )
}

async fn answer(method: Method, path: &str) -> Response<Body> {
    let body = Body::from(r#"{"msg_type":"text","content":{"text":"x"}}"#);
    let request = Request::builder().method(method).uri(path).body(body).expect("a request");
    ingest::handle(&app(), request).await
}

fn code(response: &Response<Body>) -> i64 {
    let Body::Text(body) = response.body() else { panic!("not text") };
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body["code"].as_i64().expect("a code")
}

#[tokio::test]
async fn only_post_is_taken_on_a_hook() {
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS, Method::DELETE, Method::PATCH] {
        for path in ["/open-apis/bot/v2/hook/4fJk2LmNpQ8rStUvWx", "/open-apis/bot/hook/4fJk2LmNpQ8rStUvWx?noat=1"] {
            let response = answer(method.clone(), path).await;
            assert_eq!((response.status().as_u16(), code(&response)), (405, 19002), "{method} {path}");
            assert_eq!(response.headers()["allow"], "POST");
            assert_eq!(response.headers()["content-type"], "application/json");
        }
    }
}

#[tokio::test]
async fn an_impossible_key_is_answered_as_unknown_without_a_read() {
    for path in [
        "/open-apis/bot/v2/hook/",
        "/open-apis/bot/v2/hook//k",
        "/open-apis/bot/v2/hook/a%2Fb",
        "/open-apis/bot/v9/hook/k",
    ] {
        let response = answer(Method::POST, path).await;
        assert_eq!((response.status().as_u16(), code(&response)), (200, 19001), "{path}");
    }
}

#[tokio::test]
async fn a_path_of_no_source_is_not_found() {
    for method in [Method::GET, Method::POST] {
        let response = answer(method, "/favicon.ico").await;
        assert_eq!((response.status().as_u16(), code(&response)), (404, 19002));
    }
}

// Proves: fault 103
#[tokio::test]
async fn while_the_tables_are_out_of_reach_the_sender_is_asked_to_send_again() {
    let started = Instant::now();
    let response = answer(Method::POST, "/open-apis/bot/v2/hook/4fJk2LmNpQ8rStUvWx").await;
    assert_eq!((response.status().as_u16(), code(&response)), (503, 9499));
    assert!(started.elapsed() < Duration::from_secs(2));
}
