//! What follows from a committed transition: the alert that people see, the incidents of its spaces, notices, changes.
//!
//! Every step is idempotent under the transition's name, so doing all of it again after a crash changes nothing.

use std::collections::BTreeMap;

use alerting::alert::{Alert, AlertEvent, AlertState, Status, Transition, TransitionKind};
use alerting::change::{ChangeEvent, ChangeKind};
use alerting::ids::AlertId;
use alerting::incident::apply::SourceKind;
use alerting::integration::Integration;
use alerting::limits;
use alerting::moment::Moment;
use store::alerts::Opened;

use crate::App;
use crate::batch::Settled;
use crate::error::EvaluateError;
use crate::spaces::{self, Step};

/// Carries out `transition`, which `event` caused, and adds what is to be told to `settled`. `ring`: the alert's last
/// transitions, this one among them.
pub(crate) async fn carry_out(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    transition: Transition,
    ring: &[Transition],
    settled: &mut Settled,
) -> Result<(), EvaluateError> {
    let now = app.clock.now();
    let alert = match transition.kind {
        TransitionKind::Open => open(app, integration, event, transition, now).await?,
        TransitionKind::Raise => ensure(app, integration, event, transition, now).await?,
        TransitionKind::Close => close(app, integration, event, transition, now).await?,
    };
    let (kind, change) = match transition.kind {
        TransitionKind::Open => (SourceKind::Trigger, ChangeKind::AlertTriggered),
        TransitionKind::Raise => (SourceKind::RaiseSeverity, ChangeKind::AlertSeverityRaised),
        TransitionKind::Close => (SourceKind::Recover, ChangeKind::AlertRecovered),
    };
    settled.changes.push(ChangeEvent::of_alert(change, &alert, &transition.n.to_string(), now));
    let shown = as_told(&alert, event);
    let step = Step { alert: &shown, event, n: transition.n, kind, ring };
    Box::pin(spaces::follow(app, &step, settled)).await
}

/// The alert with the words of the message that is told.
fn as_told(alert: &Alert, event: &AlertEvent) -> Alert {
    let (title, description) = (event.title.clone(), event.description.clone());
    Alert { title, description, severity: event.severity, ..alert.clone() }
}

/// The alert as `event` opens it.
pub(crate) fn new_alert(
    integration: &Integration,
    event: &AlertEvent,
    opened_by: alerting::ids::Stamp,
    key: Option<&str>,
    now: Moment,
) -> Alert {
    Alert {
        id: AlertId::of(&integration.id, opened_by),
        integration: integration.id.clone(),
        alert_key: key.map(str::to_owned),
        title: event.title.clone(),
        description: event.description.clone(),
        severity: event.severity,
        status: Status::Open,
        count: 1,
        labels: event.labels.clone(),
        opened_by,
        shown: event.stamp,
        updated_at: now,
        closed_at: None,
        spaces: event.spaces.clone(),
    }
}

async fn open(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    transition: Transition,
    now: Moment,
) -> Result<Alert, EvaluateError> {
    let alert = new_alert(integration, event, transition.episode, key_of(event), now);
    match app.store.open_alert(&alert, now).await? {
        Opened::Created => Ok(alert),
        // It was routed when it was triggered first; rules may have changed since.
        Opened::Existing(alert) => Ok(alert),
    }
}

/// The alert of the transition's episode. It is missing if the message that opened it has not been carried out yet
/// (its evaluator died); then this message opens it, and that one will find it there.
async fn ensure(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    transition: Transition,
    now: Moment,
) -> Result<Alert, EvaluateError> {
    match app.store.alert_as_stored(&AlertId::of(&integration.id, transition.episode)).await? {
        Some(alert) => Ok(alert),
        None => open(app, integration, event, transition, now).await,
    }
}

async fn close(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    transition: Transition,
    now: Moment,
) -> Result<Alert, EvaluateError> {
    let before = ensure(app, integration, event, transition, now).await?;
    let mut alert = before.clone();
    alert.status = Status::Closed;
    alert.closed_at = alert.closed_at.or(Some(now));
    alert.count = transition.count;
    show_event(&mut alert, event, now);
    app.store.show_in_alert(&alert, Some(&before), now).await?;
    Ok(alert)
}

/// Shows the newest message of the key in the alert of its episode, if nothing newer is shown there.
///
/// The status comes from the state, not from what is stored: whoever carries out the close may be slower than this, and
/// must not find his alert opened again.
pub(crate) async fn show(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    state: &AlertState,
    settled: &mut Settled,
) -> Result<(), EvaluateError> {
    let Some(episode) = state.episode else { return Ok(()) };
    let now = app.clock.now();
    let id = AlertId::of(&integration.id, episode);
    let before = app.store.alert_as_stored(&id).await?;
    let fresh = || new_alert(integration, event, episode, key_of(event), now);
    let mut alert = before.clone().unwrap_or_else(fresh);
    show_event(&mut alert, event, now);
    alert.count = state.count;
    alert.status = state.status;
    if alert.status == Status::Closed {
        alert.closed_at = alert.closed_at.or(Some(now));
    }
    let newer = before.as_ref().is_none_or(|before| alert.shown > before.shown);
    if newer && app.store.show_in_alert(&alert, before.as_ref(), now).await? {
        settled.changes.push(ChangeEvent::of_alert(ChangeKind::AlertUpdated, &alert, &event.stamp.to_string(), now));
    }
    Ok(())
}

/// An update replaces title, description and severity, and merges labels.
fn show_event(alert: &mut Alert, event: &AlertEvent, now: Moment) {
    if event.stamp < alert.shown {
        return;
    }
    alert.title.clone_from(&event.title);
    alert.description.clone_from(&event.description);
    alert.severity = event.severity;
    alert.shown = event.stamp;
    alert.updated_at = now;
    merge_labels(&mut alert.labels, &event.labels);
}

/// New values win. What does not fit any more is left out: the labels that are there tie people's rules to the alert.
fn merge_labels(labels: &mut BTreeMap<String, String>, new: &BTreeMap<String, String>) {
    for (name, value) in new {
        if labels.len() < limits::LABELS || labels.contains_key(name) {
            labels.insert(name.clone(), value.clone());
        }
    }
}

pub(crate) fn key_of(event: &AlertEvent) -> Option<&str> {
    match &event.key {
        alerting::alert::AlertKey::Unique => None,
        alerting::alert::AlertKey::Named(key) => Some(key),
    }
}
