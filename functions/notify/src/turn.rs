//! Handles the records of one destination in a batch: they become one message, or wait together.
//!
//! A notice to a member, or one that calls on people in a group (an escalation, a reassignment), is always a message of
//! its own. It takes its own permit and waits by itself, not in the digest. A notice that waits in the queue delays all
//! notices behind it. A notice with a longer wait leaves the queue and may be overtaken: a newer notice of the same
//! incident supersedes it.

use operations::addresses::{Address, NoAddress};
use std::collections::BTreeSet;
use std::time::Duration;

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::incident::notice::{Notice, NoticeRecord};
use alerting::incident::refresh::Refresh;
use alerting::incident::timeline::EntryKind;
use channels::outcome::Reason;
use lambda_kit::sqs_batch::{Disposition, Handle};
use post::deliver::TOTAL_TIMEOUT;
use store::rates::Permit;
use tokio::time::Instant;

use crate::app::App;
use crate::digest;
use crate::error::NotifyError;
use crate::fold::fold;
use crate::later::{IN_QUEUE, put_off, watch};
use crate::refresh::refresh;
use crate::requests::{Change, take_permits};
use crate::say::say;
use crate::send::{self, Sending};
use crate::settle::Settled;

/// The most records of one batch. If all are of one destination, more of them probably wait in the queue.
const FULL_BATCH: usize = 10;
/// A longer wait than this is spent in the digest, not in the queue.
const DIGEST_AFTER: Duration = Duration::from_secs(3);

/// One notice to send.
#[derive(Debug, Clone)]
struct Task {
    notice: Notice,
    /// When a person requested that it is sent again.
    asked: Option<Moment>,
}

/// Handles the destination's records and returns the disposition of each. No message is started that could not be
/// finished before `stop`.
pub(crate) async fn take(
    app: &App,
    destination: &DestinationId,
    records: Vec<(Handle, NoticeRecord)>,
    stop: Instant,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let mut dispositions = Vec::with_capacity(records.len());
    if records.iter().all(|(_, record)| matches!(record, NoticeRecord::Say(_))) {
        for (handle, record) in records {
            if let NoticeRecord::Say(answer) = record {
                dispositions.push((handle, say(app, &answer).await?));
            }
        }
        return Ok(dispositions);
    }
    let address = match app.addresses.find(app.directory(), destination).await? {
        Ok(address) => address,
        Err(none) => return give_up(app, none, records).await,
    };
    let (mut tasks, mut refreshes) = (Vec::new(), Vec::new());
    for (handle, record) in records {
        match record {
            NoticeRecord::Tell(notice) => tasks.push((handle, Task { notice, asked: None })),
            NoticeRecord::Again { notice, asked, .. } => tasks.push((handle, Task { notice, asked })),
            NoticeRecord::Flush { .. } => dispositions.push((handle, digest::flush(app, &address).await?)),
            NoticeRecord::Refresh(refresh) => refreshes.push((handle, refresh)),
            NoticeRecord::Say(answer) => dispositions.push((handle, say(app, &answer).await?)),
        }
    }
    let (handles, tasks): (Vec<Handle>, Vec<Task>) = tasks.into_iter().unzip();
    let notified = notify(app, &address, &tasks, stop).await?;
    dispositions.extend(handles.into_iter().zip(in_group_order(notified)));
    dispositions.extend(draw_again(app, &address, refreshes, stop).await?);
    Ok(dispositions)
}

/// Redraws cards, those of one incident once.
async fn draw_again(
    app: &App,
    address: &Address,
    refreshes: Vec<(Handle, Refresh)>,
    stop: Instant,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let mut drawn = BTreeSet::new();
    let mut dispositions = Vec::with_capacity(refreshes.len());
    for (handle, record) in refreshes {
        let disposition = if drawn.contains(&record.incident) {
            Disposition::Done
        } else if Instant::now() + TOTAL_TIMEOUT > stop {
            Disposition::Retry { after: Some(Duration::ZERO) }
        } else {
            refresh(app, address, &record).await?;
            drawn.insert(record.incident);
            Disposition::Done
        };
        dispositions.push((handle, disposition));
    }
    Ok(dispositions)
}

