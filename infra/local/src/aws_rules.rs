//! Limits of AWS that one machine does not need: recursive loops, and concurrent calls of an account.
//!
//! One switch, [`AwsRules`]: scenario tests turn it on, the product on one machine leaves it off.
//!
//! - **Recursive loops.** Lambda counts how often a function was called within one chain of messages, and stops the chain
//!   after about 16 calls, unless the function has `RecursiveLoop: Allow`. The count travels in the trace header: Lambda
//!   gives it to the function, the SDK puts it on every request (`aws_runtime::recursion_detection`), SQS and SNS store it
//!   with the message. Here the same header carries `Lineage=FUNCTION:COUNT|…`. A refused call is recorded by name
//!   ([`crate::Larkspur::refused_calls`]); its messages are deleted, as on AWS where no dead queue is set for this.
//!   AWS does not document which count a batch passes on. Here it is the greatest of each function, so that this is never
//!   more tolerant than AWS.
//!   Source: AWS Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops" (read 2026-11).
//! - **Concurrency.** A new account has ten concurrent executions for all its functions together. A queue's batch waits for
//!   a free one; an API request without one is answered 503. API Gateway answers at once. Here a request waits for up to a
//!   second, because real senders retry and the tests' senders do not.
//!   Source: AWS Lambda Developer Guide, "Lambda quotas" (read 2026-11).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The header by which the SDK, SQS and SNS pass a chain's lineage on.
pub const TRACE_HEADER: &str = "x-amzn-trace-id";
/// How long a request to the API waits for a free execution.
const PATIENCE: Duration = Duration::from_secs(1);

/// The limits of AWS that are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsRules {
    /// How often a function may be called in one chain of messages, unless it has `RecursiveLoop: Allow`.
    pub calls_in_a_chain: Option<u32>,
    /// Calls of all functions together that run at the same time.
    pub calls_at_once: Option<usize>,
}

impl AwsRules {
    /// The limits of an account whose quotas AWS has not raised.
    pub const NEW_ACCOUNT: Self = Self { calls_in_a_chain: Some(16), calls_at_once: Some(10) };
    /// No limits, as on one machine.
    pub const OFF: Self = Self { calls_in_a_chain: None, calls_at_once: None };
}

/// The limits of one deployment, and what they refused.
#[derive(Debug)]
pub(crate) struct Limits {
    rules: AwsRules,
    executions: Option<Arc<Semaphore>>,
    refused: Mutex<Vec<String>>,
}

impl Limits {
    pub(crate) fn new(rules: AwsRules) -> Self {
        let executions = rules.calls_at_once.map(|calls| Arc::new(Semaphore::new(calls)));
        Self { rules, executions, refused: Mutex::default() }
    }

    /// How many calls an event source may make at once if only the account's limit applies.
    pub(crate) fn calls_at_once(&self) -> Option<usize> {
        self.rules.calls_at_once
    }

    /// A place among the calls that may run at once; `None` if there is no such limit.
    pub(crate) async fn execution(&self) -> Option<OwnedSemaphorePermit> {
        match &self.executions {
            Some(executions) => executions.clone().acquire_owned().await.ok(),
            None => None,
        }
    }

    /// The same for a request to the API, which does not wait for long.
    pub(crate) async fn execution_for_request(&self) -> Result<Option<OwnedSemaphorePermit>, Throttled> {
        tokio::time::timeout(PATIENCE, self.execution()).await.map_err(|_| Throttled)
    }

    /// The lineage that a call of `function` passes on, if lineages are counted.
    pub(crate) fn lineage<'a>(
        &self,
        function: &str,
        traces: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Option<Lineage> {
        self.rules.calls_in_a_chain?;
        let mut lineage = Lineage::default();
        traces.into_iter().flatten().for_each(|trace| lineage.add(&Lineage::parse(trace)));
        *lineage.0.entry(function.to_owned()).or_default() += 1;
        Some(lineage)
    }

    /// Whether a message with this trace may be handed to `function`; a refusal is recorded.
    pub(crate) fn may_call(&self, function: &str, may_loop: bool, trace: Option<&str>) -> bool {
        let Some(most) = self.rules.calls_in_a_chain.filter(|_| !may_loop) else { return true };
        let calls = trace.map(Lineage::parse).and_then(|lineage| lineage.0.get(function).copied()).unwrap_or(0);
        if calls < most {
            return true;
        }
        let refused = format!("{function} was not called again after {calls} calls in one chain of messages");
        tracing::error!(function, calls, "recursive loop: the function lacks RecursiveLoop: Allow");
        self.refused.lock().expect("nothing panics while it holds the list").push(refused);
        false
    }

    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.lock().expect("nothing panics while it holds the list").clone()
    }
}

