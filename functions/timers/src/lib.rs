//! Due work, to the second: a sweep each minute queues the timers that are due within the next minute, each with its delay.
//!
//! In: the schedule, and records of the queue "due", each a [`Timer`]. Out: levels of escalation rules are notified, snoozes and
//! silences end, alerts and incidents close by themselves or with their incident, actions of people whose request crashed are
//! completed, digests are flushed, and once an hour the ledger is checked. What each work does is decided in [`operations`].
//!
//! A timer that is written, swept or queued twice takes effect once: its change applies only to the state that it was made for. A
//! timer is deleted from the table only after it was queued.

mod act;
mod app;
mod error;
mod ledger_check;
pub mod settings;

use alerting::base::moment::Moment;
use alerting::incident::timer::Timer;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dispatch::SOON;
use lambda_kit::queue::Entry;
use lambda_kit::sqs_batch::{self, Disposition, NamelessRecord, Records};

pub use app::App;
pub use error::TimerError;

/// Timers that one sweep reads at a time.
const PAGE: usize = 100;
/// Timers that one invocation acts on at a time.
const CONCURRENT_TIMERS: usize = 10;

/// Queues all timers that are due within the next minute.
pub async fn sweep(app: &App) -> Result<(), TimerError> {
    let now = app.clock.now();
    loop {
        let timers = app.store.due_timers(now + SOON, PAGE).await?;
        // With very many due timers the last page is sent seconds after the first. A delay counts from the time of its send.
        let sent = app.clock.now();
        app.dispatch.due.send_batch(timers.iter().map(|timer| Entry::of_timer(timer, sent)).collect()).await?;
        app.store.delete_timers(&timers).await?;
        if timers.len() < PAGE {
            break;
        }
    }
    ledger_check::run(app, now).await
}

/// Carries out due work, several timers at a time: a thousand incidents may be due in the same second.
pub async fn handle_due(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let stop = sqs_batch::stop(deadline, &app.clock);
    let Records { readable, unreadable } = Records::<Timer>::read(event)?;
    let parts: Vec<_> = readable
        .iter()
        .map(|(_, timer)| {
            let span = tracing::error_span!("timer", timer.id = timer.id);
            (span, act::act(app, timer))
        })
        .collect();
    let worked = sqs_batch::work(parts, CONCURRENT_TIMERS, stop).await;
    let mut dispositions = sqs_batch::all(unreadable, &Disposition::AT_ONCE);
    for ((handle, _), done) in readable.into_iter().zip(worked) {
        dispositions.push((handle, done.map_or(Disposition::LATER, |()| Disposition::Done)));
    }
    Ok(sqs_batch::answer(&app.dispatch.due, dispositions).await)
}
