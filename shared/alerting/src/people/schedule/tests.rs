use proptest::prelude::*;

use super::shifts::{RANGE, Roster, SHIFTS, Shift};
use super::*;
use crate::people::hours::tests::{quarters, some_moment, some_windows, windows, zone};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn member(name: &str) -> MemberId {
    format!("mem_{name}").parse().expect("an id")
}

#[track_caller]
fn moment(text: &str) -> Moment {
    Moment::parse_rfc3339(text).expect("RFC 3339")
}

fn schedule(zone: &str, layers: Vec<Layer>, overrides: Vec<Override>) -> Schedule {
    Schedule {
        id: "sch_1".parse().expect("an id"),
        version: 1,
        name: "primary".to_owned(),
        time_zone: zone.parse().expect("a zone"),
        layers,
        overrides,
        created_at: Moment::default(),
    }
}

/// A layer from a text such as `ann bob every 1 week from 2026-03-02T09:00:00`.
#[track_caller]
fn layer(text: &str) -> Layer {
    let (members, rotation) = text.split_once(" every ").expect("members and a rotation");
    let [every, unit, "from", starts_at] = rotation.split(' ').collect::<Vec<_>>()[..] else {
        panic!("no rotation: {rotation}")
    };
    Layer {
        name: String::new(),
        members: members.split(' ').map(member).collect(),
        rotation: Rotation {
            unit: serde_json::from_value(unit.into()).expect("a unit"),
            every: every.parse().expect("a number"),
            starts_at: starts_at.parse().expect("a date and time"),
        },
        restrictions: Vec::new(),
        from: None,
        until: None,
    }
}

fn restricted(text: &str, restrictions: &str) -> Layer {
    Layer { restrictions: windows(restrictions), ..layer(text) }
}

fn instead(name: &str, from: &str, until: &str) -> Override {
    Override { member: member(name), from: moment(from), until: moment(until) }
}

/// A shift as text: `2026-03-29 09:00+02:00 ann 0` is the start, the member, and the layer (`!`: an override).
fn shown(shift: &Shift, rules: &TimeZone) -> String {
    let from = jiff::Timestamp::from_millisecond(shift.from.millis()).expect("in the calendar");
    let from = from.to_zoned(rules.clone()).strftime("%F %H:%M%:z").to_string();
    match &shift.on_call {
        None => format!("{from} nobody"),
        Some(OnCall { member, source: Source::Override }) => format!("{from} {} !", member.suffix()),
        Some(OnCall { member, source: Source::Layer(n) }) => format!("{from} {} {n}", member.suffix()),
    }
}

/// Checks the shifts of a period, and that every moment agrees with them.
#[track_caller]
fn check(schedule: &Schedule, (from, until): (&str, &str), expected: &[&str]) {
    let roster = schedule.shifts(moment(from), moment(until));
    let rules = schedule.time_zone.rules();
    assert_eq!(roster.shifts.iter().map(|shift| shown(shift, &rules)).collect::<Vec<_>>(), expected);
    assert_eq!(roster.cut_at, None);
    for shift in &roster.shifts {
        for at in quarters(shift.from, shift.until).chain([shift.until - Duration::from_millis(1)]) {
            assert_eq!(schedule.on_call(at), shift.on_call, "at {at}");
        }
    }
}

/// Checks the hand-overs of one layer in these days.
#[track_caller]
fn check_layer(zone: &str, text: &str, days: (&str, &str), expected: &[&str]) {
    let midnight = |day: &str| format!("{day}T00:00:00Z");
    check(&schedule(zone, vec![layer(text)], Vec::new()), (&midnight(days.0), &midnight(days.1)), expected);
}

// Proves: fault 105
#[test]
fn a_weekly_hand_over_stays_at_nine_on_the_wall_through_both_switches() {
    let weekly = "ann bob every 1 week from 2026-03-09T09:00:00";
    let spring = ["2026-03-20 01:00+01:00 bob 0", "2026-03-23 09:00+01:00 ann 0", "2026-03-30 09:00+02:00 bob 0"];
    check_layer("Europe/Berlin", weekly, ("2026-03-20", "2026-04-02"), &spring);
    let autumn = ["2026-10-18 02:00+02:00 bob 0", "2026-10-19 09:00+02:00 ann 0", "2026-10-26 09:00+01:00 bob 0"];
    check_layer("Europe/Berlin", weekly, ("2026-10-18", "2026-10-28"), &autumn);
}

