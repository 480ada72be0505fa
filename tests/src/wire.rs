//! The wire between the functions and the embedded AWS services, and between them and the vendors: a proxy that passes
//! every call on, keeps a journal of them, and applies faults by rules.
//!
//! ```text
//! let wire = Wire::start().await;
//! let world = World::start_through(&wire).await; // or Process::start(data, &wire.environment())
//! wire.before(dynamodb("UpdateItem").on("alerts").nth(2), Fault::Refuse(Refusal::THROTTLED));
//! let point = wire.after(sqs("SendMessageBatch").holding("notice"), Fault::Hang);
//! point.reached().await; // it was passed on, and is never answered: the moment to kill a process
//! ```
//!
//! *Before*: the call is not passed on, except after a delay or a wait. *After*: it was passed on and has taken effect; the
//! fault applies to its answer. The first rule that matches a call decides. Every attempt of an SDK is a call. The
//! functions reach the wire, and the wire the embedded services, by sockets that only tests have
//! ([`socket`](crate::socket)). A socket's address stands in the path, so a process that is killed and started again uses
//! the same wire.
//!
//! Random decisions depend on a seed, the rule's place and the number of the call only. A failed test prints
//! `LARKSPUR_SEED=…`; with that in the environment the same calls of a rule fail again.

mod call;
mod entries;
mod exchange;
mod fault;
mod rule;
mod seed;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use local::Larkspur;
use local::options::{Options, Providers};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use call::{Call, Service};
pub use fault::{Fault, Refusal};
pub use rule::{Calls, Point, Strike, any_call, dynamodb, provider, secrets, sns, sqs};
pub use seed::Seed;

use rule::Rule;

/// Longer than a batch waits to fill up, and longer than the SDK waits between two attempts.
const QUIET: Duration = Duration::from_millis(2500);
const PATIENCE: Duration = Duration::from_secs(90);
/// Longer than the visibility timeout of every queue.
const COMES_AGAIN: Duration = Duration::from_secs(185);

/// The start of paths that lead to the vendors instead of to an embedded service.
const PROVIDERS: &str = "/providers";

pub struct Wire {
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

struct Inner {
    /// `http://127.0.0.1:…`
    url: String,
    seed: Seed,
    client: reqwest::Client,
    rules: Mutex<Vec<Arc<Rule>>>,
    journal: Mutex<Journal>,
    /// The address of the vendors.
    providers: Mutex<Option<String>>,
}

/// The recorded calls, and how many earlier calls were dropped, so that each call keeps its number.
#[derive(Default)]
struct Journal {
    forgotten: usize,
    calls: Vec<Call>,
    last_call: Option<Instant>,
}

impl Journal {
    /// The number of the call.
    fn add(&mut self, call: Call) -> usize {
        self.last_call = Some(call.at);
        self.calls.push(call);
        self.forgotten + self.calls.len() - 1
    }

    fn find(&mut self, number: usize) -> Option<&mut Call> {
        self.calls.get_mut(number.checked_sub(self.forgotten)?)
    }

    fn take(&mut self) -> Vec<Call> {
        self.forgotten += self.calls.len();
        std::mem::take(&mut self.calls)
    }
}

impl Wire {
    /// Starts with the seed of `LARKSPUR_SEED`, or a random one.
    pub async fn start() -> Self {
        Self::start_seeded(Seed::choose()).await
    }

    pub async fn start_seeded(seed: Seed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let inner = Arc::new(Inner {
            url,
            seed,
            client: crate::api::client(),
            rules: Mutex::default(),
            journal: Mutex::default(),
            providers: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(exchange::serve(Arc::clone(&serving), stream));
            }
        });
        Self { inner, server }
    }

    pub fn seed(&self) -> Seed {
        self.inner.seed
    }

    /// The value of `LARKSPUR_TEST_AWS_THROUGH`.
    pub fn aws(&self) -> &str {
        &self.inner.url
    }

    /// The value of `LARKSPUR_PROVIDER_BASE`; [`Wire::providers_are_at`] sets where these requests go.
    pub fn providers(&self) -> String {
        format!("{}{PROVIDERS}", self.inner.url)
    }

