//! Receives messages, and deletes them or changes how long they stay in flight.
//!
//! A receive that finds nothing waits in the storage thread, which checks again after every batch of work and at every
//! tick of its clock. So a message is handed over in the same commit that stores it.

use std::time::Duration;

use alerting::base::moment::Moment;
use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::attributes::Redrive;
use super::error::SqsError;
use super::line::{Entry, Place, Seq, TakeRequest};
use super::message::{MessageAttributes, Received};
use super::poll::{Poll, Reply, Waiter};
use super::queues::{Queue, QueueId, Queues, remove_message};
use super::receipt::Receipt;
use crate::aws::database::{Answer, Db, WorkError};
use crate::aws::names::queue_arn;

/// The most messages in flight in SQS; more are handed out only after some are deleted.
const MAX_IN_FLIGHT: usize = 120_000;

impl Queues {
    /// Registers a receive. [`Queues::serve_waiting`] answers it, at the latest when its wait is over.
    pub(crate) fn wait(&mut self, queue: String, poll: Poll, now: Moment, reply: Reply) {
        let own = self.find(&queue).map(|queue| queue.settings.wait).unwrap_or_default();
        let deadline = now + poll.wait.unwrap_or(own);
        self.waiting.push(Waiter { queue, poll, deadline, reply });
    }

    pub(crate) fn anyone_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Answers waiting receives, in the order of arrival, if there are messages for them or their wait is over.
    pub(crate) fn serve_waiting(&mut self, db: &Db, now: Moment) -> rusqlite::Result<Vec<Answer>> {
        let mut answers: Vec<Answer> = Vec::new();
        for waiter in std::mem::take(&mut self.waiting) {
            // A receiver that no longer waits must not take a message.
            if waiter.reply.is_closed() {
                continue;
            }
            let result = WorkError::split(self.receive(db, &waiter.queue, waiter.poll, now))?;
            if waiter.deadline > now && result.as_ref().is_ok_and(Vec::is_empty) {
                self.waiting.push(waiter);
                continue;
            }
            answers.push(Box::new(move || drop(waiter.reply.send(result))));
        }
        Ok(answers)
    }

    fn receive(&mut self, db: &Db, name: &str, poll: Poll, now: Moment) -> Result<Vec<Received>, WorkError<SqsError>> {
        let redrive = self.redrive_of(self.find(name)?);
        let queue = self.find_mut(name)?;
        let room = MAX_IN_FLIGHT.saturating_sub(queue.line.in_flight());
        if room == 0 && !queue.is_fifo() {
            return Err(SqsError::TooManyInFlight(MAX_IN_FLIGHT).into());
        }
        let until = now + poll.visibility.unwrap_or(queue.settings.visibility);
        let max_receives = redrive.as_ref().map(|redrive| redrive.max_receives);
        let receive = CurrentReceive { queue: queue.id, fifo: queue.is_fifo(), until, now };
        let taken = queue.line.take(TakeRequest { max: poll.max.min(room), until, max_receives });
        if let Some(redrive) = redrive {
            taken.dead.iter().try_for_each(|seq| self.move_to_dead_queue(db, *seq, name, &redrive.dead_queue, now))?;
        }
        Ok(taken.served.into_iter().map(|seq| receive.read(db, seq)).collect::<Result<_, _>>()?)
    }

    /// The redrive policy, unless its dead queue has been deleted.
    fn redrive_of(&self, queue: &Queue) -> Option<Redrive> {
        queue.settings.redrive.clone().filter(|redrive| self.find(&redrive.dead_queue).is_ok())
    }

    /// Moves a message to the dead queue. It keeps its id, its group and its sequence number.
    fn move_to_dead_queue(
        &mut self,
        db: &Db,
        seq: Seq,
        from: &str,
        to: &str,
        now: Moment,
    ) -> Result<(), WorkError<SqsError>> {
        let dead = self.find_mut(to)?;
        // In a standard queue the age of a message counts from its first sending; in a FIFO queue from the move.
        let restart = dead.is_fifo().then_some(now.millis());
        let row = db
            .write()?
            .prepare_cached(
                "UPDATE message SET queue = ?, visible_at = ?, receives_before = receives_before + receives - uncounted,
                 receives = 0, uncounted = 0, held = 0, dead_from = ?, sent_at = coalesce(?, sent_at) WHERE seq = ? RETURNING sent_at, grp",
            )?
            .query_row(params![dead.id, now.millis(), queue_arn(from), restart, seq], |row| {
                Ok((row.get(0)?, row.get::<_, Option<String>>(1)?))
            })?;
        let group = dead.line.group_name(row.1.as_deref());
        let sent_at = Moment::from_millis(row.0);
        dead.line.add(seq, Entry { group, place: Place::Ready, receives: 0, uncounted: 0, sent_at });
        Ok(())
    }

