//! Every call that a message causes, one after the other, is where the process is killed.

use std::collections::BTreeSet;

use scenarios::wire::{Calls, Fault, anything, dynamodb, provider};

use super::run::{Run, text};

/// What gives the lease of a delivery back, and says that it was told.
const MARK: &str = "REMOVE #owner, #lease";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Before,
    After,
}

#[tokio::test]
async fn killed_before_any_call_of_its_way_a_message_takes_effect_once_and_its_group_hears_of_it_once() {
    walk(Point::Before).await;
}

#[tokio::test]
async fn killed_after_any_call_of_its_way_the_same_but_for_one_copy_of_what_the_vendor_took() {
    walk(Point::After).await;
}

async fn walk(point: Point) {
    let mut run = Run::keyed().await;
    run.kill_and_start().await;
    let before = run.wire.journal().len();
    run.says("undisturbed key=k0").await;
    run.hears("k0").await;
    run.quiet().await;
    let way = run.wire.journal().len() - before;
    assert!((12..40).contains(&way), "{way} calls: {:#?}", run.wire.journal());

    let (mut killed_at, mut missed, mut repeated) = (BTreeSet::new(), 0, 0);
    run.kill_and_start().await;
    for number in 1..=way as u64 {
        let calls = anything().nth(number);
        let rule = match point {
            Point::Before => run.wire.before(calls, Fault::Hang),
            Point::After => run.wire.after(calls, Fault::Hang),
        };
        let said = format!("problem {number} key=k{number}end");
        let start = run.wire.journal().len();
        let sending = tokio::spawn(run.send(&said));
        let quiet = run.quiet();
        let reached = tokio::select! {
            () = rule.reached() => true,
            () = quiet => false,
        };
        run.kill_and_start().await;
        let journal = run.wire.journal().split_off(start);
        let call = journal.iter().find(|call| call.struck);
        let took = |calls: Calls| journal.iter().filter(|call| call.passed_on && calls.are_like(call)).count();
        let unmarked = took(provider()) > took(dynamodb("UpdateItem").holding(MARK));
        // Whoever was not told that it was taken sends it again.
        if !sending.await.expect("no panic") {
            run.says(&said).await;
            repeated += 1;
        }
        run.later().await;
        run.hears(&format!("k{number}end")).await;
        run.quiet().await;
        let copies = run.shown(&format!("k{number}end"));
        let Some(call) = call.filter(|_| reached) else {
            missed += 1;
            continue;
        };
        assert!(copies == 1 || (unmarked && copies == 2), "{copies} times after {call:?}");
        killed_at.insert(format!("{:?} {}", call.service, call.action));
    }
    let expected = [
        "Sqs SendMessage",
        "DynamoDb GetItem",
        "DynamoDb PutItem",
        "Sqs SendMessageBatch",
        "Sns PublishBatch",
        "DynamoDb UpdateItem",
        "Provider POST",
    ];
    assert!(expected.iter().all(|call| killed_at.contains(*call)), "only at {killed_at:?}, {missed} missed");
    check(&run, way, repeated).await;
}

/// Each message once, whatever happened on its way.
async fn check(run: &Run, way: usize, repeated: usize) {
    let log = run.log(1 + way).await;
    let alerts = run.api().list("/alerts").await;
    assert_eq!(alerts.len(), 1 + way, "one alert for each key");
    let counted: u64 = alerts.iter().map(|alert| alert["count"].as_u64().expect("a count")).sum();
    assert_eq!(counted, log.len() as u64, "each message counts once");
    // A repetition is a message of its own; one that never reached the queue is none.
    assert!((1 + way..=1 + way + repeated).contains(&log.len()), "{} of {way} and {repeated}", log.len());
    assert_eq!(run.api().list("/incidents").await.len(), 1 + way);
    for alert in &alerts {
        assert_eq!(text(alert, "status"), "open");
    }
    let deliveries = run.deliveries().await;
    assert!(deliveries.len() == 1 + way && deliveries.iter().all(|state| state == "delivered"), "{deliveries:?}");
    run.balances(log.len() as u64).await;
}
