//! Which calls are faulty, and how.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::call::{Call, Service};
use super::fault::Fault;
use super::seed::Seed;

/// How long a test waits for a call that it expects.
const PATIENCE: Duration = Duration::from_secs(90);

/// A selection of calls.
#[derive(Debug, Clone)]
pub struct Calls {
    service: Option<Service>,
    action: Option<&'static str>,
    on: Option<String>,
    holding: Vec<String>,
    which: Which,
}

#[derive(Debug, Clone, Copy)]
enum Which {
    All,
    /// Calls by number, from the first number up to but not including the second. The first call has number 1.
    Numbers(u64, u64),
    Chance(f64),
}

/// Every call to any service.
pub fn any_call() -> Calls {
    Calls { service: None, action: None, on: None, holding: Vec::new(), which: Which::All }
}

/// Calls of DynamoDB with this action (`UpdateItem`); an empty one means any.
pub fn dynamodb(action: &'static str) -> Calls {
    Calls::of(Service::DynamoDb, action)
}

pub fn sqs(action: &'static str) -> Calls {
    Calls::of(Service::Sqs, action)
}

pub fn sns(action: &'static str) -> Calls {
    Calls::of(Service::Sns, action)
}

pub fn secrets() -> Calls {
    Calls::of(Service::SecretsManager, "")
}

/// Requests to vendors.
pub fn provider() -> Calls {
    Calls::of(Service::Provider, "")
}

impl Calls {
    fn of(service: Service, action: &'static str) -> Self {
        let action = (!action.is_empty()).then_some(action);
        Self { service: Some(service), action, on: None, holding: Vec::new(), which: Which::All }
    }

    /// Selects calls whose table, queue, topic or path has this text in its name.
    pub fn on(mut self, resource: &str) -> Self {
        self.on = Some(resource.to_owned());
        self
    }

    /// Selects calls whose body contains this text as it is sent. With several texts, all of them are required.
    pub fn holding(mut self, text: &str) -> Self {
        self.holding.push(text.to_owned());
        self
    }

    /// Only the nth, from 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.which = Which::Numbers(n, n + 1);
        self
    }

    /// From the nth on, from 1.
    pub fn from_nth(mut self, n: u64) -> Self {
        self.which = Which::Numbers(n, u64::MAX);
        self
    }

    /// Only the first so many.
    pub fn first(mut self, count: u64) -> Self {
        self.which = Which::Numbers(1, count + 1);
        self
    }

    /// Selects each call with this probability, from 0 to 1.
    pub fn chance(mut self, chance: f64) -> Self {
        self.which = Which::Chance(chance);
        self
    }

    /// Whether the call matches, without regard to number and probability.
    pub fn are_like(&self, call: &Call) -> bool {
        self.service.is_none_or(|service| service == call.service)
            && self.action.is_none_or(|action| action == call.action)
            && self.on.as_deref().is_none_or(|on| call.resource.contains(on))
            && self.holding.iter().all(|text| call.body.contains(text.as_str()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Before,
    After,
}

/// One rule of a wire.
#[derive(Debug)]
pub(super) struct Rule {
    place: u64,
    calls: Calls,
    pub(super) point: Point,
    pub(super) fault: Fault,
    /// The number of matching calls.
    looked_at: AtomicU64,
    struck: watch::Sender<u64>,
    /// The number of matching calls that were answered.
    answered: watch::Sender<u64>,
    lifted: watch::Sender<bool>,
}

impl Rule {
    pub(super) fn new(place: u64, calls: Calls, point: Point, fault: Fault) -> Self {
        Self {
            place,
            calls,
            point,
            fault,
            looked_at: AtomicU64::new(0),
            struck: watch::Sender::new(0),
            answered: watch::Sender::new(0),
            lifted: watch::Sender::new(false),
        }
    }

    pub(super) fn looks_at(&self, call: &Call) -> bool {
        !*self.lifted.borrow() && self.calls.are_like(call)
    }

    /// Whether the rule applies to a matching call. Each matching call is counted.
    pub(super) fn strikes(&self, seed: Seed) -> bool {
        let number = self.looked_at.fetch_add(1, Ordering::Relaxed) + 1;
        match self.calls.which {
            Which::All => true,
            Which::Numbers(from, to) => (from..to).contains(&number),
            Which::Chance(chance) => seed.happens(chance, &[self.place, number]),
        }
    }

    /// Marks that a call has reached the point of the fault.
    pub(super) fn strike(&self) {
        self.struck.send_modify(|count| *count += 1);
    }

    pub(super) fn was_answered(&self) {
        self.answered.send_modify(|count| *count += 1);
    }

    /// Waits until one more of its calls was answered.
    pub(super) async fn overtaken(&self) {
        let mut answered = self.answered.subscribe();
        let before = *answered.borrow();
        // Cannot fail: the sender lives as long as `self`.
        let _ = answered.wait_for(|now| *now > before).await;
    }

    pub(super) fn remove(&self) {
        self.lifted.send_replace(true);
    }

    pub(super) async fn lifted(&self) {
        // Cannot fail, as above.
        let _ = self.lifted.subscribe().wait_for(|lifted| *lifted).await;
    }
}

/// The view that a test has of its rule.
#[derive(Debug, Clone)]
pub struct Strike(pub(super) Arc<Rule>);

impl Strike {
    /// Waits until a call has reached the point of the fault: before it is passed on, or after it took effect.
    pub async fn reached(&self) {
        self.reached_times(1).await;
    }

    pub async fn reached_times(&self, times: u64) {
        let mut struck = self.0.struck.subscribe();
        let reached = tokio::time::timeout(PATIENCE, struck.wait_for(|count| *count >= times)).await;
        assert!(reached.is_ok(), "not {times} calls like {:?} within {PATIENCE:?}", self.0.calls);
    }

    /// The number of calls that the rule was applied to.
    pub fn count(&self) -> u64 {
        *self.0.struck.borrow()
    }

    /// Removes the rule; calls that hang by it end without an answer.
    pub fn remove(&self) {
        self.0.remove();
    }
}
