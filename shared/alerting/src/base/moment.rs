//! A point in time, in milliseconds since 1970 (UTC). The caller passes the current time; no function here reads a
//! clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970 (UTC); stored and queued as that number, shown as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Makes a moment from seconds, which may come from outside: they are clamped to the first or last storable moment.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down: the unit of DynamoDB's TTL and of most signatures.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// The start of this moment's hour, which is the unit of the ledger.
    pub const fn hour(self) -> Moment {
        Moment(self.0 - self.0.rem_euclid(3_600_000))
    }

    /// RFC 3339, such as `2026-11-22T05:00:00Z`, with milliseconds if they are not zero.
    pub fn rfc3339(self) -> String {
        let (secs, millis) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let whole = OffsetDateTime::from_unix_timestamp(secs).ok().and_then(|at| at.format(&Rfc3339).ok());
        match whole {
            Some(whole) if millis == 0 => whole,
            // Milliseconds always have three digits.
            Some(whole) => format!("{}.{millis:03}Z", whole.trim_end_matches('Z')),
            None => format!("{} ms", self.0),
        }
    }

    pub fn parse_rfc3339(text: &str) -> Option<Moment> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Moment)
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, after: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::ops::Sub<Duration> for Moment {
    type Output = Moment;

    fn sub(self, before: Duration) -> Moment {
        Moment(self.0.saturating_sub(i64::try_from(before.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_rfc_3339_and_read_back() {
        for text in ["2026-11-22T05:00:00Z", "2026-11-22T05:00:00.250Z"] {
            assert_eq!(Moment::parse_rfc3339(text).expect("valid").rfc3339(), text);
        }
    }
}