/// Sends the notices; returns their dispositions in the same order.
async fn notify(app: &App, address: &Address, tasks: &[Task], stop: Instant) -> Result<Vec<Disposition>, NotifyError> {
    // A message to a person is never a line among others.
    let can_fold = address.channel.limits().folds && !address.is_a_person();
    let mut dispositions = Vec::with_capacity(tasks.len());
    for message in messages(tasks, can_fold) {
        if !dispositions.is_empty() && Instant::now() + TOTAL_TIMEOUT > stop {
            dispositions.resize(tasks.len(), Disposition::Retry { after: Some(Duration::ZERO) });
            break;
        }
        let folds = can_fold && !is_alone(&message[0]);
        let is_full = tasks.len() >= FULL_BATCH;
        let now = app.parts.clock.now();
        match take_permits(app, address, Change::New, now).await? {
            Permit::Granted => dispositions.extend(send_message(app, address, message).await?),
            Permit::Wait(wait) if folds && (wait > DIGEST_AFTER || is_full) => {
                digest::add(app, address, &notices(message), now + wait).await?;
                dispositions.extend(message.iter().map(|_| Disposition::Done));
            }
            Permit::Wait(wait) if wait > IN_QUEUE => {
                for task in message {
                    watch(app, &task.notice, now, now + wait, Reason::RateLimited.as_str()).await?;
                }
                put_off_all(app, message.iter(), now + wait).await?;
                dispositions.extend(message.iter().map(|_| Disposition::Done));
            }
            Permit::Wait(wait) => {
                dispositions.extend(message.iter().map(|_| Disposition::Retry { after: Some(wait) }));
            }
        }
        // Records behind a waiting one must not overtake it.
        if let Some(waits) = dispositions.iter().find(|disposition| **disposition != Disposition::Done) {
            let waits = waits.clone();
            dispositions.resize(tasks.len(), waits);
            break;
        }
    }
    Ok(dispositions)
}

/// Sends one message. If it has to wait longer than the queue should hold it, several notices go to the digest as
/// lines, and a single notice becomes due work with its full content.
async fn send_message(app: &App, address: &Address, message: &[Task]) -> Result<Vec<Disposition>, NotifyError> {
    let folded = fold(&notices(message));
    let settled = send::send(app, address, Sending { notices: &folded, asked: message[0].asked }).await?;
    let result = |task: &Task| settled.iter().find(|settled| settled.incident == task.notice.incident);
    let wait = |task: &Task| result(task).and_then(|settled| settled.wait);
    let longest = message.iter().filter_map(wait).max().unwrap_or_default();
    if longest <= IN_QUEUE {
        return Ok(message.iter().map(|task| result(task).map_or(Disposition::Done, Settled::disposition)).collect());
    }
    let due = app.parts.clock.now() + longest;
    let waiting = message.iter().filter(|task| wait(task).is_some());
    if message.len() > 1 {
        digest::add(app, address, &notices(waiting), due).await?;
    } else {
        put_off_all(app, waiting, due).await?;
    }
    Ok(message.iter().map(|_| Disposition::Done).collect())
}

async fn put_off_all(app: &App, tasks: impl Iterator<Item = &Task>, due: Moment) -> Result<(), NotifyError> {
    for task in tasks {
        put_off(app, &task.notice, task.asked, due, false).await?;
    }
    Ok(())
}

fn notices<'t>(tasks: impl IntoIterator<Item = &'t Task>) -> Vec<Notice> {
    tasks.into_iter().map(|task| task.notice.clone()).collect()
}

/// Groups tasks into messages: neighbouring tasks that may share a message become one; every other task is a message of
/// its own.
fn messages(tasks: &[Task], folds: bool) -> impl Iterator<Item = &[Task]> {
    tasks.chunk_by(move |one, next| folds && !is_alone(one) && !is_alone(next))
}

/// Whether the notice must have a message of its own: the change calls on people, or a person requested it again.
const fn is_alone(task: &Task) -> bool {
    task.asked.is_some()
        || matches!(
            task.notice.kind,
            EntryKind::Escalated | EntryKind::Repeated | EntryKind::Reassigned | EntryKind::ResponderAdded
        )
}

/// In a FIFO group a record must not be deleted before an earlier one, so after the first record that waits, all wait.
/// A notice that was sent already is recognised when its record is received again.
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

/// Records that nothing can be sent to this destination. The notices are not retried.
async fn give_up(
    app: &App,
    none: NoAddress,
    records: Vec<(Handle, NoticeRecord)>,
) -> Result<Vec<(Handle, Disposition)>, NotifyError> {
    let mut dispositions = Vec::with_capacity(records.len());
    for (handle, record) in records {
        let disposition = match (record, none) {
            (NoticeRecord::Flush { .. } | NoticeRecord::Refresh(_) | NoticeRecord::Say(_), _) => Disposition::Done,
            (NoticeRecord::Tell(notice) | NoticeRecord::Again { notice, .. }, NoAddress::Deleted) => {
                tracing::warn!(destination.id = %notice.destination, incident.id = %notice.incident, "the destination of a notice was deleted");
                send::drop_notice(app, &notice).await?;
                Disposition::Done
            }
            (NoticeRecord::Tell(notice), NoAddress::Unusable(reason)) => {
                send::give_up(app, notice, None, reason).await?.disposition()
            }
            (NoticeRecord::Again { notice, asked, .. }, NoAddress::Unusable(reason)) => {
                send::give_up(app, notice, asked, reason).await?.disposition()
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
        let task = |kind: &EntryKind| Task { notice: Notice { kind: *kind, ..notice("inc_a", 1) }, asked: None };
        let tasks: Vec<Task> = kinds.iter().map(task).collect();
        messages(&tasks, folds).map(<[Task]>::len).collect()
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
