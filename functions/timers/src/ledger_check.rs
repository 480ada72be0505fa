//! Once an hour: does the hour before last add up? If not, a metric says so, and an alarm watches the metric.

use std::time::Duration;

use alerting::base::moment::Moment;
use lambda_kit::metric;

use crate::app::App;
use crate::error::TimerError;

const HOUR: Duration = Duration::from_secs(3600);
/// The check runs in this minute of the hour: what was received last in the checked hour has had this long, and all of
/// the hour in between, to come to rest.
const MINUTE: i64 = 50;

pub(crate) async fn run(app: &App, now: Moment) -> Result<(), TimerError> {
    if (now.secs() / 60) % 60 != MINUTE {
        return Ok(());
    }
    let hour = now.hour() - HOUR;
    let ledger = app.store.ledger(hour, now).await?;
    if !ledger.balanced {
        tracing::error!(
            hour = %hour, waiting = ledger.messages.waiting, pending = ledger.notices.pending,
            "the ledger of an hour does not add up: a message or notice is missing"
        );
        metric::untold(now);
    }
    Ok(())
}
