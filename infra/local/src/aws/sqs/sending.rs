//! Sends messages: the checks of a queue, five minutes of deduplication on FIFO queues, and the rows of a new message.

use std::time::Duration;

use alerting::base::moment::Moment;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::error::SqsError;
use super::line::{Entry, Place, Seq};
use super::message::{Prepared, Sent, hex};
use super::queues::{DEDUP_WINDOW, Queue, Queues};
use crate::aws::database::{Db, WorkError};
use crate::aws::names::uuid;

/// The longest that a message may be delayed.
const MAX_DELAY: Duration = Duration::from_secs(900);

impl Queues {
    pub(crate) fn send(
        &mut self,
        db: &Db,
        queue: &str,
        prepared: &Prepared,
        now: Moment,
    ) -> Result<Sent, WorkError<SqsError>> {
        let queue = self.find_mut(queue)?;
        check(queue, prepared)?;
        if !queue.is_fifo() {
            let (message_id, _) = insert(db, queue, prepared, None, now)?;
            return Ok(sent(prepared, message_id, None));
        }
        let id = dedup_id(queue, prepared)?;
        let key = dedup_key(queue, prepared, &id);
        if let Some((message_id, seq)) = find_sent(db, queue, &key, now)? {
            return Ok(sent(prepared, message_id, Some(seq)));
        }
        let (message_id, seq) = insert(db, queue, prepared, Some(&id), now)?;
        db.write()?
            .prepare_cached(
                "INSERT OR REPLACE INTO dedup (queue, key, sent_at, message_id, seq) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![queue.id, key, now.millis(), message_id, seq])?;
        Ok(sent(prepared, message_id, Some(seq)))
    }
}

/// The checks that need the queue.
fn check(queue: &Queue, prepared: &Prepared) -> Result<(), SqsError> {
    let message = &prepared.message;
    if prepared.bytes > queue.settings.max_bytes {
        return Err(SqsError::TooLong(queue.settings.max_bytes));
    }
    let bad = |name, value: String, reason| Err(SqsError::BadParameter { name, value, reason });
    let other_kind = "The request include parameter that is not valid for this queue type";
    match (queue.is_fifo(), message.delay) {
        (_, Some(delay)) if delay > MAX_DELAY => {
            return bad("DelaySeconds", delay.as_secs().to_string(), "DelaySeconds must be >= 0 and <= 900.");
        }
        (true, Some(delay)) if !delay.is_zero() => {
            return bad("DelaySeconds", delay.as_secs().to_string(), other_kind);
        }
        _ => {}
    }
    match (queue.is_fifo(), &message.group, &message.dedup) {
        (true, None, _) => Err(SqsError::MissingParameter("MessageGroupId".to_owned())),
        (false, _, Some(dedup)) => bad("MessageDeduplicationId", dedup.clone(), other_kind),
        _ => Ok(()),
    }
}

fn sent(prepared: &Prepared, message_id: String, sequence: Option<Seq>) -> Sent {
    let (body_md5, attributes_md5) = (prepared.body_md5.clone(), prepared.attributes_md5.clone());
    Sent { message_id, body_md5, attributes_md5, sequence }
}

/// The id by which the queue recognises equal messages: the given one, or the body's hash.
fn dedup_id(queue: &Queue, prepared: &Prepared) -> Result<String, SqsError> {
    match &prepared.message.dedup {
        Some(id) => Ok(id.clone()),
        None if queue.settings.content_dedup => Ok(hex(&Sha256::digest(&prepared.message.body))),
        None => Err(SqsError::BadParameter {
            name: "MessageDeduplicationId",
            value: String::new(),
            reason: "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        }),
    }
}

/// The id within its scope, hashed to a short key.
fn dedup_key(queue: &Queue, prepared: &Prepared, id: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    if queue.settings.dedup_per_group {
        hash.update(prepared.message.group.as_deref().unwrap_or_default());
        hash.update([0]);
    }
    hash.update(id);
    *hash.finalize().first_chunk().expect("SHA-256 has 32 bytes")
}

/// The message that was sent with this key within the window, even if it is deleted by now.
fn find_sent(db: &Db, queue: &Queue, key: &[u8; 16], now: Moment) -> rusqlite::Result<Option<(String, Seq)>> {
    db.read()
        .prepare_cached("SELECT message_id, seq FROM dedup WHERE queue = ? AND key = ? AND sent_at > ?")?
        .query_row(params![queue.id, key, (now - DEDUP_WINDOW).millis()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn insert(
    db: &Db,
    queue: &mut Queue,
    prepared: &Prepared,
    dedup: Option<&str>,
    now: Moment,
) -> rusqlite::Result<(String, Seq)> {
    let message = &prepared.message;
    let delay = message.delay.filter(|_| !queue.is_fifo()).unwrap_or(queue.settings.delay);
    let connection = db.write()?;
    let seq = connection
        .prepare_cached("INSERT INTO message (queue, grp, sent_at, visible_at) VALUES (?, ?, ?, ?)")?
        .insert(params![queue.id, message.group, now.millis(), (now + delay).millis()])?;
    let attributes = (!message.attributes.is_empty())
        .then(|| serde_json::to_string(&message.attributes).expect("attributes are texts and bytes"));
    let message_id = uuid();
    connection
        .prepare_cached(
            "INSERT INTO content (seq, message_id, dedup, trace, md5, attributes, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![seq, message_id, dedup, message.trace, prepared.body_md5, attributes, message.body])?;
    let place = if delay.is_zero() { Place::Ready } else { Place::Delayed(now + delay) };
    let group = queue.line.group_name(message.group.as_deref());
    queue.line.add(seq, Entry { group, place, receives: 0, uncounted: 0, sent_at: now });
    Ok((message_id, seq))
}
