//! The send against a queue that answers well, badly, late, or not at all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use alerting::base::ids::IntegrationId;
use alerting::base::moment::Moment;
use alerting::rules::message::{Acceptance, RawBody, Received, RefusalReason};
use ingest::outbox::{HandOverError, Outbox, sqs_client};
use lambda_kit::aws;
use lambda_kit::queue::Queue;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Taken,
    Broken,
    Throttled,
    Hangs,
    ClosesConnection,
}

/// An SQS endpoint that answers requests in the given order and then repeats the last answer.
struct FakeQueue {
    endpoint: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl FakeQueue {
    fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (answers, seen) = (answers.to_vec(), Arc::clone(&received));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answers, seen) = (answers.clone(), Arc::clone(&seen));
                thread::spawn(move || serve(stream, &answers, &seen));
            }
        });
        Self { endpoint, received }
    }

    fn outbox(&self) -> Outbox {
        let config = aws::local_config(&self.endpoint);
        Outbox::new(Queue::new(sqs_client(&config), format!("{}/000000000000/messages", self.endpoint)))
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().expect("not poisoned").clone()
    }
}

fn serve(mut stream: TcpStream, answers: &[Answer], seen: &Mutex<Vec<Received>>) {
    while let Some(body) = request(&stream) {
        let sent: serde_json::Value = serde_json::from_slice(&body).expect("the SDK sends JSON");
        assert_eq!(sent["MessageGroupId"], "int_4fJk2LmNpQ");
        let received = serde_json::from_str(sent["MessageBody"].as_str().expect("a body")).expect("a message");
        let nth = {
            let mut seen = seen.lock().expect("not poisoned");
            seen.push(received);
            seen.len() - 1
        };
        let (status, body) = match answers[nth.min(answers.len() - 1)] {
            Answer::Taken => ("200 OK", r#"{"MessageId":"1","MD5OfMessageBody":"0"}"#),
            Answer::Broken => ("500 Internal Server Error", r#"{"__type":"InternalError","message":"no"}"#),
            Answer::Throttled => ("400 Bad Request", r#"{"__type":"ThrottlingException","message":"slow down"}"#),
            // Waits until the client closes the connection.
            Answer::Hangs => return drop(stream.read(&mut [0])),
            Answer::ClosesConnection => return,
        };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}", body.len());
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("answered");
    }
}

/// The body of the next request; `None` at the end of the connection.
fn request(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

const NOW: Moment = Moment::from_secs(1_767_607_200);

async fn send(outbox: &Outbox) -> Result<(), HandOverError> {
    let integration: IntegrationId = "int_4fJk2LmNpQ".parse().expect("valid");
    let acceptance = Acceptance::Refused { reason: RefusalReason::Keyword, msg_type: None, message: None };
    outbox.hand_over(&integration, acceptance, RawBody::Text("{}".to_owned()), NOW).await.map(drop)
}

#[tokio::test]
async fn a_message_is_sent_once_and_counted() {
    let queue = FakeQueue::start(&[Answer::Taken]);
    let outbox = queue.outbox();
    for _ in 0..3 {
        send(&outbox).await.expect("taken");
    }
    let received = queue.received();
    assert_eq!(received.iter().map(|message| message.origin.count).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(received.is_sorted_by_key(|message| message.stamp));
    assert_eq!(received[0].stamp.received_at(), NOW);
}

#[tokio::test]
async fn a_second_attempt_carries_the_same_stamp_and_number() {
    for first in [Answer::Broken, Answer::Throttled, Answer::ClosesConnection, Answer::Hangs] {
        let queue = FakeQueue::start(&[first, Answer::Taken]);
        send(&queue.outbox()).await.expect("taken at the second attempt");
        let received = queue.received();
        assert_eq!(received.len(), 2, "{first:?}");
        assert_eq!(received[0], received[1], "{first:?}");
    }
}

#[tokio::test]
async fn after_two_failed_attempts_the_send_fails_within_two_seconds() {
    for answer in [Answer::Broken, Answer::Throttled, Answer::Hangs] {
        let queue = FakeQueue::start(&[answer]);
        let outbox = queue.outbox();
        let started = Instant::now();
        send(&outbox).await.expect_err("not taken");
        assert!(started.elapsed() < Duration::from_secs(2), "{answer:?}: {:?}", started.elapsed());
        assert_eq!(queue.received().len(), 2, "{answer:?}");
    }
}

// Proves: accepted
#[tokio::test]
async fn a_refused_send_leaves_no_gap_in_the_count() {
    let queue = FakeQueue::start(&[Answer::Throttled, Answer::Throttled, Answer::Taken]);
    let outbox = queue.outbox();
    assert!(matches!(send(&outbox).await, Err(HandOverError::Refused(..))));
    send(&outbox).await.expect("taken");
    assert_eq!(queue.received().last().map(|message| message.origin.count), Some(1));
}

#[tokio::test]
async fn the_number_of_a_send_with_an_unknown_outcome_is_not_given_again() {
    let queue = FakeQueue::start(&[Answer::Hangs, Answer::Throttled, Answer::Taken]);
    let outbox = queue.outbox();
    assert!(matches!(send(&outbox).await, Err(HandOverError::Unknown(..))));
    send(&outbox).await.expect("taken");
    assert_eq!(queue.received().last().map(|message| message.origin.count), Some(2));
}
