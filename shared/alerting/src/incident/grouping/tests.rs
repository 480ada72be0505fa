//! Tests of grouping and flapping, with one row per rule of the specification.

use std::collections::BTreeMap;

use super::*;
use crate::base::ids::{AlertId, IncidentId, IntegrationId};
use crate::base::severity::Severity;
use crate::incident::Linked;
use crate::incident::alert::Status;
use crate::incident::apply::{Change, apply};
use crate::incident::change_result::ChangeResult;
use crate::incident::source::{SourceChange, SourceKind};

fn at(minutes: u64) -> Moment {
    Moment::default() + Duration::from_secs(60 * minutes)
}

fn stamp(minutes: u64) -> Stamp {
    Stamp::from_parts(at(minutes), 0)
}

/// An alert from `title|integration|key|severity|host`, where `-` means that the alert has no such value.
fn alert(text: &str) -> Alert {
    let mut words = text.split('|').map(|word| Some(word).filter(|word| *word != "-").map(str::to_owned));
    let mut next = || words.next().flatten();
    let title = next().unwrap_or_default();
    let integration = IntegrationId::from_suffix(&next().unwrap_or("a".to_owned())).expect("valid");
    let alert_key = next();
    let severity = if next().as_deref() == Some("critical") { Severity::Critical } else { Severity::Warning };
    Alert {
        id: AlertId::of(&integration, stamp(0)),
        integration,
        alert_key,
        title,
        description: String::new(),
        severity,
        status: Status::Open,
        count: 1,
        labels: next().map(|host| ("host".to_owned(), host)).into_iter().collect::<BTreeMap<_, _>>(),
        opened_by: stamp(0),
        shown: stamp(0),
        texts: None,
        closing: None,
        revision: 0,
        updated_at: at(0),
        closed_at: None,
        spaces: Vec::new(),
    }
}

fn grouping(by: &[&str], empty_values: EmptyValues) -> Grouping {
    let by = by.iter().map(|field| (*field).to_owned()).collect();
    Grouping { by, window_minutes: 30, empty_values, storm_thresholds: Vec::new() }
}

#[test]
fn alerts_belong_together_if_they_are_equal_in_all_that_they_are_grouped_by() {
    let rows: [(&[&str], &str, &str, bool); 14] = [
        (&[], "disk|a|k|warning|db-1", "cpu|b|-|critical|-", true),
        (&["title"], "disk|a|k|warning|db-1", "disk|b|-|critical|-", true),
        (&["title"], "disk|a|k|warning|db-1", "cpu|a|k|warning|db-1", false),
        (&["title"], "disk|a", "Disk|a", false),
        (&["severity"], "disk|a|k|warning", "cpu|b|-|warning", true),
        (&["severity"], "disk|a|k|warning", "disk|a|k|critical", false),
        (&["integration"], "disk|a|k", "cpu|a|-", true),
        (&["integration"], "disk|a|k", "disk|b|k", false),
        (&["alert_key"], "disk|a|k", "cpu|b|k", true),
        (&["alert_key"], "disk|a|k", "disk|a|j", false),
        (&["labels.host"], "disk|a|k|warning|db-1", "cpu|b|j|critical|db-1", true),
        (&["labels.host"], "disk|a|k|warning|db-1", "disk|a|k|warning|db-2", false),
        (&["title", "labels.host"], "disk|a|-|warning|db-1", "disk|b|-|warning|db-1", true),
        (&["title", "labels.host"], "disk|a|-|warning|db-1", "cpu|a|-|warning|db-1", false),
    ];
    for (by, one, other, together) in rows {
        let grouping = grouping(by, EmptyValues::Strict);
        let (one_key, other_key) = (group_key(&grouping, &alert(one), None), group_key(&grouping, &alert(other), None));
        assert!(one_key.is_some() && other_key.is_some());
        assert_eq!(one_key == other_key, together, "by {by:?}: {one}, {other}");
    }
}

#[test]
fn an_alert_that_lacks_a_value_is_strictly_its_own_and_leniently_equal_to_others_that_lack_it() {
    for (by, text) in [
        ("alert_key", "disk|a|-|warning|db-1"),
        ("alert_key", "disk|a||warning|db-1"),
        ("labels.host", "disk|a|k|warning|-"),
        ("labels.host", "disk|a|k|warning|"),
        ("labels.app", "disk|a|k|warning|db-1"),
        ("title", "|a|k|warning|db-1"),
    ] {
        assert_eq!(
            group_key(&grouping(&["severity", by], EmptyValues::Strict), &alert(text), None),
            None,
            "{by}: {text}"
        );
        let lenient = grouping(&["severity", by], EmptyValues::Lenient);
        let key = |text: &str| group_key(&lenient, &alert(text), None);
        let worse = text.replace("warning", "critical");
        assert!(key(text).is_some() && key(text) == key(text), "{by}: {text}");
        assert_ne!(key(text), key(&worse), "equal only if the rest is: {by}: {text}");
    }
    let by_host = grouping(&["labels.host"], EmptyValues::Lenient);
    let key = |text: &str| group_key(&by_host, &alert(text), None);
    assert_eq!(key("disk|a|k|warning|-"), key("cpu|b|j|critical|"), "two that lack it, each in its way");
    assert_ne!(key("disk|a|k|warning|-"), key("disk|a|k|warning|db-1"));
}

