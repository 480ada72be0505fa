//! One destination's turn: its records of this batch become one message, or wait together.
//!
//! What is sent to a person, and what calls on people in a group (an escalation, a reassignment), is never a line among
//! others: each such notice is a message of its own, which takes a token of its own, and waits in the queue for it
//! instead of in the digest. The order stays: from the first that waits, everything behind it does.

use std::time::Duration;

use alerting::ids::DestinationId;
use alerting::notice::{Notice, NoticeRecord};
use alerting::timeline::EntryKind;
use channels::deliver::TOTAL_TIMEOUT;
use lambda_kit::sqs_batch::{Disposition, Handle};
use store::rates::Token;
use tokio::time::Instant;

use crate::addresses::{Address, Nowhere};
use crate::digest;
use crate::fold::fold;
use crate::send::{self, Fate};
use crate::{App, NotifyError};

/// Records that one batch of the queue can hold: as many as these of one destination mean that more are behind them.
const FULL_BATCH: usize = 10;
/// A wait that is longer than this is spent in the digest, not in the queue.
const DIGEST_AFTER: Duration = Duration::from_secs(3);

/// Takes the destination's turn; what becomes of its records, in their order. No message is begun that could not end
/// before `stop`.
pub(crate) async fn take(
    app: &App,
    destination: &DestinationId,
    records: Vec<(Handle, NoticeRecord)>,
    stop: Instant,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let address = match app.addresses.find(app, destination).await? {
        Ok(address) => address,
        Err(nowhere) => return give_up(app, nowhere, records).await,
    };
    let mut dispositions = Vec::with_capacity(records.len());
    let mut tells = Vec::new();
    for (handle, record) in records {
        match record {
            NoticeRecord::Tell(notice) => tells.push((handle, notice)),
            NoticeRecord::Flush { .. } => dispositions.push((handle, digest::flush(app, &address).await?)),
        }
    }
    let (handles, notices): (Vec<Handle>, Vec<Notice>) = tells.into_iter().unzip();
    let told = tell(app, &address, &notices, stop).await?;
    dispositions.extend(handles.into_iter().zip(in_group_order(told)));
    Ok(dispositions)
}

/// What becomes of each notice, in their order.
async fn tell(
    app: &App,
    address: &Address,
    notices: &[Notice],
    stop: Instant,
) -> Result<Vec<Disposition>, NotifyError> {
    let limits = address.channel.limits();
    let mut dispositions = Vec::with_capacity(notices.len());
    for message in messages(notices, limits.folds) {
        if !dispositions.is_empty() && Instant::now() + TOTAL_TIMEOUT > stop {
            dispositions.resize(notices.len(), Disposition::Retry { after: Some(Duration::ZERO) });
            break;
        }
        let folds = limits.folds && !is_alone(&message[0]);
        let is_full = notices.len() >= FULL_BATCH;
        match app.parts.store.take_token(&address.id, limits.rates, app.parts.clock.now()).await? {
            Token::Granted => {
                let fates = send::send(app, address, &fold(message)).await?;
                let fate = |notice: &Notice| fates.iter().find(|fate| fate.incident == notice.incident);
                dispositions
                    .extend(message.iter().map(|notice| fate(notice).map_or(Disposition::Done, Fate::disposition)));
            }
            Token::Wait(wait) if folds && (wait > DIGEST_AFTER || is_full) => {
                digest::add(app, address, message.to_vec(), wait).await?;
                dispositions.extend(message.iter().map(|_| Disposition::Done));
            }
            Token::Wait(wait) => {
                dispositions.extend(message.iter().map(|_| Disposition::Retry { after: Some(wait) }));
            }
        }
        // What is behind one that waits must not overtake it.
        if let Some(waits) = dispositions.iter().find(|disposition| **disposition != Disposition::Done) {
            let waits = waits.clone();
            dispositions.resize(notices.len(), waits);
            break;
        }
    }
    Ok(dispositions)
}

/// The notices as messages: those that may be lines of one together, as far as they are neighbours, the others alone.
fn messages(notices: &[Notice], folds: bool) -> impl Iterator<Item = &[Notice]> {
    notices.chunk_by(move |one, next| folds && !is_alone(one) && !is_alone(next))
}

/// Whether the change calls on people, so that it must not be a line among others.
const fn is_alone(notice: &Notice) -> bool {
    matches!(
        notice.kind,
        EntryKind::Escalated | EntryKind::Repeated | EntryKind::Reassigned | EntryKind::ResponderAdded
    )
}

/// In a FIFO group a record must not be deleted before an earlier one: from the first that waits, all wait. What was
/// sent already is recognised when it comes back.
fn in_group_order(dispositions: Vec<Disposition>) -> Vec<Disposition> {
    let mut waiting: Option<Disposition> = None;
    let mut ordered = Vec::with_capacity(dispositions.len());
    for disposition in dispositions {
        if waiting.is_none() && disposition != Disposition::Done {
            waiting = Some(disposition.clone());
        }
        ordered.push(match (&disposition, &waiting) {
            (Disposition::Done, Some(wait)) => wait.clone(),
            _ => disposition,
        });
    }
    ordered
}

/// Nothing can be sent there: recorded, not retried.
async fn give_up(
    app: &App,
    nowhere: Nowhere,
    records: Vec<(Handle, NoticeRecord)>,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let mut dispositions = Vec::with_capacity(records.len());
    for (handle, record) in records {
        let disposition = match (record, nowhere) {
            (NoticeRecord::Flush { .. }, _) => Disposition::Done,
            (NoticeRecord::Tell(notice), Nowhere::Deleted) => {
                tracing::warn!(destination.id = %notice.destination, incident.id = %notice.incident, "the destination of a notice was deleted");
                send::drop_notice(app, &notice).await?;
                Disposition::Done
            }
            (NoticeRecord::Tell(notice), Nowhere::Unusable(reason)) => {
                send::give_up(app, notice, reason).await?.disposition()
            }
        };
        dispositions.push((handle, disposition));
    }
    Ok(dispositions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::tests::notice;

    fn later(secs: u64) -> Disposition {
        Disposition::Retry { after: Some(Duration::from_secs(secs)) }
    }

    #[test]
    fn from_the_first_record_that_waits_every_later_one_of_its_group_waits() {
        let ordered = in_group_order(vec![Disposition::Done, later(5), Disposition::Done, later(9)]);
        assert_eq!(ordered, [Disposition::Done, later(5), later(5), later(9)]);
    }

    fn lengths(kinds: &[EntryKind], folds: bool) -> Vec<usize> {
        let notices: Vec<Notice> = kinds.iter().map(|kind| Notice { kind: *kind, ..notice("inc_a", 1) }).collect();
        messages(&notices, folds).map(<[Notice]>::len).collect()
    }

    #[test]
    fn what_calls_on_people_is_a_message_of_its_own_and_keeps_its_place() {
        use EntryKind::{Escalated, Reassigned, Recovered, Repeated, ResponderAdded, Triggered};
        assert_eq!(lengths(&[Triggered, Recovered, Escalated, Triggered, Triggered], true), [2, 1, 2]);
        assert_eq!(lengths(&[Escalated, Repeated, Reassigned, ResponderAdded], true), [1; 4]);
        assert_eq!(lengths(&[], true), [0; 0]);
    }

    #[test]
    fn a_destination_that_does_not_fold_gets_every_notice_by_itself() {
        assert_eq!(lengths(&[EntryKind::Triggered; 3], false), [1, 1, 1]);
    }
}
