//! The queues as the storage thread holds them: for each its settings and its `Line` in memory, everything else in the
//! file. A waiting message takes memory only for its place in the line, not for its body.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use alerting::base::moment::Moment;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::attributes::{self, QueueAttributes, Settings};
use super::error::SqsError;
use super::line::{Entry, Kind, Line, Place, Seq};
use super::poll::Waiter;
use crate::aws::database::{Db, WorkError};
use crate::aws::names::queue_arn;

/// How often messages past their retention are removed.
const SWEEP: Duration = Duration::from_secs(60);

/// A FIFO queue forgets a deduplication id after this time.
pub(super) const DEDUP_WINDOW: Duration = Duration::from_secs(300);

pub(crate) type QueueId = i64;

pub(crate) struct Queue {
    pub(crate) id: QueueId,
    pub(crate) name: String,
    created_at: Moment,
    changed_at: Moment,
    attributes: QueueAttributes,
    pub(crate) settings: Settings,
    pub(crate) line: Line,
}

/// How many messages a queue holds, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
    /// When the longest waiting message was sent.
    pub oldest: Option<Moment>,
}

#[derive(Default)]
pub(crate) struct Queues {
    pub(super) queues: BTreeMap<QueueId, Queue>,
    ids: HashMap<String, QueueId>,
    pub(super) waiting: Vec<Waiter>,
    next_sweep: Moment,
}

impl Queues {
    pub(crate) fn read(db: &Db, now: Moment) -> rusqlite::Result<Self> {
        let mut all = Self::default();
        let mut rows = db.read().prepare("SELECT id, name, created_at, changed_at, attributes FROM queue")?;
        for queue in rows.query_map([], read_queue)? {
            all.insert(queue?);
        }
        let mut rows = db
            .read()
            .prepare("SELECT queue, seq, grp, sent_at, visible_at, receives, uncounted FROM message ORDER BY seq")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(queue) = all.queues.get_mut(&row.get(0)?) {
                let entry = read_entry(row, &queue.line, now)?;
                queue.line.add(row.get(1)?, entry);
            }
        }
        Ok(all)
    }

    /// Makes due messages ready, and removes those past their retention.
    pub(crate) fn pass_time(&mut self, db: &Db, now: Moment) -> rusqlite::Result<()> {
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP;
            self.sweep(db, now)?;
        }
        self.queues.values_mut().for_each(|queue| queue.line.wake(now));
        Ok(())
    }

    /// Creates a queue. An existing queue with these attributes is left as it is.
    pub(crate) fn create(
        &mut self,
        db: &Db,
        name: &str,
        attributes: QueueAttributes,
        now: Moment,
    ) -> Result<(), WorkError<SqsError>> {
        let settings = self.parse(name, &attributes)?;
        if let Ok(existing) = self.find(name) {
            let existing = attributes::with_defaults(&existing.attributes);
            let other = attributes.iter().find(|(name, value)| existing.get(*name) != Some(*value));
            return match other {
                Some((name, _)) => Err(SqsError::OtherQueueExists(name.clone()).into()),
                None => Ok(()),
            };
        }
        let mut insert = db
            .write()?
            .prepare_cached("INSERT INTO queue (name, created_at, changed_at, attributes) VALUES (?, ?, ?, ?)")?;
        let id = insert.insert(params![name, now.millis(), now.millis(), to_json(&attributes)])?;
        let line = Line::new(settings.kind);
        let (created_at, changed_at) = (now, now);
        self.insert(Queue { id, name: name.to_owned(), created_at, changed_at, attributes, settings, line });
        Ok(())
    }

    /// Sets these attributes and leaves the others.
    pub(crate) fn set_attributes(
        &mut self,
        db: &Db,
        name: &str,
        changes: QueueAttributes,
        now: Moment,
    ) -> Result<(), WorkError<SqsError>> {
        let mut attributes = self.find(name)?.attributes.clone();
        attributes.extend(changes);
        let settings = self.parse(name, &attributes)?;
        let queue = self.find_mut(name)?;
        let mut update = db.write()?.prepare_cached("UPDATE queue SET attributes = ?, changed_at = ? WHERE id = ?")?;
        update.execute(params![to_json(&attributes), now.millis(), queue.id])?;
        (queue.attributes, queue.settings, queue.changed_at) = (attributes, settings, now);
        Ok(())
    }

    /// All attributes of a queue, the counts included.
    pub(crate) fn attributes(&self, name: &str) -> Result<QueueAttributes, SqsError> {
        let queue = self.find(name)?;
        let counts = queue.counts();
        let mut all = attributes::with_defaults(&queue.attributes);
        for (name, value) in [
            ("ApproximateNumberOfMessages", counts.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
            ("CreatedTimestamp", queue.created_at.secs().to_string()),
            ("LastModifiedTimestamp", queue.changed_at.secs().to_string()),
            ("QueueArn", queue_arn(&queue.name)),
        ] {
            all.insert(name.to_owned(), value);
        }
        Ok(all)
    }

    pub(crate) fn counts(&self, name: &str) -> Result<Counts, SqsError> {
        self.find(name).map(Queue::counts)
    }

    /// The names of all queues in alphabetical order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.ids.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn purge(&mut self, db: &Db, name: &str) -> Result<(), WorkError<SqsError>> {
        let queue = self.find_mut(name)?;
        remove_messages(db.write()?, queue.id)?;
        queue.line = Line::new(queue.settings.kind);
        Ok(())
    }

    pub(crate) fn delete_queue(&mut self, db: &Db, name: &str) -> Result<(), WorkError<SqsError>> {
        let id = self.find(name)?.id;
        let connection = db.write()?;
        remove_messages(connection, id)?;
        connection.prepare_cached("DELETE FROM dedup WHERE queue = ?")?.execute([id])?;
        connection.prepare_cached("DELETE FROM queue WHERE id = ?")?.execute([id])?;
        self.ids.remove(name);
        self.queues.remove(&id);
        Ok(())
    }

    pub(crate) fn find(&self, name: &str) -> Result<&Queue, SqsError> {
        self.ids.get(name).and_then(|id| self.queues.get(id)).ok_or(SqsError::NoSuchQueue)
    }

    pub(super) fn find_mut(&mut self, name: &str) -> Result<&mut Queue, SqsError> {
        self.ids.get(name).and_then(|id| self.queues.get_mut(id)).ok_or(SqsError::NoSuchQueue)
    }

    fn insert(&mut self, queue: Queue) {
        self.ids.insert(queue.name.clone(), queue.id);
        self.queues.insert(queue.id, queue);
    }

    /// Parses and checks the attributes. The dead queue must exist and be of the same kind.
    fn parse(&self, name: &str, attributes: &QueueAttributes) -> Result<Settings, SqsError> {
        let settings = Settings::parse(name, attributes)?;
        let dead = settings.redrive.as_ref().map(|redrive| self.find(&redrive.dead_queue));
        let reason = match dead {
            None => return Ok(settings),
            Some(Ok(dead)) if dead.settings.kind == settings.kind => return Ok(settings),
            Some(Ok(_)) => "The dead-letter queue of a FIFO queue must be one too.",
            Some(Err(_)) => "Dead letter target does not exist.",
        };
        Err(SqsError::BadAttribute { name: "RedrivePolicy".to_owned(), reason: reason.to_owned() })
    }

    fn sweep(&mut self, db: &Db, now: Moment) -> rusqlite::Result<()> {
        for queue in self.queues.values_mut() {
            let oldest = now - queue.settings.retention;
            let expired = queue.line.messages().filter(|(_, entry)| entry.sent_at < oldest);
            let expired: Vec<Seq> = expired.map(|(seq, _)| seq).collect();
            for seq in expired {
                remove_message(db.write()?, seq)?;
                queue.line.remove(seq);
            }
        }
        let oldest = (now - DEDUP_WINDOW).millis();
        let stale: bool = db
            .read()
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM dedup WHERE sent_at <= ?)")?
            .query_row([oldest], |r| r.get(0))?;
        if stale {
            db.write()?.prepare_cached("DELETE FROM dedup WHERE sent_at <= ?")?.execute([oldest])?;
        }
        Ok(())
    }
}