#[test]
fn a_rotation_of_hours_moves_on_the_wall_after_the_switch() {
    check_layer(
        "Europe/Berlin",
        "ann bob every 12 hour from 2026-03-28T08:00:00",
        ("2026-03-28", "2026-03-30"),
        &[
            "2026-03-28 01:00+01:00 nobody",
            "2026-03-28 08:00+01:00 ann 0",
            "2026-03-28 20:00+01:00 bob 0",
            "2026-03-29 09:00+02:00 ann 0",
            "2026-03-29 21:00+02:00 bob 0",
        ],
    );
    check_layer(
        "Europe/Berlin",
        "ann bob every 12 hour from 2026-10-24T20:00:00",
        ("2026-10-24", "2026-10-26"),
        &[
            "2026-10-24 02:00+02:00 nobody",
            "2026-10-24 20:00+02:00 ann 0",
            "2026-10-25 07:00+01:00 bob 0",
            "2026-10-25 19:00+01:00 ann 0",
        ],
    );
}

#[test]
fn a_hand_over_that_the_clock_skips_is_an_hour_later_on_that_day() {
    check_layer(
        "Europe/Berlin",
        "ann bob every 1 day from 2026-03-27T02:30:00",
        ("2026-03-28", "2026-03-31"),
        &[
            "2026-03-28 01:00+01:00 ann 0",
            "2026-03-28 02:30+01:00 bob 0",
            "2026-03-29 03:30+02:00 ann 0",
            "2026-03-30 02:30+02:00 bob 0",
        ],
    );
}

#[test]
fn a_hand_over_that_the_clock_shows_twice_is_the_first() {
    check_layer(
        "Europe/Berlin",
        "ann bob every 1 day from 2026-10-23T02:30:00",
        ("2026-10-24", "2026-10-27"),
        &[
            "2026-10-24 02:00+02:00 ann 0",
            "2026-10-24 02:30+02:00 bob 0",
            "2026-10-25 02:30+02:00 ann 0",
            "2026-10-26 02:30+01:00 bob 0",
        ],
    );
}

#[test]
fn a_rotation_that_starts_when_the_clock_skips_starts_an_hour_later() {
    check_layer(
        "Europe/Berlin",
        "ann bob every 6 hour from 2026-03-29T02:30:00",
        ("2026-03-29", "2026-03-30"),
        &[
            "2026-03-29 01:00+01:00 nobody",
            "2026-03-29 03:30+02:00 ann 0",
            "2026-03-29 09:30+02:00 bob 0",
            "2026-03-29 15:30+02:00 ann 0",
            "2026-03-29 21:30+02:00 bob 0",
        ],
    );
}

// Proves: fault 105
#[test]
fn every_zone_hands_over_by_its_own_clock() {
    let daily = |day: &str| format!("ann bob every 1 day from {day}T09:00:00");
    for (zone, days, expected) in [
        (
            "America/New_York",
            ("2026-03-07", "2026-03-09"),
            ["2026-03-06 19:00-05:00 nobody", "2026-03-07 09:00-05:00 ann 0", "2026-03-08 09:00-04:00 bob 0"],
        ),
        (
            "Asia/Kolkata",
            ("2026-03-28", "2026-03-30"),
            ["2026-03-28 05:30+05:30 nobody", "2026-03-28 09:00+05:30 ann 0", "2026-03-29 09:00+05:30 bob 0"],
        ),
        (
            "Australia/Lord_Howe",
            ("2026-10-02", "2026-10-04"),
            ["2026-10-02 10:30+10:30 nobody", "2026-10-03 09:00+10:30 ann 0", "2026-10-04 09:00+11:00 bob 0"],
        ),
    ] {
        let first = expected[1].split(' ').next().expect("a day");
        check_layer(zone, &daily(first), days, &expected);
    }
}

#[test]
fn a_day_that_the_date_line_skips_has_no_turn() {
    let text = "ann bob cid every 1 day from 2011-12-28T09:00:00";
    let schedule = schedule("Pacific/Apia", vec![layer(text)], Vec::new());
    let days = ("2011-12-28T00:00:00-10:00", "2012-01-02T00:00:00+14:00");
    check(
        &schedule,
        days,
        &[
            "2011-12-28 00:00-10:00 nobody",
            "2011-12-28 09:00-10:00 ann 0",
            "2011-12-29 09:00-10:00 bob 0",
            "2011-12-31 09:00+14:00 ann 0",
            "2012-01-01 09:00+14:00 bob 0",
        ],
    );
}