/// All executions of the account are in use.
#[derive(Debug)]
pub(crate) struct Throttled;

/// How often each function was called in a chain of messages: `Root=…;Lineage=TimersFunction:3|NotifyFunction:1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lineage(BTreeMap<String, u32>);

impl Lineage {
    fn parse(header: &str) -> Self {
        let lineage = header.split(';').find_map(|part| part.trim().strip_prefix("Lineage=")).unwrap_or_default();
        let count = |part: &str| {
            let (function, count) = part.rsplit_once(':')?;
            Some((function.to_owned(), count.parse().ok()?))
        };
        Self(lineage.split('|').filter_map(count).collect())
    }

    /// The greater count of each function.
    fn add(&mut self, other: &Self) {
        for (function, count) in &other.0 {
            let known = self.0.entry(function.clone()).or_default();
            *known = (*known).max(*count);
        }
    }

    fn header(&self) -> String {
        let mut header = "Root=1-00000000-000000000000000000000000;Lineage=".to_owned();
        for (place, (function, count)) in self.0.iter().enumerate() {
            let between = if place > 0 { "|" } else { "" };
            write!(header, "{between}{function}:{count}").expect("writing to a string cannot fail");
        }
        header
    }
}

tokio::task_local! {
    /// The value that `_X_AMZN_TRACE_ID` has on Lambda, where a process handles one call at a time.
    static TRACE: String;
}

/// Runs a call with its lineage, which every request to SQS and SNS made by it passes on.
pub(crate) async fn traced<T>(lineage: Option<Lineage>, call: impl Future<Output = T>) -> T {
    match lineage {
        Some(lineage) => TRACE.scope(lineage.header(), call).await,
        None => call.await,
    }
}

/// Does the work of the SDK's `RecursionDetectionInterceptor` on Lambda, with the call's own value instead of the
/// environment's.
#[derive(Debug)]
pub(crate) struct PassLineageOn;

impl Intercept for PassLineageOn {
    fn name(&self) -> &'static str {
        "PassLineageOn"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), aws_sdk_sqs::error::BoxError> {
        // Outside of a call there is no lineage.
        let _ = TRACE.try_with(|trace| context.request_mut().headers_mut().insert(TRACE_HEADER, trace.clone()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_passes_on_the_greatest_count_of_each_function() {
        let limits = Limits::new(AwsRules::NEW_ACCOUNT);
        let traces = ["Root=1-a-b;Lineage=A:3|B:1", "Lineage=B:4;Sampled=0", "Root=1-a-b"];
        let lineage = limits.lineage("A", traces.map(Some)).expect("counted");
        assert_eq!(lineage, Lineage::parse("Lineage=A:4|B:4"));
        assert_eq!(Lineage::parse(&lineage.header()), lineage);
        assert_eq!(Limits::new(AwsRules::OFF).lineage("A", [None]), None);
    }

    #[test]
    fn the_seventeenth_call_in_a_chain_is_refused_by_name_unless_the_function_may_loop() {
        let limits = Limits::new(AwsRules::NEW_ACCOUNT);
        for (calls, may_loop, called) in [(0, false, true), (15, false, true), (16, true, true), (16, false, false)] {
            let trace = format!("Lineage=Timers:{calls}");
            assert_eq!(limits.may_call("Timers", may_loop, Some(&trace)), called, "{calls}");
        }
        assert!(limits.may_call("Other", false, Some("Lineage=Timers:99")), "each function has its own count");
        assert_eq!(limits.refused(), ["Timers was not called again after 16 calls in one chain of messages"]);
        assert!(Limits::new(AwsRules::OFF).may_call("Timers", false, Some("Lineage=Timers:99")));
    }

    #[tokio::test]
    async fn the_eleventh_call_at_once_waits_and_a_request_is_refused() {
        let limits = Limits::new(AwsRules::NEW_ACCOUNT);
        let mut running = Vec::new();
        for _ in 0..10 {
            running.push(limits.execution().await.expect("limited"));
        }
        limits.execution_for_request().await.expect_err("none is free");
        running.pop();
        drop(limits.execution_for_request().await.expect("one is free").expect("limited"));
        assert!(Limits::new(AwsRules::OFF).execution().await.is_none());
    }
}
