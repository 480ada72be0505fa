//! Push mode "each message": every message triggers a new alert, with one write that a redelivery cannot repeat.

use alerting::incident::alert::Alert;
use alerting::incident::change::{ChangeEvent, ChangeKind};
use alerting::incident::source::SourceKind;
use alerting::incident::timer::Timer;
use std::time::Duration;
use store::alerts::Opened;
use store::log::MessageOutcome;

use crate::app::App;
use crate::batch::{Group, MessageResult};
use crate::error::EvaluateError;
use crate::spaces::{self, Step};

/// The number of the only transition of such an alert.
const FIRST: u64 = 1;

pub(crate) async fn apply(app: &App, group: &Group) -> Result<Vec<MessageResult>, EvaluateError> {
    let mut results = Vec::with_capacity(group.events.len());
    for event in &group.events {
        results.push(open(app, group, event).await?);
    }
    Ok(results)
}

async fn open(
    app: &App,
    group: &Group,
    event: &alerting::incident::alert::AlertEvent,
) -> Result<MessageResult, EvaluateError> {
    let now = app.clock.now();
    let integration = &group.integration;
    let alert = Alert::new(&integration.id, event, event.stamp, now);
    let alert = match app.store.open_alert(&alert, now).await? {
        Opened::Created => {
            app.open_counts.add(&integration.id, 1);
            alert
        }
        Opened::Existing(alert) => alert,
    };
    let closes_after = Duration::from_secs(u64::from(integration.auto_close_hours) * 3600);
    let mut result = MessageResult {
        outcome: Some(MessageOutcome::Triggered),
        alert: Some(alert.id.clone()),
        ..MessageResult::default()
    };
    result.changes.push(ChangeEvent::of_alert(ChangeKind::AlertTriggered, &alert, &FIRST.to_string(), now));
    result.timers.push(Timer::auto_close(&integration.id, event.stamp, closes_after));
    let step = Step { alert: &alert, n: FIRST, kind: SourceKind::Trigger, ring: &[] };
    Box::pin(spaces::apply(app, &step, &mut result)).await?;
    Ok(result)
}