#[test]
fn decades_after_its_start_a_rotation_still_hands_over_on_time() {
    for (text, at, before, after) in [
        ("ann bob cid every 1 day from 1990-01-01T09:00:00", "2061-07-01T09:00:00+02:00", "bob", "cid"),
        ("ann bob every 2 week from 1990-01-01T09:00:00", "2060-01-12T09:00:00+01:00", "ann", "bob"),
        ("ann bob cid every 1 hour from 1990-01-01T00:00:00", "2089-12-31T23:00:00Z", "cid", "ann"),
    ] {
        let schedule = schedule("Europe/Berlin", vec![layer(text)], Vec::new());
        let at = moment(at);
        let who = |at| schedule.on_call(at).expect("somebody").member;
        assert_eq!((who(at - Duration::from_millis(1)), who(at)), (member(before), member(after)), "{text}");
    }
}

#[test]
fn before_the_first_turn_and_outside_its_time_a_layer_has_nobody() {
    let limited = Layer {
        from: Some(moment("2026-01-05T12:00:00Z")),
        until: Some(moment("2026-01-07T12:00:00Z")),
        ..layer("ann bob every 1 day from 2026-01-01T00:00:00")
    };
    check(
        &schedule("UTC", vec![limited], Vec::new()),
        ("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z"),
        &[
            "2026-01-05 00:00+00:00 nobody",
            "2026-01-05 12:00+00:00 ann 0",
            "2026-01-06 00:00+00:00 bob 0",
            "2026-01-07 00:00+00:00 ann 0",
            "2026-01-07 12:00+00:00 nobody",
        ],
    );
    let early = Layer { from: Some(Moment::default()), ..layer("ann every 1 day from 2026-01-02T00:00:00") };
    check(
        &schedule("UTC", vec![early], Vec::new()),
        ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
        &["2026-01-01 00:00+00:00 nobody", "2026-01-02 00:00+00:00 ann 0"],
    );
}

#[test]
fn a_later_layer_wins_while_its_restrictions_let_it() {
    let layers = vec![
        layer("ann bob every 1 week from 2026-01-05T09:00:00"),
        restricted("nia every 1 day from 2026-01-01T00:00:00", "every 22:00-06:00"),
        restricted("wes every 1 day from 2026-01-01T00:00:00", "sat,sun 00:00-24:00"),
    ];
    check(
        &schedule("Asia/Kolkata", layers, Vec::new()),
        ("2026-01-09T06:00:00+05:30", "2026-01-12T12:00:00+05:30"),
        &[
            "2026-01-09 06:00+05:30 ann 0",
            "2026-01-09 22:00+05:30 nia 1",
            "2026-01-10 00:00+05:30 wes 2",
            "2026-01-12 00:00+05:30 nia 1",
            "2026-01-12 06:00+05:30 ann 0",
            "2026-01-12 09:00+05:30 bob 0",
        ],
    );
}

#[test]
fn restrictions_do_not_stop_the_rotation() {
    let office = restricted("ann bob every 1 day from 2026-01-02T12:00:00", "mon,fri 09:00-17:00");
    check(
        &schedule("UTC", vec![office], Vec::new()),
        ("2026-01-02T00:00:00Z", "2026-01-06T00:00:00Z"),
        &[
            "2026-01-02 00:00+00:00 nobody",
            "2026-01-02 12:00+00:00 ann 0",
            "2026-01-02 17:00+00:00 nobody",
            "2026-01-05 09:00+00:00 ann 0",
            "2026-01-05 12:00+00:00 bob 0",
            "2026-01-05 17:00+00:00 nobody",
        ],
    );
}