impl Queue {
    fn counts(&self) -> Counts {
        let (in_flight, delayed) = (self.line.in_flight(), self.line.delayed());
        Counts {
            visible: self.line.len() - in_flight - delayed,
            in_flight,
            delayed,
            oldest: self.line.messages().next().map(|(_, entry)| entry.sent_at),
        }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.settings.kind == Kind::Fifo
    }
}

pub(super) fn remove_message(connection: &Connection, seq: Seq) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM message WHERE seq = ?")?.execute([seq])?;
    connection.prepare_cached("DELETE FROM content WHERE seq = ?")?.execute([seq])?;
    Ok(())
}

fn remove_messages(connection: &Connection, queue: QueueId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM content WHERE seq IN (SELECT seq FROM message WHERE queue = ?)", [queue])?;
    connection.execute("DELETE FROM message WHERE queue = ?", [queue])?;
    Ok(())
}

fn read_queue(row: &Row<'_>) -> rusqlite::Result<Queue> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(4, Type::Text, error)
    };
    let name: String = row.get(1)?;
    let attributes: QueueAttributes =
        serde_json::from_str(&row.get::<_, String>(4)?).map_err(|error| unreadable(error.into()))?;
    let settings = Settings::parse(&name, &attributes).map_err(|error| unreadable(error.into()))?;
    Ok(Queue {
        id: row.get(0)?,
        created_at: Moment::from_millis(row.get(2)?),
        changed_at: Moment::from_millis(row.get(3)?),
        line: Line::new(settings.kind),
        name,
        attributes,
        settings,
    })
}

/// Columns: queue, seq, grp, `sent_at`, `visible_at`, receives, uncounted.
fn read_entry(row: &Row<'_>, line: &Line, now: Moment) -> rusqlite::Result<Entry> {
    let (until, receives) = (Moment::from_millis(row.get(4)?), row.get(5)?);
    let place = match (until > now, receives) {
        (false, _) => Place::Ready,
        (true, 0) => Place::Delayed(until),
        (true, _) => Place::InFlight(until),
    };
    let group = row.get_ref(2)?.as_str_or_null()?;
    let (sent_at, uncounted) = (Moment::from_millis(row.get(3)?), row.get(6)?);
    Ok(Entry { group: line.group_name(group), place, receives, uncounted, sent_at })
}

fn to_json(attributes: &QueueAttributes) -> String {
    serde_json::to_string(attributes).expect("a map of texts is JSON")
}
