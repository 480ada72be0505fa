//! One destination's turn: its records of this batch become one message, or wait together.

use std::time::Duration;

use alerting::ids::DestinationId;
use alerting::notice::{Notice, NoticeRecord};
use channels::outcome::Reason;
use lambda_kit::sqs_batch::{Disposition, Handle};
use store::rates::Token;

use crate::addresses::Address;
use crate::digest;
use crate::fold::fold;
use crate::send::{self, Fate};
use crate::{App, NotifyError};

/// Records that one batch of the queue can hold: as many as these of one destination mean that more are behind them.
const FULL_BATCH: usize = 10;
/// A wait that is longer than this is spent in the digest, not in the queue.
const DIGEST_AFTER: Duration = Duration::from_secs(3);

/// Takes the destination's turn; what becomes of its records, in their order.
pub(crate) async fn take(
    app: &App,
    destination: &DestinationId,
    records: Vec<(Handle, NoticeRecord)>,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let Some(address) = app.addresses.find(app, destination).await? else {
        return give_up(app, destination, records).await;
    };
    let mut dispositions = Vec::with_capacity(records.len());
    let mut tells = Vec::new();
    for (handle, record) in records {
        match record {
            NoticeRecord::Tell(notice) => tells.push((handle, notice)),
            NoticeRecord::Flush { .. } => dispositions.push((handle, digest::flush(app, &address).await?)),
        }
    }
    dispositions.extend(tell(app, &address, tells).await?);
    Ok(dispositions)
}

async fn tell(
    app: &App,
    address: &Address,
    tells: Vec<(Handle, Notice)>,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    if tells.is_empty() {
        return Ok(Vec::new());
    }
    let (handles, notices): (Vec<Handle>, Vec<Notice>) = tells.into_iter().unzip();
    let rates = address.channel.limits().rates;
    match app.parts.store.take_token(&address.id, rates, app.parts.clock.now()).await? {
        Token::Granted => {
            let fates = send::send(app, address, &fold(&notices)).await?;
            let disposition = |notice: &Notice| fates.iter().find(|fate| fate.incident == notice.incident);
            let dispositions: Vec<Disposition> =
                notices.iter().map(|notice| disposition(notice).map_or(Disposition::Done, Fate::disposition)).collect();
            Ok(handles.into_iter().zip(in_group_order(dispositions)).collect())
        }
        Token::Wait(wait) if wait > DIGEST_AFTER || handles.len() >= FULL_BATCH => {
            digest::add(app, address, notices, wait).await?;
            Ok(handles.into_iter().map(|handle| (handle, Disposition::Done)).collect())
        }
        Token::Wait(wait) => {
            let later = Disposition::Retry { after: Some(wait) };
            Ok(handles.into_iter().map(|handle| (handle, later.clone())).collect())
        }
    }
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

/// The destination is gone: recorded, not retried.
async fn give_up(
    app: &App,
    destination: &DestinationId,
    records: Vec<(Handle, NoticeRecord)>,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let mut dispositions = Vec::with_capacity(records.len());
    for (handle, record) in records {
        if let NoticeRecord::Tell(notice) = record {
            tracing::warn!(destination.id = %destination, incident.id = %notice.incident, "the destination of a notice was deleted");
            send::record_failed(app, &notice, Reason::BadDestination).await?;
        }
        dispositions.push((handle, Disposition::Done));
    }
    Ok(dispositions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(secs: u64) -> Disposition {
        Disposition::Retry { after: Some(Duration::from_secs(secs)) }
    }

    #[test]
    fn from_the_first_record_that_waits_every_later_one_of_its_group_waits() {
        let ordered = in_group_order(vec![Disposition::Done, later(5), Disposition::Done, later(9)]);
        assert_eq!(ordered, [Disposition::Done, later(5), later(5), later(9)]);
    }
}
