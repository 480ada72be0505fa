//! What the project claims (`tests/proofs.yaml`), and which tests say that they prove it.
//!
//! A test says so in a comment above it: `// Proves: accepted, fault 12, finding A3`.

use std::collections::BTreeMap;

use regex::Regex;
use serde_yaml_ng::{Mapping, Value};

use crate::tree;

pub(crate) const LIST: &str = "tests/proofs.yaml";
/// Folders with tests.
const FOLDERS: [&str; 4] = ["functions/", "shared/", "infra/", "tests/"];

/// A promise, a fault to survive or a finding.
pub(crate) struct Claim {
    /// As a test names it: `accepted`, `fault 12`, `finding A3`.
    pub id: String,
    pub text: String,
    /// The table that shows it.
    pub section: String,
    /// `differs: why` or `later: why`, if it is not kept as it stands.
    pub excuse: Option<String>,
}

/// A test that says what it proves.
pub(crate) struct Proof {
    pub test: String,
    /// From the root of the project.
    pub path: String,
    pub claims: Vec<String>,
}

/// All claims in the order of the list.
pub(crate) fn claims() -> Vec<Claim> {
    let list: BTreeMap<String, Mapping> = serde_yaml_ng::from_str(&tree::read(LIST)).expect("the list can be read");
    let excuses: BTreeMap<String, String> = texts(&list["excused"]).collect();
    let claim = |prefix: &str, section: &str, (id, text): (String, String)| {
        let id = format!("{prefix}{id}");
        let excuse = excuses.get(&id).cloned();
        Claim { id, text, section: section.to_owned(), excuse }
    };
    let promises = texts(&list["promises"]).map(|row| claim("", "Promises", row));
    let faults = list["faults"].iter().flat_map(|(section, rows)| {
        let rows = texts(rows.as_mapping().expect("a part of the faults is a list"));
        rows.map(|row| claim("fault ", &name(section), row)).collect::<Vec<_>>()
    });
    let findings = texts(&list["findings"]).map(|row| claim("finding ", "Findings", row));
    let all: Vec<Claim> = promises.chain(faults).chain(findings).collect();
    for id in excuses.keys() {
        assert!(all.iter().any(|claim| claim.id == *id), "{LIST} excuses {id:?}, which it does not list");
    }
    all
}

fn texts(rows: &Mapping) -> impl Iterator<Item = (String, String)> {
    rows.iter().map(|(id, text)| (name(id), text.as_str().expect("a text").to_owned()))
}

fn name(key: &Value) -> String {
    key.as_str().map_or_else(|| key.as_u64().expect("a name or a number").to_string(), str::to_owned)
}

/// All tests that say what they prove, by path and place.
pub(crate) fn proofs() -> Vec<Proof> {
    let comment = Regex::new(r"^\s*(?://|#) Proves: (.+)$").expect("a valid pattern");
    let function = Regex::new(r"^\s*(?:async |pub )*(?:fn|def) (\w+)").expect("a valid pattern");
    let attribute = Regex::new(r"^\s*(?:#\[|@|///)").expect("a valid pattern");
    let mut found = Vec::new();
    for (path, text) in tree::texts() {
        let is_code = path.ends_with(".rs") || path.ends_with(".py");
        if !is_code || !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let mut claims = Vec::new();
        let mut is_test = path.ends_with(".py");
        for line in text.lines() {
            if let Some(named) = comment.captures(line) {
                claims.extend(named[1].split(',').map(|claim| claim.trim().to_owned()));
            } else if claims.is_empty() {
                continue;
            } else if let Some(named) = function.captures(line) {
                assert!(is_test, "{path}: {} says what it proves, and is no test", &named[1]);
                found.push(Proof {
                    test: named[1].to_owned(),
                    path: path.clone(),
                    claims: std::mem::take(&mut claims),
                });
                is_test = path.ends_with(".py");
            } else {
                assert!(attribute.is_match(line), "{path}: no test follows what proves {claims:?}: {line}");
                is_test |= line.contains("test") || line.contains("bench");
            }
        }
        assert!(claims.is_empty(), "{path}: no test follows what proves {claims:?}");
    }
    found
}
