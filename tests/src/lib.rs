//! The world of the scenarios: Larkspur as `cargo run` starts it, in memory, with the built-in fake groups, and a clock that
//! the test moves.
//!
//! A scenario uses the words of a person: a space that notifies a group, a sender that sends a text, a group that is
//! expected to show it. [`World::finish`] fails the scenario if a message was not expected or work is left in a queue.

pub mod api;
pub mod echo;
pub mod escalation;
pub mod group;
pub mod incident;
pub mod mail;
pub mod oidc;
pub mod people;
pub mod process;
pub mod raw;
pub mod sender;
pub mod slack_app;
pub mod socket;
pub mod space;
pub mod visitor;
pub mod wire;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::rules::message::Received;
use lambda_kit::clock::Clock;
use lambda_kit::queue::{Entry, Queue};
use local::Larkspur;
use local::options::{Batching, Options};
use serde_json::Value;
use store::{Store, Tables};
use vendors::vendor::Vendor;

use crate::api::Api;
use crate::group::Group;
use crate::sender::SenderPlan;
use crate::space::SpacePlan;

pub struct World {
    pub larkspur: Larkspur,
    pub api: Api,
    /// For each message of each group, whether the scenario has accounted for it.
    seen: Mutex<HashMap<(Vendor, String), Vec<bool>>>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// A world with the batch sizes of AWS, whose windows last ten times as long: for scenarios that send thousands of
    /// messages.
    pub async fn start_with_full_batches() -> Self {
        Self::start_with(Options { batching: Batching::AsOnAws, ..Options::default() }).await
    }

    pub async fn start_with(options: Options) -> Self {
        Self::of(Larkspur::start(options).await.expect("Larkspur starts"))
    }

    fn of(larkspur: Larkspur) -> Self {
        let api = Api::new(&larkspur.base_url, larkspur.api_key.expose());
        Self { larkspur, api, seen: Mutex::default() }
    }

    /// A world that starts at this time, in RFC 3339. It must be in the future, because a clock cannot be set back.
    pub async fn start_at(moment: &str) -> Self {
        let clock = Clock::system();
        clock.advance(until(&clock, moment));
        Self::start_with(Options { clock, ..Options::default() }).await
    }

    /// A space to be made.
    pub fn space(&self, name: &str) -> SpacePlan<'_> {
        SpacePlan::new(self, name)
    }

    /// An integration to be made, for a sender that believes it talks to a Feishu bot.
    pub fn feishu_alert(&self) -> SenderPlan<'_> {
        SenderPlan::new(self)
    }

    pub fn feishu(&self, group: &str) -> Group<'_> {
        self.group(Vendor::Feishu, group)
    }

    pub fn group(&self, vendor: Vendor, name: &str) -> Group<'_> {
        Group { world: self, vendor, name: name.to_owned() }
    }

    /// Advances the clock, and waits until all work that is due is done.
    pub async fn advance(&self, by: Duration) {
        self.rest().await;
        self.larkspur.advance(by).await;
        self.rest().await;
    }

    /// Advances the clock to this time, in RFC 3339.
    pub async fn advance_to(&self, moment: &str) {
        self.advance(until(&self.larkspur.clock, moment)).await;
    }

    /// Makes the functions notice a change of the configuration.
    pub async fn forget(&self) {
        self.advance(store::cache::TTL + Duration::from_secs(1)).await;
    }

    /// The tables, as another process sees them.
    pub fn store(&self) -> Store {
        let evaluate = self.larkspur.stack.function("EvaluateFunction").expect("deployed");
        let table = |name: &str| evaluate.variable(name).expect("set").to_owned();
        let tables = Tables { config: table("CONFIG_TABLE"), alerts: table("ALERTS_TABLE") };
        Store::new(aws_sdk_dynamodb::Client::new(&self.larkspur.aws().sdk_config()), tables)
    }

    /// The queue hands these messages to evaluate, in this order, as often as they are named.
    pub async fn deliver(&self, messages: impl IntoIterator<Item = &Received>) {
        let entry = |message: &Received| Entry {
            body: serde_json::to_string(message).expect("JSON"),
            group: Some(message.integration.to_string()),
            ..Entry::default()
        };
        let entries = messages.into_iter().map(entry).collect();
        self.messages_queue().send_batch(entries).await.expect("sent");
    }

    /// The queue that the intake sends to, by the SDK.
    pub fn messages_queue(&self) -> Queue {
        let ingest = self.larkspur.stack.function("IngestFunction").expect("deployed");
        let url = ingest.variable("MESSAGES_QUEUE_URL").expect("set");
        Queue::new(aws_sdk_sqs::Client::new(&self.larkspur.aws().sdk_config()), url)
    }

    /// The dead letters, as the API lists them.
    pub async fn dead_letters(&self) -> Vec<Value> {
        self.api.list("/dead-letters").await
    }

    /// Waits until no more work can be done at the present time. Delayed messages stay in their queues.
    pub async fn rest(&self) {
        let settled = tokio::time::timeout(Duration::from_secs(60), self.larkspur.settled()).await;
        assert!(settled.is_ok(), "something is still going on after a minute");
        self.made_every_call();
    }

    /// Checks that AWS would have made every call that the local event sources made.
    fn made_every_call(&self) {
        assert_eq!(self.larkspur.refused_calls(), [""; 0], "AWS does not make these calls");
    }

    /// Waits until all queues are empty, including delayed messages.
    pub async fn settle(&self) {
        self.settle_within(Duration::from_secs(60)).await;
    }

    /// Waits like [`World::settle`], for scenarios with much work.
    pub async fn settle_within(&self, patience: Duration) {
        let drained = tokio::time::timeout(patience, self.larkspur.drained()).await;
        assert!(drained.is_ok(), "queues still hold work after {patience:?}");
    }

    /// Ends the scenario: nothing unexpected in any group, nothing left in a queue, nothing dead.
    pub async fn finish(self) {
        self.settle().await;
        self.finish_with_timers().await;
    }

    /// Ends the scenario while timers still wait for their time: nothing unexpected in any group, nothing dead.
    pub async fn finish_with_timers(self) {
        self.finish_with_dead_letters(0).await;
    }

    /// Ends a scenario with this number of notices that could not be delivered.
    pub async fn finish_with_dead_letters(self, letters: usize) {
        self.rest().await;
        for (vendor, name, _) in self.larkspur.fakes.list() {
            let unexpected = self.group(vendor, &name).unexpected();
            assert!(unexpected.is_empty(), "nobody expected this in {name}: {unexpected:#?}");
        }
        let dead = self.dead_letters().await;
        assert_eq!(dead.len(), letters, "dead letters: {dead:#?}");
        self.made_every_call();
        self.larkspur.stop().await;
    }
}

fn until(clock: &Clock, moment: &str) -> Duration {
    let moment = Moment::parse_rfc3339(moment).expect("a moment in RFC 3339");
    let now = clock.now();
    assert!(now < moment, "it is {now} already; choose a later moment than {moment}");
    moment.since(now)
}

pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub const fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}
