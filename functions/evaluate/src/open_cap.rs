//! Over the cap of open alerts, messages that would open an alert update one alert that says so.

use std::time::Duration;

use alerting::incident::alert::{AlertEvent, AlertKey, EventKind};
use alerting::incident::timer::{Timer, Work};
use alerting::rules::integration::Integration;
use store::log::MessageOutcome;

use crate::app::App;
use crate::batch::{Group, MessageResult};
use crate::error::EvaluateError;
use crate::keyed::{self, Keyed};
use crate::open_counts::CAP_KEY;

/// The reason in the log entry of a message over the cap.
const REASON: &str = "open_alert_cap";

/// Handles messages that would open alerts: they update the alert of the cap instead. A close finds no open alert.
pub(crate) async fn apply(app: &App, group: &Group) -> Result<Vec<MessageResult>, EvaluateError> {
    let _alone = app.open_counts.gate.lock().await;
    let mut results = Vec::with_capacity(group.events.len());
    for event in &group.events {
        results.push(match event.kind {
            EventKind::Close => MessageResult {
                outcome: Some(MessageOutcome::Discarded),
                reason: Some("nothing_open".to_owned()),
                ..MessageResult::default()
            },
            EventKind::Trigger => update_cap_alert(app, &group.integration, event).await?,
        });
    }
    Ok(results)
}

async fn update_cap_alert(
    app: &App,
    integration: &Integration,
    event: &AlertEvent,
) -> Result<MessageResult, EvaluateError> {
    let most = integration.limits.open_alerts;
    let cap_event = AlertEvent {
        key: AlertKey::Named(CAP_KEY.to_owned()),
        title: format!("{most} alerts are open, as many as this integration may have"),
        description: format!(
            "Messages that would open more update this alert. Close alerts, or raise limits.open_alerts.\nThe latest: {}\n{}",
            event.title, event.description
        ),
        ..event.clone()
    };
    let keyed = Keyed { integration, key: CAP_KEY, events: std::slice::from_ref(&cap_event) };
    let mut result = keyed::apply(app, &keyed).await?.pop().unwrap_or_default();
    result.reason = Some(REASON.to_owned());
    if let Some(alert) = result.alert.clone().filter(|_| result.outcome == Some(MessageOutcome::Triggered)) {
        // No message closes the alert of the cap. If the cap is still reached after this time, the next message opens
        // it again.
        let closes = event.stamp.received_at() + Duration::from_secs(u64::from(integration.auto_close_hours) * 3600);
        result.timers.push(Timer::new(closes, Work::AutoClose { alert }));
    }
    Ok(result)
}
