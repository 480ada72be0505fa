//! The rate bucket of a destination: one conditional update per request sent, and no read.
//!
//! Each process begins from the bucket that it saw last. If another process wrote since, the write is refused and
//! brings the newer bucket, and the decision is made again over that one. A bucket only fills, so a wait that the remembered
//! bucket demands is demanded by the stored one too, and costs nothing. The provider's own block is in the same item.

pub(crate) mod buckets;

use std::time::Duration;

use alerting::base::ids::DestinationId;
use alerting::base::moment::Moment;
use alerting::base::rate::{Bucket, Rate};

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, number, text};
use crate::keys;
use crate::rates::buckets::Seen;
use crate::table::{Condition, Table, Write};

/// How often a decision is made again over a newer bucket. The queue keeps one sender per destination; more than one
/// is a crash that is being recovered from.
const ROUNDS: usize = 5;
/// The wait when even that was not enough.
const CONTENDED: Duration = Duration::from_millis(500);
/// How long a bucket is stored after it has run empty.
const AFTERLIFE: Duration = Duration::from_secs(24 * 3600);
/// What [`Store::take_token`] decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Granted,
    Wait(Duration),
}

impl Store {
    /// Takes the right to send one request, or says how long to wait.
    pub async fn take_token(
        &self,
        destination: &DestinationId,
        rates: &[Rate],
        now: Moment,
    ) -> Result<Token, WriteError> {
        for _ in 0..ROUNDS {
            let seen = self.inner.buckets.get(destination);
            let bucket = seen.as_ref().map_or_else(Bucket::default, |seen| seen.bucket.clone());
            let next = match bucket.take(rates, now) {
                Ok(next) => next,
                Err(wait) => return Ok(Token::Wait(wait)),
            };
            if self.write_bucket(destination, next, seen).await? {
                return Ok(Token::Granted);
            }
        }
        Ok(Token::Wait(CONTENDED))
    }

    /// Nothing is sent to the destination before `until`: the provider said so.
    pub async fn block(&self, destination: &DestinationId, until: Moment) -> Result<(), WriteError> {
        for _ in 0..ROUNDS {
            let seen = self.inner.buckets.get(destination);
            let bucket = seen.as_ref().map_or_else(Bucket::default, |seen| seen.bucket.clone());
            let known = bucket.blocked_until >= Some(until);
            if known || self.write_bucket(destination, bucket.blocked(until), seen).await? {
                return Ok(());
            }
        }
        Err(ReadError::throttled(keys::bucket(destination)).into())
    }

    /// Writes the bucket over the one that was seen; `false` if that is not the stored one, which is then remembered.
    async fn write_bucket(
        &self,
        destination: &DestinationId,
        bucket: Bucket,
        seen: Option<Seen>,
    ) -> Result<bool, WriteError> {
        let key = keys::bucket(destination);
        let expected = seen.map(|seen| seen.version);
        let next = Seen { version: expected.unwrap_or(0) + 1, writer: nonce(), bucket };
        let last = next.bucket.arrivals.iter().copied().chain(next.bucket.blocked_until).max().unwrap_or_default();
        let stored = item(
            &key,
            [
                ("doc", json(&key, &next.bucket)?),
                ("version", number(next.version)),
                ("writer", text(&next.writer)),
                ("expires_at", expiry(last + AFTERLIFE)),
            ],
        );
        let condition = Condition::unchanged("version", expected);
        let now_stored = match self.put(Table::Alerts, &key, stored, Some(condition)).await? {
            Write::Done(_) => Some(next.clone()),
            Write::Refused(stored) => stored.as_ref().map(decode).transpose()?,
        };
        let ours = now_stored.as_ref() == Some(&next);
        self.inner.buckets.set(destination, now_stored);
        Ok(ours)
    }
}

fn decode(item: &Item) -> Result<Seen, ReadError> {
    let reader = Reader::new(item);
    Ok(Seen {
        bucket: reader.json("doc")?,
        version: reader.number("version")?,
        writer: reader.text("writer")?.to_owned(),
    })
}

fn nonce() -> String {
    let number = getrandom::u64().expect("the operating system has random numbers");
    format!("{number:016x}")
}
