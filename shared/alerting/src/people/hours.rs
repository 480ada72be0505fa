//! Weekly hours in a time zone, in which an escalation rule, a layer of a schedule or a silence is active.

//!
//! A window is one period on every day, also on days on which the clock changes. If the clock skips a boundary, the
//! boundary is the moment of the change. If the clock shows a boundary twice, it is the first of the two moments.
//! `02:30`–`03:30` lasts half an hour on the day on which the clock is put forward from 02:00 to 03:00, and two hours
//! on the day on which it is put back.

use std::fmt;
use std::iter;
use std::str::FromStr;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::field_error::FieldError;
use crate::base::moment::Moment;
use crate::base::wall;
use crate::text_schema;

/// The most windows of one set of hours, about seven for each day of the week.
pub const WINDOWS: usize = 50;
/// How far ahead a change is searched for. Hours repeat after one week. A window in the hour that the clock skips in
/// spring repeats after two weeks. One more day covers a clock that is put back.
pub const HORIZON: Duration = Duration::from_secs(15 * 24 * 3600);

/// A time zone by its IANA name (`Europe/Berlin`), which the bundled database contains.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

text_schema!(Zone as "TimeZone", "A time zone by its IANA name.", r"^[A-Za-z0-9_+\-/]+$", 1..=64, "Asia/Shanghai");

/// The error for a text that is not a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time zone by its IANA name, such as `Asia/Shanghai`, `Europe/Berlin` or `UTC`")]
pub struct UnknownZone;

/// Hours that repeat every week. Without windows, they are always active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    pub time_zone: Zone,
    #[serde(default)]
    #[schema(max_items = 50)]
    pub windows: Vec<Window>,
}

/// A period of a day in local time. If it ends at or before its start, it ends on the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which the period begins. Without them: every day.
    #[serde(default)]
    #[schema(value_type = HashSet<Weekday>, max_items = 7)]
    pub weekdays: Vec<Weekday>,
    /// The local time of the start. `24:00` is only allowed as the end of a day.
    pub from: TimeOfDay,
    pub until: TimeOfDay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A local time such as `09:00`; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minutes: u16,
}

text_schema!(
    TimeOfDay as "TimeOfDay",
    "A time of day by the clock on the wall; `24:00` is the end of the day.",
    "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    5..=5,
    "09:00"
);

/// The error for a text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day from `00:00` to `24:00`")]
pub struct NotATimeOfDay;

impl WeeklyHours {
    pub fn contains(&self, at: Moment) -> bool {
        contains(&self.windows, &self.time_zone.rules(), at)
    }

    /// When the active period that contains `at` ends. Windows that touch or overlap form one period. `None`: no window
    /// is active at `at`, or the period has no end within [`HORIZON`].
    pub fn ends(&self, at: Moment) -> Option<Moment> {
        let rules = self.time_zone.rules();
        if contains(&self.windows, &rules, at) { next_change(&self.windows, &rules, at) } else { None }
    }

    /// Checks the hours before they are saved. `path`: the field that contains them.
    pub fn check(&self, path: &str) -> Result<(), FieldError> {
        check_windows(&self.windows, &format!("{path}.windows"))
    }
}

/// Whether one of the windows is active at this moment. Without windows: always.
pub fn contains(windows: &[Window], tz: &TimeZone, at: Moment) -> bool {
    let on =
        |day| windows.iter().filter_map(move |window| window.on(day, tz)).any(|(from, until)| from <= at && at < until);
    windows.is_empty() || days(tz, at, at).any(on)
}

/// The first moment after `after` at which the windows become active or inactive. `None`: no change within [`HORIZON`].
pub fn next_change(windows: &[Window], tz: &TimeZone, after: Moment) -> Option<Moment> {
    let horizon = after + HORIZON;
    let (from, until) = spans(windows, tz, after, horizon).into_iter().next()?;
    let change = if from <= after { until } else { from };
    (change < horizon).then_some(change)
}

/// The parts of `from..until` in which the windows are active, in order. Windows that touch or overlap form one part.
pub(crate) fn spans(windows: &[Window], tz: &TimeZone, from: Moment, until: Moment) -> Vec<(Moment, Moment)> {
    if windows.is_empty() {
        return iter::once((from, until)).filter(|(from, until)| from < until).collect();
    }
    let mut spans: Vec<(Moment, Moment)> = days(tz, from, until)
        .flat_map(|day| windows.iter().filter_map(move |window| window.on(day, tz)))
        .map(|(start, end)| (start.max(from), end.min(until)))
        .filter(|(start, end)| start < end)
        .collect();
    spans.sort_unstable();
    spans.dedup_by(|next, span| {
        let joins = next.0 <= span.1;
        if joins {
            span.1 = span.1.max(next.1);
        }
        joins
    });
    spans
}

