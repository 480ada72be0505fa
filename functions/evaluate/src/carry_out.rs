//! Carries out a committed transition: writes the alert that people see and the incidents of its spaces, and collects
//! notices and changes.
//!
//! Every step is idempotent under the transition's name, so a repetition after a crash changes nothing.

use alerting::base::ids::AlertId;
use alerting::base::moment::Moment;
use alerting::incident::alert::{Alert, AlertEvent, AlertState, EventKind, Transition, TransitionKind};
use alerting::incident::change::{ChangeEvent, ChangeKind};
use alerting::incident::source::SourceKind;
use alerting::rules::integration::Integration;
use store::keys::alert_key_hash;

use crate::app::App;
use crate::batch::MessageResult;
use crate::error::EvaluateError;
use crate::spaces::{self, Step};

/// Carries out `transition`, which `event` caused, and adds what is to be sent to `result`. `ring`: the alert's last
/// transitions, including this one.
pub(crate) async fn carry_out(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    transition: Transition,
    ring: &[Transition],
    result: &mut MessageResult,
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
    result.changes.push(ChangeEvent::of_alert(change, &alert, &transition.n.to_string(), now));
    if transition.kind == TransitionKind::Open && alert.closing.is_some() {
        recover_late(app, &alert, transition, result).await?;
    }
    let shown = as_notified(&alert, event);
    let step = Step { alert: &shown, n: transition.n, kind, ring };
    Box::pin(spaces::apply(app, &step, result)).await
}

/// A message closed the alert before it was opened here; that message may have found no spaces. The incidents of the
/// alert are closed first, so that nobody is notified of a problem that is over.
async fn recover_late(
    app: &App,
    alert: &Alert,
    opening: Transition,
    result: &mut MessageResult,
) -> Result<(), EvaluateError> {
    let key_hash = alert.alert_key.as_deref().map(alert_key_hash).unwrap_or_default();
    let state = app.store.alert_state(&alert.integration, &key_hash).await?;
    let ring = state.as_ref().map(|state| state.ring.as_slice()).unwrap_or_default();
    let closing = |one: &&Transition| one.episode == opening.episode && one.kind == TransitionKind::Close;
    // If the close has left the ring, the number after the opening's is used: no transition of the episode follows its
    // end.
    let n = ring.iter().find(closing).map_or(opening.n + 1, |closing| closing.n);
    let step = Step { alert, n, kind: SourceKind::Recover, ring };
    Box::pin(spaces::apply(app, &step, result)).await
}

/// The alert with the texts of the trigger that people are notified of. A close leaves the texts as they are.
fn as_notified(alert: &Alert, event: &AlertEvent) -> Alert {
    if event.kind == EventKind::Close {
        return alert.clone();
    }
    let (title, description) = (event.title.clone(), event.description.clone());
    Alert { title, description, severity: event.severity, ..alert.clone() }
}

/// Opens the alert. It exists already if a copy of the message was faster, or the message that closes it. In that case
/// the trigger adds its texts and its spaces.
async fn open(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    transition: Transition,
    now: Moment,
) -> Result<Alert, EvaluateError> {
    let opened = |stored: Option<&Alert>| {
        let Some(stored) = stored else { return Alert::new(&integration.id, event, transition.episode, now) };
        let mut alert = stored.clone();
        if event.kind == EventKind::Trigger {
            alert.show(event, transition.count, now);
        }
        alert
    };
    Ok(app.store.change_alert(None, opened, now).await?.0)
}

/// The alert of the transition's episode. It is missing if the message that opened it has not been carried out yet
/// (its process is slower, or died). Then this message opens it, and the other one finds it open.
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
    let before = app.store.alert_as_stored(&AlertId::of(&integration.id, transition.episode)).await?;
    let closed = |stored: Option<&Alert>| {
        let fresh = || Alert::new(&integration.id, event, transition.episode, now);
        let mut alert = stored.cloned().unwrap_or_else(fresh);
        alert.close(event, transition.count, now);
        alert
    };
    Ok(app.store.change_alert(before, closed, now).await?.0)
}

/// Shows the newest trigger of the key in the alert of its episode, unless the alert shows a newer one.
pub(crate) async fn show(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
    state: &AlertState,
    result: &mut MessageResult,
) -> Result<(), EvaluateError> {
    let Some(episode) = state.episode else { return Ok(()) };
    let now = app.clock.now();
    let before = app.store.alert_as_stored(&AlertId::of(&integration.id, episode)).await?;
    let mut cut = Vec::new();
    let shown = |stored: Option<&Alert>| {
        let Some(stored) = stored else { return Alert::new(&integration.id, event, episode, now) };
        let mut alert = stored.clone();
        if event.stamp > alert.texts() {
            cut = alert.show(event, state.count, now);
        }
        alert
    };
    let (alert, changed) = app.store.change_alert(before, shown, now).await?;
    if changed {
        result.cut_labels = cut;
        result.changes.push(ChangeEvent::of_alert(ChangeKind::AlertUpdated, &alert, &event.stamp.to_string(), now));
    }
    Ok(())
}
