#![doc = include_str!("../README.md")]

use std::sync::Arc;
use std::time::Duration;

use alerting::base::limits::STAMP_AHEAD;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::integration::Integration;
use alerting::rules::message::{Acceptance, RawBody, RefusalReason};
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

use crate::outbox::{HandOverError, Outbox};
use crate::rate::Rates;
use crate::refusals::{Count, FLUSH, Kept, Refusals, SAMPLE_BYTES};
use crate::secrets::Secrets;
use intake::decide::{Arrival, Check, Decision, decide_passing, preview, too_many};
use intake::raw_body;
use intake::result::IntakeResult;
use intake::sources::{self, Target};

pub mod gateway;
pub mod numbers;
pub mod outbox;
pub mod rate;
pub mod refusals;
pub mod secrets;
pub mod settings;

/// The longest time for looking up key and secret. With the send it stays below three seconds, the shortest timeout of a sender.
const LOOK_UP: Duration = Duration::from_millis(900);

/// One per process: it holds counters and caches.
#[derive(Debug)]
pub struct App {
    pub clock: Clock,
    pub store: Store,
    pub secrets: Secrets,
    pub rates: Rates,
    pub outbox: Arc<Outbox>,
    pub refusals: Arc<Refusals>,
}

impl App {
    /// `messages` is the queue of that name.
    pub fn new(clock: Clock, store: Store, messages: Queue, sealer: Arc<Sealer>) -> Self {
        Self {
            clock,
            store,
            secrets: Secrets::new(sealer),
            rates: Rates::new(),
            outbox: Arc::new(Outbox::new(messages)),
            refusals: Arc::default(),
        }
    }
}

/// Receives one request. Never fails: every error is an answer of the source's protocol.
pub async fn handle(app: &App, request: Request) -> Response<Body> {
    let target = sources::target(request.uri().path());
    let result = take_in(app, &request, target).await;
    gateway::response(target.version().answer(&result))
}

async fn take_in(app: &App, request: &Request, target: Target<'_>) -> IntakeResult {
    let (version, key) = match target {
        Target::NotFound => return IntakeResult::NotFound,
        _ if request.method() != Method::POST => return IntakeResult::NotPost,
        Target::NoSuchHook(_) => return IntakeResult::UnknownKey,
        Target::Hook { version, key } => (version, key),
    };
    let now = app.clock.now();
    let (stored, secret) = match look_up(app, key, address_of(request), now).await {
        Ok(Asked::Known(known)) => known,
        Ok(Asked::Unknown) => return IntakeResult::UnknownKey,
        // The key was not looked up, so the answer does not reveal whether it exists. A sender with a valid key sends
        // again.
        Ok(Asked::TooOften(_)) => return IntakeResult::TooMany,
        Err(error) => {
            tracing::error!(error = chain(&error), "the intake key could not be looked up");
            return IntakeResult::Busy;
        }
    };
    if stored.integration.source != version.source() {
        return IntakeResult::UnknownKey;
    }
    let arrival = Arrival { version, body: body_of(request), address: address_of(request), within_rate: true };
    let decision = decision(app, &arrival, &stored.integration, secret.as_ref(), now);
    let result = queue(app, &stored, decision, &arrival, stamped_at(request, now)).await;
    // On AWS a process does not run between requests: each request sends the counts that are due.
    send_counts(&app.outbox, &app.refusals, app.refusals.due(now), now).await;
    result
}

/// Only requests that pass the checks of the sender use up the integration's rate.
fn decision(
    app: &App,
    arrival: &Arrival<'_>,
    integration: &Integration,
    secret: Option<&Secret>,
    now: Moment,
) -> Decision {
    let mut is_from_sender = false;
    let mut passed = |check| is_from_sender |= check == Check::Signature;
    let decision = decide_passing(arrival, integration, secret, now, &mut passed);
    if is_from_sender && !app.rates.take(&integration.id, &integration.limits, now) {
        return too_many();
    }
    decision
}

/// Queues the accepted or refused request. An accepted message counts as accepted only if this succeeds.
async fn queue(
    app: &App,
    stored: &StoredIntegration,
    decision: Decision,
    arrival: &Arrival<'_>,
    now: Moment,
) -> IntakeResult {
    let integration = &stored.integration.id;
    let Decision { acceptance, result } = decision;
    match acceptance {
        Acceptance::Refused { reason, msg_type, .. } => {
            record_refusal(app, &stored.integration, reason, msg_type, arrival, now).await;
            result
        }
        Acceptance::Accepted(_) => {
            match app.outbox.hand_over(integration, acceptance, raw_body::record(arrival.body), now).await {
                Ok(_) => result,
                Err(error) => {
                    tracing::error!(integration.id = %integration, error = chain(&error), "message not queued, the sender is asked to send again");
                    IntakeResult::Busy
                }
            }
        }
    }
}

