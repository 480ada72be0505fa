//! The conservation counter: per hour of receipt, every message and every notice is accounted for.
//!
//! `received` comes from the intake's own running counts, which every queued message carries. It is at least the number
//! of messages that were known to be queued, so a message lost behind the intake leaves a gap, shown as `waiting`. It
//! is at most the number of messages that were given a number. In between, the number of outcomes decides, because an
//! interrupted request may or may not have queued its message. Outcomes are counted from the message log, where each
//! message has one entry; notices from the same entries, and their states from the deliveries.
//!
//! It costs nothing until somebody reads it. An hour that is past and balanced is frozen. If a greater count of that
//! hour arrives later, the frozen one no longer agrees and the hour is counted again.

pub mod counted;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;
use serde::{Deserialize, Serialize};

use crate::concurrently::concurrently;
use crate::connection::Store;
use crate::deliveries::{self, Delivery, DeliveryState};
use crate::errors::{ReadError, WriteError};
use crate::integrations::integration_named;
use crate::item::{Item, Reader, expiry, item, json, number};
use crate::keys::{self, Key};
use crate::ledger::counted::Counted;
use crate::log::{self, MessageOutcome, NoticeRef};
use crate::table::{Part, Range, Reading, Table, Terms, Update, Write};

const HOUR: Duration = Duration::from_secs(3600);
/// Seconds of a day: each has its own part of a log.
const DAY: i64 = 24 * 3600;
/// How long after its end an hour may have something waiting without being out of balance: longer than the retry
/// schedule of a notice.
pub const SETTLING: Duration = Duration::from_secs(45 * 60);
/// How long counts and frozen hours are kept: a day longer than the log that they are compared with.
const KEEP: Duration = Duration::from_secs(8 * 24 * 3600);

