//! One binary under callgrind, behind a Runtime API that gives out a number of events and then stops it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use local::Larkspur;
use scenarios::socket::Socket;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Notify;

use crate::events::{BATCH, Setting};

/// Longer than any count takes on a machine that others use too.
const PATIENCE: Duration = Duration::from_secs(300);
/// Answers that say that something was not done, at most: more, and what is counted is not the work.
const TOO_LATE: usize = 5;
/// How often a count with more of them is repeated: another program may have used the processor.
const COUNTS: usize = 3;

/// What is counted: a binary as one of the functions.
pub(crate) struct Subject {
    binary: PathBuf,
    function: &'static str,
    environment: BTreeMap<String, String>,
    setting: Arc<Setting>,
    /// How many invocations are few, and how many are many.
    between: [usize; 2],
}

impl Subject {
    pub(crate) fn new(
        larkspur: &Larkspur,
        setting: &Arc<Setting>,
        function: &'static str,
        binary: PathBuf,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(binary.exists(), "{} is not built", binary.display());
        let environment = larkspur.stack.function(function)?.environment.clone();
        let setting = Arc::clone(setting);
        // A batch is many records, and steadier for it.
        let between = if Setting::is_batch(function) { [6, 26] } else { [51, 251] };
        Ok(Self { binary, function, environment, setting, between })
    }
}

/// Instructions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// Of each invocation.
    pub(crate) each: u64,
    /// To the first response that says that it was done: of one record, where batches are given.
    pub(crate) first: u64,
}

pub(crate) async fn count(larkspur: &Larkspur, subject: &Subject) -> anyhow::Result<Counted> {
    let [few, many] = subject.between;
    let first = steady(larkspur, subject, 1, 1).await?;
    let less = steady(larkspur, subject, few, BATCH).await?;
    let more = steady(larkspur, subject, many, BATCH).await?;
    Ok(Counted { each: (more - less) / (many - few) as u64, first })
}

async fn steady(larkspur: &Larkspur, subject: &Subject, invocations: usize, batch: usize) -> anyhow::Result<u64> {
    for _ in 1..COUNTS {
        if let Ok(count) = run(larkspur, subject, invocations, batch).await {
            return Ok(count);
        }
    }
    run(larkspur, subject, invocations, batch).await
}

struct Runtime {
    function: &'static str,
    setting: Arc<Setting>,
    batch: usize,
    wanted: usize,
    done_so_far: AtomicUsize,
    failed: Mutex<Vec<String>>,
    /// No more is asked.
    done: Notify,
}

/// Instructions of the whole process until so many invocations have done what they were asked.
///
/// Under callgrind everything is fifty times slower, and the time limits of the function are not: an invocation that
/// answers that it is too late is counted, and another one is asked. That is the first one at most, which connects.
async fn run(larkspur: &Larkspur, subject: &Subject, invocations: usize, batch: usize) -> anyhow::Result<u64> {
    let runtime = Arc::new(Runtime {
        function: subject.function,
        setting: Arc::clone(&subject.setting),
        batch,
        wanted: invocations,
        done_so_far: AtomicUsize::new(0),
        failed: Mutex::default(),
        done: Notify::new(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
        .with_state(Arc::clone(&runtime));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let aws = Socket::open(larkspur.aws());
    let mut child = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(&subject.binary)
        .envs(&subject.environment)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_ENDPOINT_URL", aws.url())
        .env("AWS_ACCESS_KEY_ID", &aws.access_key)
        .env("PROVIDER_BASE", format!("{}/fake", larkspur.base_url))
        .envs(LAMBDA)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("valgrind: apt-get install valgrind")?;
    let done = tokio::time::timeout(PATIENCE, runtime.done.notified()).await;
    let pid = child.id().context("it runs")?.to_string();
    Command::new("kill").args(["-TERM", &pid]).status().await?;
    let (mut report, mut printed) = (String::new(), String::new());
    child.stderr.take().context("piped")?.read_to_string(&mut report).await?;
    child.stdout.take().context("piped")?.read_to_string(&mut printed).await?;
    server.abort();
    done.with_context(|| format!("{} has not answered: {report}", subject.function))?;
    let failed = runtime.failed.lock().expect("not poisoned").clone();
    anyhow::ensure!(failed.len() <= TOO_LATE, "invocations of {} failed: {failed:?} {printed}", subject.function);
    let line = report.lines().find_map(|line| line.split_once("Collected :")).with_context(|| report.clone())?;
    Ok(line.1.trim().parse()?)
}

/// The variables that Lambda sets for every function.
const LAMBDA: [(&str, &str); 9] = [
    ("AWS_REGION", "us-east-1"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("AWS_LAMBDA_FUNCTION_NAME", "f"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("AWS_LAMBDA_LOG_LEVEL", "WARN"),
];

async fn next(State(runtime): State<Arc<Runtime>>) -> (HeaderMap, String) {
    let failed = runtime.failed.lock().expect("not poisoned").len();
    if runtime.done_so_far.load(Ordering::SeqCst) == runtime.wanted || failed > TOO_LATE {
        runtime.done.notify_one();
        std::future::pending::<()>().await;
    }
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "9999999999999"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:f"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, value.parse().expect("a header"));
    }
    (headers, runtime.setting.event(runtime.function, runtime.batch).to_string())
}

/// An answer that says that something was not done would make what is counted look cheap.
async fn answered(State(runtime): State<Arc<Runtime>>, body: String) -> StatusCode {
    const NOT_DONE: [&str; 3] = ["itemIdentifier", r#""statusCode":4"#, r#""statusCode":5"#];
    if NOT_DONE.iter().any(|mark| body.contains(mark)) {
        runtime.failed.lock().expect("not poisoned").push(body);
    } else {
        runtime.done_so_far.fetch_add(1, Ordering::SeqCst);
    }
    StatusCode::ACCEPTED
}

async fn failed(State(runtime): State<Arc<Runtime>>, body: String) -> StatusCode {
    runtime.failed.lock().expect("not poisoned").push(body);
    StatusCode::ACCEPTED
}