    /// Sets where requests to vendors are passed on to: `http://127.0.0.1:9911`, with or without a path.
    pub fn providers_are_at(&self, base: &str) {
        let base = base.trim_end_matches('/').to_owned();
        *self.inner.providers.lock().expect("not poisoned") = Some(base);
    }

    /// The same for the built-in groups of a deployment, by the address that it listens on.
    pub fn providers_are_the_fakes_of(&self, base_url: &str) {
        self.providers_are_at(&format!("{base_url}/fake"));
    }

    /// The options of a deployment in this process.
    pub fn options(&self) -> Options {
        Options {
            interposer: Some(crate::socket::through(self.aws().to_owned())),
            providers: Providers::Base(self.providers()),
            ..Options::default()
        }
    }

    /// The environment of a deployment in a separate process.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("LARKSPUR_TEST_AWS_THROUGH", self.aws().to_owned()), ("LARKSPUR_PROVIDER_BASE", self.providers())]
    }

    /// Applies the fault to these calls before they are passed on.
    pub fn before(&self, calls: Calls, fault: Fault) -> Strike {
        self.rule(calls, Point::Before, fault)
    }

    /// Applies the fault to these calls after they have taken effect, before the answer.
    pub fn after(&self, calls: Calls, fault: Fault) -> Strike {
        self.rule(calls, Point::After, fault)
    }

    fn rule(&self, calls: Calls, point: Point, fault: Fault) -> Strike {
        let mut rules = self.inner.rules.lock().expect("not poisoned");
        let rule = Arc::new(Rule::new(rules.len() as u64, calls, point, fault));
        rules.push(Arc::clone(&rule));
        Strike(rule)
    }

    /// Removes all faults; hanging calls end without an answer.
    pub fn remove_faults(&self) {
        for rule in self.inner.rules.lock().expect("not poisoned").iter() {
            rule.remove();
        }
    }

    /// All calls so far, in the order of their arrival, with any result.
    pub fn journal(&self) -> Vec<Call> {
        self.inner.journal.lock().expect("not poisoned").calls.clone()
    }

    /// The time since the last call.
    pub fn since_last_call(&self) -> Duration {
        self.inner.journal.lock().expect("not poisoned").last_call.map_or(Duration::MAX, |at| at.elapsed())
    }

    /// Waits until there have been no calls for longer than a batch waits to fill up. A message whose handling failed
    /// may still be invisible in its queue; [`Wire::redeliver`] waits for it.
    pub async fn wait_until_quiet(&self) {
        let start = Instant::now();
        while self.since_last_call().min(start.elapsed()) < QUIET {
            assert!(start.elapsed() < PATIENCE, "calls go on and on: {:?}", self.journal().last());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Advances the clock beyond the visibility timeouts, so that failed messages are received again, and waits until
    /// they are handled.
    pub async fn redeliver(&self, world: &crate::World) {
        world.larkspur.advance(COMES_AGAIN).await;
        self.wait_until_quiet().await;
    }

    /// Returns the journal and clears it, for tests with more calls than memory holds. Results of running calls are no
    /// longer recorded.
    pub fn take_journal(&self) -> Vec<Call> {
        self.inner.journal.lock().expect("not poisoned").take()
    }

    /// The recorded calls that match `calls`, without regard to its number and chance.
    pub fn calls(&self, calls: &Calls) -> Vec<Call> {
        let journal = self.inner.journal.lock().expect("not poisoned");
        journal.calls.iter().filter(|call| calls.are_like(call)).cloned().collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.server.abort();
        if std::thread::panicking() {
            eprintln!("LARKSPUR_SEED={} replays what went wrong on the wire", self.inner.seed);
        }
    }
}

impl crate::World {
    /// A world whose functions reach AWS and the vendors by `wire`.
    pub async fn start_through(wire: &Wire) -> Self {
        Self::start_through_with(wire, wire.options()).await
    }

    /// The same with other options; they are the wire's own, changed.
    pub async fn start_through_with(wire: &Wire, options: Options) -> Self {
        let larkspur = Larkspur::start(options).await.expect("Larkspur starts");
        wire.providers_are_the_fakes_of(&larkspur.base_url);
        Self::of(larkspur)
    }
}
