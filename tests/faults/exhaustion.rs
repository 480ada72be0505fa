//! G. Resource exhaustion.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lambda_kit::queue::{Entry, Queue};
use scenarios::escalation::members;
use scenarios::process::Process;
use scenarios::raw;
use scenarios::space::feishu_bot;
use scenarios::{World, hours, seconds};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const KIB: usize = 1024;

/// A text message whose body has exactly this many bytes.
fn message_of(bytes: usize) -> String {
    let shell = json!({"msg_type": "text", "content": {"text": ""}}).to_string().len();
    json!({"msg_type": "text", "content": {"text": "x".repeat(bytes - shell)}}).to_string()
}

/// Lambda accepts no event above 6 MB, and API Gateway no request above 10 MB. The gateway answers such requests
/// itself.
// Proves: fault 85
#[tokio::test]
async fn a_body_of_any_size_has_its_answer_and_the_largest_are_the_gateways() {
    let world = World::start().await;
    let space = world.space("Silence").make().await;
    let sender = world.feishu_alert().into(&space).await;
    let rows = [
        (20 * KIB, 200, Some(0)),
        (64 * KIB, 200, Some(0)),
        (256 * KIB, 200, Some(0)),
        (256 * KIB + 1, 400, Some(19002)),
        (KIB * KIB, 400, Some(19002)),
        (5 * KIB * KIB, 400, Some(19002)),
        (6 * KIB * KIB, 413, None),
        (10 * KIB * KIB, 413, None),
        (10 * KIB * KIB + 1, 413, None),
    ];
    for (bytes, status, code) in rows {
        let answer = sender.tries(message_of(bytes)).await;
        assert_eq!(
            (answer.status, answer.body["code"].as_i64()),
            (status, code),
            "{bytes} bytes: {:.200}",
            answer.text
        );
    }
    world.settle_within(Duration::from_secs(120)).await;
    let refused = sender.outcomes().await.iter().filter(|outcome| *outcome == "refused").count();
    assert_eq!((refused, sender.outcomes().await.len()), (3, 6), "what the function got is recorded");
    world.finish().await;
}

// Proves: fault 93
#[tokio::test]
async fn a_level_is_notified_again_two_hundred_times_and_then_no_more() {
    const TIMES: u32 = 200;
    let world = World::start().await;
    let li = world.member("Li").chat(feishu_bot("li")).make().await;
    let space = world.space("Payments").make().await;
    world.rule(&space, "Always").levels([members(&[&li]).repeated(TIMES, 30)]).await;
    world.feishu_alert().into(&space).await.says("disk full").await;
    world.feishu("li").expects("disk full").await;
    for _ in 0..TIMES {
        world.advance(seconds(31)).await;
    }
    world.advance(hours(1)).await;
    world.feishu("li").accept_all();
    let incident = world.incident().await;
    let story = incident.event_kinds().await;
    assert_eq!(story.iter().filter(|kind| *kind == "repeated").count(), TIMES as usize);
    assert_eq!(incident.details("repeated").await.last().map(String::as_str), Some("200 of 200"));
    world.finish().await;
}

