use proptest::prelude::*;

use super::*;
use crate::base::schema::tests::schema_of;

/// Windows from a text such as `mon,tue 09:00-17:00; every 22:00-06:00`.
pub(crate) fn windows(text: &str) -> Vec<Window> {
    let window = |text: &str| {
        let (days, times) = text.trim().split_once(' ').expect("days and times");
        let (from, until) = times.split_once('-').expect("two times");
        let weekdays = days.split(',').filter(|day| *day != "every").map(|day| {
            let day = serde_json::Value::from(day);
            serde_json::from_value(day).expect("a day of the week")
        });
        Window {
            weekdays: weekdays.collect(),
            from: from.parse().expect("a time of day"),
            until: until.parse().expect("a time of day"),
        }
    };
    text.split(';').filter(|window| !window.is_empty()).map(window).collect()
}

fn hours(zone: &str, text: &str) -> WeeklyHours {
    WeeklyHours { time_zone: zone.parse().expect("a zone"), windows: windows(text) }
}

#[track_caller]
fn moment(text: &str) -> Moment {
    Moment::parse_rfc3339(text).expect("RFC 3339")
}

/// A local time as text, such as `2026-03-29 03:00+02:00`.
fn shown(at: Moment, zone: &Zone) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).expect("in the calendar");
    at.to_zoned(zone.rules()).strftime("%F %H:%M%:z").to_string()
}

/// Every quarter of an hour in the period.
pub(crate) fn quarters(from: Moment, until: Moment) -> impl Iterator<Item = Moment> {
    (from.millis()..until.millis()).step_by(15 * 60 * 1000).map(Moment::from_millis)
}

/// Checks the active periods from noon (UTC) of the first day until noon of the last day, and that every moment agrees
/// with them.
#[track_caller]
fn check(zone: &str, text: &str, days: (&str, &str), expected: &[(&str, &str)]) {
    let hours = hours(zone, text);
    let noon = |day: &str| moment(&format!("{day}T12:00:00Z"));
    let spans = spans(&hours.windows, &hours.time_zone.rules(), noon(days.0), noon(days.1));
    for at in quarters(noon(days.0), noon(days.1)) {
        assert_eq!(hours.contains(at), spans.iter().any(|(from, until)| *from <= at && at < *until), "{text} at {at}");
    }
    let shown = |at| shown(at, &hours.time_zone);
    let spans: Vec<(String, String)> = spans.into_iter().map(|(from, until)| (shown(from), shown(until))).collect();
    let expected: Vec<(String, String)> =
        expected.iter().map(|(from, until)| ((*from).to_owned(), (*until).to_owned())).collect();
    assert_eq!(spans, expected, "{zone} {text}");
}

#[test]
fn no_windows_are_always() {
    let always = hours("Europe/Berlin", "");
    let at = moment("2026-03-29T01:00:00Z");
    assert!(always.contains(at));
    assert_eq!(always.ends(at), None);
    assert_eq!(next_change(&always.windows, &always.time_zone.rules(), at), None);
}

#[test]
fn a_window_of_some_weekdays_holds_on_those() {
    check(
        "Asia/Kolkata",
        "fri,mon 09:00-17:00",
        ("2026-01-01", "2026-01-06"),
        &[("2026-01-02 09:00+05:30", "2026-01-02 17:00+05:30"), ("2026-01-05 09:00+05:30", "2026-01-05 17:00+05:30")],
    );
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    check(
        "America/New_York",
        "fri 22:00-06:00",
        ("2026-01-01", "2026-01-06"),
        &[("2026-01-02 22:00-05:00", "2026-01-03 06:00-05:00")],
    );
}

#[test]
fn equal_times_are_a_whole_day_and_twenty_four_is_its_end() {
    let saturday = [("2026-01-03 00:00+01:00", "2026-01-04 00:00+01:00")];
    for text in ["sat 00:00-00:00", "sat 00:00-24:00"] {
        check("Europe/Berlin", text, ("2026-01-01", "2026-01-06"), &saturday);
    }
    let late = [("2026-01-03 09:00+01:00", "2026-01-04 09:00+01:00")];
    check("Europe/Berlin", "sat 09:00-09:00", ("2026-01-01", "2026-01-06"), &late);
}

#[test]
fn windows_that_touch_or_overlap_are_one_stretch() {
    let one = [("2026-01-02 18:00+00:00", "2026-01-05 08:00+00:00")];
    check("UTC", "fri 18:00-24:00; sat,sun 00:00-24:00; mon 00:00-08:00", ("2026-01-01", "2026-01-06"), &one);
    check("UTC", "fri 18:00-12:00; sat 11:00-10:00; sun 09:00-08:00", ("2026-01-01", "2026-01-06"), &one);
}

