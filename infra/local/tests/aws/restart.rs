//! What survives a restart: after the services were dropped, and after their process was killed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lambda_kit::clock::Clock;
use local::aws::Aws;
use local::aws::names::queue_arn;
use local::aws::sns::topics::Publication;
use local::aws::sqs::message::Outgoing;

use crate::sdk::sqs_client;
use crate::support::{NOW, attributes, bodies, fifo, message, of_group, receipts};

/// Names the folder in which this program, started once more, sends until it is killed.
const SEND: &str = "LARKSPUR_TEST_SEND";
const QUEUE: &str = "http://aws.invalid/000000000000/messages";

fn open(folder: &Path, clock: &Clock) -> Aws {
    Aws::open(Some(folder), clock.clone(), Vec::new()).expect("opens")
}

#[tokio::test]
async fn queues_topics_and_messages_are_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::default();
    let before = {
        let aws = open(folder.path(), &clock);
        let sqs = aws.sqs();
        sqs.create_queue("messages", attributes(&[("VisibilityTimeout", "60")])).await.expect("created");
        sqs.create_queue("notices.fifo", fifo()).await.expect("created");
        let topic = aws.sns().create_topic("changes").await.expect("created");
        aws.sns().subscribe(&topic, &queue_arn("messages"), attributes(&[])).await.expect("subscribed");
        let delayed = Outgoing { delay: Some(Duration::from_secs(120)), ..message("delayed") };
        sqs.send_batch("messages", vec![message("held"), message("deleted"), delayed]).await.expect("sent");
        sqs.send("notices.fifo", of_group("a", "a0")).await.expect("sent");
        sqs.send("notices.fifo", of_group("a", "a1")).await.expect("sent");
        let received = sqs.receive("messages", 2, NOW).await.expect("received");
        sqs.delete("messages", vec![received[1].receipt.clone()]).await.expect("deleted");
        sqs.receive("notices.fifo", 1, NOW).await.expect("received");
        received
    };
    let aws = open(folder.path(), &clock);
    let sqs = aws.sqs();
    let counts = sqs.counts("messages").await.expect("counted");
    assert_eq!((counts.visible, counts.in_flight, counts.delayed), (1, 0, 1), "what was in flight is handed back");
    let duplicate = sqs.send("notices.fifo", of_group("a", "a1")).await.expect("sent");
    let again = sqs.receive("messages", 10, NOW).await.expect("received");
    assert_eq!((bodies(&again), again[0].receives), (vec!["held"], 1), "a receive that was cut off does not count");
    assert_eq!(again[0].message_id, before[0].message_id);
    sqs.delete("messages", vec![before[0].receipt.clone()]).await.expect("answered");
    assert_eq!(sqs.counts("messages").await.expect("counted").in_flight, 1, "a receipt of before is an old one");
    let notices = sqs.receive("notices.fifo", 10, NOW).await.expect("received");
    assert_eq!(bodies(&notices), ["a0", "a1"]);
    assert_eq!(notices[1].message_id, duplicate.message_id);
    clock.advance(Duration::from_secs(120));
    let topic = local::aws::names::topic_arn("changes");
    let publication = Publication { message: "published".to_owned(), ..Publication::default() };
    aws.sns().publish(&topic, publication).await.expect("published");
    assert_eq!(sqs.receive("messages", 10, NOW).await.expect("received").len(), 3);
}

/// Two queues of this kind, the second for the dead letters of the first, where the third receive is the last.
async fn queue_with_dead_letters(aws: &Aws) {
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#, queue_arn("dead"));
    aws.sqs().ensure_queue("dead", attributes(&[])).await.expect("created");
    let messages = attributes(&[("VisibilityTimeout", "60"), ("RedrivePolicy", &policy)]);
    aws.sqs().ensure_queue("messages", messages).await.expect("created");
}

// Proves: finding B3
#[tokio::test]
async fn a_receive_that_a_killed_process_did_not_finish_does_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::default();
    let aws = open(folder.path(), &clock);
    queue_with_dead_letters(&aws).await;
    aws.sqs().send("messages", message("a")).await.expect("sent");
    drop(aws);
    for start in 0..10 {
        let aws = open(folder.path(), &clock);
        let received = aws.sqs().receive("messages", 10, NOW).await.expect("received");
        assert_eq!(bodies(&received), ["a"], "start {start}");
        assert_eq!(received[0].receives, 1, "start {start}");
    }
    let aws = open(folder.path(), &clock);
    for receive in 1..=3 {
        let received = aws.sqs().receive("messages", 10, NOW).await.expect("received");
        assert_eq!((bodies(&received), received[0].receives), (vec!["a"], receive));
        clock.advance(Duration::from_secs(60));
    }
    assert!(aws.sqs().receive("messages", 10, NOW).await.expect("received").is_empty());
    assert_eq!(aws.sqs().counts("dead").await.expect("counted").visible, 1, "receives within one process still count");
    let dead = aws.sqs().receive("dead", 10, NOW).await.expect("received");
    assert_eq!(dead[0].receives, 4, "three that counted, and this one");
}

