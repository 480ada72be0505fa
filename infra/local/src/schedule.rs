//! The template's schedules, by the deployment's clock.
//!
//! As `EventBridge` does, a schedule calls its function once per period and does not repeat the calls of periods in which
//! the process did not run: the next call does all work that is due. The first call is made at the start, so that work that
//! became due while the process did not run waits no longer.
//!
//! The call is asynchronous. A failed call is repeated as often as the function's `EventInvokeConfig` says, after one
//! minute and then after two (AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous
//! invocation", read 2026-11).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alerting::base::moment::Moment;
use lambda_kit::clock::Clock;
use tokio::sync::{Mutex, watch};

use crate::aws_rules::{self, Limits};
use crate::stack::{Function, Schedule};

/// How long Lambda waits before the first retry of a failed call; the second wait is twice as long.
const RETRY_AFTER: Duration = Duration::from_secs(60);

pub(crate) type Call = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;
pub(crate) type Handler = Arc<dyn Fn() -> Call + Send + Sync>;

/// One schedule and the function that it calls.
#[derive(Clone)]
pub(crate) struct Ticker {
    schedule: Schedule,
    timeout: Duration,
    /// How often a failed call is repeated.
    retries: u8,
    handler: Handler,
    clock: Clock,
    limits: Arc<Limits>,
    /// Held during a call: a schedule never calls twice at once.
    due: Arc<Mutex<Due>>,
}

/// When the function is called.
struct Due {
    /// The schedule's next call.
    next: Moment,
    /// Failed calls: when each is repeated, and how often it was made.
    again: Vec<(Moment, u8)>,
}

impl Due {
    fn first(&self) -> Moment {
        self.again.iter().map(|(at, _)| *at).chain([self.next]).min().unwrap_or(self.next)
    }
}

impl Ticker {
    pub(crate) fn new(
        schedule: Schedule,
        function: &Function,
        handler: Handler,
        clock: Clock,
        limits: Arc<Limits>,
    ) -> Self {
        let due = Arc::new(Mutex::new(Due { next: clock.now(), again: Vec::new() }));
        Self { schedule, timeout: function.timeout, retries: function.retries, handler, clock, limits, due }
    }

    /// Calls the function whenever a period is over, until `stop` turns true.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let wait = self.due.lock().await.first().since(self.clock.now());
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(wait) => {}
            }
            self.call_if_due().await;
        }
    }

    /// Called after the clock was moved: calls the function if a period is over.
    pub(crate) async fn call_if_due(&self) {
        let mut due = self.due.lock().await;
        let now = self.clock.now();
        let (again, later): (Vec<_>, Vec<_>) = due.again.iter().copied().partition(|(at, _)| *at <= now);
        let mut calls: Vec<u8> = again.into_iter().map(|(_, made)| made).collect();
        due.again = later;
        if now >= due.next {
            due.next = now + self.schedule.every;
            calls.push(0);
        }
        for made in calls {
            if !self.call().await && made < self.retries {
                due.again.push((now + RETRY_AFTER * u32::from(made + 1), made + 1));
            }
        }
    }

    /// Whether the call succeeded.
    async fn call(&self) -> bool {
        let _execution = self.limits.execution().await;
        let lineage = self.limits.lineage(&self.schedule.function, []);
        let task = tokio::spawn(aws_rules::traced(lineage, (self.handler)()));
        let abort = task.abort_handle();
        let function = self.schedule.function.as_str();
        match tokio::time::timeout(self.timeout, task).await {
            Ok(Ok(Ok(()))) => return true,
            Ok(Ok(Err(error))) => {
                tracing::error!(error = &*error as &dyn std::error::Error, function, "the scheduled call failed");
            }
            Ok(Err(_)) => tracing::error!(function, "the scheduled call panicked"),
            Err(_) => {
                abort.abort();
                tracing::error!(function, "the scheduled call timed out");
            }
        }
        false
    }
}

/// The clock and the schedules that follow it.
#[derive(Clone)]
pub(crate) struct Time {
    pub(crate) clock: Clock,
    pub(crate) tickers: Vec<Ticker>,
}

impl Time {
    pub(crate) async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        for ticker in &self.tickers {
            ticker.call_if_due().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::aws_rules::AwsRules;

    /// Calls a function that always fails, each time the clock has been moved by so many seconds, and counts its calls.
    async fn calls(retries: u8, steps: &[u64]) -> Vec<usize> {
        let clock = Clock::system();
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let handler: Handler = Arc::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { anyhow::bail!("a failing call does not end the schedule") })
        });
        let every = Duration::from_secs(3600);
        let schedule = Schedule { function: "Timers".to_owned(), every, input: serde_json::Value::Null };
        let timeout = Duration::from_secs(1);
        let function = Function { timeout, may_loop: false, retries, environment: BTreeMap::new() };
        let limits = Arc::new(Limits::new(AwsRules::OFF));
        let ticker = Ticker::new(schedule, &function, handler, clock.clone(), limits);
        let mut counts = Vec::new();
        for step in steps {
            clock.advance(Duration::from_secs(*step));
            ticker.call_if_due().await;
            counts.push(calls.swap(0, Ordering::SeqCst));
        }
        counts
    }

    #[tokio::test]
    async fn a_schedule_is_due_at_the_start_and_once_however_far_the_clock_is_moved() {
        assert_eq!(calls(0, &[0, 3599, 1, 30, 36_000]).await, [1, 0, 1, 0, 1]);
    }

    // Proves: finding A8
    #[tokio::test]
    async fn a_call_that_failed_is_made_twice_more_after_one_and_two_minutes() {
        assert_eq!(calls(2, &[0, 59, 1, 119, 1, 600]).await, [1, 0, 1, 0, 1, 0]);
    }
}
