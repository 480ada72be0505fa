//! Counts the open alerts of each integration, for their cap: a sender with random titles must not fill the table.
//!
//! Counts are kept per process and added up in the table once per batch, so the cap is approximate.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use alerting::base::ids::IntegrationId;
use alerting::base::moment::Moment;
use alerting::incident::alert::{Folded, TransitionKind};
use alerting::rules::integration::Integration;
use lambda_kit::clock::Clock;
use store::Store;

use crate::error::EvaluateError;

/// The key of the alert that represents all alerts that were not opened.
pub(crate) const CAP_KEY: &str = "larkspur:open_alert_cap";
/// How long a count that was read is used; other processes open and close alerts too.
const USED_FOR: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct OpenCounts {
    counts: Mutex<HashMap<IntegrationId, Count>>,
    /// Held by one key at a time: all keys of an integration that reach the cap update the same alert.
    pub(crate) gate: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    stored: i64,
    read_at: Option<Moment>,
    /// The change of the count that is not written yet.
    delta: i64,
}

impl OpenCounts {
    /// Whether the integration has reached its cap of open alerts.
    pub(crate) async fn is_reached(
        &self,
        store: &Store,
        now: Moment,
        integration: &Integration,
    ) -> Result<bool, EvaluateError> {
        let mut count = self.get(&integration.id);
        if count.read_at.is_none_or(|at| now.since(at) > USED_FOR) {
            let stored = store.open_count(&integration.id).await?;
            self.change(&integration.id, |count| {
                count.stored = stored;
                count.read_at = Some(now);
            });
            count = self.get(&integration.id);
        }
        Ok(count.stored + count.delta >= i64::from(integration.limits.open_alerts))
    }

    /// Counts the alerts that a committed write opened and closed.
    pub(crate) fn count(&self, integration: &IntegrationId, key: &str, folded: &Folded) {
        // The alert of the cap stands for alerts that were not opened, so it does not count towards the cap.
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

    /// Adds the counts to the table: one write per integration and batch. After a failure they wait for the next batch.
    pub(crate) async fn write(&self, store: &Store, clock: &Clock) {
        let pending: Vec<(IntegrationId, i64)> = {
            let counts = self.counts.lock().expect("nothing panics while it holds the counts");
            counts.iter().filter(|(_, count)| count.delta != 0).map(|(id, count)| (id.clone(), count.delta)).collect()
        };
        for (integration, delta) in pending {
            match store.add_open(&integration, delta).await {
                Ok(stored) => self.change(&integration, |count| {
                    count.stored = stored;
                    count.read_at = Some(clock.now());
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
