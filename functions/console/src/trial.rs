//! Tries a message without any effect: the intake's own parsing and answer, and the integration's own rules, against the
//! current alert.

use std::collections::BTreeMap;

use alerting::base::ids::AlertId;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::alert::{AlertEvent, AlertKey, EventKind, Status};
use alerting::rules::integration::Integration;
use alerting::rules::message::{Acceptance, Message};
use alerting::rules::policy::{Decision, Judgement, Policy};
use intake::decide::{Arrival, decide};
use intake::sources::SourceVersion;
use store::keys::alert_key_hash;

use crate::app::App;
use crate::dto::message::{TrialAnswer, TrialView};
use crate::error::ApiError;

/// The result of the intake for a body under the current settings, without the checks that a replay cannot pass.
pub(crate) fn read_again(integration: &Integration, body: &[u8], now: Moment) -> Acceptance {
    let version = SourceVersion::of_body(integration.source, body);
    let arrival = Arrival { version, body, address: None, within_rate: true };
    decide(&arrival, &without_sources(integration), None, now).acceptance
}

/// Tries a body at an integration as if a sender had posted it to its URL.
pub(crate) async fn attempt(app: &App, integration: &Integration, body: &[u8]) -> Result<TrialView, ApiError> {
    let now = app.clock.now();
    let secret = secret(app, integration).await?;
    let version = SourceVersion::newest(integration.source);
    let arrival = Arrival { version, body, address: None, within_rate: true };
    let decision = decide(&arrival, &without_sources(integration), secret.as_ref(), now);
    let answer = version.answer(&decision.result);
    let answer = TrialAnswer {
        status: answer.status.as_u16(),
        body: serde_json::from_str(&answer.body).expect("the protocol's answers are JSON"),
    };
    match decision.acceptance {
        Acceptance::Refused { reason, .. } => Ok(without_effect("refused", Some(reason.as_str()), answer)),
        Acceptance::Accepted(message) => judged(app, integration, &message, answer).await,
    }
}

/// The integration without the check of the sender's address, because the request comes from another address.
pub(crate) fn without_sources(integration: &Integration) -> Integration {
    let mut integration = integration.clone();
    integration.security.sources.clear();
    integration
}

pub(crate) async fn secret(app: &App, integration: &Integration) -> Result<Option<Secret>, ApiError> {
    match &integration.security.secret {
        Some(sealed) => Ok(Some(app.sealer.open(integration.id.as_str(), sealed).await?)),
        None => Ok(None),
    }
}

/// The result for a message that has no effect.
fn without_effect(outcome: &'static str, reason: Option<&'static str>, answer: TrialAnswer) -> TrialView {
    TrialView {
        outcome,
        reason,
        title: None,
        content: None,
        alert_key: None,
        key_from: None,
        rule: None,
        severity: None,
        labels: BTreeMap::new(),
        spaces: Vec::new(),
        flags: Vec::new(),
        answer,
    }
}

async fn judged(
    app: &App,
    integration: &Integration,
    message: &Message,
    answer: TrialAnswer,
) -> Result<TrialView, ApiError> {
    let now = app.clock.now();
    let tables = app.store.cached_mapping_tables(now).await?;
    let judgement = Policy::lenient(integration, &tables).judge(message, app.stamps.next(now));
    let Judgement { decision, rule, key_from, flags } = judgement;
    let reason = match &decision {
        Decision::Discard(reason) => Some(reason.as_str()),
        Decision::Event(_) => None,
    };
    let mut tried = TrialView {
        title: Some(message.title.clone()),
        content: Some(message.content.clone()),
        rule,
        key_from: key_from.map(|from| from.as_str()),
        flags: flags.into_iter().map(|flag| flag.as_str()).collect(),
        labels: message.labels.clone(),
        ..without_effect("discarded", reason, answer)
    };
    if let Decision::Event(event) = decision {
        predict(app, integration, event, &mut tried).await?;
    }
    Ok(tried)
}

/// The effect that the event would have on the present alert with its key.
async fn predict(
    app: &App,
    integration: &Integration,
    event: AlertEvent,
    tried: &mut TrialView,
) -> Result<(), ApiError> {
    let open = match &event.key {
        AlertKey::Unique => None,
        AlertKey::Named(key) => {
            let state = app.store.alert_state(&integration.id, &alert_key_hash(key)).await?;
            state.filter(|state| state.status == Status::Open).and_then(|state| state.episode)
        }
    };
    (tried.outcome, tried.reason) = match (event.kind, open) {
        (EventKind::Trigger, None) => ("triggered", None),
        (EventKind::Trigger, Some(_)) => ("updated", None),
        (EventKind::Close, Some(_)) => ("recovered", None),
        (EventKind::Close, None) => ("discarded", Some("nothing_open")),
    };
    tried.spaces = match open {
        // Updates and recovery follow the alert to the spaces that it was routed to when it was triggered.
        Some(episode) => {
            let alert = app.store.alert(&AlertId::of(&integration.id, episode)).await?;
            alert.map_or(event.spaces, |alert| alert.spaces)
        }
        None => event.spaces,
    };
    tried.alert_key = match event.key {
        AlertKey::Unique => None,
        AlertKey::Named(key) => Some(key),
    };
    tried.title = Some(event.title);
    tried.content = Some(event.description);
    tried.severity = Some(event.severity);
    tried.labels = event.labels;
    Ok(())
}
