//! At most so many open alerts per integration: a sender with random titles must not fill the table.
//!
//! Over the cap, what would open an alert updates one alert that says so. Counts are kept per process and added up in
//! the table once per batch, so the cap is approximate.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use alerting::base::ids::IntegrationId;
use alerting::base::moment::Moment;
use alerting::incident::alert::{AlertEvent, AlertKey, Folded, TransitionKind, Verdict};
use alerting::incident::timer::{Timer, Work};
use alerting::rules::integration::Integration;
use store::log::MessageOutcome;

use crate::App;
use crate::batch::{Group, Settled};
use crate::error::EvaluateError;
use crate::keyed::{self, Keyed};

/// The key of the alert that stands for all that were not opened.
pub(crate) const CAP_KEY: &str = "larkspur:open_alert_cap";
/// What the log says of a message that met the cap.
const REASON: &str = "open_alert_cap";
/// How long a count is believed; other processes open and close alerts too.
const BELIEVED: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct OpenCap {
    counts: Mutex<HashMap<IntegrationId, Count>>,
    /// One at a time: all keys of an integration that meet the cap update the same alert.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    stored: i64,
    read_at: Option<Moment>,
    /// Not yet written.
    delta: i64,
}

impl OpenCap {
    /// Whether the integration has as many open alerts as it may.
    pub(crate) async fn is_reached(&self, app: &App, integration: &Integration) -> Result<bool, EvaluateError> {
        let now = app.clock.now();
        let mut count = self.get(&integration.id);
        if count.read_at.is_none_or(|at| now.since(at) > BELIEVED) {
            let stored = app.store.open_count(&integration.id).await?;
            self.change(&integration.id, |count| {
                count.stored = stored;
                count.read_at = Some(now);
            });
            count = self.get(&integration.id);
        }
        Ok(count.stored + count.delta >= i64::from(integration.limits.open_alerts))
    }

    /// Counts what a committed write opened and closed.
    pub(crate) fn count(&self, integration: &IntegrationId, key: &str, folded: &Folded) {
        // It stands for alerts that are not open, and is none of those that the cap is about.
        if key == CAP_KEY {
            return;
        }
        for (_, transition) in &folded.transitions {
            match transition.kind {
                TransitionKind::Open => self.add(integration, 1),
                TransitionKind::Close => self.add(integration, -1),
                TransitionKind::Raise => {}
            }
        }
    }

    pub(crate) fn add(&self, integration: &IntegrationId, delta: i64) {
        self.change(integration, |count| count.delta += delta);
    }

    /// Adds what was counted to the table: one write per integration and batch. A failure keeps it for the next one.
    pub(crate) async fn write(&self, app: &App) {
        let pending: Vec<(IntegrationId, i64)> = {
            let counts = self.counts.lock().expect("nothing panics while it holds the counts");
            counts.iter().filter(|(_, count)| count.delta != 0).map(|(id, count)| (id.clone(), count.delta)).collect()
        };
        for (integration, delta) in pending {
            match app.store.add_open(&integration, delta).await {
                Ok(stored) => self.change(&integration, |count| {
                    count.stored = stored;
                    count.read_at = Some(app.clock.now());
                    count.delta -= delta;
                }),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, integration.id = %integration, "open alerts were not counted");
                }
            }
        }
    }

    fn get(&self, integration: &IntegrationId) -> Count {
        let counts = self.counts.lock().expect("nothing panics while it holds the counts");
        counts.get(integration).copied().unwrap_or_default()
    }

    fn change(&self, integration: &IntegrationId, change: impl FnOnce(&mut Count)) {
        let mut counts = self.counts.lock().expect("nothing panics while it holds the counts");
        change(counts.entry(integration.clone()).or_default());
    }
}

/// Lets messages that would open alerts update the one that stands for them all. A close has nothing open.
pub(crate) async fn apply(app: &App, group: &Group) -> Result<Vec<Settled>, EvaluateError> {
    let _alone = app.open_cap.gate.lock().await;
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
