//! Queues, as senders and receivers see them.

use std::time::{Duration, Instant};

use local::aws::sqs::error::SqsError;
use local::aws::sqs::message::{MAX_MESSAGE_BYTES, Outgoing};
use local::aws::sqs::queues::Counts;

use crate::support::{NOW, attributes, bodies, fifo, in_memory, message, of_group, receipts};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn moving_the_clock_wakes_a_long_poll_for_a_delayed_message() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("due", attributes(&[])).await.expect("created");
    let delayed = Outgoing { delay: Some(15 * MINUTE), ..message("later") };
    sqs.send("due", delayed).await.expect("sent");
    let polling = tokio::spawn({
        let sqs = sqs.clone();
        async move { sqs.receive("due", 10, 60 * MINUTE).await }
    });
    tokio::task::yield_now().await;
    // Answered after the poll was taken up: the queues do one thing after the other.
    assert_eq!(aws.sqs().counts("due").await.expect("counted").delayed, 1);
    let started = Instant::now();
    clock.advance(15 * MINUTE);
    let received = polling.await.expect("no panic").expect("received");
    assert_eq!(bodies(&received), ["later"]);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_long_poll_ends_empty_when_its_time_on_the_clock_is_over() {
    let (aws, clock) = in_memory();
    aws.sqs().create_queue("messages", attributes(&[])).await.expect("created");
    let polling = tokio::spawn({
        let sqs = aws.sqs().clone();
        async move { sqs.receive("messages", 10, 20 * MINUTE).await }
    });
    tokio::task::yield_now().await;
    // Answered after the poll was taken up: the queues do one thing after the other.
    aws.sqs().counts("messages").await.expect("counted");
    clock.advance(20 * MINUTE);
    assert!(polling.await.expect("no panic").expect("answered").is_empty());
}

// Proves: fault 91
#[tokio::test]
async fn one_flooding_integration_does_not_delay_the_others() {
    let (aws, _) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    let flood = (0..3_000).map(|n| of_group("int_flood", &n.to_string())).collect();
    sqs.send_batch("messages", flood).await.expect("sent");
    let quiet = (0..4).map(|n| of_group(&format!("int_{n}"), &format!("quiet {n}"))).collect();
    sqs.send_batch("messages", quiet).await.expect("sent");
    let received = sqs.receive("messages", 10, NOW).await.expect("received");
    assert_eq!(received.iter().filter(|message| message.body.starts_with("quiet")).count(), 4);
    assert_eq!(received.len(), 10);
}

#[tokio::test]
async fn a_fifo_group_that_waits_by_visibility_is_received_again_in_order_and_does_not_delay_others() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("notices.fifo", fifo()).await.expect("created");
    for (group, body) in [("a", "a0"), ("a", "a1"), ("b", "b0"), ("a", "a2")] {
        sqs.send("notices.fifo", of_group(group, body)).await.expect("sent");
    }
    let first = sqs.receive("notices.fifo", 3, NOW).await.expect("received");
    assert_eq!(bodies(&first), ["a0", "a1", "a2"]);
    let waits = receipts(&first).into_iter().map(|receipt| (receipt, 5 * MINUTE)).collect();
    let changed = sqs.change_visibility("notices.fifo", waits).await.expect("changed");
    assert!(changed.iter().all(Result::is_ok));
    sqs.send("notices.fifo", of_group("a", "a3")).await.expect("sent");
    let other = sqs.receive("notices.fifo", 10, NOW).await.expect("received");
    assert_eq!(bodies(&other), ["b0"]);
    sqs.delete("notices.fifo", receipts(&other)).await.expect("deleted");
    clock.advance(5 * MINUTE);
    let again = sqs.receive("notices.fifo", 10, NOW).await.expect("received");
    assert_eq!(bodies(&again), ["a0", "a1", "a2", "a3"]);
    assert_eq!(again[0].receives, 2);
}

#[tokio::test]
async fn a_fifo_queue_forgets_a_deduplication_id_after_five_minutes() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("notices.fifo", fifo()).await.expect("created");
    let same = || Outgoing { dedup: Some("one".to_owned()), ..of_group("a", "first") };
    let first = sqs.send("notices.fifo", same()).await.expect("sent");
    let received = sqs.receive("notices.fifo", 1, NOW).await.expect("received");
    sqs.delete("notices.fifo", receipts(&received)).await.expect("deleted");
    clock.advance(5 * MINUTE - Duration::from_secs(1));
    assert_eq!(sqs.send("notices.fifo", same()).await.expect("sent").message_id, first.message_id);
    assert_eq!(sqs.counts("notices.fifo").await.expect("counted").visible, 0, "deleted, and still a duplicate");
    clock.advance(Duration::from_secs(1));
    assert_ne!(sqs.send("notices.fifo", same()).await.expect("sent").message_id, first.message_id);
    assert_eq!(sqs.counts("notices.fifo").await.expect("counted").visible, 1);
}

