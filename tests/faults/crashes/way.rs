//! Kills the process at every call that a message causes, one call after the other.

use std::collections::BTreeSet;

use scenarios::wire::{Calls, Fault, any_call, dynamodb, provider, sns, sqs};

use super::run::{Run, text};

/// The call that releases the lease of a delivery and marks it as sent.
const MARK: &str = "REMOVE #owner, #lease";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Before,
    After,
}

// Proves: fault 44, fault 49
#[tokio::test]
async fn killed_before_any_call_a_message_takes_effect_once_and_its_group_is_notified_once() {
    walk(Point::Before).await;
}

// Proves: fault 43, fault 45, fault 46, fault 50, fault 51
#[tokio::test]
async fn killed_after_any_call_a_message_takes_effect_once_and_its_group_gets_one_copy_at_most() {
    walk(Point::After).await;
}

async fn walk(point: Point) {
    let mut run = Run::keyed().await;
    run.kill_and_start().await;
    let before = run.wire.journal().len();
    run.says("undisturbed key=k0").await;
    run.shows("k0").await;
    run.wait_until_quiet().await;
    let way = run.wire.journal().len() - before;
    assert!((12..40).contains(&way), "{way} calls: {:#?}", run.wire.journal());

    let (mut killed_at, mut sent, mut repeated) = (BTreeSet::new(), way, 0);
    run.kill_and_start().await;
    for number in 1..=way {
        let (killed, again) = kill(&mut run, point, any_call().nth(number as u64), number).await;
        killed_at.extend(killed);
        repeated += usize::from(again);
    }
    // Concurrent calls have no fixed order, so the kills by number may have missed a kind of call.
    for (name, calls) in kinds() {
        if !killed_at.contains(name) {
            sent += 1;
            let (killed, again) = kill(&mut run, point, calls.first(1), sent).await;
            assert_eq!(killed.as_deref(), Some(name), "of {killed_at:?}");
            repeated += usize::from(again);
        }
    }
    check(&run, sent, repeated).await;
}

/// The kinds of calls that every message causes.
fn kinds() -> [(&'static str, Calls); 7] {
    [
        ("Sqs SendMessage", sqs("SendMessage").on("MessagesQueue")),
        ("DynamoDb GetItem", dynamodb("GetItem")),
        ("DynamoDb PutItem", dynamodb("PutItem")),
        ("Sqs SendMessageBatch", sqs("SendMessageBatch")),
        ("Sns PublishBatch", sns("PublishBatch")),
        ("DynamoDb UpdateItem", dynamodb("UpdateItem")),
        ("Provider POST", provider()),
    ]
}

/// Kills the process at one of these calls while it processes a message, and checks what the group shows of that
/// message. Returns the call, if it was made, and whether the sender had to retry.
async fn kill(run: &mut Run, point: Point, calls: Calls, number: usize) -> (Option<String>, bool) {
    let rule = match point {
        Point::Before => run.wire.before(calls, Fault::Hang),
        Point::After => run.wire.after(calls, Fault::Hang),
    };
    let text_sent = format!("problem {number} key=k{number}end");
    let start = run.wire.journal().len();
    let sending = tokio::spawn(run.send(&text_sent));
    let quiet = run.wait_until_quiet();
    let reached = tokio::select! {
        () = rule.reached() => true,
        () = quiet => false,
    };
    run.kill_and_start().await;
    let journal = run.wire.journal().split_off(start);
    let call = journal.iter().find(|call| call.struck).filter(|_| reached);
    let took = |calls: Calls| journal.iter().filter(|call| call.passed_on && calls.are_like(call)).count();
    let unmarked = took(provider()) > took(dynamodb("UpdateItem").holding(MARK));
    // A sender repeats a message that was not accepted.
    let again = !sending.await.expect("no panic");
    if again {
        run.says(&text_sent).await;
    }
    run.later().await;
    run.shows(&format!("k{number}end")).await;
    run.wait_until_quiet().await;
    let copies = run.shown(&format!("k{number}end"));
    assert!(copies == 1 || (unmarked && copies == 2), "{copies} times after {call:?}");
    (call.map(|call| format!("{:?} {}", call.service, call.action)), again)
}

/// Checks that each message took effect once, despite all faults.
async fn check(run: &Run, sent: usize, repeated: usize) {
    let log = run.log(1 + sent).await;
    let alerts = run.api().list("/alerts").await;
    assert_eq!(alerts.len(), 1 + sent, "one alert for each key");
    let counted: u64 = alerts.iter().map(|alert| alert["count"].as_u64().expect("a count")).sum();
    // A retry is another message, unless the original never reached the queue. The original is superseded if the kill
    // delayed it until its retry had been applied.
    let overtaken = log.iter().filter(|message| text(message, "outcome") == "superseded").count();
    assert!(overtaken <= repeated, "{overtaken} overtaken, {repeated} repeated");
    assert_eq!(counted, (log.len() - overtaken) as u64, "each message counts once");
    assert!((1 + sent..=1 + sent + repeated).contains(&log.len()), "{} of {sent} and {repeated}", log.len());
    assert_eq!(run.api().list("/incidents").await.len(), 1 + sent);
    for alert in &alerts {
        assert_eq!(text(alert, "status"), "open");
    }
    let deliveries = run.deliveries().await;
    assert_eq!(deliveries.len(), 1 + sent);
    // A notice that a killed process left behind may be a line of the next message.
    assert!(deliveries.iter().all(|state| state == "delivered" || state == "folded"), "{deliveries:?}");
    run.balances(log.len() as u64).await;
}