/// Answers the first request of each connection and keeps the connection open. Closes it without an answer at the
/// second request.
async fn closes_what_it_kept() -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (answered, broken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let counters = (Arc::clone(&answered), Arc::clone(&broken));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answered, broken) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
            tokio::spawn(async move {
                let mut bytes = vec![0; 64 * KIB];
                if stream.read(&mut bytes).await.unwrap_or(0) == 0 {
                    return;
                }
                let body = r#"{"MessageId":"1","MD5OfMessageBody":"0"}"#;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
                answered.fetch_add(1, Ordering::SeqCst);
                if stream.read(&mut bytes).await.unwrap_or(0) > 0 {
                    broken.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    (url, answered, broken)
}

// Proves: fault 94
#[tokio::test]
async fn a_kept_connection_that_is_closed_as_the_next_request_comes_costs_the_sdk_one_repetition() {
    let (url, answered, broken) = closes_what_it_kept().await;
    let sdk = aws_sdk_sqs::Client::new(&lambda_kit::aws::local_config(&url));
    let queue = Queue::new(sdk, format!("{url}/000000000000/messages"));
    for number in 0..10 {
        let entry = Entry { body: format!("message {number}"), ..Entry::default() };
        queue.send(entry).await.unwrap_or_else(|error| panic!("message {number}: {error:?}"));
    }
    assert_eq!(answered.load(Ordering::SeqCst), 10, "each was taken once");
    assert!(broken.load(Ordering::SeqCst) > 0, "a kept connection was used, or this test tests nothing");
}

// Proves: fault 94
#[tokio::test]
async fn hundreds_of_requests_leave_no_connection_behind() {
    let data = tempfile::tempdir().expect("a directory");
    let larkspur = Process::start(data.path(), &[]).await.expect("started");
    let space = larkspur.api.create("/spaces", &json!({"name": "Silence"})).await;
    let limits = json!({"per_second": 10_000, "per_minute": 100_000});
    let body = json!({"name": "a", "space": space["id"], "limits": limits});
    let url = larkspur.api.create("/integrations", &body).await["url"].as_str().expect("a URL").to_owned();
    let open = || {
        let folder = format!("/proc/{}/fd", larkspur.pid().expect("it runs"));
        std::fs::read_dir(folder).expect("its descriptors").count()
    };
    let rounds = async |count: usize| {
        for number in 0..count {
            // Each request uses its own connection, which the sender does not close.
            let request = raw::request("POST", &url, &[], message_of(100 + number % 50).as_bytes());
            assert_eq!(raw::exchange(&url, &request).await.status, 200);
        }
    };
    rounds(50).await;
    let before = open();
    rounds(300).await;
    let start = Instant::now();
    while open() > before + 20 && start.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(open() <= before + 20, "{before} before, {} after", open());
    larkspur.kill().await.expect("killed");
}

/// While a provider is down, attempts are not logged. Each notice that failed permanently is logged on one line.
// Proves: fault 95
#[tokio::test]
async fn a_storm_of_errors_is_a_line_of_the_log_for_each_notice_that_is_given_up() {
    const MESSAGES: usize = 10;
    let data = tempfile::tempdir().expect("a directory");
    let environment = [("LARKSPUR_PROVIDER_BASE", "http://127.0.0.1:9"), ("LARKSPUR_TEST_CLOCK", "1")];
    let larkspur = Process::start(data.path(), &environment).await.expect("started");
    let settings = json!({"url": "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-down"});
    let group = json!({"name": "down", "channel": "feishu_bot", "settings": settings});
    let group = larkspur.api.create("/destinations", &group).await;
    let space = larkspur.api.create("/spaces", &json!({"name": "Ops", "destinations": [group["id"]]})).await;
    let made = larkspur.api.create("/integrations", &json!({"name": "a", "space": space["id"]})).await;
    let url = made["url"].as_str().expect("a URL");
    let lines = || {
        let printed = larkspur.printed();
        printed.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count()
    };
    for number in 0..MESSAGES {
        let body = json!({"msg_type": "text", "content": {"text": format!("storm {number}")}});
        assert_eq!(larkspur.api.post(url, body.to_string()).await.body["code"], 0);
    }
    let failed = async || {
        let mut failed = 0;
        for incident in larkspur.api.list("/incidents").await {
            let whole = larkspur.api.get(&format!("/incidents/{}", incident["id"].as_str().expect("an id"))).await;
            failed +=
                whole["deliveries"].as_array().into_iter().flatten().filter(|one| one["state"] == "failed").count();
        }
        failed
    };
    let start = Instant::now();
    while failed().await < MESSAGES && start.elapsed() < Duration::from_secs(150) {
        larkspur.advance(Duration::from_secs(16 * 60)).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (lines, failed) = (lines(), failed().await);
        assert!(lines <= failed + 2, "{lines} lines for {failed} notices: {}", larkspur.printed());
    }
    let incidents = larkspur.api.list("/incidents").await;
    assert_eq!(failed().await, MESSAGES, "{incidents:#?} {}", larkspur.printed());
    larkspur.kill().await.expect("killed");
}
