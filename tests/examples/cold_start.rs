//! Counts the instructions of a function by callgrind, behind a Runtime API of its own: per invocation (the slope
//! between 51 and 251 invocations, so that start-up cancels) and up to the first response.
//!
//! ```sh
//! cargo build --release -p ingest --example nothing --bin ingest
//! cargo run -p scenarios --example cold_start -- target/release/examples/nothing target/release/ingest
//! ```
//!
//! Prints a line of JSON per binary. Only ratios between binaries of one run mean anything.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use local::Larkspur;
use local::options::Options;
use scenarios::api::Api;
use serde_json::json;
use tokio::process::Command;
use tokio::sync::Notify;

const FEW: usize = 51;
const MANY: usize = 251;

/// Hands out one event so many times, then says that it is done.
struct Runtime {
    event: String,
    left: AtomicUsize,
    done: Notify,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let larkspur = Larkspur::start(Options::default()).await?;
    let api = Api::new(&larkspur.base_url, larkspur.api_key.expose());
    let space = api.create("/spaces", &json!({"name": "cold", "destinations": []})).await;
    let limits = json!({"per_second": 100_000, "per_minute": 1_000_000});
    let made = api.create("/integrations", &json!({"name": "cold", "space": space["id"], "limits": limits})).await;
    let url = made["url"].as_str().context("a url")?;
    let path = &url[url.find("/open-apis").context("a path")?..];
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "abcdefghij.execute-api.us-east-1.amazonaws.com"},
        "requestContext": {
            "accountId": "000000000000", "apiId": "abcdefghij", "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdefghij", "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x"},
        },
        "body": "{\"msg_type\":\"text\",\"content\":{\"text\":\"[FIRING] High CPU on web-01\\ncpu_usage=97% threshold=90%\"}}",
        "isBase64Encoded": false,
    });
    for binary in std::env::args().skip(1) {
        let binary = Path::new(&binary);
        let mut counted = Vec::new();
        for invocations in [1, FEW, MANY] {
            counted.push(count(&larkspur, binary, &event.to_string(), invocations).await?);
        }
        let each = (counted[2] - counted[1]) / (MANY - FEW) as u64;
        let name = binary.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        #[expect(clippy::print_stdout, reason = "the result")]
        {
            println!("{}", json!({"binary": name, "per_invocation": each, "to_first_response": counted[0]}));
        }
    }
    larkspur.stop().await;
    Ok(())
}

/// Instructions of the whole process for so many invocations.
async fn count(larkspur: &Larkspur, binary: &Path, event: &str, invocations: usize) -> anyhow::Result<u64> {
    let runtime =
        Arc::new(Runtime { event: event.to_owned(), left: AtomicUsize::new(invocations), done: Notify::new() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{what}", post(|| async { StatusCode::ACCEPTED }))
        .with_state(Arc::clone(&runtime));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let stack = &larkspur.stack;
    let mut child = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .envs(&stack.function("IngestFunction")?.environment)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_ENDPOINT_URL", &larkspur.aws_endpoint)
        .env("AWS_ENDPOINT_URL_DYNAMODB", &larkspur.tables_endpoint)
        .envs([
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "WARN"),
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .context("valgrind")?;
    runtime.done.notified().await;
    let pid = child.id().context("it runs")?.to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await?;
    let mut stderr = child.stderr.take().context("piped")?;
    let mut report = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut report).await?;
    server.abort();
    let line = report.lines().find_map(|line| line.split_once("Collected :")).with_context(|| report.clone())?;
    Ok(line.1.trim().parse()?)
}

async fn next(State(runtime): State<Arc<Runtime>>) -> (HeaderMap, String) {
    let taken = runtime.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if taken.is_err() {
        runtime.done.notify_one();
        std::future::pending::<()>().await;
    }
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "9999999999999"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:f"),
    ] {
        headers.insert(name, value.parse().expect("a header"));
    }
    headers.insert("content-type", "application/json".parse().expect("a header"));
    (headers, runtime.event.clone())
}
