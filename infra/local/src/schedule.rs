//! The template's schedules, by the deployment's clock.
//!
//! As `EventBridge` does, a schedule calls its function once per period and does not make up for periods that nobody was
//! there to see: the next call takes what is due. The first call is made at the start, so that what became due while
//! nobody was there does not wait for a period more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alerting::moment::Moment;
use lambda_kit::clock::Clock;
use tokio::sync::{Mutex, watch};

use crate::stack::Schedule;

pub(crate) type Call = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;
pub(crate) type Handler = Arc<dyn Fn() -> Call + Send + Sync>;

/// One schedule and the function that it calls.
#[derive(Clone)]
pub(crate) struct Ticker {
    schedule: Schedule,
    timeout: Duration,
    handler: Handler,
    clock: Clock,
    /// When it is due next. Held during a call: a schedule never calls twice at once.
    next: Arc<Mutex<Moment>>,
}

impl Ticker {
    pub(crate) fn new(schedule: Schedule, timeout: Duration, handler: Handler, clock: Clock) -> Self {
        let next = Arc::new(Mutex::new(clock.now()));
        Self { schedule, timeout, handler, clock, next }
    }

    /// Calls whenever a period is over, until `stop` turns true.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let wait = self.next.lock().await.since(self.clock.now());
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(wait) => {}
            }
            self.call_if_due().await;
        }
    }

    /// For whoever moved the clock: calls if a period is over by now.
    pub(crate) async fn call_if_due(&self) {
        let mut next = self.next.lock().await;
        let now = self.clock.now();
        if now < *next {
            return;
        }
        *next = now + self.schedule.every;
        let task = tokio::spawn((self.handler)());
        let abort = task.abort_handle();
        let function = self.schedule.function.as_str();
        match tokio::time::timeout(self.timeout, task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => {
                tracing::error!(error = &*error as &dyn std::error::Error, function, "the scheduled call failed");
            }
            Ok(Err(_)) => tracing::error!(function, "the scheduled call panicked"),
            Err(_) => {
                abort.abort();
                tracing::error!(function, "the scheduled call timed out");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_schedule_is_due_at_the_start_and_once_however_far_the_clock_is_moved() {
        let clock = Clock::system();
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let handler: Handler = Arc::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { anyhow::bail!("a failing call does not end the schedule") })
        });
        let every = Duration::from_secs(60);
        let schedule = Schedule { function: "Timers".to_owned(), every, input: serde_json::Value::Null };
        let ticker = Ticker::new(schedule, Duration::from_secs(1), handler, clock.clone());
        for (advance, expected) in [(0, 1), (59, 1), (1, 2), (30, 2), (3600, 3)] {
            clock.advance(Duration::from_secs(advance));
            ticker.call_if_due().await;
            assert_eq!(calls.load(Ordering::SeqCst), expected);
        }
    }
}
