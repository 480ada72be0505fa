//! Push mode "each message": every message triggers a new alert, by one write that a redelivery cannot repeat.

use alerting::change::{ChangeEvent, ChangeKind};
use alerting::incident::SourceKind;
use std::time::Duration;
use store::alerts::Opened;
use store::log::MessageOutcome;
use store::timers::{Timer, Work};

use crate::App;
use crate::batch::{Group, Settled};
use crate::carry_out;
use crate::error::EvaluateError;

/// The first and only transition that a message makes of an alert of its own.
const FIRST: u64 = 1;

pub(crate) async fn apply(app: &App, group: &Group) -> Result<Vec<Settled>, EvaluateError> {
    let mut settled = Vec::with_capacity(group.events.len());
    for event in &group.events {
        settled.push(open(app, group, event).await?);
    }
    Ok(settled)
}

async fn open(app: &App, group: &Group, event: &alerting::alert::AlertEvent) -> Result<Settled, EvaluateError> {
    let now = app.clock.now();
    let integration = &group.integration;
    let alert = carry_out::new_alert(integration, event, event.stamp, None, now);
    let alert = match app.store.open_alert(&alert, now).await? {
        Opened::Created => {
            app.open_cap.add(&integration.id, 1);
            alert
        }
        Opened::Existing(alert) => alert,
    };
    let closes_after = Duration::from_secs(u64::from(integration.auto_close_hours) * 3600);
    let work = Work::AutoClose { alert: alert.id.clone() };
    app.store.put_timer(&Timer::new(event.stamp.received_at() + closes_after, work)).await?;
    let mut settled =
        Settled { outcome: Some(MessageOutcome::Triggered), alert: Some(alert.id.clone()), ..Settled::default() };
    settled.changes.push(ChangeEvent::of_alert(ChangeKind::AlertTriggered, &alert, &FIRST.to_string(), now));
    let change = (event, FIRST, SourceKind::Trigger);
    carry_out::follow_to_incidents(app, integration, &alert, change, &mut settled).await?;
    Ok(settled)
}
