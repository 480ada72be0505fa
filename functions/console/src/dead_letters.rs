//! Lists dead letters, and sends them again.
//!
//! `notify` records each notice that it gives up. A record that was received too often is moved by its queue to the
//! dead-letter queue, which has an alarm. It becomes a dead letter when the list is read: polling those queues all the
//! time would cost more than everything else in an idle deployment.

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::notice::{Notice, NoticeRecord};
use alerting::incident::timer::Timer;
use alerting::rules::message::Received;
use futures::future::join_all;
use lambda_kit::queue::{Entry, ReceiveError, Waiting};
use store::Page;
use store::dead_letters::{DeadKind, DeadLetter};
use store::errors::WriteError;

use crate::app::App;
use crate::error::ApiError;

/// The most characters of a reason for deleting.
const REASON_CHARS: usize = 200;
/// Receive requests, of ten messages each, that one reading of the list makes to each queue at most.
const RECEIVES: usize = 10;
/// The reason of a record that its queue moved aside. The log of the function says more.
const RECEIVED_TOO_OFTEN: &str = "received_too_often";

/// Why the records of a dead-letter queue were not read.
#[derive(Debug, thiserror::Error)]
enum CollectError {
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    #[error("recording a dead letter failed")]
    Write(#[from] WriteError),
}

/// Records the content of the dead-letter queues as dead letters. If a queue cannot be read, its records and its alarm
/// stay.
async fn collect(app: &App) {
    let results = join_all(DeadKind::ALL.map(|kind| collect_from(app, kind))).await;
    for error in results.into_iter().filter_map(Result::err) {
        tracing::error!(error = &error as &dyn std::error::Error, "a dead-letter queue could not be read");
    }
}

async fn collect_from(app: &App, kind: DeadKind) -> Result<(), CollectError> {
    let queue = app.dead.of(kind);
    if queue.count().await? == 0 {
        return Ok(());
    }
    for _ in 0..RECEIVES {
        let waiting = queue.receive().await?;
        if waiting.is_empty() {
            break;
        }
        for one in &waiting {
            app.store.put_dead_letter(&letter(kind, one)).await?;
            queue.delete(one).await?;
        }
    }
    Ok(())
}

/// The dead letter for a record of a queue. The record need not be valid.
fn letter(kind: DeadKind, waiting: &Waiting) -> DeadLetter {
    let mut letter = DeadLetter {
        id: DeadLetter::id(waiting.sent_at, &waiting.id),
        kind,
        reason: RECEIVED_TOO_OFTEN.to_owned(),
        at: waiting.sent_at,
        incident: None,
        destination: None,
        integration: None,
        body: waiting.body.clone(),
    };
    match kind {
        DeadKind::Message => {
            let received: Option<Received> = serde_json::from_str(&waiting.body).ok();
            letter.integration = received.map(|received| received.integration);
        }
        DeadKind::Notice => {
            let record: Option<NoticeRecord> = serde_json::from_str(&waiting.body).ok();
            letter.destination = record.as_ref().map(|record| record.destination().clone());
            letter.incident = match record {
                Some(NoticeRecord::Tell(notice) | NoticeRecord::Again { notice, .. }) => Some(notice.incident),
                Some(NoticeRecord::Refresh(refresh)) => Some(refresh.incident),
                Some(NoticeRecord::Flush { .. } | NoticeRecord::Say(_)) | None => None,
            };
        }
        DeadKind::Timer => {}
    }
    letter
}

/// A page of dead letters, newest first, including those that are still in the queues.
pub(crate) async fn list(app: &App, limit: usize, after: Option<&str>) -> Result<Page<DeadLetter>, ApiError> {
    collect(app).await;
    Ok(app.store.dead_letters(limit, after).await?)
}

/// A dead letter with its body.
pub(crate) async fn found(app: &App, id: &str) -> Result<DeadLetter, ApiError> {
    let letter = app.store.dead_letter(id).await?;
    letter.ok_or_else(|| ApiError::not_found(format_args!("dead letter {id}")))
}

/// Sends each of these again, one after the other; the results are in the same order.
pub(crate) async fn resend_each<'a>(app: &App, ids: &[&'a str]) -> Vec<(&'a str, Result<(), ApiError>)> {
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        let sent = match found(app, id).await {
            Ok(letter) => resend(app, &letter).await,
            Err(error) => Err(error),
        };
        results.push((*id, sent));
    }
    results
}