/// One hour, by the stamps of its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHour {
    pub hour: Moment,
    pub messages: Messages,
    pub notices: Notices,
    /// No count has more outcomes than messages, and nothing waits for longer than it may.
    pub balanced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Messages {
    pub received: u64,
    /// Messages received without an outcome yet. A number below zero is an error in the counts.
    pub waiting: i64,
    pub refused: u64,
    pub discarded: u64,
    pub superseded: u64,
    pub updated: u64,
    pub triggered: u64,
    pub recovered: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notices {
    pub created: u64,
    pub delivered: u64,
    pub folded: u64,
    /// Accepted by a provider that has not reported yet whether it delivered them.
    pub accepted: u64,
    pub failed: u64,
    pub pending: u64,
}

/// The counts of an hour in the logs.
#[derive(Debug, Default)]
struct Logged {
    messages: Messages,
    notices: HashSet<NoticeRef>,
}

impl Logged {
    fn add(&mut self, more: Self) {
        self.messages = add(self.messages, more.messages);
        self.notices.extend(more.notices);
    }
}

/// The first and the last of these hours on each day.
fn first_and_last_by_day(hours: &[Moment]) -> Vec<(Moment, Moment)> {
    let mut days: BTreeMap<i64, (Moment, Moment)> = BTreeMap::new();
    for hour in hours {
        let (first, last) = days.entry(hour.secs().div_euclid(DAY)).or_insert((*hour, *hour));
        (*first, *last) = ((*first).min(*hour), (*last).max(*hour));
    }
    days.into_values().collect()
}

impl Messages {
    fn count(&mut self, outcome: MessageOutcome, times: u64) {
        let counter = match outcome {
            MessageOutcome::Triggered => &mut self.triggered,
            MessageOutcome::Updated => &mut self.updated,
            MessageOutcome::Recovered => &mut self.recovered,
            MessageOutcome::Superseded => &mut self.superseded,
            MessageOutcome::Discarded => &mut self.discarded,
            MessageOutcome::Refused => &mut self.refused,
        };
        *counter += times;
    }

    fn outcomes(&self) -> u64 {
        self.refused + self.discarded + self.superseded + self.updated + self.triggered + self.recovered
    }
}

impl Notices {
    fn count(&mut self, state: DeliveryState) {
        self.created += 1;
        let counter = match state {
            DeliveryState::Pending => &mut self.pending,
            DeliveryState::Delivered => &mut self.delivered,
            DeliveryState::Folded => &mut self.folded,
            DeliveryState::Accepted => &mut self.accepted,
            DeliveryState::Failed => &mut self.failed,
        };
        *counter += 1;
    }
}

impl LedgerHour {
    /// Whether the hour has been over for [`SETTLING`].
    fn is_settled(&self, now: Moment) -> bool {
        now >= self.hour + HOUR + SETTLING
    }

    /// Whether the counts can no longer change. A failed notice may still be delivered for as long as it is retried.
    fn is_final(&self, now: Moment) -> bool {
        let tried_until = self.hour + HOUR + limits::TRIED_AFTER_FAILURE + SETTLING;
        self.balanced && self.is_settled(now) && (self.notices.failed == 0 || now >= tried_until)
    }

    fn balances(&self, now: Moment) -> bool {
        let rests = self.messages.waiting == 0 && self.notices.pending == 0;
        self.messages.waiting >= 0 && (rests || !self.is_settled(now))
    }
}

impl Store {
    /// Stores how many messages an intake process had counted in that hour when it sent a message. Only the greatest
    /// counts.
    pub async fn saw_received(&self, process: &str, hour: Moment, counted: Counted) -> Result<(), WriteError> {
        let key = keys::received(hour, process);
        let known = self.inner.received.get(&key);
        let mut greatest = known.max(counted);
        if greatest == known {
            return Ok(());
        }
        loop {
            let stored = match self.update(Table::Alerts, raise(&key, greatest, hour + KEEP)).await? {
                Write::Refused(Some(item)) => Counted::read(&item)?,
                Write::Done(_) | Write::Refused(None) => greatest,
            };
            greatest = greatest.max(stored);
            if greatest == stored {
                self.inner.received.remember(key, greatest);
                return Ok(());
            }
        }
    }

    /// The counts of the hour that begins at `hour`.
    pub async fn ledger(&self, hour: Moment, now: Moment) -> Result<LedgerHour, WriteError> {
        let mut books = self.ledgers(vec![hour], now).await?;
        Ok(books.pop().expect("one hour was asked for"))
    }

    /// The counts of several hours, in their order. Logs are read once per integration and day, for any number of
    /// hours.
    pub async fn ledgers(&self, hours: Vec<Moment>, now: Moment) -> Result<Vec<LedgerHour>, WriteError> {
        let hours: Vec<Moment> = hours.into_iter().map(Moment::hour).collect();
        let frozen = concurrently(hours.clone(), |hour| {
            let store = self.clone();
            async move { store.frozen(hour).await }
        });
        let frozen = frozen.await?;
        let open = hours.iter().zip(&frozen).filter(|(_, frozen)| frozen.is_none()).map(|(hour, _)| *hour).collect();
        let mut counted = self.count_hours(open, now).await?.into_iter();
        let mut books = Vec::with_capacity(hours.len());
        for frozen in frozen {
            if let Some(frozen) = frozen {
                books.push(frozen);
                continue;
            }
            let ledger = counted.next().expect("every hour that is not frozen was counted");
            // An hour older than the log cannot be counted again, because its log entries have expired.
            let in_the_log = now < ledger.hour + limits::MESSAGE_LOG;
            if in_the_log && ledger.is_final(now) {
                self.freeze(&ledger).await?;
            }
            books.push(ledger);
        }
        Ok(books)
    }

    async fn received_in(&self, hour: Moment) -> Result<Counted, ReadError> {
        let part = Part::all(keys::received_in(hour)).latest();
        let counts = self.query_all(Table::Alerts, &part, Counted::read).await?;
        Ok(counts.into_iter().fold(Counted::default(), Counted::add))
    }

    /// The hour as it was frozen, unless more was received since.
    async fn frozen(&self, hour: Moment) -> Result<Option<LedgerHour>, ReadError> {
        let item = self.get(Table::Alerts, &keys::ledger(hour), Reading::Eventual).await?;
        let Some(item) = item else { return Ok(None) };
        let frozen: LedgerHour = Reader::new(&item).json("doc")?;
        Ok((frozen.messages.received >= self.received_in(hour).await?.queued).then_some(frozen))
    }

    async fn freeze(&self, ledger: &LedgerHour) -> Result<(), WriteError> {
        let key = keys::ledger(ledger.hour);
        let stored = item(&key, [("doc", json(&key, ledger)?), ("expires_at", expiry(ledger.hour + KEEP))]);
        self.put(Table::Alerts, &key, stored, None).await?;
        Ok(())
    }

    async fn count_hours(&self, hours: Vec<Moment>, now: Moment) -> Result<Vec<LedgerHour>, ReadError> {
        let mut logged: HashMap<Moment, Logged> = HashMap::new();
        let integrations = if hours.is_empty() { Vec::new() } else { self.logging_integrations(now).await? };
        for (first, last) in first_and_last_by_day(&hours) {
            let range = [first, last + HOUR].map(|at| Stamp::from_parts(at, 0).to_string());
            let read = |integration: IntegrationId| {
                let [from, to] = range.clone();
                let part = Part::all(keys::log_of(&integration, first)).range(Range::Between(from, to));
                let store = self.clone();
                async move { store.count_log(part.only(&["outcome", "notices", "times"])).await }
            };
            for counted in concurrently(integrations.clone(), read).await? {
                counted.into_iter().for_each(|(hour, more)| logged.entry(hour).or_default().add(more));
            }
        }
        let of = |hour| (hour, logged.remove(&hour).unwrap_or_default());
        let books = hours.into_iter().map(of).collect();
        let book = |(hour, logged)| {
            let store = self.clone();
            async move { store.book(hour, logged, now).await }
        };
        concurrently(books, book).await
    }

    async fn book(self, hour: Moment, logged: Logged, now: Moment) -> Result<LedgerHour, ReadError> {
        let Logged { mut messages, notices: mut sent } = logged;
        sent.extend(self.acted_in(hour).await?);
        // Read last, because each message is counted before it gets an outcome: no outcome above is missing in this
        // count.
        let counted = self.received_in(hour).await?;
        messages.received = messages.outcomes().max(counted.queued).min(counted.given.max(counted.queued));
        messages.waiting = messages.received.cast_signed().saturating_sub(messages.outcomes().cast_signed());
        let notices = self.count_notices(&sent).await?;
        let mut ledger = LedgerHour { hour, messages, notices, balanced: false };
        ledger.balanced = ledger.balances(now);
        Ok(ledger)
    }

    /// Every integration that may have logged something, also those deleted since.
    async fn logging_integrations(&self, now: Moment) -> Result<Vec<IntegrationId>, ReadError> {
        let mut found = Vec::new();
        for kind in [keys::INTEGRATION, keys::DELETED_INTEGRATION] {
            // One that was deleted long ago has no log any more. Those of earlier versions expire by themselves.
            let logs = |item: &Item| {
                let until = Reader::new(item).optional_number::<i64>("logs_until");
                let logs = until.is_none_or(|until| now.millis() < until);
                logs.then(|| integration_named(item)).transpose()
            };
            let part = Part::all(kind).only(&["logs_until"]);
            found.extend(self.query_all(Table::Config, &part, logs).await?.into_iter().flatten());
        }
        Ok(found.into_iter().collect::<HashSet<IntegrationId>>().into_iter().collect())
    }

    async fn count_log(self, part: Part) -> Result<HashMap<Moment, Logged>, ReadError> {
        let mut logged: HashMap<Moment, Logged> = HashMap::new();
        let count = |item: &Item| {
            let name = Reader::new(item).name();
            let stamp: Stamp = name.sk.parse().map_err(|_| ReadError::missing(&name, "the message's stamp"))?;
            let of_hour = logged.entry(stamp.received_at().hour()).or_default();
            of_hour.messages.count(log::outcome(item)?, log::times(item));
            of_hour.notices.extend(log::notices(item)?);
            Ok(())
        };
        self.query_all(Table::Alerts, &part, count).await?;
        Ok(logged)
    }

    async fn acted_in(&self, hour: Moment) -> Result<Vec<NoticeRef>, ReadError> {
        let range = Range::Between(keys::sortable(hour), keys::sortable(hour + HOUR));
        let part = Part::all(keys::actions_of(hour)).range(range);
        Ok(self.query_all(Table::Alerts, &part, log::notices).await?.into_iter().flatten().collect())
    }

    async fn count_notices(&self, sent: &HashSet<NoticeRef>) -> Result<Notices, ReadError> {
        let key = |notice: &NoticeRef| keys::delivery(&notice.incident, &notice.destination);
        let keys: Vec<Key> = sent.iter().map(key).collect();
        let mut delivered: HashMap<Key, Delivery> = HashMap::new();
        for item in self.get_many(Table::Alerts, &keys).await? {
            delivered.insert(Reader::new(&item).name(), deliveries::decode(&item)?);
        }
        let mut notices = Notices::default();
        for notice in sent {
            let delivery = delivered.get(&key(notice));
            notices.count(delivery.map_or(DeliveryState::Pending, |delivery| delivery.state_of(notice.n)));
        }
        Ok(notices)
    }
}

/// Writes counts if none is less than the stored one, and one is greater.
fn raise(key: &Key, counted: Counted, expires: Moment) -> Update {
    let not_less = "#count <= :count AND (attribute_not_exists(#queued) OR #queued <= :queued)";
    let condition = format!("attribute_not_exists(#count) OR ({not_less} AND (#count < :count OR #queued < :queued))");
    Update {
        key: key.clone(),
        expression: "SET #count = :count, #queued = :queued, #expires = :expires".to_owned(),
        condition: Some(condition),
        terms: Terms::default()
            .name("#count", "count")
            .name("#queued", "queued")
            .name("#expires", "expires_at")
            .value(":count", number(counted.given))
            .value(":queued", number(counted.queued))
            .value(":expires", expiry(expires)),
    }
}

fn add(one: Messages, other: Messages) -> Messages {
    Messages {
        received: one.received + other.received,
        waiting: one.waiting + other.waiting,
        refused: one.refused + other.refused,
        discarded: one.discarded + other.discarded,
        superseded: one.superseded + other.superseded,
        updated: one.updated + other.updated,
        triggered: one.triggered + other.triggered,
        recovered: one.recovered + other.recovered,
    }
}
