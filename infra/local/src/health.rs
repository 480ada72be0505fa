//! `GET /healthz`: whether the deployment works, for probes and people. It shows no secrets and no names.

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use lambda_kit::clock::Clock;
use serde::Serialize;
use tokio::sync::watch;

use crate::aws::sqs::Sqs;

/// The version of this release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts that the answer is made from.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    pub(crate) sqs: Sqs,
    pub(crate) queues: Vec<String>,
    pub(crate) clock: Clock,
    /// Turns true when the deployment is asked to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

#[derive(Debug, Serialize)]
struct Report {
    /// `ready`, `stopping` or `failing`.
    status: &'static str,
    version: &'static str,
    queues: BTreeMap<String, QueueReport>,
}

#[derive(Debug, Serialize)]
struct QueueReport {
    messages: usize,
    /// How long the oldest message has been in the queue; `null` if there is none.
    oldest_seconds: Option<u64>,
}

impl Health {
    pub(crate) async fn answer(&self) -> Response {
        let (status, report) = self.report().await;
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
        let body = serde_json::to_string(&report).expect("names and numbers are JSON");
        (status, headers, body).into_response()
    }

    async fn report(&self) -> (StatusCode, Report) {
        let mut report = Report { status: "ready", version: VERSION, queues: BTreeMap::new() };
        for queue in &self.queues {
            let Ok(counts) = self.sqs.counts(queue).await else {
                report.status = "failing";
                return (StatusCode::SERVICE_UNAVAILABLE, report);
            };
            let now = self.clock.now();
            let messages = counts.visible + counts.in_flight + counts.delayed;
            let oldest_seconds = counts.oldest.map(|oldest| now.since(oldest).as_secs());
            report.queues.insert(queue.clone(), QueueReport { messages, oldest_seconds });
        }
        if *self.stop.borrow() {
            report.status = "stopping";
            return (StatusCode::SERVICE_UNAVAILABLE, report);
        }
        (StatusCode::OK, report)
    }
}
