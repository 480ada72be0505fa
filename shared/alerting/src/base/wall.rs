//! Converts between moments and local time.
//!
//! A clock that is put forward skips some local times (a gap). A clock that is put back shows some local times twice (a
//! fold). Both functions that convert to a moment return exactly one moment for every local time. For times outside the
//! years -9999 to 9999 they return the end of the calendar.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::moment::Moment;

/// The local time that a clock shows at this moment.
pub(crate) fn shown(at: Moment, tz: &TimeZone) -> DateTime {
    let end = if at.millis() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    tz.to_datetime(Timestamp::from_millisecond(at.millis()).unwrap_or(end))
}

/// The moment of an appointment at this local time, as RFC 5545 (iCalendar) defines it. In a gap the moment is later by
/// the length of the gap; in a fold it is the first of the two.
pub(crate) fn appointment(time: DateTime, tz: &TimeZone) -> Moment {
    moment(tz.to_ambiguous_timestamp(time).compatible(), time)
}

/// The first moment at which the clock shows this local time or a later one: in a gap the moment of the change, in a
/// fold the first of the two. A later local time never gives an earlier moment. So a period never ends before its
/// start, and periods that touch in local time also touch as moments.
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
