use std::sync::Mutex;

use super::*;
use crate::aws::Aws;
use crate::aws::sqs::message::Outgoing;
use crate::aws::sqs::queues::Counts;
use crate::aws_rules::AwsRules;

const QUEUE: &str = "work";

struct Setting {
    aws: Aws,
    clock: Clock,
    stop: watch::Sender<bool>,
    activity: Arc<Activity>,
}

impl Setting {
    async fn new() -> Self {
        let clock = Clock::system();
        let aws = Aws::open(None, clock.clone(), Vec::new()).expect("in memory");
        aws.sqs().create_queue(QUEUE, [("VisibilityTimeout".to_owned(), "60".to_owned())].into()).await.expect("made");
        Self { aws, clock, stop: watch::Sender::new(false), activity: Arc::default() }
    }

    fn source() -> EventSource {
        EventSource {
            function: "Work".to_owned(),
            queue: QUEUE.to_owned(),
            batch_size: 10,
            window: Duration::ZERO,
            maximum_concurrency: None,
            report_batch_item_failures: true,
        }
    }

    async fn send(&self, bodies: &[&str]) {
        for body in bodies {
            let message = Outgoing { body: (*body).to_owned(), ..Outgoing::default() };
            self.aws.sqs().send(QUEUE, message).await.expect("sent");
        }
    }

    fn poll(&self, source: EventSource, handler: Handler) {
        tokio::spawn(self.poller(source, handler).run(self.stop.subscribe()));
    }

    fn poller(&self, source: EventSource, handler: Handler) -> Poller {
        Poller {
            sqs: self.aws.sqs().clone(),
            source,
            timeout: Duration::from_millis(200),
            handler,
            clock: self.clock.clone(),
            activity: self.activity.clone(),
            batching: Batching::AsOnAws,
            limits: Arc::new(Limits::new(AwsRules::OFF)),
            may_loop: false,
        }
    }

    /// The messages left once nothing is visible and nothing runs.
    async fn left(&self) -> usize {
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let counts = self.aws.sqs().counts(QUEUE).await.expect("counted");
            let Some(before) = self.activity.resting().filter(|_| counts.visible == 0) else { continue };
            let again = self.aws.sqs().counts(QUEUE).await.expect("counted");
            if self.activity.resting() == Some(before) && before > 0 {
                return again.in_flight;
            }
        }
        panic!("the queue is never at rest");
    }
}

/// A function that reports the records with these bodies as failed, and one record that is not in the batch.
fn failing(bodies: &'static [&'static str], unknown: Option<&'static str>) -> Handler {
    Arc::new(move |event, _| {
        Box::pin(async move {
            let mut report = SqsBatchResponse::default();
            for record in event.records {
                if record.body.is_some_and(|body| bodies.contains(&body.as_str())) {
                    report.add_failure(record.message_id.unwrap_or_default());
                }
            }
            if let Some(unknown) = unknown {
                report.add_failure(unknown);
            }
            Ok(report)
        })
    })
}

async fn left_after(handler: Handler, source: EventSource) -> usize {
    let setting = Setting::new().await;
    setting.send(&["a", "b", "c"]).await;
    setting.poll(source, handler);
    setting.left().await
}

#[tokio::test]
async fn messages_reported_as_failed_stay_until_their_visibility_ends() {
    let setting = Setting::new().await;
    setting.send(&["a", "b", "c"]).await;
    setting.poll(Setting::source(), failing(&["b"], None));
    assert_eq!(setting.left().await, 1);
    let calls = setting.activity.resting();
    setting.clock.advance(Duration::from_secs(61));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_ne!(setting.activity.resting(), calls, "it comes again");
    assert_eq!(setting.left().await, 1);
}

#[tokio::test]
async fn a_function_without_item_reports_finishes_the_whole_batch() {
    let source = EventSource { report_batch_item_failures: false, ..Setting::source() };
    assert_eq!(left_after(failing(&["b"], None), source).await, 0);
}

#[tokio::test]
async fn an_empty_or_unknown_identifier_fails_the_whole_batch() {
    for unknown in ["", "no-such-id"] {
        assert_eq!(left_after(failing(&["b"], Some(unknown)), Setting::source()).await, 3, "{unknown:?}");
    }
}

#[tokio::test]
async fn an_error_a_panic_and_a_timeout_fail_the_whole_batch() {
    let error: Handler = Arc::new(|_, _| Box::pin(async { anyhow::bail!("no") }));
    let panics: Handler = Arc::new(|_, _| Box::pin(async { panic!("the function panics") }));
    let hangs: Handler = Arc::new(|_, _| Box::pin(std::future::pending()));
    for handler in [error, panics, hangs] {
        assert_eq!(left_after(handler, Setting::source()).await, 3);
    }
}