#[test]
fn an_override_wins_across_hand_overs_and_of_several_the_last() {
    let overrides = vec![
        instead("oda", "2026-01-01T18:00:00Z", "2026-01-03T06:00:00Z"),
        instead("pam", "2026-01-02T00:00:00Z", "2026-01-02T12:00:00Z"),
        instead("pam", "2026-01-02T12:00:00Z", "2026-01-02T18:00:00Z"),
    ];
    let layers = vec![layer("ann bob every 1 day from 2026-01-01T09:00:00")];
    let days = ("2026-01-01T12:00:00Z", "2026-01-03T12:00:00Z");
    check(
        &schedule("UTC", layers.clone(), overrides.clone()),
        days,
        &[
            "2026-01-01 12:00+00:00 ann 0",
            "2026-01-01 18:00+00:00 oda !",
            "2026-01-02 00:00+00:00 pam !",
            "2026-01-02 18:00+00:00 oda !",
            "2026-01-03 06:00+00:00 bob 0",
            "2026-01-03 09:00+00:00 ann 0",
        ],
    );
    let last = overrides.into_iter().rev().collect();
    check(
        &schedule("UTC", layers, last),
        days,
        &[
            "2026-01-01 12:00+00:00 ann 0",
            "2026-01-01 18:00+00:00 oda !",
            "2026-01-03 06:00+00:00 bob 0",
            "2026-01-03 09:00+00:00 ann 0",
        ],
    );
}

#[test]
fn where_nobody_is_on_call_is_found() {
    let office = restricted("ann every 1 day from 2026-01-01T00:00:00", "mon,tue,wed,thu,fri 09:00-17:00");
    let overrides = vec![instead("oda", "2026-01-02T17:00:00Z", "2026-01-03T00:00:00Z")];
    let schedule = schedule("UTC", vec![office], overrides);
    let gaps = schedule.gaps(moment("2026-01-02T12:00:00Z"), moment("2026-01-06T12:00:00Z"));
    let expected = [("2026-01-03T00:00:00Z", "2026-01-05T09:00:00Z"), ("2026-01-05T17:00:00Z", "2026-01-06T09:00:00Z")];
    assert_eq!(gaps, expected.map(|(from, until)| (moment(from), moment(until))));
}

#[test]
fn a_schedule_without_layers_is_one_gap() {
    let empty = schedule("UTC", Vec::new(), Vec::new());
    assert_eq!(empty.check(), Ok(()));
    check(&empty, ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), &["2026-01-01 00:00+00:00 nobody"]);
    check(&empty, ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), &[]);
    check(&empty, ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), &[]);
}

#[test]
fn an_answer_that_is_too_long_is_cut_and_says_where() {
    let from = moment("2026-01-01T00:00:00Z");
    let one = schedule("UTC", vec![layer("ann every 1 week from 2026-01-01T00:00:00")], Vec::new());
    let roster = one.shifts(from, from + RANGE + DAY);
    assert_eq!((roster.shifts.len(), roster.cut_at), (1, Some(from + RANGE)));

    let busy = (0..3).map(|n| {
        let minutes = n * 20;
        let restrictions = (0..24).map(|hour| format!("every {hour:02}:{minutes:02}-{hour:02}:{:02}", minutes + 10));
        let text = format!("ann bob every 1 hour from 2026-01-01T00:{minutes:02}:00");
        restricted(&text, &restrictions.collect::<Vec<_>>().join(";"))
    });
    let roster = schedule("UTC", busy.collect(), Vec::new()).shifts(from, from + RANGE);
    let Roster { shifts, cut_at } = roster;
    assert_eq!(shifts.len(), SHIFTS);
    assert_eq!(cut_at, shifts.last().map(|shift| shift.until));
}

#[test]
fn the_ends_of_the_calendar_do_no_harm() {
    for unit in ["hour", "day", "week"] {
        let text = format!("ann bob every 1 {unit} from 9999-12-30T00:00:00");
        let far = schedule("America/New_York", vec![layer(&text)], Vec::new());
        let last = Moment::from_millis(i64::MAX);
        assert!(far.on_call(last).is_some());
        assert_eq!(far.shifts(last - DAY, last).shifts.last().map(|shift| shift.until), Some(last));
        assert_eq!(far.on_call(Moment::from_millis(i64::MIN)), None);
    }
}

type Spoil = fn(&mut Schedule);