    /// Deletes the message of this receive, unless it has been deleted or received by another receiver since.
    pub(crate) fn delete(&mut self, db: &Db, queue: &str, receipt: &str) -> Result<(), WorkError<SqsError>> {
        let queue = self.find_mut(queue)?;
        let receipt = receipt_of(queue, receipt)?;
        let Some(entry) = queue.line.get(receipt.seq) else { return Ok(()) };
        if queue.is_fifo() && !(is_current(entry, receipt) && is_in_flight(entry)) {
            return Err(SqsError::ReceiptExpired.into());
        }
        if is_current(entry, receipt) {
            remove_message(db.write()?, receipt.seq)?;
            queue.line.remove(receipt.seq);
        }
        Ok(())
    }

    /// Makes the message of this receive visible again after `after`; zero means at once.
    pub(crate) fn change_visibility(
        &mut self,
        db: &Db,
        queue: &str,
        receipt: &str,
        after: Duration,
        now: Moment,
    ) -> Result<(), WorkError<SqsError>> {
        let queue = self.find_mut(queue)?;
        let receipt = receipt_of(queue, receipt)?;
        match queue.line.get(receipt.seq) {
            Some(entry) if is_current(entry, receipt) && is_in_flight(entry) => {}
            Some(_) => return Err(SqsError::NotInFlight.into()),
            None => {
                return Err(SqsError::BadParameter {
                    name: "ReceiptHandle",
                    value: receipt.to_string(),
                    reason: "Message does not exist or is not available for visibility timeout change.",
                }
                .into());
            }
        }
        let until = now + after;
        let mut update = db.write()?.prepare_cached("UPDATE message SET visible_at = ?, held = 0 WHERE seq = ?")?;
        update.execute(params![until.millis(), receipt.seq])?;
        queue.line.put(receipt.seq, if after.is_zero() { Place::Ready } else { Place::InFlight(until) });
        Ok(())
    }

    /// Makes messages ready again that were received and neither deleted nor deferred, because their receiver has
    /// ended.
    pub(crate) fn release(&mut self, db: &Db, queue: &str, now: Moment) -> Result<usize, WorkError<SqsError>> {
        let queue = self.find_mut(queue)?;
        let held: Vec<Seq> = db
            .write()?
            .prepare_cached(
                "UPDATE message SET visible_at = ?1, held = 0 WHERE queue = ?2 AND held = 1 AND visible_at > ?1
                 RETURNING seq",
            )?
            .query_map(params![now.millis(), queue.id], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        held.iter().for_each(|seq| queue.line.put(*seq, Place::Ready));
        Ok(held.len())
    }
}

fn receipt_of(queue: &Queue, receipt: &str) -> Result<Receipt, SqsError> {
    let receipt: Receipt = receipt.parse()?;
    if receipt.queue == queue.id { Ok(receipt) } else { Err(SqsError::BadReceipt) }
}

fn is_current(entry: &Entry, receipt: Receipt) -> bool {
    entry.receives == receipt.receive
}

fn is_in_flight(entry: &Entry) -> bool {
    matches!(entry.place, Place::InFlight(_))
}

/// The common values of all messages of one receive.
struct CurrentReceive {
    queue: QueueId,
    fifo: bool,
    until: Moment,
    now: Moment,
}

impl CurrentReceive {
    /// Marks a message as in flight, and reads the rest of it.
    fn read(&self, db: &Db, seq: Seq) -> rusqlite::Result<Received> {
        let connection = db.write()?;
        let mut message = connection
            .prepare_cached(
                "UPDATE message SET receives = receives + 1, visible_at = ?, held = 1,
                 first_received_at = coalesce(first_received_at, ?) WHERE seq = ?
                 RETURNING receives, receives_before - uncounted, sent_at, first_received_at, grp, dead_from",
            )?
            .query_row(params![self.until.millis(), self.now.millis(), seq], |row| self.read_message(row, seq))?;
        connection
            .prepare_cached("SELECT message_id, dedup, trace, md5, attributes, body FROM content WHERE seq = ?")?
            .query_row([seq], |row| read_content(row, &mut message))?;
        Ok(message)
    }

    fn read_message(&self, row: &Row<'_>, seq: Seq) -> rusqlite::Result<Received> {
        let receive: u32 = row.get(0)?;
        Ok(Received {
            message_id: String::new(),
            receipt: Receipt { queue: self.queue, seq, receive }.to_string(),
            body: String::new(),
            body_md5: String::new(),
            attributes: MessageAttributes::new(),
            group: row.get(4)?,
            dedup: None,
            trace: None,
            sequence: self.fifo.then_some(seq),
            sent_at: Moment::from_millis(row.get(2)?),
            first_received_at: Moment::from_millis(row.get(3)?),
            receives: receive.saturating_add_signed(row.get(1)?),
            dead_from: row.get(5)?,
        })
    }
}

fn read_content(row: &Row<'_>, message: &mut Received) -> rusqlite::Result<()> {
    message.message_id = row.get(0)?;
    message.dedup = row.get(1)?;
    message.trace = row.get(2)?;
    message.body_md5 = row.get(3)?;
    message.body = row.get(5)?;
    if let Some(attributes) = row.get::<_, Option<String>>(4)? {
        message.attributes = serde_json::from_str(&attributes)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, Type::Text, error.into()))?;
    }
    Ok(())
}
