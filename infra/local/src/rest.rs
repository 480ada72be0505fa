//! Whether any work is left: tests wait until there is none before they check results.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::aws::names;
use crate::aws::sqs::Sqs;
use crate::aws::sqs::queues::Counts;
use crate::event_sources::Activity;
use crate::stack::Stack;

/// How often it is checked again while work is left.
const LOOK: Duration = Duration::from_millis(10);

pub(crate) struct Rest {
    sqs: Sqs,
    activity: Arc<Activity>,
    working: Vec<String>,
    dead: Vec<String>,
}

impl Rest {
    pub(crate) fn new(sqs: Sqs, activity: Arc<Activity>, stack: &Stack) -> Self {
        let redrive = stack.queues.iter().filter_map(|queue| queue.attributes.get("RedrivePolicy"));
        let policies = redrive.filter_map(|policy| serde_json::from_str::<Value>(policy).ok());
        let dead: BTreeSet<String> = policies
            .filter_map(|policy| policy["deadLetterTargetArn"].as_str().map(|arn| names::name_of_arn(arn).to_owned()))
            .collect();
        let working = stack.queues.iter().map(|queue| queue.name.clone()).filter(|name| !dead.contains(name)).collect();
        Self { sqs, activity, working, dead: dead.into_iter().collect() }
    }

    pub(crate) async fn drained(&self) {
        self.wait_for(|counts| counts.visible + counts.in_flight + counts.delayed == 0).await;
    }

    pub(crate) async fn settled(&self) {
        self.wait_for(|counts| counts.visible + counts.in_flight == 0).await;
    }

    pub(crate) async fn dead_letters(&self) -> usize {
        let mut all = 0;
        for queue in &self.dead {
            all += self.counts(queue).await.visible;
        }
        all
    }

    async fn wait_for(&self, done: impl Fn(&Counts) -> bool) {
        while !self.holds(&done).await {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Queues are counted one after the other. A function may move a message past the counting, but then the function
    /// ran.
    async fn holds(&self, done: impl Fn(&Counts) -> bool) -> bool {
        let Some(before) = self.activity.resting() else { return false };
        for queue in &self.working {
            if !done(&self.counts(queue).await) {
                return false;
            }
        }
        self.activity.resting() == Some(before)
    }

    async fn counts(&self, queue: &str) -> Counts {
        self.sqs.counts(queue).await.expect("the stack's queues are there as long as it runs")
    }
}
