//! Converts between moments and local time ("the clock on the wall").
//!
//! A clock that is put forward skips some times (a gap). One that is put back shows some times twice (a fold). Both
//! functions below still give one moment for every time. Beyond the years -9999 to 9999 they give the end of the
//! calendar.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::moment::Moment;

/// What the clock shows.
pub(crate) fn shown(at: Moment, tz: &TimeZone) -> DateTime {
    let end = if at.millis() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    tz.to_datetime(Timestamp::from_millisecond(at.millis()).unwrap_or(end))
}

/// When an appointment at this time is: in a gap as much later as the clock is put forward, in a fold the first time.
/// As RFC 5545 (iCalendar) says, and as calendars do.
pub(crate) fn appointment(time: DateTime, tz: &TimeZone) -> Moment {
    moment(tz.to_ambiguous_timestamp(time).compatible(), time)
}

/// The first moment at which the clock shows this time or a later one: in a gap when it is put forward, in a fold the
/// first time. A later time never gives an earlier moment. So the end of a period never comes before its start, and
/// periods that touch in local time touch as moments.
pub(crate) fn first_shown(time: DateTime, tz: &TimeZone) -> Moment {
    let ambiguous = tz.to_ambiguous_timestamp(time);
    match (ambiguous.offset(), ambiguous.earlier()) {
        (AmbiguousOffset::Gap { after, .. }, Ok(before_the_jump)) => {
            let jump = tz.following(before_the_jump).find(|change| change.offset() == after);
            moment(Ok(jump.map_or(before_the_jump, |change| change.timestamp())), time)
        }
        (_, earlier) => moment(earlier, time),
    }
}

fn moment(at: Result<Timestamp, jiff::Error>, time: DateTime) -> Moment {
    let end = if time.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Moment::from_millis(at.unwrap_or(end).as_millisecond())
}
