//! The world that scenarios play in: Larkspur as `cargo run` starts it, in memory, with the built-in fake groups, and a
//! clock that is moved by hand.
//!
//! A scenario speaks as a person does: a space that is told in a group, a sender that says something, a group that is
//! expected to show it. What nobody expected fails the scenario in [`World::finish`], and so does work left in a queue.

pub mod api;
pub mod group;
pub mod process;
pub mod sender;
pub mod space;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use lambda_kit::queue::Queue;
use local::Larkspur;
use local::fakes::Vendor;
use local::options::Options;

use crate::api::Api;
use crate::group::Group;
use crate::sender::SenderPlan;
use crate::space::SpacePlan;

pub struct World {
    pub larkspur: Larkspur,
    pub api: Api,
    /// How many messages of each group the scenario has accounted for, by their place.
    seen: Mutex<HashMap<(Vendor, String), Vec<bool>>>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Self {
        let larkspur = Larkspur::start(options).await.expect("Larkspur starts");
        let api = Api::new(&larkspur.base_url, larkspur.api_key.expose());
        Self { larkspur, api, seen: Mutex::default() }
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

    /// Lets time pass, and everything that is due happen.
    pub async fn advance(&self, by: Duration) {
        self.settle().await;
        self.larkspur.advance(by).await;
        self.settle().await;
    }

    /// The queue that the intake sends to, by the SDK.
    pub fn messages_queue(&self) -> Queue {
        let ingest = self.larkspur.stack.function("IngestFunction").expect("deployed");
        let url = ingest.variable("MESSAGES_QUEUE_URL").expect("set");
        let sdk = lambda_kit::aws::local_config(&self.larkspur.aws_endpoint);
        Queue::new(aws_sdk_sqs::Client::new(&sdk), url)
    }

    /// Waits until no queue holds anything that could be worked on now.
    pub async fn settle(&self) {
        let drained = tokio::time::timeout(Duration::from_secs(60), self.larkspur.drained()).await;
        assert!(drained.is_ok(), "queues still hold work after a minute");
    }

    /// Ends the scenario: nothing unexpected in any group, nothing left in a queue, nothing dead.
    pub async fn finish(self) {
        self.settle().await;
        for (vendor, name, _) in self.larkspur.fakes.list() {
            let unexpected = self.group(vendor, &name).unexpected();
            assert!(unexpected.is_empty(), "nobody expected this in {name}: {unexpected:#?}");
        }
        let dead = self.larkspur.dead_letters().await;
        assert_eq!(dead, 0, "{dead} dead letters");
        self.larkspur.stop().await;
    }
}

pub const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub const fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}