#[test]
fn what_is_grouped_by_is_part_of_the_key_and_values_do_not_run_together() {
    let key = |by: &[&str], text| group_key(&grouping(by, EmptyValues::Lenient), &alert(text), None);
    assert_ne!(key(&["title"], "a|a|a"), key(&["alert_key"], "a|a|a"));
    assert_ne!(key(&["title", "alert_key"], "ab|a|c"), key(&["title", "alert_key"], "a|a|bc"));
    assert_ne!(key(&["title", "alert_key"], "ab|a|-"), key(&["title", "alert_key"], "-|a|ab"));
}

#[test]
fn a_held_alert_is_a_group_of_its_own_while_it_is_held() {
    let by_title = grouping(&["title"], EmptyValues::Strict);
    let key = |hold: Option<(&str, Option<u64>)>| {
        let hold = hold.map(|(by, until)| Hold { by: by.to_owned(), until: until.map(at) });
        group_key(&by_title, &alert("disk"), hold.as_ref())
    };
    let keys = [None, Some(("a", None)), Some(("a", Some(1))), Some(("a", Some(2))), Some(("b", Some(1)))].map(key);
    for (n, one) in keys.iter().enumerate() {
        assert!(keys[..n].iter().all(|other| other != one));
    }
    assert_eq!(keys[2], key(Some(("a", Some(1)))));
}

/// The incident of an alert that was opened in the first minute.
fn incident() -> Incident {
    let space = "spc_a".parse().expect("valid");
    let change = Change::Source(SourceChange {
        incident: IncidentId::of(&space, stamp(1)),
        alert: AlertId::of(&"int_a".parse().expect("valid"), stamp(1)),
        opened_by: stamp(1),
        space,
        alert_n: 1,
        kind: SourceKind::Trigger,
        title: "disk".to_owned(),
        severity: Severity::Warning,
        hold: None,
        flapping: false,
        storm_thresholds: Vec::new(),
    });
    match apply(None, &change, None, at(1)) {
        Ok(ChangeResult::Changed(incident, _)) => incident,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_incident_takes_alerts_while_it_is_open_has_room_and_its_window_slides() {
    let grouping = grouping(&["title"], EmptyValues::Strict);
    let joined = |minutes| Incident { last_joined_at: Some(at(minutes)), ..incident() };
    let with = |count: usize| {
        let mut full = incident();
        full.alerts = vec![Linked { is_open: false, ..full.alerts[0].clone() }; count];
        full
    };
    let rows = [
        ("at the moment of its trigger", incident(), 1, true),
        ("at the last moment of the window", incident(), 31, true),
        ("after it", incident(), 32, false),
        ("a message that is older than its trigger", incident(), 0, true),
        ("each that joins extends the window", joined(25), 55, true),
        ("and no further", joined(25), 56, false),
        ("someone works on it", Incident { progress: Progress::Processing, ..incident() }, 2, true),
        ("it is closed", Incident { progress: Progress::Closed, ..incident() }, 2, false),
        ("it was merged away", Incident { merged_into: Some(incident().id), ..incident() }, 2, false),
        ("it has room for one more", with(ALERTS - 1), 2, true),
        ("it is full", with(ALERTS), 2, false),
    ];
    for (name, incident, minutes, taken) in rows {
        assert_eq!(takes(&incident, &grouping, at(minutes)), taken, "{name}");
    }
}

/// A ring of transitions from a script: `O` opens, `C` closes, `R` raises the severity, each with its minute.
fn ring(script: &str) -> Vec<Transition> {
    let words = script.split_whitespace().zip(1..);
    let transition = |(word, n): (&str, u64)| {
        let stamp = stamp(word[1..].parse().expect("minutes"));
        let kind = match &word[..1] {
            "O" => TransitionKind::Open,
            "C" => TransitionKind::Close,
            _ => TransitionKind::Raise,
        };
        Transition { n, stamp, kind, episode: stamp, severity: Severity::Warning, count: 1 }
    };
    words.map(transition).collect()
}

#[test]
fn an_alert_flaps_that_opens_and_closes_so_often_within_the_time() {
    let usual = Flapping::default();
    let rows = [
        ("three changes are none", usual, "O0 C1 O2", 2, false),
        ("the fifth finds four before it", usual, "O0 C1 O2 C3 O4", 4, true),
        ("three are, where three are wanted", Flapping { changes: 3, ..usual }, "O0 C1 O2", 2, true),
        ("getting worse is no change", usual, "O0 R1 C2 R3 O4", 4, false),
        ("at the last moment of the time", usual, "O0 C1 O2 C3 O61", 61, true),
        ("the first two are too long ago", usual, "O0 C1 O2 C3 O62", 62, false),
        ("what came later does not count", usual, "O0 C1 O2 C3 O4", 2, false),
        ("only remembered changes count", Flapping { changes: 6, ..usual }, "O2 C3 O4 C5 O6 C7", 7, true),
        ("two within a minute", Flapping { changes: 2, within_minutes: 1, ..usual }, "C9 O10", 10, true),
        ("two in two minutes", Flapping { changes: 2, within_minutes: 1, ..usual }, "C8 O10", 10, false),
        ("switched off", Flapping { mode: FlappingMode::Off, ..usual }, "O0 C1 O2 C3 O4", 4, false),
        ("muted it flaps all the same", Flapping { mode: FlappingMode::Mute, ..usual }, "O0 C1 O2 C3 O4", 4, true),
        ("an alert without a key has no past", usual, "", 0, false),
    ];
    for (name, flapping, script, minutes, expected) in rows {
        assert_eq!(flaps(&flapping, &ring(script), stamp(minutes)), expected, "{name}");
    }
}