/// The days on which a window may begin that overlaps `from..=until`. A window ends on the next day at the latest. It
/// may begin before a midnight that the clock passes twice.
fn days(tz: &TimeZone, from: Moment, until: Moment) -> impl Iterator<Item = Date> {
    let first = wall::shown(from, tz).date().saturating_sub(1.day());
    let last = wall::shown(until, tz).date().saturating_add(1.day());
    iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day <= last)
}

/// Checks windows before they are saved.
pub(crate) fn check_windows(windows: &[Window], path: &str) -> Result<(), FieldError> {
    if windows.len() > WINDOWS {
        return Err(FieldError::new(path, format!("more than {WINDOWS} windows; join some")));
    }
    for (n, window) in windows.iter().enumerate() {
        if window.from == TimeOfDay::END {
            return Err(FieldError::new(
                format!("{path}[{n}].from"),
                "24:00 starts no window; use 00:00 of the next day",
            ));
        }
        let named_before = |(i, day): (usize, &Weekday)| window.weekdays[..i].contains(day);
        if let Some(twice) = window.weekdays.iter().enumerate().position(named_before) {
            let field = format!("{path}[{n}].weekdays[{twice}]");
            return Err(FieldError::new(field, "the day is named twice; leave one out"));
        }
    }
    Ok(())
}

impl Window {
    /// The start and end of the window that begins on this day. `None`: no window begins on this day.
    fn on(&self, day: Date, tz: &TimeZone) -> Option<(Moment, Moment)> {
        let begins = self.weekdays.is_empty() || self.weekdays.contains(&Weekday::of(day));
        begins.then(|| {
            let last = if self.until <= self.from { day.saturating_add(1.day()) } else { day };
            (wall::first_shown(self.from.on(day), tz), wall::first_shown(self.until.on(last), tz))
        })
    }
}

impl Weekday {
    fn of(day: Date) -> Self {
        match day.weekday() {
            jiff::civil::Weekday::Monday => Weekday::Mon,
            jiff::civil::Weekday::Tuesday => Weekday::Tue,
            jiff::civil::Weekday::Wednesday => Weekday::Wed,
            jiff::civil::Weekday::Thursday => Weekday::Thu,
            jiff::civil::Weekday::Friday => Weekday::Fri,
            jiff::civil::Weekday::Saturday => Weekday::Sat,
            jiff::civil::Weekday::Sunday => Weekday::Sun,
        }
    }
}

impl Zone {
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules of the time zone.
    pub fn rules(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC) // checked when it was parsed
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(text).map(|_| Self(text.to_owned())).map_err(|_| UnknownZone)
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(text: String) -> Result<Self, UnknownZone> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.0
    }
}

impl TimeOfDay {
    /// The end of the day, `24:00`.
    const END: Self = Self { minutes: 24 * 60 };

    pub const fn minutes(self) -> u16 {
        self.minutes
    }

    fn on(self, day: Date) -> DateTime {
        day.to_datetime(Time::midnight()).saturating_add(i64::from(self.minutes).minutes())
    }
}

impl FromStr for TimeOfDay {
    type Err = NotATimeOfDay;

    fn from_str(text: &str) -> Result<Self, NotATimeOfDay> {
        let (hours, minutes) = text.split_once(':').ok_or(NotATimeOfDay)?;
        let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !two_digits(hours) || !two_digits(minutes) {
            return Err(NotATimeOfDay);
        }
        let (hours, minutes): (u16, u16) =
            (hours.parse().map_err(|_| NotATimeOfDay)?, minutes.parse().map_err(|_| NotATimeOfDay)?);
        let total = hours * 60 + minutes;
        if minutes < 60 && total <= 24 * 60 { Ok(Self { minutes: total }) } else { Err(NotATimeOfDay) }
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = NotATimeOfDay;

    fn try_from(text: String) -> Result<Self, NotATimeOfDay> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> String {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

#[cfg(test)]
pub(crate) mod tests;
