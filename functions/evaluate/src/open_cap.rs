//! Over the cap of open alerts, what would open an alert updates one alert that says so.

use std::time::Duration;

use alerting::incident::alert::{AlertEvent, AlertKey, Verdict};
use alerting::incident::timer::{Timer, Work};
use alerting::rules::integration::Integration;
use store::log::MessageOutcome;

use crate::app::App;
use crate::batch::{Group, Settled};
use crate::error::EvaluateError;
use crate::keyed::{self, Keyed};
use crate::open_counts::CAP_KEY;

/// What the log says of a message that met the cap.
const REASON: &str = "open_alert_cap";
/// Lets messages that would open alerts update the one that stands for them all. A close has nothing open.
pub(crate) async fn apply(app: &App, group: &Group) -> Result<Vec<Settled>, EvaluateError> {
    let _alone = app.open_counts.gate.lock().await;
    let mut settled = Vec::with_capacity(group.events.len());
    for event in &group.events {
        settled.push(match event.verdict {
            Verdict::Close => Settled {
                outcome: Some(MessageOutcome::Discarded),
                reason: Some("nothing_open".to_owned()),
                ..Settled::default()
            },
            Verdict::Trigger => stand_for(app, &group.integration, event).await?,
        });
    }
    Ok(settled)
}

async fn stand_for(app: &App, integration: &Integration, event: &AlertEvent) -> Result<Settled, EvaluateError> {
    let most = integration.limits.open_alerts;
    let standing = AlertEvent {
        key: AlertKey::Named(CAP_KEY.to_owned()),
        title: format!("{most} alerts are open, as many as this integration may have"),
        description: format!(
            "Messages that would open more update this alert. Close alerts, or raise limits.open_alerts.\nThe latest: {}\n{}",
            event.title, event.description
        ),
        ..event.clone()
    };
    let keyed = Keyed { integration, key: CAP_KEY, events: std::slice::from_ref(&standing) };
    let mut settled = keyed::apply(app, &keyed).await?.pop().unwrap_or_default();
    settled.reason = Some(REASON.to_owned());
    if let Some(alert) = settled.alert.clone().filter(|_| settled.outcome == Some(MessageOutcome::Triggered)) {
        // No message ever closes it. If the cap still holds then, the next message opens it again.
        let closes = event.stamp.received_at() + Duration::from_secs(u64::from(integration.auto_close_hours) * 3600);
        settled.timers.push(Timer::new(closes, Work::AutoClose { alert }));
    }
    Ok(settled)
}
