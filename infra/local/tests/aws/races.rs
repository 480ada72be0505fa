//! Races for a message: two receivers in both orders, and many at once.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{NOW, attributes, bodies, fifo, in_memory, message, of_group, receipts};

const VISIBILITY: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_receiver_cannot_delete_a_message_after_its_visibility_timeout_when_another_one_has_it() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    sqs.send("messages", message("x")).await.expect("sent");
    let slow = sqs.receive("messages", 1, NOW).await.expect("received");
    clock.advance(VISIBILITY);
    let quick = sqs.receive("messages", 1, NOW).await.expect("received");
    let late = sqs.delete("messages", receipts(&slow)).await.expect("answered");
    assert!(late[0].is_ok(), "SQS says yes and leaves it");
    assert_eq!(sqs.counts("messages").await.expect("counted").in_flight, 1);
    let late = sqs.change_visibility("messages", vec![(slow[0].receipt.clone(), NOW)]).await.expect("answered");
    assert_eq!(late[0].as_ref().expect_err("not its message").codes().0, "MessageNotInflight");
    sqs.delete("messages", receipts(&quick)).await.expect("deleted");
    assert_eq!(sqs.counts("messages").await.expect("counted").in_flight, 0);
}

#[tokio::test]
async fn a_message_deleted_in_time_is_never_handed_out_again() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    sqs.send("messages", message("x")).await.expect("sent");
    let received = sqs.receive("messages", 1, NOW).await.expect("received");
    sqs.delete("messages", receipts(&received)).await.expect("deleted");
    clock.advance(VISIBILITY);
    assert!(sqs.receive("messages", 1, NOW).await.expect("received").is_empty());
    let again = sqs.delete("messages", receipts(&received)).await.expect("answered");
    assert!(again[0].is_ok(), "deleting twice is no error");
}

#[tokio::test]
async fn a_standard_message_can_be_deleted_after_its_time_if_nobody_else_took_it_a_fifo_one_cannot() {
    let (aws, clock) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    sqs.create_queue("notices.fifo", fifo()).await.expect("created");
    for (queue, left) in [("messages", 0), ("notices.fifo", 1)] {
        let sent = if left == 0 { message("x") } else { of_group("a", "x") };
        sqs.send(queue, sent).await.expect("sent");
        let received = sqs.receive(queue, 1, NOW).await.expect("received");
        clock.advance(VISIBILITY);
        let deleted = sqs.delete(queue, receipts(&received)).await.expect("answered");
        assert_eq!(deleted[0].is_ok(), left == 0, "{queue}");
        assert_eq!(sqs.counts(queue).await.expect("counted").visible, left, "{queue}");
    }
}

#[tokio::test]
async fn a_send_reaches_a_poll_that_came_before_it_and_one_that_comes_after() {
    let (aws, _) = in_memory();
    aws.sqs().create_queue("messages", attributes(&[])).await.expect("created");
    for poll_first in [true, false] {
        let sqs = aws.sqs();
        let poll = sqs.receive("messages", 1, Duration::from_secs(20));
        let send = sqs.send("messages", message("x"));
        let (received, sent) = match poll_first {
            true => tokio::join!(poll, send),
            false => {
                let sent = send.await;
                (poll.await, sent)
            }
        };
        sent.expect("sent");
        let received = received.expect("received");
        assert_eq!(bodies(&received), ["x"], "poll first: {poll_first}");
        sqs.delete("messages", receipts(&received)).await.expect("deleted");
    }
}

#[tokio::test]
async fn a_poll_that_was_given_up_takes_no_message_along() {
    let (aws, _) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    let given_up = tokio::time::timeout(Duration::from_millis(20), sqs.receive("messages", 1, VISIBILITY)).await;
    assert!(given_up.is_err());
    sqs.send("messages", message("x")).await.expect("sent");
    assert_eq!(bodies(&sqs.receive("messages", 1, NOW).await.expect("received")), ["x"]);
}

#[tokio::test]
async fn two_sends_with_one_deduplication_id_are_one_message() {
    let (aws, _) = in_memory();
    let sqs = aws.sqs();
    sqs.create_queue("notices.fifo", fifo()).await.expect("created");
    let (one, two) =
        tokio::join!(sqs.send("notices.fifo", of_group("a", "x")), sqs.send("notices.fifo", of_group("a", "x")));
    assert_eq!(one.expect("sent").message_id, two.expect("sent").message_id);
    assert_eq!(sqs.counts("notices.fifo").await.expect("counted").visible, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_receivers_share_the_messages_without_losing_or_doubling_one() {
    const MESSAGES: usize = 500;
    let (aws, _) = in_memory();
    let sqs = aws.sqs().clone();
    sqs.create_queue("messages", attributes(&[])).await.expect("created");
    let receivers: Vec<_> = (0..8)
        .map(|_| {
            let sqs = sqs.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let received = sqs.receive("messages", 7, Duration::from_secs(2)).await.expect("received");
                    if received.is_empty() {
                        return seen;
                    }
                    sqs.delete("messages", receipts(&received)).await.expect("deleted");
                    seen.extend(received.into_iter().map(|message| message.body));
                }
            })
        })
        .collect();
    let sends: Vec<_> = (0..MESSAGES)
        .map(|n| {
            let sqs = sqs.clone();
            tokio::spawn(async move { sqs.send("messages", of_group(&(n % 5).to_string(), &n.to_string())).await })
        })
        .collect();
    for send in sends {
        send.await.expect("no panic").expect("sent");
    }
    let mut seen = Vec::new();
    for receiver in receivers {
        seen.extend(receiver.await.expect("no panic"));
    }
    assert_eq!(seen.len(), MESSAGES);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), MESSAGES);
}
