//! Delivers notices: take a permit of the destination's rate, claim the delivery, send one request, classify the provider's
//! reply, record the attempt.
//!
//! In: records of the FIFO queue "notices", whose group is the destination, so one worker at a time sends to a
//! destination. Up to ten notices of one group in one batch become one message. Notices that exceed the destination's
//! rate wait as lines of its digest. A notice to a person, or one that calls on people, is always a message of its own.
//! Out: messages to groups and people, one delivery record per incident and destination, and cards that show the
//! present state of their incident.
//!
//! Reading order: `turn` one destination's records → `send` one message → `requests` permits and access token →
//! `settle` records the result and plans the next step → `refresh` redraws cards → `digest`, `later`, `retry` how
//! notices wait.
//!
//! At least once: without a crash there is no duplicate, and per crash there is at most one, if the provider had taken
//! the message already. A claim with a lease keeps a second worker from sending; `sent ≥ n` keeps an older notice from
//! being sent after a newer one. Timeouts: HTTP or SMTP 10 s < this function 30 s < lease 45 s < visibility 180 s.
//!
//! Nothing sleeps here. A short wait is spent in the queue (`ChangeMessageVisibility`), a longer one as due work or in
//! the digest, so that no wait uses up the receives of a record. Tries are counted in the delivery. A notice that is
//! given up goes on to the next contact or level, or becomes a dead letter and raises an alarm. The incident's timeline
//! states the reason.

mod app;
mod digest;
mod error;
mod fold;
mod later;
mod links;
mod refresh;
mod requests;
mod retry;
mod say;
mod send;
pub mod settings;
mod settle;
mod turn;

use std::collections::BTreeMap;

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::incident::notice::NoticeRecord;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_kit::sqs_batch::{self, Disposition, Handle, NamelessRecord, Records};

pub use app::{App, Parts};

/// Destinations of one batch that are worked on at a time, so that one that does not answer does not delay the others.
const CONCURRENT_DESTINATIONS: usize = 10;
/// Handles one batch.
pub async fn handle(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let stop = sqs_batch::stop(deadline, &app.parts.clock);
    let Records { readable, unreadable } = Records::<NoticeRecord>::read(event)?;
    let mut dispositions = sqs_batch::all(unreadable, &Disposition::AT_ONCE);
    let mut turns: BTreeMap<DestinationId, Vec<(Handle, NoticeRecord)>> = BTreeMap::new();
    for (handle, record) in readable {
        turns.entry(record.destination().clone()).or_default().push((handle, record));
    }
    let handles = |records: &[(Handle, NoticeRecord)]| records.iter().map(|(handle, _)| handle.clone()).collect();
    let waiting: Vec<Vec<Handle>> = turns.values().map(|records| handles(records)).collect();
    let parts: Vec<_> = turns
        .into_iter()
        .map(|(destination, records)| {
            let span = tracing::error_span!("destination", destination.id = %destination);
            (span, async move { turn::take(app, &destination, records, stop).await })
        })
        .collect();
    let worked = sqs_batch::work(parts, CONCURRENT_DESTINATIONS, stop).await;
    for (handles, done) in waiting.into_iter().zip(worked) {
        dispositions.extend(done.unwrap_or_else(|| sqs_batch::all(handles, &Disposition::LATER)));
    }
    Ok(sqs_batch::answer(&app.parts.notices, dispositions).await)
}
