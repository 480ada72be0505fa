//! Once an hour: checks whether the ledger of the hour before last is balanced. If not, it records a metric that an alarm watches.

use std::time::Duration;

use alerting::base::moment::Moment;
use lambda_kit::metric;

use crate::app::App;
use crate::error::TimerError;

const HOUR: Duration = Duration::from_secs(3600);
/// The check runs in this minute of the hour. The last messages of the checked hour have had this time, and the hour in between,
/// to be handled.
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
        metric::count_missing_notification(now);
    }
    Ok(())
}
