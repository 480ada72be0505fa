//! Counts recent tries in one place for all processes: passwords of one address, from one source.
//!
//! A try is counted before it is made, so many tries at once get no further than the same number one after the other.

use std::time::Duration;

use alerting::base::moment::Moment;

use crate::connection::Store;
use crate::errors::{ReadError, WriteError};
use crate::item::{Item, Reader, expiry, item, number};
use crate::keys;
use crate::rates::Permit;
use crate::table::{Condition, Reading, Table, Write};

/// How often a count is repeated over a newer one.
const ROUNDS: usize = 5;
/// The wait after further tries: so many at once are no mistake of one person.
const CONTENDED: Duration = Duration::from_secs(1);

/// At most `tries` tries in the time `within`, which begins with the first try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub tries: u64,
    pub within: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tries {
    count: u64,
    until: Moment,
    /// The version of the stored item, on which the next write is conditional. It also grows when a count starts again.
    version: u64,
}

impl Store {
    /// Counts one more try of `whose` (an address or a source), or returns how long to wait.
    pub async fn count_try(&self, whose: &str, limit: Limit, now: Moment) -> Result<Permit, WriteError> {
        let key = keys::tries(whose);
        let stored = self.get(Table::Config, &key, Reading::Latest).await?;
        let mut stored = stored.as_ref().map(decode).transpose()?;
        for _ in 0..ROUNDS {
            let version = stored.map_or(0, |stored| stored.version);
            let next = match stored.filter(|stored| now < stored.until) {
                Some(tries) if tries.count >= limit.tries => return Ok(Permit::Wait(tries.until.since(now))),
                Some(tries) => Tries { count: tries.count + 1, version: version + 1, ..tries },
                None => Tries { count: 1, until: now + limit.within, version: version + 1 },
            };
            let attributes = [
                ("count", number(next.count)),
                ("until", number(next.until.millis())),
                ("version", number(next.version)),
                ("expires_at", expiry(next.until)),
            ];
            let condition = Condition::unchanged("version", stored.map(|stored| stored.version));
            match self.put(Table::Config, &key, item(&key, attributes), Some(condition)).await? {
                Write::Done(_) => return Ok(Permit::Granted),
                Write::Refused(newer) => stored = newer.as_ref().map(decode).transpose()?,
            }
        }
        Ok(Permit::Wait(CONTENDED))
    }

    pub async fn forget_tries(&self, whose: &str) -> Result<(), WriteError> {
        self.delete(Table::Config, &keys::tries(whose)).await?;
        Ok(())
    }
}

fn decode(item: &Item) -> Result<Tries, ReadError> {
    let reader = Reader::new(item);
    let until = Moment::from_millis(reader.number("until")?);
    Ok(Tries { count: reader.number("count")?, until, version: reader.number("version")? })
}