#[tokio::test]
async fn a_fifo_message_received_too_often_goes_to_the_dead_queue_with_its_group() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("dead.fifo", fifo()).await.expect("created");
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":2}"#;
    let mut source = fifo();
    source.insert("RedrivePolicy".to_owned(), policy.to_owned());
    sqs.create_queue("notices.fifo", source).await.expect("created");
    for body in ["poison", "good"] {
        sqs.send("notices.fifo", of_group("a", body)).await.expect("sent");
    }
    for _ in 0..2 {
        let received = sqs.receive("notices.fifo", 1, NOW).await.expect("received");
        assert_eq!(bodies(&received), ["poison"]);
        clock.advance(MINUTE);
    }
    assert_eq!(bodies(&sqs.receive("notices.fifo", 10, NOW).await.expect("received")), ["good"]);
    let dead = sqs.receive("dead.fifo", 10, NOW).await.expect("received");
    assert_eq!(bodies(&dead), ["poison"]);
    assert_eq!(dead[0].group.as_deref(), Some("a"));
    assert_eq!(dead[0].receives, 3, "counted over both queues");
    assert!(dead[0].dead_from.as_deref().is_some_and(|arn| arn.ends_with(":notices.fifo")));
}

#[tokio::test]
async fn a_message_is_deleted_when_its_retention_is_over() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[("MessageRetentionPeriod", "3600")])).await.expect("created");
    sqs.send("messages", message("old")).await.expect("sent");
    clock.advance(59 * MINUTE);
    sqs.send("messages", message("new")).await.expect("sent");
    assert_eq!(sqs.counts("messages").await.expect("counted").visible, 2);
    clock.advance(2 * MINUTE);
    assert_eq!(bodies(&sqs.receive("messages", 10, NOW).await.expect("received")), ["new"]);
}

#[tokio::test]
async fn visible_in_flight_and_delayed_messages_are_counted_apart_and_purge_removes_them_all() {
    let (aws, _) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    let delayed = Outgoing { delay: Some(MINUTE), ..message("later") };
    sqs.send_batch("messages", vec![message("1"), message("2"), delayed]).await.expect("sent");
    sqs.receive("messages", 1, NOW).await.expect("received");
    let counts = sqs.counts("messages").await.expect("counted");
    assert_eq!((counts.visible, counts.in_flight, counts.delayed), (1, 1, 1));
    sqs.purge("messages").await.expect("purged");
    assert_eq!(sqs.counts("messages").await.expect("counted"), Counts::default());
}

#[tokio::test]
async fn what_sqs_refuses_is_refused_with_its_code() {
    let (aws, _) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    sqs.create_queue("notices.fifo", attributes(&[("FifoQueue", "true")])).await.expect("created");
    let full = of_group("a", "x");
    let deduplicated = Outgoing { dedup: Some("d".to_owned()), ..full.clone() };
    let late = |delay| Outgoing { delay: Some(Duration::from_secs(delay)), ..deduplicated.clone() };
    for (queue, refused, code) in [
        ("none", message("x"), "AWS.SimpleQueueService.NonExistentQueue"),
        ("messages", message(""), "MissingParameter"),
        ("messages", message("\u{1}"), "InvalidMessageContents"),
        ("messages", message(&"x".repeat(MAX_MESSAGE_BYTES + 1)), "InvalidParameterValue"),
        ("messages", deduplicated.clone(), "InvalidParameterValue"),
        ("messages", Outgoing { delay: Some(16 * MINUTE), ..message("x") }, "InvalidParameterValue"),
        ("notices.fifo", message("x"), "MissingParameter"),
        ("notices.fifo", full, "InvalidParameterValue"),
        ("notices.fifo", late(5), "InvalidParameterValue"),
    ] {
        let error = sqs.send(queue, refused).await.expect_err("refused");
        assert_eq!(error.codes().1, code, "{error}");
    }
    sqs.send("messages", message(&"x".repeat(MAX_MESSAGE_BYTES))).await.expect("the largest message is taken");
    sqs.send("messages", of_group("int_1", "x")).await.expect("a standard queue takes a group");
    sqs.send("notices.fifo", late(0)).await.expect("no delay is none");
}

#[tokio::test]
async fn a_queue_is_made_once_and_ensured_with_new_attributes() {
    let (aws, _) = in_memory();
    let sqs = aws.sqs();
    let timeout = |seconds: &str| attributes(&[("VisibilityTimeout", seconds)]);
    sqs.create_queue("messages", timeout("60")).await.expect("created");
    sqs.create_queue("messages", timeout("60")).await.expect("the same again");
    let other = sqs.create_queue("messages", timeout("90")).await.expect_err("another one");
    assert!(matches!(other, SqsError::OtherQueueExists(name) if name == "VisibilityTimeout"));
    sqs.ensure_queue("messages", timeout("90")).await.expect("changed");
    assert_eq!(sqs.attributes("messages").await.expect("read")["VisibilityTimeout"], "90");
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:none","maxReceiveCount":2}"#;
    let dangling = sqs.ensure_queue("messages", attributes(&[("RedrivePolicy", policy)])).await;
    assert_eq!(dangling.expect_err("no such dead queue").codes().1, "InvalidAttributeValue");
}
