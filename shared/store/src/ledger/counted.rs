//! The counts of the intake's processes that this process has written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::errors::ReadError;
use crate::item::{Item, Reader};
use crate::keys::Key;

/// Counts that a process remembers. Beyond this number it forgets all of them, which costs one refused write each.
const REMEMBERED: usize = 1000;

/// What an intake process has counted in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Numbers given to messages: there are no more messages than these.
    pub given: u64,
    /// Messages known to be in the queue: there are no fewer messages.
    pub queued: u64,
}

impl Counted {
    /// Counts in which every message that was given a number is in the queue.
    pub const fn all(count: u64) -> Self {
        Self { given: count, queued: count }
    }

    /// The greater of each count.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { given: self.given.max(other.given), queued: self.queued.max(other.queued) }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        Self { given: self.given + other.given, queued: self.queued + other.queued }
    }

    /// A row of an earlier version has one count only.
    pub(crate) fn read(item: &Item) -> Result<Self, ReadError> {
        let given = Reader::new(item).number("count")?;
        Ok(Self { given, queued: Reader::new(item).optional_number("queued").unwrap_or(given) })
    }
}

/// The greatest counts that this process has written, so that it writes only greater ones.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    counts: Mutex<HashMap<Key, Counted>>,
}

impl Seen {
    pub(crate) fn get(&self, key: &Key) -> Counted {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied().unwrap_or_default()
    }

    pub(crate) fn remember(&self, key: Key, counted: Counted) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= REMEMBERED {
            counts.clear();
        }
        let seen = counts.entry(key).or_default();
        *seen = seen.max(counted);
    }
}
