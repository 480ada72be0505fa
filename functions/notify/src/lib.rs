//! The story of a notice: take a token of the destination's rate → claim → send once → let the provider's body decide →
//! record.
//!
//! In: records of the FIFO queue "notices", whose group is the destination, so one sender works on a destination at a
//! time. Up to ten notices of one group in one batch become one message; what comes faster than that waits as lines of
//! the destination's digest. A notice to a person, or one that calls on people, is always a message of its own. Out:
//! messages to groups and people, one delivery record per incident and destination.
//!
//! At least once: without a crash no duplicate; at most one per crash after the provider took the message. A claim with
//! a lease keeps a second sender away, `sent ≥ n` keeps an older notice from landing after a newer one. Timeouts:
//! HTTP or SMTP 10 s < this function 30 s < lease 45 s < visibility 180 s.
//!
//! Nothing sleeps here. A short wait is the queue's (`ChangeMessageVisibility`); a longer one is spent as due work or in
//! the digest, so that no wait uses up the receives of a record. Tries are counted in the delivery. What is given up
//! becomes a dead letter and rings an alarm, or gives way to the next contact or level; the incident's timeline says why.

mod addresses;
mod digest;
mod fold;
mod later;
mod links;
mod retry;
mod send;
pub mod settings;
mod settle;
mod turn;

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::incident::notice::NoticeRecord;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::StreamExt as _;
use futures::stream;
use lambda_kit::clock::Clock;
use lambda_kit::queue::{Queue, SendError};
use lambda_kit::secrets::{SealError, Sealer};
use lambda_kit::sqs_batch::{self, Disposition, Handle};
use post::deliver::Deliverer;
use store::Store;

/// Destinations of one batch that are worked on at a time: one that hangs must not delay the others.
const CONCURRENT_DESTINATIONS: usize = 10;
/// How long before its deadline the function stops.
const STOP_BEFORE: Duration = Duration::from_secs(2);

/// What an [`App`] is made of.
pub struct Parts {
    pub store: Store,
    pub notices: Queue,
    pub due: Queue,
    pub sealer: Sealer,
    pub deliverer: Deliverer,
    pub link_base: String,
    /// Whether a person may acknowledge by a link of their own without signing in.
    pub personal_ack_links: bool,
    pub clock: Clock,
}

/// What the handler works with.
pub struct App {
    parts: Parts,
    addresses: addresses::Addresses,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self { parts, addresses: addresses::Addresses::default() }
    }
}

/// The queue handed over a record without an id; it can be neither reported nor skipped.
#[derive(Debug, thiserror::Error)]
#[error("a record without a message id or receipt: the whole batch is returned")]
pub struct NamelessRecord;

/// Why notices come back without having been tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotifyError {
    #[error("reading the destination, the member or the provider failed")]
    Read(#[from] store::errors::ReadError),
    #[error("writing a delivery failed")]
    Write(#[from] store::errors::WriteError),
    #[error("the destination's settings could not be opened")]
    Open(#[from] SealError),
    #[error("handing on to another queue failed")]
    HandOn(#[from] SendError),
}

/// Handles one batch.
pub async fn handle(app: &App, event: SqsEvent, deadline: Moment) -> Result<SqsBatchResponse, NamelessRecord> {
    let time_left = deadline.since(app.parts.clock.now()).saturating_sub(STOP_BEFORE);
    let stop = tokio::time::Instant::now() + time_left;
    let (turns, mut dispositions) = read(event)?;
    let worked = stream::iter(turns)
        .map(|(destination, records)| async move {
            let handles: Vec<Handle> = records.iter().map(|(handle, _)| handle.clone()).collect();
            let done = tokio::time::timeout_at(stop, turn::take(app, &destination, records, stop)).await;
            match done {
                Ok(Ok(dispositions)) => dispositions,
                Ok(Err(error)) => {
                    tracing::error!(error = &error as &dyn std::error::Error, destination.id = %destination, "a destination's notices come back");
                    again(handles)
                }
                Err(_) => {
                    tracing::error!(destination.id = %destination, "out of time for a destination");
                    again(handles)
                }
            }
        })
        .buffer_unordered(CONCURRENT_DESTINATIONS)
        .collect::<Vec<_>>()
        .await;
    dispositions.extend(worked.into_iter().flatten());
    Ok(sqs_batch::answer(&app.parts.notices, dispositions).await)
}

type Turns = BTreeMap<DestinationId, Vec<(Handle, NoticeRecord)>>;

/// The records by destination, in order, and those that are no notices of ours.
fn read(event: SqsEvent) -> Result<(Turns, Vec<(Handle, Disposition)>), NamelessRecord> {
    let mut turns = Turns::new();
    let mut unreadable = Vec::new();
    for record in event.records {
        let (Some(message_id), Some(receipt)) = (record.message_id, record.receipt_handle) else {
            return Err(NamelessRecord);
        };
        let handle = Handle { message_id, receipt };
        match serde_json::from_str::<NoticeRecord>(record.body.as_deref().unwrap_or_default()) {
            Ok(notice) => turns.entry(notice.destination().clone()).or_default().push((handle, notice)),
            Err(error) => {
                tracing::error!(%error, message.id = handle.message_id, "a record is no notice of ours");
                // It will not become readable by waiting; the dead-letter queue is where a person finds it.
                unreadable.push((handle, Disposition::Retry { after: Some(Duration::ZERO) }));
            }
        }
    }
    Ok((turns, unreadable))
}

fn again(handles: Vec<Handle>) -> Vec<(Handle, Disposition)> {
    handles.into_iter().map(|handle| (handle, Disposition::Retry { after: None })).collect()
}