#[test]
fn a_boundary_that_the_clock_skips_is_when_it_is_put_forward() {
    let day = ("2026-03-28", "2026-03-29");
    for (text, from, until) in [
        ("every 02:30-03:30", "2026-03-29 03:00+02:00", "2026-03-29 03:30+02:00"),
        ("every 01:30-02:30", "2026-03-29 01:30+01:00", "2026-03-29 03:00+02:00"),
        ("every 02:45-03:15", "2026-03-29 03:00+02:00", "2026-03-29 03:15+02:00"),
        ("every 22:00-02:30", "2026-03-28 22:00+01:00", "2026-03-29 03:00+02:00"),
    ] {
        check("Europe/Berlin", text, day, &[(from, until)]);
    }
}

#[test]
fn a_window_within_what_the_clock_skips_is_left_out() {
    check("Europe/Berlin", "every 02:15-02:45", ("2026-03-28", "2026-03-29"), &[]);
    let hours = hours("Europe/Berlin", "sun 02:15-02:45");
    let change = next_change(&hours.windows, &hours.time_zone.rules(), moment("2026-03-22T12:00:00Z"));
    assert_eq!(change, Some(moment("2026-04-05T02:15:00+02:00")));
}

#[test]
fn a_boundary_that_the_clock_shows_twice_is_the_first() {
    let day = ("2026-10-24", "2026-10-25");
    for (text, from, until) in [
        ("every 02:30-03:30", "2026-10-25 02:30+02:00", "2026-10-25 03:30+01:00"),
        ("every 01:30-02:30", "2026-10-25 01:30+02:00", "2026-10-25 02:30+02:00"),
        ("every 02:15-02:45", "2026-10-25 02:15+02:00", "2026-10-25 02:45+02:00"),
        ("every 01:00-02:30; every 02:30-04:00", "2026-10-25 01:00+02:00", "2026-10-25 04:00+01:00"),
    ] {
        check("Europe/Berlin", text, day, &[(from, until)]);
    }
}

#[test]
fn a_clock_may_change_by_half_an_hour_at_midnight_or_by_a_day() {
    check(
        "Australia/Lord_Howe", // 02:00 becomes 02:30
        "every 02:15-03:00",
        ("2026-10-03", "2026-10-04"),
        &[("2026-10-04 02:30+11:00", "2026-10-04 03:00+11:00")],
    );
    check(
        "Africa/Cairo", // 00:00 becomes 01:00
        "fri 00:00-24:00",
        ("2026-04-22", "2026-04-25"),
        &[("2026-04-24 01:00+03:00", "2026-04-25 00:00+03:00")],
    );
    check(
        "America/St_Johns", // at 00:01 it becomes 23:01 of the day before
        "sun 00:00-06:00",
        ("2010-11-06", "2010-11-08"),
        &[("2010-11-07 00:00-02:30", "2010-11-07 06:00-03:30")],
    );
    check(
        "Pacific/Apia", // there was no Friday
        "fri 09:00-17:00; sat 09:00-17:00",
        ("2011-12-29", "2011-12-31"),
        &[("2011-12-31 09:00+14:00", "2011-12-31 17:00+14:00")],
    );
}

#[test]
fn a_stretch_ends_where_its_last_window_does() {
    let office = "mon,tue,wed,thu,fri 09:00-12:00; mon,tue,wed,thu,fri 12:00-17:00";
    let but_an_hour = "mon 01:00-00:00; tue,wed,thu,fri,sat,sun 00:00-24:00";
    for (text, at, expected) in [
        (office, "2026-01-02T09:00:00Z", Some("2026-01-02T17:00:00Z")),
        (office, "2026-01-02T16:59:59.999Z", Some("2026-01-02T17:00:00Z")),
        (office, "2026-01-02T17:00:00Z", None),
        (office, "2026-01-02T08:59:59.999Z", None),
        (but_an_hour, "2026-01-05T01:00:00Z", Some("2026-01-12T00:00:00Z")),
        ("every 00:00-24:00", "2026-01-02T08:59:59Z", None),
    ] {
        assert_eq!(hours("UTC", text).ends(moment(at)), expected.map(moment), "{text} at {at}");
    }
}

#[test]
fn the_ends_of_the_calendar_do_no_harm() {
    let hours = hours("America/New_York", "every 09:00-17:00");
    for at in [i64::MIN, i64::MAX] {
        assert!(!hours.contains(Moment::from_millis(at)));
        assert_eq!(hours.ends(Moment::from_millis(at)), None);
    }
}