#[test]
fn what_is_wrong_with_a_schedule_is_named_by_field() {
    fn first(schedule: &mut Schedule) -> &mut Layer {
        &mut schedule.layers[0]
    }
    let rows: [(Spoil, &str); 13] = [
        (|s| s.layers = vec![s.layers[0].clone(); LAYERS + 1], "layers: more than 10 layers; join some"),
        (
            |s| s.overrides = vec![s.overrides[0].clone(); OVERRIDES + 1],
            "overrides: more than 200 overrides; delete those that are over",
        ),
        (|s| first(s).members.clear(), "layers[0].members: a layer has 1 to 50 members"),
        (
            |s| first(s).members = vec![member("ann"); LAYER_MEMBERS + 1],
            "layers[0].members: a layer has 1 to 50 members",
        ),
        (|s| s.layers[1].members.clear(), "layers[1].members: a layer has 1 to 50 members"),
        (|s| first(s).rotation.every = 0, "layers[0].rotation.every: a turn lasts 1 to 366 units"),
        (|s| first(s).rotation.every = 367, "layers[0].rotation.every: a turn lasts 1 to 366 units"),
        (
            |s| first(s).rotation.starts_at = jiff::civil::DateTime::MIN,
            "layers[0].rotation.starts_at: a rotation starts in the years 1970 to 2199",
        ),
        (
            |s| (first(s).from, first(s).until) = (Some(Moment::from_secs(9)), Some(Moment::from_secs(9))),
            "layers[0].until: the end is not after the start; choose a later one",
        ),
        (
            |s| first(s).restrictions = windows("every 24:00-06:00"),
            "layers[0].restrictions[0].from: 24:00 starts no window; use 00:00 of the next day",
        ),
        (|s| first(s).name = "x".repeat(LAYER_NAME_CHARS + 1), "layers[0].name: longer than 128 characters"),
        (
            |s| s.overrides[1].until = s.overrides[1].from,
            "overrides[1].until: the end is not after the start; choose a later one",
        ),
        (
            |s| s.overrides[1].until = s.overrides[1].from + OVERRIDE + Duration::from_millis(1),
            "overrides[1].until: an override lasts at most 366 days; what is meant for good is a layer",
        ),
    ];
    let sound = schedule(
        "UTC",
        vec![layer("ann bob every 366 week from 2026-01-01T00:00:00"); 2],
        vec![instead("oda", "2026-01-01T00:00:00Z", "2027-01-02T00:00:00Z"); 2],
    );
    assert_eq!(sound.check(), Ok(()));
    for (spoil, expected) in rows {
        let mut spoiled = sound.clone();
        spoil(&mut spoiled);
        assert_eq!(spoiled.check().expect_err(expected).to_string(), expected);
    }
}

