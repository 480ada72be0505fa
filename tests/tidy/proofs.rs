//! `tests/README.md` says what keeps every promise, fault and goal: it names tests that there are, and leaves nothing out.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;

use crate::tree;

const PROOFS: &str = "tests/README.md";
const BREAKS: &str = "tests/fixtures/broken_promises.json";
const FAULTS: std::ops::RangeInclusive<usize> = 1..=112;
/// How many findings each part of the field test has.
const FINDINGS: [(char, usize); 6] = [('A', 11), ('B', 5), ('C', 15), ('D', 6), ('E', 7), ('F', 14)];

#[test]
fn every_test_that_the_proofs_name_is_there() {
    let named = named();
    assert!(named.len() >= FAULTS.count() / 2, "only {} tests are named", named.len());
    for (test, path) in named {
        let path = Path::new("tests").join(&path);
        let text = tree::read(path.to_str().expect("a path of the project"));
        let defined = Regex::new(&format!(r"(?:fn|def) {test}\b")).expect("a valid pattern");
        assert!(defined.is_match(&text), "{PROOFS} names {test}, which {} has not", path.display());
    }
}

#[test]
fn every_fault_has_its_test_or_says_why_not() {
    let mut results = BTreeMap::new();
    for [number, fault, test, result] in rows::<4>(&section("Faults")) {
        let Ok(number) = number.parse::<usize>() else { continue };
        assert!(!fault.is_empty(), "fault {number} says nothing");
        has_test_or_reason(&format!("fault {number}"), &test, &result);
        assert!(results.insert(number, result).is_none(), "fault {number} is there twice");
    }
    assert!(results.keys().copied().eq(FAULTS), "faults are missing: {:?}", results.keys());
}

#[test]
fn every_finding_of_the_field_test_has_its_test_or_says_why_not() {
    let expected = FINDINGS.into_iter().flat_map(|(part, last)| (1..=last).map(move |n| format!("{part}{n}")));
    let mut found = Vec::new();
    for [id, finding, test, result] in rows::<4>(&section("Findings of the field test")) {
        assert!(finding.contains('→'), "{id} does not say what is expected now");
        has_test_or_reason(&id, &test, &result);
        found.push(id);
    }
    assert_eq!(found, expected.collect::<Vec<_>>(), "each once and in order");
}

fn has_test_or_reason(what: &str, test: &str, result: &str) {
    let reason = result.split_once(": ").map(|(_, reason)| reason);
    match result.split(':').next().unwrap_or_default() {
        "kept" => assert!(test.contains("]("), "{what} is kept by no test"),
        "later" | "differs" => assert!(reason.is_some_and(|why| why.len() > 10), "{what} has no reason"),
        other => panic!("{what} is {other:?}: it is kept, later or differs"),
    }
}

#[test]
fn every_promise_of_the_readme_is_among_the_proofs() {
    let readme = tree::read("README.md");
    let promised = between(&readme, "## Promises, and what keeps each");
    let proven: Vec<String> = rows::<2>(&section("Promises")).into_iter().map(|[promise, _]| promise).collect();
    let promised: Vec<String> = rows::<2>(promised).into_iter().map(|[promise, _]| promise).collect();
    assert!(promised.len() > 10, "the README promises {promised:?}");
    assert_eq!(promised, proven);
}

#[test]
fn every_goal_has_its_figure_and_command() {
    let goals = rows::<3>(&section("Goals"));
    assert!(goals.len() > 10, "{} goals", goals.len());
    for [goal, figure, command] in goals {
        assert!(figure.contains(|char: char| char.is_ascii_digit()), "{goal}: no figure in {figure:?}");
        assert!(command.starts_with('`'), "{goal}: no command in {command:?}");
    }
}

#[test]
fn every_promise_can_still_be_broken_on_purpose() {
    let breaks: Vec<Break> = serde_json::from_str(&tree::read(BREAKS)).expect("a list of changes");
    assert!(breaks.len() >= 10, "{} changes", breaks.len());
    let shown = section("Promises broken on purpose");
    for Break { broken, file, old, new, test } in breaks {
        assert_eq!(tree::read(&file).matches(&old).count(), 1, "{file} has not one place for {broken:?}");
        assert_ne!(old, new, "{broken:?} changes nothing");
        assert!(shown.contains(&broken) && shown.contains(&test), "{PROOFS} does not say what became of {broken:?}");
    }
}

/// One entry of what `tests/tools/break_promises.py` does.
#[derive(serde::Deserialize)]
struct Break {
    broken: String,
    file: String,
    old: String,
    new: String,
    test: String,
}

/// `` `test` in [shown](path) ``, anywhere.
fn named() -> Vec<(String, String)> {
    let link = Regex::new(r"`(\w+)` in \[[^\]]+\]\(([^)]+)\)").expect("a valid pattern");
    let text = tree::read(PROOFS);
    link.captures_iter(&text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

fn section(heading: &str) -> String {
    between(&tree::read(PROOFS), &format!("## {heading}")).to_owned()
}

/// What stands under a heading of the second level.
fn between<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("{heading}\n")).unwrap_or_else(|| panic!("there is no heading {heading:?}"));
    let rest = &text[start + heading.len()..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// The rows of all tables of so many columns, without headings.
fn rows<const COLUMNS: usize>(text: &str) -> Vec<[String; COLUMNS]> {
    let tables = text.lines().filter(|line| line.starts_with('|'));
    let cells = tables.map(|line| {
        let line = line.replace("\\|", "\u{0}");
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect::<Vec<_>>()
    });
    let mut rows: Vec<[String; COLUMNS]> = cells.filter_map(|cells| cells.try_into().ok()).collect();
    let headings: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.iter().all(|cell: &String| cell.chars().all(|char| char == '-')))
        .flat_map(|(line, _)| [line.saturating_sub(1), line])
        .collect();
    let mut line = 0;
    rows.retain(|_| {
        line += 1;
        !headings.contains(&(line - 1))
    });
    rows
}
