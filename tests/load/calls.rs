//! Counts the functions' calls to AWS in the SDK's own log, and computes what AWS would charge for them.

use std::fs;
use std::ops::Sub;
use std::path::Path;

/// Prices in dollars per million, us-east-1, on demand (2026-11). Each write counts as one unit of 1 KB, and each read
/// as one unit of 4 KB. A batch counts as one call.
const READ: f64 = 0.125;
const WRITE: f64 = 0.625;
const QUEUE: f64 = 0.40;
const TOPIC: f64 = 0.50;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Calls {
    pub(crate) reads: usize,
    pub(crate) writes: usize,
    pub(crate) queues: usize,
    pub(crate) topics: usize,
    /// The bytes of DynamoDB's answers.
    pub(crate) bytes: usize,
}

impl Calls {
    /// Counts the answers that a log records.
    pub(crate) fn read(log: &Path) -> anyhow::Result<Self> {
        let mut calls = Self::default();
        for line in fs::read_to_string(log)?.lines().filter(|line| line.contains("received response from service")) {
            match operation(line) {
                Some(("DynamoDB", "GetItem" | "Query" | "BatchGetItem" | "Scan")) => calls.reads += 1,
                Some(("DynamoDB", _)) => calls.writes += 1,
                Some(("SQS", _)) => calls.queues += 1,
                Some(("SNS", _)) => calls.topics += 1,
                _ => continue,
            }
            if line.contains("DynamoDB.") {
                calls.bytes += length(line).unwrap_or_default();
            }
        }
        Ok(calls)
    }

    pub(crate) fn dollars(&self) -> f64 {
        let each = [(self.reads, READ), (self.writes, WRITE), (self.queues, QUEUE), (self.topics, TOPIC)];
        each.iter().map(|(calls, price)| *calls as f64 * price / 1e6).sum()
    }
}

impl Sub for Calls {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            queues: self.queues - before.queues,
            topics: self.topics - before.topics,
            bytes: self.bytes - before.bytes,
        }
    }
}

/// `… DynamoDB.PutItem{rpc.service=…` → DynamoDB, `PutItem`.
fn operation(line: &str) -> Option<(&str, &str)> {
    let span = line.split_whitespace().find(|word| word.contains("{rpc.service="))?;
    span.split('{').next()?.split_once('.')
}

/// `… "content-length": "320" …` → 320.
fn length(line: &str) -> Option<usize> {
    line.split_once("\"content-length\": \"")?.1.split('"').next()?.parse().ok()
}
