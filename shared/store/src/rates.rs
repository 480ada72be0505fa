//! Rate buckets: how fast requests may leave, agreed between all processes.
//!
//! A bucket belongs to a destination, to an account at a vendor, or to one person who is called ([`BucketKey`]). A permit
//! of a destination or of a callee costs one conditional write and no read: the queue keeps one sender per destination, so
//! there is hardly any competition. An account's bucket is shared by all processes at a high rate, so its permits are
//! taken in slices: one conditional write takes several, and they are spent from memory for a short time
//! ([`rate::spend_within`]). What is not spent by then is lost.
//!
//! Each process begins from the bucket that it saw last. If another process wrote since, the write is refused and
//! brings the newer bucket, and the decision is made again with it. A wait that the remembered bucket demands is
//! demanded by the stored one too, so it costs no request. A block by the provider is stored in the same item.
//!
//! Processes that wait for the same slice would all ask at the moment when it becomes free: one takes it, and the
//! writes of the others are refused. So a process whose write was refused waits for an additional random time, up to a
//! bound that doubles with each refusal in a row (`Slice::backoff`). Longer waits, such as those of a block, stay as
//! they are.

pub(crate) mod buckets;

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::{self, Bucket, Rate};

use crate::bucket_key::BucketKey;
use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, json, nonce, number, text};
use crate::keys;
use crate::rates::buckets::{MAX_BACKOFF, Seen, Slice};
use crate::table::{Condition, Table, Write};

/// How often a decision is made again with a newer bucket.
const ROUNDS: usize = 5;
/// The wait if all rounds lost the race.
const CONTENDED: Duration = Duration::from_millis(500);
/// How long a bucket is stored after it has run empty.
const AFTERLIFE: Duration = Duration::from_secs(24 * 3600);

/// The right to send one request, or how long to wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    Granted,
    Wait(Duration),
}

/// The result of one request for a permit.
struct Taken {
    permit: Permit,
    /// Whether another process wrote the bucket at the same time.
    refused: bool,
}

impl Store {
    /// Takes the right to send one request, or says how long to wait.
    pub async fn take_permit(&self, key: &BucketKey, rates: &[Rate], now: Moment) -> Result<Permit, WriteError> {
        match key {
            BucketKey::Destination(_) | BucketKey::Callee(_) => {
                Ok(self.take_from_bucket(key, |bucket| bucket.take(rates, now)).await?.permit)
            }
            BucketKey::Account(..) => self.take_from_slice(key, rates, now).await,
        }
    }

    async fn take_from_slice(&self, key: &BucketKey, rates: &[Rate], now: Moment) -> Result<Permit, WriteError> {
        let slice = self.inner.buckets.slice(key);
        let mut slice = slice.lock().await;
        if slice.spend(now) {
            return Ok(Permit::Granted);
        }
        let permits = slice.next_size(rate::slice(rates));
        let Taken { permit, refused } =
            self.take_from_bucket(key, |bucket| bucket.take_slice(rates, permits, now)).await?;
        match permit {
            Permit::Granted => {
                *slice = Slice::of(permits, now + rate::spend_within(rates));
                Ok(Permit::Granted)
            }
            Permit::Wait(wait) if refused && wait <= MAX_BACKOFF => {
                Ok(Permit::Wait(wait + random_up_to(slice.backoff(rate::spend_within(rates)))))
            }
            wait => Ok(wait),
        }
    }

    /// `take` is the decision; it is written with one conditional write.
    async fn take_from_bucket(
        &self,
        key: &BucketKey,
        take: impl Fn(&Bucket) -> Result<Bucket, Duration>,
    ) -> Result<Taken, WriteError> {
        for round in 0..ROUNDS {
            let refused = round > 0;
            let seen = self.inner.buckets.get(key);
            let bucket = seen.as_ref().map_or_else(Bucket::default, |seen| seen.bucket.clone());
            let next = match take(&bucket) {
                Ok(next) => next,
                Err(wait) => return Ok(Taken { permit: Permit::Wait(wait), refused }),
            };
            if self.write_bucket(key, next, seen).await? {
                return Ok(Taken { permit: Permit::Granted, refused });
            }
        }
        Ok(Taken { permit: Permit::Wait(CONTENDED), refused: true })
    }

    /// Blocks what `key` names until `until`, because the provider asked for it. Permits of it that are held are lost.
    pub async fn block(&self, key: &BucketKey, until: Moment) -> Result<(), WriteError> {
        if matches!(key, BucketKey::Account(..)) {
            self.inner.buckets.slice(key).lock().await.lose();
        }
        for _ in 0..ROUNDS {
            let seen = self.inner.buckets.get(key);
            let bucket = seen.as_ref().map_or_else(Bucket::default, |seen| seen.bucket.clone());
            let known = bucket.blocked_until >= Some(until);
            if known || self.write_bucket(key, bucket.blocked(until), seen).await? {
                return Ok(());
            }
        }
        Err(ReadError::throttled(keys::bucket(key)).into())
    }

    /// Writes the bucket if the stored one is the one that was seen. Returns `false` if it is not; the stored one is
    /// then remembered.
    async fn write_bucket(&self, of: &BucketKey, bucket: Bucket, seen: Option<Seen>) -> Result<bool, WriteError> {
        let key = keys::bucket(of);
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
        self.inner.buckets.set(of, now_stored);
        Ok(ours)
    }
}

fn random_up_to(limit: Duration) -> Duration {
    let number = getrandom::u64().expect("the operating system has random numbers");
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    Duration::from_millis(number % limit_ms)
}

fn decode(item: &Item) -> Result<Seen, ReadError> {
    let reader = Reader::new(item);
    Ok(Seen {
        bucket: reader.json("doc")?,
        version: reader.number("version")?,
        writer: reader.text("writer")?.to_owned(),
    })
}
