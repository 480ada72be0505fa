//! Every promise, fault and finding has a test that says so, and `tests/proofs.md` is generated from what they say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use crate::claims::{Claim, LIST, Proof, claims, proofs};
use crate::tree;

/// Generated.
const PROOFS: &str = "tests/proofs.md";
/// Set to write [`PROOFS`] instead of comparing it.
const WRITE: &str = "LARKSPUR_WRITE_PROOFS";
const BREAKS: &str = "tests/fixtures/broken_promises.json";
const FAULTS: std::ops::RangeInclusive<usize> = 1..=112;
/// How many findings each part has.
const FINDINGS: [(char, usize); 6] = [('A', 11), ('B', 5), ('C', 15), ('D', 6), ('E', 7), ('F', 14)];

#[test]
fn every_claim_has_a_test_or_says_why_not() {
    let proofs = proofs();
    let by_claim = by_claim(&proofs);
    for Claim { id, excuse, .. } in claims() {
        let (result, reason) =
            excuse.as_deref().map_or(("kept", ""), |text| text.split_once(": ").unwrap_or((text, "")));
        match result {
            "kept" => assert!(by_claim.contains_key(id.as_str()), "no test says that it proves {id:?}"),
            "differs" | "later" => assert!(reason.len() > 10, "{id} is {result}, without a reason"),
            other => panic!("{LIST}: {id} is {other:?}: it is `differs: …` or `later: …`"),
        }
    }
}

#[test]
fn a_test_proves_only_listed_claims() {
    let known: Vec<String> = claims().into_iter().map(|claim| claim.id).collect();
    for Proof { test, path, claims } in proofs() {
        for claim in claims {
            assert!(known.contains(&claim), "{path}: {test} proves {claim:?}, which {LIST} does not list");
        }
    }
}

#[test]
fn every_fault_and_finding_is_listed_once_and_in_order() {
    let listed: Vec<String> = claims().into_iter().map(|claim| claim.id).filter(|id| id.contains(' ')).collect();
    let faults = FAULTS.map(|number| format!("fault {number}"));
    let findings = FINDINGS.into_iter().flat_map(|(part, last)| (1..=last).map(move |n| format!("finding {part}{n}")));
    assert_eq!(listed, faults.chain(findings).collect::<Vec<_>>());
}

#[test]
fn the_promises_are_those_of_the_readme() {
    let readme = tree::read("README.md");
    let list = readme.split("\n## Promises\n").nth(1).expect("the README has promises");
    let promised: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let listed: Vec<String> =
        claims().into_iter().filter(|claim| claim.section == "Promises").map(|claim| claim.text).collect();
    assert!(promised.len() > 10, "the README promises {promised:?}");
    assert_eq!(promised, listed);
}

#[test]
fn the_list_of_proofs_is_what_the_tests_say() {
    let generated = generated();
    if env::var_os(WRITE).is_some() {
        fs::write(tree::root().join(PROOFS), &generated).expect("the list can be written");
    }
    let stored = fs::read_to_string(tree::root().join(PROOFS)).unwrap_or_default();
    let differs = generated.lines().zip(stored.lines()).find(|(new, old)| new != old);
    assert!(
        generated == stored,
        "{PROOFS} is not what the tests say: run `{WRITE}=1 cargo nextest run -p tidy proofs`. {differs:?}"
    );
}

#[test]
fn every_promise_can_still_be_broken_on_purpose() {
    let (breaks, proofs) = (breaks(), proofs());
    assert!(breaks.len() >= 10, "{} changes", breaks.len());
    for Break { promise, broken, file, old, new, test } in breaks {
        assert_eq!(tree::read(&file).matches(&old).count(), 1, "{file} has not one place for {broken:?}");
        assert_ne!(old, new, "{broken:?} changes nothing");
        assert!(
            !promise.is_empty() && proofs.iter().any(|proof| proof.test == test),
            "{test} does not say what it proves"
        );
    }
}

#[test]
fn every_goal_has_its_figure_and_command() {
    let text = ["tests/speed/README.md", "tests/load/README.md"].map(tree::read).join("\n");
    let tables = text.split("\n| goal | figure | command |\n|---|---|---|\n").skip(1);
    let rows: Vec<&str> = tables.flat_map(|table| table.lines().take_while(|line| line.starts_with('|'))).collect();
    assert!(rows.len() > 10, "{} goals", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [goal, figure, command] = cells[..] else { panic!("{row} has not three cells") };
        assert!(figure.contains(|char: char| char.is_ascii_digit()), "{goal}: no figure in {figure:?}");
        assert!(command.starts_with('`'), "{goal}: no command in {command:?}");
    }
}

/// One entry of what `tests/tools/break_promises.py` does.
#[derive(serde::Deserialize)]
struct Break {
    promise: String,
    broken: String,
    file: String,
    old: String,
    new: String,
    test: String,
}

fn breaks() -> Vec<Break> {
    serde_json::from_str(&tree::read(BREAKS)).expect("a list of changes")
}

fn by_claim(proofs: &[Proof]) -> BTreeMap<&str, Vec<&Proof>> {
    let mut found: BTreeMap<&str, Vec<&Proof>> = BTreeMap::new();
    for proof in proofs {
        for claim in &proof.claims {
            found.entry(claim).or_default().push(proof);
        }
    }
    found
}

fn generated() -> String {
    let proofs = proofs();
    let by_claim = by_claim(&proofs);
    let mut text = "# What is proven, and by what\n\n\
        Generated from [proofs.yaml](proofs.yaml) and from what the tests say above themselves; [README.md](README.md) says how.\n\
        *kept*: the tests hold it on every run. *differs*: they hold it in part, or otherwise. *later*: it needs what is not built yet.\n"
        .to_owned();
    let mut section = String::new();
    for claim in claims() {
        if claim.section != section {
            section.clone_from(&claim.section);
            write!(text, "\n## {section}\n\n| | what | tests | result |\n|---|---|---|---|\n").expect("a text");
        }
        let number = claim.id.rsplit_once(' ').map_or("", |(_, number)| number);
        let tests = by_claim.get(claim.id.as_str()).map(|proofs| links(proofs)).unwrap_or_default();
        let result = claim.excuse.as_deref().unwrap_or("kept");
        writeln!(text, "| {number} | {} | {tests} | {} |", cell(&claim.text), cell(result)).expect("a text");
    }
    text += "\n## Promises broken on purpose\n\n\
        Each by a change of one place in a copy of the project, made by [break_promises.py](tools/break_promises.py), which says \
        that the test turned red.\n\n| promise | broken by | test |\n|---|---|---|\n";
    for Break { promise, broken, test, .. } in breaks() {
        writeln!(text, "| {} | {} | `{test}` |", cell(&promise), cell(&broken)).expect("a text");
    }
    text
}

fn links(proofs: &[&Proof]) -> String {
    let link = |proof: &&Proof| {
        let target = match proof.path.strip_prefix("tests/") {
            Some(path) => path.to_owned(),
            None => format!("../{}", proof.path),
        };
        let shown = Path::new(&proof.path).file_name().unwrap_or_default().to_string_lossy();
        format!("`{}` in [{shown}]({target})", proof.test)
    };
    proofs.iter().map(link).collect::<Vec<_>>().join("; ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
