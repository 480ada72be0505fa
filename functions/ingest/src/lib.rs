#![doc = include_str!("../README.md")]

use std::sync::Arc;
use std::time::Duration;

use alerting::limits::STAMP_AHEAD;
use alerting::message::Verdict;
use alerting::moment::Moment;
use alerting::secret::Secret;
use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::{SealError, Sealer};
use store::Store;
use store::errors::ReadError;
use store::guesses::Asked;
use store::integrations::StoredIntegration;
use tokio::time::{Instant, timeout_at};

use crate::outbox::Outbox;
use crate::rate::Rates;
use crate::secrets::Secrets;
use intake::answer::Answer;
use intake::decide::{Arrival, Decision, decide};
use intake::sources::feishu::path::{Target, target};

pub mod gateway;
pub mod numbers;
pub mod outbox;
pub mod rate;
pub mod secrets;
pub mod settings;

/// What looking up key and secret may take. With the send it stays below the three seconds of the least patient sender.
const LOOK_UP: Duration = Duration::from_millis(900);

/// One per process: its counters and caches live as long as it does.
#[derive(Debug)]
pub struct App {
    pub clock: Clock,
    pub store: Store,
    pub secrets: Secrets,
    pub rates: Rates,
    pub outbox: Outbox,
}

impl App {
    /// `messages` is the queue of that name.
    pub fn new(clock: Clock, store: Store, messages: Queue, sealer: Arc<Sealer>) -> Self {
        Self { clock, store, secrets: Secrets::new(sealer), rates: Rates::new(), outbox: Outbox::new(messages) }
    }
}

/// Takes one request in. Never fails: whatever goes wrong is an answer of the protocol.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    gateway::response(&take_in(app, &request).await)
}

async fn take_in(app: &App, request: &Request) -> Answer {
    let (version, key) = match target(request.uri().path()) {
        Target::Elsewhere => return Answer::Elsewhere,
        _ if request.method() != Method::POST => return Answer::NotPost,
        Target::NoSuchHook => return Answer::UnknownKey,
        Target::Hook { version, key } => (version, key),
    };
    let now = app.clock.now();
    let (stored, secret) = match look_up(app, key, source_of(request), now).await {
        Ok(Asked::Known(known)) => known,
        Ok(Asked::Unknown) => return Answer::UnknownKey,
        // Not looked up, so that the answer says nothing of the key; a sender with a good one sends again.
        Ok(Asked::TooOften(_)) => return Answer::TooMany,
        Err(error) => {
            tracing::error!(error = chain(&error), "the intake key could not be looked up");
            return Answer::Busy;
        }
    };
    let integration = &stored.integration;
    let arrival = Arrival {
        version,
        body: body_of(request),
        source: source_of(request),
        within_rate: app.rates.take(&integration.id, &integration.limits, now),
    };
    let decision = decide(&arrival, integration, secret.as_ref(), now);
    queue(app, &stored, decision, arrival.body, stamped_at(request, now)).await
}

/// Queues the verdict; the answer to an accepted message depends on it.
async fn queue(app: &App, stored: &StoredIntegration, decision: Decision, body: &[u8], now: Moment) -> Answer {
    let integration = &stored.integration.id;
    let Decision { verdict, answer } = decision;
    let accepted = matches!(verdict, Verdict::Accepted(_));
    if let Verdict::Refused { reason, .. } = &verdict {
        tracing::info!(integration.id = %integration, reason = reason.as_str(), "message refused");
    }
    match app.outbox.hand_over(integration, verdict, intake::raw_body::record(body), now).await {
        Ok(_) => answer,
        Err(error) if accepted => {
            tracing::error!(integration.id = %integration, error = chain(&error), "message not queued, the sender is told");
            Answer::Busy
        }
        Err(error) => {
            tracing::warn!(integration.id = %integration, error = chain(&error), "refused message not recorded");
            answer
        }
    }
}

/// Why a known key could not be told from an unknown one.
#[derive(Debug, thiserror::Error)]
enum LookUpError {
    #[error("reading the integration failed")]
    Read(#[source] ReadError),
    #[error("opening the signing secret failed")]
    Open(#[source] SealError),
    #[error("it took longer than {} ms", LOOK_UP.as_millis())]
    TooSlow,
}

async fn look_up(
    app: &App,
    key: &str,
    source: Option<&str>,
    now: Moment,
) -> Result<Asked<(Arc<StoredIntegration>, Option<Secret>)>, LookUpError> {
    let until = Instant::now() + LOOK_UP;
    let asked = timeout_at(until, app.store.intake(key, source.unwrap_or("unknown"), now)).await;
    let stored = match asked {
        Ok(asked) => match asked.map_err(LookUpError::Read)? {
            Asked::Known(stored) => stored,
            Asked::Unknown => return Ok(Asked::Unknown),
            Asked::TooOften(wait) => return Ok(Asked::TooOften(wait)),
        },
        // A table that is slow to answer keeps nobody out whose key was good a while ago.
        Err(_) => app.store.remembered_intake(key, now).ok_or(LookUpError::TooSlow)?,
    };
    let opened = timeout_at(until, app.secrets.of(&stored.integration)).await;
    let secret = opened.map_err(|_| LookUpError::TooSlow)?.map_err(LookUpError::Open)?;
    Ok(Asked::Known((stored, secret)))
}

fn body_of(request: &Request) -> &[u8] {
    match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    }
}

/// When the message is stamped as received. A clock that runs far ahead of the gateway's is not followed: until the others
/// had caught up, whatever they take in would count as overtaken by what came through this process.
fn stamped_at(request: &Request, now: Moment) -> Moment {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) if context.time_epoch > 0 => {
            now.min(Moment::from_millis(context.time_epoch) + STAMP_AHEAD)
        }
        _ => now,
    }
}

/// The sender's address, as the gateway saw it.
fn source_of(request: &Request) -> Option<&str> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    }
}

/// An error with all that caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_gateway(millis: i64) -> Request {
        let event = serde_json::json!({
            "rawPath": "/open-apis/bot/v2/hook/k", "requestContext": {"http": {"method": "POST"}, "timeEpoch": millis},
        });
        let event: gateway::Event = serde_json::from_value(event).expect("an event");
        event.into_request().unwrap_or_else(|_| panic!("a request"))
    }

    #[test]
    fn a_clock_more_than_two_minutes_ahead_of_the_gateways_is_clamped_and_a_smaller_error_is_not() {
        let now = Moment::from_secs(1_767_607_200);
        for (ahead, clamped) in [(0, 0), (5, 5), (120, 120), (121, 120), (86_400, 120)] {
            let gateway = now - Duration::from_secs(ahead);
            let stamped = stamped_at(&at_gateway(gateway.millis()), now);
            assert_eq!(stamped, gateway + Duration::from_secs(clamped), "{ahead} s ahead");
        }
    }

    #[test]
    fn a_clock_that_is_late_and_a_gateway_that_says_nothing_change_nothing() {
        let now = Moment::from_secs(1_767_607_200);
        assert_eq!(stamped_at(&at_gateway(now.millis() + 600_000), now), now);
        assert_eq!(stamped_at(&at_gateway(0), now), now);
    }
}