/// Checks the reason for deleting a dead letter. It is required because a deleted record is never processed.
pub(crate) fn reason(text: &str) -> Result<&str, ApiError> {
    match text.trim() {
        text if (1..=REASON_CHARS).contains(&text.chars().count()) => Ok(text),
        _ => Err(ApiError::invalid("reason", format!("expected 1 to {REASON_CHARS} characters"))),
    }
}

/// Deletes the dead letter. The log keeps who did it and why.
pub(crate) async fn delete(app: &App, id: &str, reason: Option<&str>, by: &str) -> Result<(), ApiError> {
    let letter = found(app, id).await?;
    app.store.delete_dead_letter(id).await?;
    let kind = letter.kind.as_str();
    tracing::info!(dead_letter.id = id, dead_letter.kind = kind, by, reason, "a dead letter was deleted");
    Ok(())
}

/// Puts a dead letter back into its queue, and deletes it.
pub(crate) async fn resend(app: &App, letter: &DeadLetter) -> Result<(), ApiError> {
    let now = app.clock.now();
    match letter.kind {
        DeadKind::Message => {
            let group = letter.integration.as_ref().map(ToString::to_string);
            app.messages.send(Entry { body: letter.body.clone(), group, ..Entry::default() }).await?;
        }
        DeadKind::Notice => {
            let entry = again(app, letter, now).await?;
            app.dispatch.notices.send(entry).await?;
        }
        DeadKind::Timer => {
            let timer: Option<Timer> = serde_json::from_str(&letter.body).ok();
            let raw = || Entry { body: letter.body.clone(), ..Entry::default() };
            app.dispatch.due.send(timer.map_or_else(raw, |timer| Entry::of_timer(&timer, now))).await?;
        }
    }
    Ok(app.store.delete_dead_letter(&letter.id).await?)
}

async fn again(app: &App, letter: &DeadLetter, now: Moment) -> Result<Entry, ApiError> {
    let record: Option<NoticeRecord> = serde_json::from_str(&letter.body).ok();
    Ok(match record {
        Some(NoticeRecord::Tell(notice) | NoticeRecord::Again { notice, .. }) => {
            refuse_superseded(app, &notice).await?;
            Entry::of_notice(&NoticeRecord::Again { notice, due: now, asked: Some(now) })
        }
        Some(NoticeRecord::Refresh(refresh)) => Entry::of_notice(&NoticeRecord::Refresh(refresh.at(now))),
        Some(same @ (NoticeRecord::Flush { .. } | NoticeRecord::Say(_))) => Entry::of_notice(&same),
        None => Entry {
            body: letter.body.clone(),
            group: Some(letter.id.clone()),
            deduplication_id: Some(format!("{}-{}", letter.id, now.millis())),
            delay: None,
        },
    })
}

/// Refuses to send a state to a destination that shows a newer one.
async fn refuse_superseded(app: &App, notice: &Notice) -> Result<(), ApiError> {
    let delivery = app.store.delivery(&notice.incident, &notice.destination).await?.unwrap_or_default();
    if delivery.sent > notice.n && delivery.state_of(delivery.sent).is_delivered() {
        return Err(ApiError::conflict(
            "a newer notice about the same incident was delivered there; delete this one instead",
        ));
    }
    Ok(())
}

/// Sends the newest notice of an incident to one of its destinations once more, even if it was delivered.
pub(crate) async fn resend_delivery(
    app: &App,
    incident: &Incident,
    destination: &DestinationId,
) -> Result<(), ApiError> {
    let timeline = app.store.timeline(incident).await?;
    let newest = timeline.iter().rev().find(|entry| incident.notifies(destination, entry));
    let entry = newest.ok_or_else(|| {
        ApiError::not_found(format_args!("notice of incident {} for destination {destination}", incident.id))
    })?;
    let notice = app.dispatch.notice(incident, entry, destination).await?;
    let now = app.clock.now();
    let record = NoticeRecord::Again { notice: notice.clone(), due: now, asked: Some(now) };
    app.dispatch.notices.send(Entry::of_notice(&record)).await?;
    Ok(app.store.delete_dead_letter(&DeadLetter::id_of_notice(&notice)).await?)
}
