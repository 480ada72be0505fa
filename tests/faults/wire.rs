//! Tests the wire itself: exactly the calls that a test selects fail. All other tests depend on this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use scenarios::wire::{Calls, Fault, Refusal, Seed, Wire, provider};

/// A server behind the wire that answers with the number of its calls.
struct Far {
    wire: Wire,
    got: Arc<AtomicUsize>,
    client: reqwest::Client,
}

impl Far {
    async fn start(seed: u64) -> Self {
        let got = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&got);
        let count = move || async move { format!("this was call {}", counting.fetch_add(1, Ordering::SeqCst) + 1) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(count))).await });
        let wire = Wire::start_seeded(Seed(seed)).await;
        wire.providers_are_at(&format!("http://{address}"));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a client");
        Self { wire, got, client }
    }

    /// Status and text of an answer, or nothing.
    async fn call(&self) -> Option<(u16, String)> {
        let url = format!("{}/hook", self.wire.providers());
        let answer = self.client.post(url).body("a body").send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    fn got(&self) -> usize {
        self.got.load(Ordering::SeqCst)
    }
}

fn second() -> Calls {
    provider().on("/hook").holding("a body").nth(2)
}

fn nth(n: usize) -> Option<(u16, String)> {
    Some((200, format!("this was call {n}")))
}

#[tokio::test]
async fn without_a_rule_everything_is_passed_on_and_written_down() {
    let far = Far::start(1).await;
    assert_eq!((far.call().await, far.call().await), (nth(1), nth(2)));
    let journal = far.wire.journal();
    assert!(journal.iter().all(|call| call.passed_on && call.status == Some(200) && !call.struck), "{journal:?}");
    assert_eq!(far.wire.calls(&second()).len(), 2);
    assert_eq!(far.wire.calls(&provider().holding("another body")).len(), 0);
}

#[tokio::test]
async fn the_nth_call_is_lost_before_it_is_passed_on_or_after() {
    let far = Far::start(1).await;
    far.wire.before(second(), Fault::Drop);
    assert_eq!((far.call().await, far.call().await, far.call().await), (nth(1), None, nth(2)));
    let far = Far::start(1).await;
    far.wire.after(second(), Fault::Drop);
    assert_eq!((far.call().await, far.call().await, far.call().await), (nth(1), None, nth(3)));
}

#[tokio::test]
async fn an_answer_is_replaced_cut_or_late() {
    let far = Far::start(1).await;
    far.wire.before(second(), Fault::Refuse(Refusal::THROTTLED));
    far.call().await;
    let (status, text) = far.call().await.expect("an answer");
    assert_eq!((status, far.got()), (400, 1));
    assert!(text.contains("ThrottlingException"), "{text}");

    far.wire.after(provider(), Fault::Answer(502, "<html>".to_owned()));
    assert_eq!(far.call().await, Some((502, "<html>".to_owned())));
    assert_eq!(far.got(), 2, "it took effect all the same");
    far.wire.remove_faults();
    assert_eq!(far.call().await, nth(3));

    let far = Far::start(1).await;
    far.wire.before(second(), Fault::Cut);
    assert_eq!((far.call().await, far.call().await, far.got()), (nth(1), None, 2));

    let far = Far::start(1).await;
    far.wire.before(second(), Fault::Delay(Duration::from_millis(300)));
    far.call().await;
    let start = Instant::now();
    assert_eq!(far.call().await, nth(2));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_call_is_doubled_or_overtaken_by_the_next() {
    let far = Far::start(1).await;
    far.wire.before(second(), Fault::Duplicate);
    assert_eq!((far.call().await, far.call().await, far.got()), (nth(1), nth(3), 3));

    let far = Far::start(1).await;
    let waits = far.wire.before(provider().nth(1), Fault::Overtaken);
    let later = async {
        waits.reached().await;
        far.call().await
    };
    assert_eq!(tokio::join!(far.call(), later), (nth(2), nth(1)));
}

#[tokio::test]
async fn hanging_calls_continue_when_the_rule_is_removed() {
    let far = Far::start(1).await;
    let point = far.wire.after(provider().nth(1), Fault::Hang);
    let lifted = async {
        point.reached().await;
        assert_eq!(far.got(), 1, "it took effect");
        point.remove();
    };
    let (answer, ()) = tokio::join!(far.call(), lifted);
    assert_eq!((answer, far.call().await), (None, nth(2)));
    assert_eq!(point.count(), 1);
}

#[tokio::test]
async fn the_same_seed_lets_the_same_calls_go_wrong() {
    let fates = async |seed| {
        let far = Far::start(seed).await;
        far.wire.before(provider().chance(0.5), Fault::Drop);
        let mut fates = Vec::new();
        for _ in 0..32 {
            fates.push(far.call().await.is_some());
        }
        fates
    };
    let (one, again, other) = (fates(7).await, fates(7).await, fates(8).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert!(one.contains(&true) && one.contains(&false));
}