#[tokio::test]
async fn a_window_gathers_a_batch_and_a_full_batch_does_not_wait_for_it() {
    let setting = Setting::new().await;
    let sizes: Arc<Mutex<Vec<usize>>> = Arc::default();
    let seen = sizes.clone();
    let handler: Handler = Arc::new(move |event, _| {
        seen.lock().expect("unpoisoned").push(event.records.len());
        Box::pin(async { Ok(SqsBatchResponse::default()) })
    });
    let source = EventSource { batch_size: 20, window: Duration::from_millis(150), ..Setting::source() };
    setting.send(&["x"; 25]).await;
    setting.poll(source, handler);
    while setting.aws.sqs().counts(QUEUE).await.expect("counted") != Counts::default() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*sizes.lock().expect("unpoisoned"), [20, 5]);
}

/// Checks the sizes of the calls that a source with batches of 20 and a window of a minute makes for 25 waiting
/// messages, and for 30 more that come during the first two calls.
#[tokio::test]
async fn batching_at_once_takes_the_waiting_messages_without_a_window() {
    let setting = Setting::new().await;
    let sizes: Arc<Mutex<Vec<usize>>> = Arc::default();
    let (seen, ended) = (sizes.clone(), Arc::new(Semaphore::new(0)));
    let end = ended.clone();
    let handler: Handler = Arc::new(move |event, _| {
        seen.lock().expect("unpoisoned").push(event.records.len());
        let end = end.clone();
        Box::pin(async move {
            end.acquire().await?.forget();
            Ok(SqsBatchResponse::default())
        })
    });
    let window = Duration::from_secs(60);
    let source = EventSource { batch_size: 20, window, maximum_concurrency: Some(2), ..Setting::source() };
    setting.send(&["x"; 25]).await;
    let poller = setting.poller(source, handler);
    let poller = Poller { batching: Batching::AtOnce, timeout: Duration::from_secs(30), ..poller };
    tokio::spawn(poller.run(setting.stop.subscribe()));
    while sizes.lock().expect("unpoisoned").len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    setting.send(&["x"; 30]).await;
    ended.add_permits(100);
    while setting.aws.sqs().counts(QUEUE).await.expect("counted") != Counts::default() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(*sizes.lock().expect("unpoisoned"), [20, 5, 20, 10]);
}

#[tokio::test]
async fn stopping_waits_for_the_running_call_and_takes_nothing_more() {
    let setting = Setting::new().await;
    let handler: Handler = Arc::new(|_, _| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(SqsBatchResponse::default())
        })
    });
    let poller = Poller {
        sqs: setting.aws.sqs().clone(),
        source: Setting::source(),
        timeout: Duration::from_secs(5),
        handler,
        clock: setting.clock.clone(),
        activity: setting.activity.clone(),
        batching: Batching::AsOnAws,
        limits: Arc::new(Limits::new(AwsRules::OFF)),
        may_loop: false,
    };
    setting.send(&["a"]).await;
    let running = tokio::spawn(poller.run(setting.stop.subscribe()));
    while setting.activity.resting().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    setting.stop.send_replace(true);
    running.await.expect("ended");
    let counts = setting.aws.sqs().counts(QUEUE).await.expect("counted");
    assert_eq!((counts.visible, counts.in_flight), (0, 0));
}

#[tokio::test]
async fn messages_in_flight_at_a_kill_are_received_again_and_deferred_ones_stay_deferred() {
    let setting = Setting::new().await;
    setting.send(&["in hand", "deferred"]).await;
    let received = setting.aws.sqs().receive(QUEUE, 10, Duration::ZERO).await.expect("received");
    let waiting = received.iter().find(|message| message.body == "deferred").expect("both came");
    let wait = vec![(waiting.receipt.clone(), Duration::from_secs(30))];
    setting.aws.sqs().change_visibility(QUEUE, wait).await.expect("changed");
    release_unfinished(setting.aws.sqs(), &[Setting::source()]).await.expect("given back");
    let again = setting.aws.sqs().receive(QUEUE, 10, Duration::ZERO).await.expect("received");
    assert_eq!(again.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["in hand"]);
}

#[tokio::test]
async fn a_record_carries_what_lambda_puts_into_it() {
    let setting = Setting::new().await;
    let message = Outgoing { body: "hello".to_owned(), group: Some("int_1".to_owned()), ..Outgoing::default() };
    setting.aws.sqs().send(QUEUE, message).await.expect("sent");
    let received = setting.aws.sqs().receive(QUEUE, 10, Duration::ZERO).await.expect("received");
    let record = event(&received, QUEUE).records.remove(0);
    assert_eq!(record.body.as_deref(), Some("hello"));
    assert_eq!(record.event_source_arn, Some(names::queue_arn(QUEUE)));
    assert_eq!(record.attributes["ApproximateReceiveCount"], "1");
    assert_eq!(record.attributes["MessageGroupId"], "int_1");
    assert!(record.message_id.is_some() && record.receipt_handle.is_some());
}
