//! The clock of a function. On a laptop and in tests it can be moved forward; on AWS it is the system's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alerting::base::moment::Moment;

/// Clones share the offset.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    pub fn system() -> Self {
        Self::default()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn now(&self) -> Moment {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let system = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Moment::from_millis(system.saturating_add(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

/// When Lambda will end this invocation.
pub fn deadline(context: &lambda_runtime::Context) -> Moment {
    Moment::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX))
}
