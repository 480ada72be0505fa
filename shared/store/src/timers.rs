//! Work that is due at a moment, written with the change that causes it.
//!
//! A timer's identity is its moment and what it is for, so writing it again changes nothing. Acting on it is idempotent
//! too: a timer may be swept twice and handed over twice. It is deleted when it has been acted on, never by expiry.

use alerting::ids::{AlertId, DestinationId, IncidentId};
use alerting::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::concurrently::concurrently;
use crate::errors::{ReadError, WriteError};
use crate::item::{Reader, item, json};
use crate::keys::{self, TIMER_SHARDS};
use crate::table::{Part, Range, Table};

/// One piece of due work; also the body of the queue "due".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub due: Moment,
    /// What it is for: the same for every copy.
    pub id: String,
    pub work: Work,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Close an alert that no message closes.
    AutoClose { alert: AlertId },
    /// Send what waits in the destination's digest.
    FlushDigest { destination: DestinationId },
    /// End the snooze that lasts until this moment.
    SnoozeEnd { incident: IncidentId, until: Moment },
}

impl Timer {
    pub fn new(due: Moment, work: Work) -> Self {
        let id = match &work {
            Work::AutoClose { alert } => format!("auto_close.{alert}"),
            Work::FlushDigest { destination } => format!("flush_digest.{destination}"),
            Work::SnoozeEnd { incident, until } => format!("snooze_end.{incident}.{}", until.millis()),
        };
        Self { due, id, work }
    }
}

impl Store {
    pub async fn put_timer(&self, timer: &Timer) -> Result<(), WriteError> {
        let key = keys::timer(timer.due, &timer.id);
        let item = item(&key, [("doc", json(&key, timer)?)]);
        self.put(Table::Alerts, &key, item, None).await?;
        Ok(())
    }

    /// At most `limit` timers that are due at `until` or before, the most overdue first.
    pub async fn due_timers(&self, until: Moment, limit: usize) -> Result<Vec<Timer>, ReadError> {
        let shards = (0..TIMER_SHARDS).collect();
        let read = |shard| self.clone().due_in_shard(shard, until, limit);
        let mut due: Vec<Timer> = concurrently(shards, read).await?.into_iter().flatten().collect();
        due.sort_by(|one, other| (one.due, &one.id).cmp(&(other.due, &other.id)));
        due.truncate(limit);
        Ok(due)
    }

    pub async fn delete_timer(&self, timer: &Timer) -> Result<(), WriteError> {
        self.delete(Table::Alerts, &keys::timer(timer.due, &timer.id)).await?;
        Ok(())
    }

    async fn due_in_shard(self, shard: u8, until: Moment, limit: usize) -> Result<Vec<Timer>, ReadError> {
        let part = Part::all(keys::timers_of(shard)).range(Range::UpTo(keys::timers_until(until)));
        let mut due = Vec::new();
        let mut from = None;
        while due.len() < limit {
            let rows = self.query(Table::Alerts, &part.clone().limit(limit - due.len()), from).await?;
            for item in &rows.items {
                due.push(Reader::new(item).json("doc")?);
            }
            match rows.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        Ok(due)
    }
}