#[test]
fn every_member_of_layers_and_overrides_is_named_once() {
    let layers = vec![layer("bob ann bob every 1 day from 2026-01-01T00:00:00"); 2];
    let overrides = vec![instead("oda", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")];
    let schedule = schedule("UTC", layers, overrides);
    let names: Vec<&str> = schedule.members().into_iter().map(MemberId::suffix).collect();
    assert_eq!(names, ["ann", "bob", "oda"]);
}

#[test]
fn layers_and_who_is_on_call_in_json() {
    let json = serde_json::json!({
        "members": ["mem_ann"],
        "rotation": {"unit": "week", "starts_at": "2026-11-02T09:00:00"},
    });
    let parsed: Layer = serde_json::from_value(json).expect("a layer");
    assert_eq!(parsed, layer("ann every 1 week from 2026-11-02T09:00:00"));
    let json = serde_json::to_value(&parsed).expect("JSON");
    assert_eq!(json["rotation"], serde_json::json!({"unit": "week", "every": 1, "starts_at": "2026-11-02T09:00:00"}));
    let sources = [Source::Layer(2), Source::Override].map(|source| OnCall { member: member("ann"), source });
    let expected = serde_json::json!([
        {"member": "mem_ann", "source": {"layer": 2}},
        {"member": "mem_ann", "source": "override"},
    ]);
    assert_eq!(serde_json::to_value(sources).expect("JSON"), expected);
}

fn some_rotation() -> impl Strategy<Value = Rotation> {
    use RotationUnit::{Day, Hour, Week};
    let unit = prop::sample::select(vec![Hour, Day, Week]);
    (unit, 1..4_u16, some_moment(), 0..400_i64).prop_map(|(unit, every, start, days_before)| {
        let start = wall_time(start).saturating_sub(jiff::SignedDuration::from_hours(24 * days_before));
        Rotation { unit, every, starts_at: start }
    })
}

fn wall_time(at: Moment) -> jiff::civil::DateTime {
    crate::base::wall::shown(at, &TimeZone::UTC)
}

fn some_layer() -> impl Strategy<Value = Layer> {
    let members = prop::collection::vec(prop::sample::select(vec!["ann", "bob", "cid"]).prop_map(member), 1..4);
    let time = (prop::option::of(some_moment()), prop::option::of(some_moment()));
    (members, some_rotation(), some_windows(), time).prop_map(|(members, rotation, restrictions, (from, until))| {
        Layer { name: String::new(), members, rotation, restrictions, from, until }
    })
}

fn some_schedule() -> impl Strategy<Value = Schedule> {
    let stand_in = (some_moment(), 0..5000_u64).prop_map(|(from, minutes)| Override {
        member: member("oda"),
        from,
        until: from + Duration::from_secs(minutes * 60),
    });
    let parts = (zone(), prop::collection::vec(some_layer(), 0..4), prop::collection::vec(stand_in, 0..3));
    parts.prop_map(|(zone, layers, overrides)| schedule(zone.as_str(), layers, overrides))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn shifts_cover_the_period_without_holes_and_agree_with_each_moment(
        schedule in some_schedule(), from in some_moment(), minutes in 1..20_000_i64,
        samples in prop::collection::vec(0.0..1.0, 20),
    ) {
        let until = Moment::from_secs(from.secs() + minutes * 60);
        let Roster { shifts, cut_at } = schedule.shifts(from, until);
        prop_assert_eq!(cut_at, None);
        prop_assert_eq!(shifts.first().map(|shift| shift.from), Some(from));
        prop_assert_eq!(shifts.last().map(|shift| shift.until), Some(until));
        for pair in shifts.windows(2) {
            prop_assert_eq!(pair[0].until, pair[1].from);
            prop_assert_ne!(&pair[0].on_call, &pair[1].on_call);
        }
        for shift in &shifts {
            prop_assert!(shift.from < shift.until);
            let length = shift.until.since(shift.from);
            let inside = samples.iter().take(3).map(|sample| shift.from + length.mul_f64(*sample));
            for at in inside.chain([shift.from, shift.until - Duration::from_millis(1)]) {
                prop_assert_eq!(&schedule.on_call(at), &shift.on_call, "at {}", at);
            }
        }
        for sample in samples {
            let at = from + until.since(from).mul_f64(sample);
            let shift = shifts.iter().find(|shift| shift.from <= at && at < shift.until).expect("no holes");
            prop_assert_eq!(&schedule.on_call(at), &shift.on_call, "at {}", at);
        }
        let gaps: Vec<(Moment, Moment)> =
            shifts.iter().filter(|shift| shift.on_call.is_none()).map(|shift| (shift.from, shift.until)).collect();
        prop_assert_eq!(schedule.gaps(from, until), gaps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_turn_that_is_computed_is_the_one_that_is_counted(
        rotation in some_rotation(), zone in zone(), near in some_moment(),
        minutes in prop::array::uniform2(-150..150_i64), days_before in 0..60_i64,
    ) {
        let rules = zone.rules();
        let near = jiff::Timestamp::from_millisecond(near.millis()).expect("in the calendar");
        let change = rules.following(near).next().map_or(near, |change| change.timestamp());
        let at = Moment::from_secs(change.as_second() + minutes[0] * 60);
        let hand_over = jiff::SignedDuration::from_mins(minutes[1]) - jiff::SignedDuration::from_hours(24 * days_before);
        let starts_at = rules.to_datetime(change).saturating_add(hand_over);
        let rotation = Rotation { starts_at, ..rotation };
        let first = rotation.starts_at.to_zoned(rules.clone()).expect("in the calendar");
        let every = i64::from(rotation.every);
        let length = |turn: i64| match rotation.unit {
            RotationUnit::Hour => jiff::Span::new().hours(turn * every),
            RotationUnit::Day => jiff::Span::new().days(turn * every),
            RotationUnit::Week => jiff::Span::new().weeks(turn * every),
        };
        let begins = |turn| match rotation.unit {
            RotationUnit::Hour => first.checked_add(length(turn)).expect("in the calendar").timestamp(),
            RotationUnit::Day | RotationUnit::Week => {
                let time = rotation.starts_at.checked_add(length(turn)).expect("in the calendar");
                time.to_zoned(rules.clone()).expect("in the calendar").timestamp()
            }
        };
        let begun = (0..).take_while(|turn| begins(*turn).as_millisecond() <= at.millis()).last();
        prop_assert_eq!(rotation.turn(at, &rules), begun);
    }
}