#[test]
fn what_is_wrong_with_hours_is_named_by_field() {
    for (text, expected) in [
        (
            "every 09:00-17:00; every 24:00-06:00",
            "hours.windows[1].from: 24:00 starts no window; use 00:00 of the next day",
        ),
        ("mon,tue,mon 09:00-17:00", "hours.windows[0].weekdays[2]: the day is named twice; leave one out"),
        (&"every 09:00-17:00;".repeat(WINDOWS + 1), "hours.windows: more than 50 windows; join some"),
    ] {
        let error = hours("UTC", text).check("hours").expect_err("refused");
        assert_eq!(error.to_string(), expected);
    }
    let all = "mon,tue,wed,thu,fri,sat,sun 00:00-24:00;".repeat(WINDOWS);
    assert_eq!(hours("UTC", &all).check("hours"), Ok(()));
}

#[test]
fn hours_in_json() {
    let json = serde_json::json!({
        "time_zone": "Europe/Berlin",
        "windows": [{"weekdays": ["mon", "sun"], "from": "22:00", "until": "24:00"}],
    });
    let hours: WeeklyHours = serde_json::from_value(json.clone()).expect("hours");
    assert_eq!(hours, super::tests::hours("Europe/Berlin", "mon,sun 22:00-24:00"));
    assert_eq!(serde_json::to_value(hours).expect("JSON"), json);
}

pub(crate) fn zone() -> impl Strategy<Value = Zone> {
    let zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"];
    let odd = ["Pacific/Apia", "America/St_Johns", "Africa/Cairo", "Africa/Casablanca"];
    prop::sample::select([&zones[..], &odd[..]].concat()).prop_map(|name| name.parse().expect("a zone"))
}

pub(crate) fn some_windows() -> impl Strategy<Value = Vec<Window>> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let weekdays = prop::sample::subsequence(vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun], 0..=7);
    let window = (weekdays, 0..96_u16, 0..=96_u16).prop_map(|(weekdays, from, until)| {
        let time = |quarters| TimeOfDay { minutes: quarters * 15 };
        Window { weekdays, from: time(from), until: time(until) }
    });
    prop::collection::vec(window, 0..4)
}

/// A moment near the days on which the clocks of [`zone`] change.
pub(crate) fn some_moment() -> impl Strategy<Value = Moment> {
    let days = ["2010-11-07", "2011-12-30", "2026-03-08", "2026-03-29", "2026-04-24", "2026-10-04", "2026-10-25"];
    let around = -36 * 60..36 * 60_i64;
    (prop::sample::select(days.to_vec()), around)
        .prop_map(|(day, minutes)| Moment::from_secs(moment(&format!("{day}T00:00:00Z")).secs() + minutes * 60))
}

/// The expected answer from local time alone. `None`: the clock shows this time twice.
fn on_the_wall(windows: &[Window], zone: &Zone, at: Moment) -> Option<bool> {
    let rules = zone.rules();
    let now = wall::shown(at, &rules);
    let minutes = u16::try_from(i32::from(now.hour()) * 60 + i32::from(now.minute())).expect("of a day");
    let begun = |day: Date, window: &Window| window.weekdays.is_empty() || window.weekdays.contains(&Weekday::of(day));
    let in_window = |window: &Window| {
        let (from, until) = (window.from.minutes(), window.until.minutes());
        let today = begun(now.date(), window);
        let yesterday = begun(now.date().yesterday().expect("in the calendar"), window);
        if from < until {
            today && (from..until).contains(&minutes)
        } else {
            (today && from <= minutes) || (yesterday && minutes < until)
        }
    };
    let twice = rules.to_ambiguous_timestamp(now).is_ambiguous();
    (!twice).then(|| windows.is_empty() || windows.iter().any(in_window))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_window_holds_while_the_clock_on_the_wall_shows_a_time_in_it(
        zone in zone(), windows in some_windows(), at in some_moment(),
    ) {
        if let Some(expected) = on_the_wall(&windows, &zone, at) {
            prop_assert_eq!(contains(&windows, &zone.rules(), at), expected);
        }
    }

    #[test]
    fn the_next_change_is_the_first_at_which_another_answer_is_given(
        time_zone in zone(), windows in some_windows(), at in some_moment(),
    ) {
        let hours = WeeklyHours { time_zone, windows };
        let now = hours.contains(at);
        let change = next_change(&hours.windows, &hours.time_zone.rules(), at);
        prop_assert_eq!(hours.ends(at), change.filter(|_| now));
        let until = change.unwrap_or(at + HORIZON);
        prop_assert!(at < until);
        let steps = (at.millis()..until.millis()).step_by(3_600_000).chain([until.millis() - 1]);
        for step in steps {
            prop_assert_eq!(hours.contains(Moment::from_millis(step)), now, "at {}", Moment::from_millis(step));
        }
        if let Some(change) = change {
            prop_assert_ne!(hours.contains(change), now);
        }
    }
}

#[test]
fn hours_are_described_within_their_limits() {
    assert_eq!(schema_of::<WeeklyHours>()["properties"]["windows"]["maxItems"], WINDOWS);
}