// Proves: finding B3
#[tokio::test]
async fn a_message_that_its_receiver_deferred_is_not_hurried_by_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::default();
    let aws = open(folder.path(), &clock);
    queue_with_dead_letters(&aws).await;
    aws.sqs().send("messages", message("a")).await.expect("sent");
    let received = aws.sqs().receive("messages", 10, NOW).await.expect("received");
    let wait = vec![(received[0].receipt.clone(), Duration::from_secs(30))];
    aws.sqs().change_visibility("messages", wait).await.expect("changed");
    drop(aws);
    for _ in 0..10 {
        let aws = open(folder.path(), &clock);
        assert!(aws.sqs().receive("messages", 10, NOW).await.expect("received").is_empty());
    }
    clock.advance(Duration::from_secs(30));
    let received = open(folder.path(), &clock).sqs().receive("messages", 10, NOW).await.expect("received");
    assert_eq!((bodies(&received), received[0].receives), (vec!["a"], 2), "the receive that deferred it was finished");
}

#[tokio::test]
async fn a_second_process_is_refused_because_the_folder_is_in_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::default();
    let _first = open(folder.path(), &clock);
    let second = Aws::open(Some(folder.path()), clock, Vec::new()).expect_err("in use");
    assert!(format!("{second:#}").contains("another process"), "{second:#}");
}

/// Proves nothing by itself: it is the process that the next test kills. It prints what was accepted and deleted, once it was
/// answered. Started otherwise, it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "how the test passes a command to its own child")]
#[expect(clippy::print_stdout, reason = "how the child reports to the test")]
async fn sends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(SEND) else { return };
    let aws = open(Path::new(&folder), &Clock::default());
    aws.sqs().ensure_queue("messages", attributes(&[("VisibilityTimeout", "60")])).await.expect("created");
    let client = sqs_client(&aws);
    let accepted = Arc::new(AtomicUsize::new(0));
    for sender in 0..16 {
        let (client, accepted) = (client.clone(), Arc::clone(&accepted));
        tokio::spawn(async move {
            for n in 0.. {
                let body = format!("{sender}-{n}");
                client.send_message().queue_url(QUEUE).message_body(&body).send().await.expect("sent");
                println!("\naccepted {body}");
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while accepted.load(Ordering::Relaxed) < 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let received = client.receive_message().queue_url(QUEUE).max_number_of_messages(10).send().await.expect("received");
    for message in &received.messages.expect("there are some")[..5] {
        let receipt = message.receipt_handle.as_ref().expect("has one");
        client.delete_message().queue_url(QUEUE).receipt_handle(receipt).send().await.expect("deleted");
        println!("\ndeleted {}", message.body.as_deref().expect("has one"));
    }
    std::future::pending::<()>().await;
}

/// What the process above has printed by the time it was killed: accepted, and deleted.
fn send_and_kill(folder: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(program)
        .args(["--exact", "restart::sends_until_it_is_killed", "--nocapture"])
        .env(SEND, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let (mut accepted, mut deleted, mut killed) = (BTreeSet::new(), BTreeSet::new(), false);
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        match line.expect("text").split_once(' ') {
            Some(("accepted", body)) => drop(accepted.insert(body.to_owned())),
            Some(("deleted", body)) => drop(deleted.insert(body.to_owned())),
            _ => {}
        }
        if !killed && accepted.len() >= 300 && deleted.len() == 5 {
            // On Unix this is SIGKILL. What is in the pipe already is still read.
            child.kill().expect("it is running");
            killed = true;
        }
    }
    child.wait().expect("it is a child");
    assert!(killed, "it ended by itself after {} messages", accepted.len());
    (accepted, deleted)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_every_message_sent_and_not_deleted_is_there_exactly_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (accepted, deleted) = tokio::task::block_in_place(|| send_and_kill(folder.path()));
    let aws = open(folder.path(), &Clock::default());
    assert_eq!(aws.sqs().counts("messages").await.expect("counted").in_flight, 0, "what was in flight is handed back");
    let mut found = Vec::new();
    loop {
        let received = aws.sqs().receive("messages", 100, NOW).await.expect("received");
        if received.is_empty() {
            break;
        }
        aws.sqs().delete("messages", receipts(&received)).await.expect("deleted");
        found.extend(received.into_iter().map(|message| message.body));
    }
    let all: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(all.len(), found.len(), "each once");
    assert!(all.is_disjoint(&deleted), "deleted stays deleted");
    let lost: Vec<_> = accepted.difference(&all).filter(|body| !deleted.contains(*body)).cloned().collect();
    assert!(lost.is_empty(), "accepted and lost: {lost:?}");
    // A send without an answer may have succeeded or not: at most one message of each sender.
    assert!(all.len() + deleted.len() - accepted.len() <= 16);
}
