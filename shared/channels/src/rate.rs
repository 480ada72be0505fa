//! Rates of vendors, and how long a reply asks to wait.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::reply::{DATE, FEISHU_RESET, MICROSOFT_RETRY_AFTER, RETRY_AFTER, Reply};

/// A longer wait is cut to this; a shorter one is at least a second.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// `n` requests in any window of `secs` seconds.
pub(crate) const fn limit(n: u32, secs: u64) -> Rate {
    Rate { burst: n, per: Duration::from_secs(secs) }
}

/// A provider's wait, within the limits.
pub(crate) fn clamped(wait: Duration) -> Duration {
    wait.clamp(Duration::from_secs(1), WAIT_MAX)
}

/// The wait in the headers of the reply. An unreadable header counts as missing.
pub(crate) fn after(reply: &Reply) -> Option<Duration> {
    let number = |name| reply.header(name)?.parse::<u64>().ok();
    let wait = number(MICROSOFT_RETRY_AFTER).map(Duration::from_millis);
    let wait = wait.or_else(|| retry_after(reply)).or_else(|| number(FEISHU_RESET).map(Duration::from_secs));
    wait.map(clamped)
}

/// `Retry-After` in seconds or as a date.
fn retry_after(reply: &Reply) -> Option<Duration> {
    let text = reply.header(RETRY_AFTER)?;
    if let Ok(secs) = text.parse::<u64>() {
        return Some(Duration::from_secs(secs));
    }
    let then = http_date(text)?;
    let now = reply.header(DATE).and_then(http_date).unwrap_or(reply.at);
    Some(then.since(now))
}

fn http_date(text: &str) -> Option<Moment> {
    let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Moment::from_secs(at.unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        after(&Reply { headers, ..Reply::default() }).map(|wait| wait.as_millis() as u64)
    }

    #[test]
    fn every_kept_header_that_names_a_wait_is_read_and_the_most_exact_one_counts() {
        assert_eq!(wait(&[(RETRY_AFTER, "30")]), Some(30_000));
        assert_eq!(wait(&[(FEISHU_RESET, " 12 ")]), Some(12_000));
        assert_eq!(wait(&[(MICROSOFT_RETRY_AFTER, "1500")]), Some(1_500));
        assert_eq!(wait(&[(RETRY_AFTER, "2"), (MICROSOFT_RETRY_AFTER, "1500")]), Some(1_500));
        assert_eq!(wait(&[(FEISHU_RESET, "12"), (RETRY_AFTER, "7")]), Some(7_000));
        assert_eq!(wait(&[(DATE, "Mon, 05 Jan 2026 10:01:00 GMT")]), None);
    }

    #[test]
    fn a_wait_stays_within_reason_and_one_that_cannot_be_read_is_none() {
        assert_eq!(wait(&[(MICROSOFT_RETRY_AFTER, "3")]), Some(1_000));
        assert_eq!(wait(&[(FEISHU_RESET, "86400")]), Some(900_000));
        for garbage in ["", "-5", "soon", "1e9", "99999999999999999999999"] {
            for name in [RETRY_AFTER, FEISHU_RESET, MICROSOFT_RETRY_AFTER] {
                assert_eq!(wait(&[(name, garbage)]), None, "{name}: {garbage}");
            }
        }
    }
}