/// Records a refused request, or counts it once its integration has used up its budget.
async fn record_refusal(
    app: &App,
    integration: &Integration,
    reason: RefusalReason,
    msg_type: Option<String>,
    arrival: &Arrival<'_>,
    now: Moment,
) {
    let id = &integration.id;
    let body = match app.refusals.keep(id, reason, arrival.body.len(), now) {
        Kept::Whole => raw_body::record(arrival.body),
        Kept::Cut => raw_body::sample(arrival.body, SAMPLE_BYTES),
        Kept::Bare => RawBody::Cut { start: String::new(), bytes: arrival.body.len() },
        Kept::Counted { first: false } => return,
        Kept::Counted { first: true } => return flush_later(app),
    };
    tracing::info!(integration.id = %id, reason = reason.as_str(), "message refused");
    let message = match reason {
        // The body was not parsed, because it may have megabytes.
        RefusalReason::TooLarge => None,
        _ => preview(arrival.body, arrival.version, integration.title_from).map(Box::new),
    };
    let acceptance = Acceptance::Refused { reason, msg_type, message };
    if let Err(error) = app.outbox.hand_over(id, acceptance, body, now).await {
        tracing::warn!(integration.id = %id, error = chain(&error), "refused message not recorded");
    }
}

/// While the process runs, sends the counts when they are due even if no other request arrives.
fn flush_later(app: &App) {
    let (outbox, refusals, clock) = (Arc::clone(&app.outbox), Arc::clone(&app.refusals), app.clock.clone());
    tokio::spawn(async move {
        tokio::time::sleep(FLUSH).await;
        let now = clock.now();
        send_counts(&outbox, &refusals, refusals.all(), now).await;
    });
}

async fn send_counts(outbox: &Outbox, refusals: &Refusals, counts: Vec<Count>, now: Moment) {
    for count in counts {
        let Count { integration, reason, times } = &count;
        let acceptance = Acceptance::Refused { reason: *reason, msg_type: None, message: None };
        let body = RawBody::Cut { start: String::new(), bytes: 0 };
        if let Err(error) = outbox.hand_over_many(integration, acceptance, body, *times, now).await {
            tracing::warn!(integration.id = %integration, error = chain(&error), "refused messages not counted");
            if let HandOverError::Refused(..) = error {
                refusals.give_back(&count, now);
            }
        }
    }
}

/// Why it is unknown whether a key exists.
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
    let asked = timeout_at(until, ask(app, key, source.unwrap_or("unknown"), now)).await;
    let stored = match asked {
        Ok(asked) => match asked.map_err(LookUpError::Read)? {
            Asked::Known(stored) => stored,
            Asked::Unknown => return Ok(Asked::Unknown),
            Asked::TooOften(wait) => return Ok(Asked::TooOften(wait)),
        },
        // While the table is slow, a key that was valid a short time ago is accepted.
        Err(_) => app.store.remembered_intake(key, now).ok_or(LookUpError::TooSlow)?,
    };
    let opened = timeout_at(until, app.secrets.of(&stored.integration)).await;
    let secret = opened.map_err(|_| LookUpError::TooSlow)?.map_err(LookUpError::Open)?;
    Ok(Asked::Known((stored, secret)))
}

/// The integration of the key. An address that asks for many unknown keys has to wait, except with a key that we
/// issued.
async fn ask(app: &App, key: &str, source: &str, now: Moment) -> Result<Asked<Arc<StoredIntegration>>, ReadError> {
    match app.store.intake(key, source, now).await? {
        Asked::TooOften(_) if app.secrets.is_our_key(key).await => app.store.intake_of_ours(key, now).await,
        asked => Ok(asked),
    }
}

fn body_of(request: &Request) -> &[u8] {
    match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    }
}

/// The time at which the message is stamped. A clock that runs far ahead of the gateway's is corrected: otherwise messages of
/// other processes would count as older than those of this one, until their clocks reach its time.
fn stamped_at(request: &Request, now: Moment) -> Moment {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) if context.time_epoch > 0 => {
            now.min(Moment::from_millis(context.time_epoch) + STAMP_AHEAD)
        }
        _ => now,
    }
}

/// The sender's address, as the gateway saw it.
fn address_of(request: &Request) -> Option<&str> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    }
}

/// An error with its causes, on one line.
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

    // Proves: fault 25
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
    fn a_clock_that_is_late_or_a_gateway_without_a_time_changes_nothing() {
        let now = Moment::from_secs(1_767_607_200);
        assert_eq!(stamped_at(&at_gateway(now.millis() + 600_000), now), now);
        assert_eq!(stamped_at(&at_gateway(0), now), now);
    }
}
