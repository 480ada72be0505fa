//! Hours of the week.

use std::collections::HashSet;

use utoipa::ToSchema;

use super::text::{TimeOfDayText, ZoneText};

/// Hours that come back every week. No windows: always.
#[derive(ToSchema)]
#[schema(as = WeeklyHours)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeeklyHoursShape {
    time_zone: ZoneText,
    #[schema(required = false, max_items = 50)]
    windows: Vec<WindowShape>,
}

/// A stretch of a day, by the clock on the wall. One that ends at or before its start ends on the next day.
#[derive(ToSchema)]
#[schema(as = Window)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowShape {
    /// The days on which it begins; without them, every day.
    #[schema(required = false, max_items = 7)]
    weekdays: HashSet<WeekdayShape>,
    /// Not `24:00`, which ends a day.
    from: TimeOfDayText,
    until: TimeOfDayText,
}

#[derive(ToSchema)]
#[schema(as = Weekday, rename_all = "snake_case")]
pub(crate) enum WeekdayShape {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

#[cfg(test)]
mod tests {
    use alerting::people::hours::{WINDOWS, Weekday, WeeklyHours, Window, Zone};

    use super::super::tests::{same_fields, same_names, schema_of};
    use super::*;

    #[test]
    fn hours_are_described_as_they_are() {
        let window = Window {
            weekdays: vec![Weekday::Mon],
            from: "09:00".parse().expect("a time"),
            until: "24:00".parse().expect("a time"),
        };
        same_fields::<WindowShape>(&window);
        same_fields::<WeeklyHoursShape>(&WeeklyHours { time_zone: Zone::utc(), windows: vec![window] });
        assert_eq!(schema_of::<WeeklyHoursShape>()["properties"]["windows"]["maxItems"], WINDOWS);
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        same_names::<WeekdayShape>(&[Mon, Tue, Wed, Thu, Fri, Sat, Sun]);
    }
}
