//! Work that is due at a moment, written with the change that causes it.
//!
//! A timer's identity is its moment and its purpose, so writing it again changes nothing. Acting on it is idempotent
//! too: a timer may be swept twice and handed over twice. It is deleted when it has been acted on, never by expiry.

use std::collections::HashMap;

use alerting::base::moment::Moment;
use alerting::incident::timer::Timer;

use crate::concurrently::concurrently;
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, item, json};
use crate::keys::{self, Key, TIMER_SHARDS};
use crate::table::{Part, Range, Table};

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

    /// Deletes the timers that were handed over.
    pub async fn delete_timers(&self, timers: &[Timer]) -> Result<(), WriteError> {
        let keys: HashMap<Key, Option<Item>> =
            timers.iter().map(|timer| (keys::timer(timer.due, &timer.id), None)).collect();
        self.write_many(Table::Alerts, &keys.into_iter().collect::<Vec<_>>()).await
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
