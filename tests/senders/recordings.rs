//! Recordings of real senders, and what a person expects of each; see `fixtures/feishu/SOURCES.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use scenarios::api::Answer;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A program of `index.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Program {
    pub(crate) name: String,
    version: String,
    check_kind: String,
    firing: Option<String>,
    resolved: Option<String>,
}

/// The expected result of a body.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Expected {
    pub(crate) msg_type: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// At an integration with default settings.
    pub(crate) outcome: String,
    /// At one that takes cards, where that differs.
    pub(crate) outcome_with_interactive: Option<String>,
}

/// One recorded body.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) program: Program,
    pub(crate) file: String,
    pub(crate) body: Vec<u8>,
    pub(crate) expected: Expected,
}

impl Program {
    /// Where this program posts: those of the older protocol know the older path only.
    pub(crate) fn url(&self, url: &str) -> String {
        if self.version == "v1" { older(url) } else { url.to_owned() }
    }

    /// The program's own test of an answer.
    pub(crate) fn takes_for_success(&self, answer: &Answer) -> bool {
        let body = &answer.body;
        let is_zero = |name: &str| body[name].as_i64() == Some(0);
        match self.check_kind.as_str() {
            "http" => (200..300).contains(&answer.status),
            "none" => true,
            "code-absent-ok" => body.is_object() && (body.get("code").is_none() || is_zero("code")),
            "code-present" => is_zero("code"),
            "StatusCode" => is_zero("StatusCode"),
            "either" => is_zero("StatusCode") || is_zero("code"),
            "ok" => body["ok"] == true,
            unknown => panic!("{}: no such kind of check: {unknown}", self.name),
        }
    }

    /// Whether it looks at the answer at all.
    pub(crate) fn checks(&self) -> bool {
        self.check_kind != "none"
    }
}

/// The older path of the same integration.
pub(crate) fn older(url: &str) -> String {
    url.replace("/open-apis/bot/v2/hook/", "/open-apis/bot/hook/")
}

/// All of them, in the order of the index: a program's firing, then its recovery.
pub(crate) fn all() -> Vec<Recording> {
    let expected: BTreeMap<String, Expected> = load("expected.json");
    let mut recordings = Vec::new();
    for program in load::<Vec<Program>>("index.json") {
        for file in [program.firing.clone(), program.resolved.clone()].into_iter().flatten() {
            let body = read(&format!("senders/{file}"));
            let expected = expected.get(&file).unwrap_or_else(|| panic!("{file} has no expectation")).clone();
            recordings.push(Recording { program: program.clone(), file, body, expected });
        }
    }
    assert_eq!((recordings.len(), expected.len()), (57, 57));
    recordings
}

/// A program's firing and its recovery.
pub(crate) fn pair(name: &str) -> [Recording; 2] {
    let both: Vec<Recording> = all().into_iter().filter(|recording| recording.program.name == name).collect();
    both.try_into().unwrap_or_else(|_| panic!("{name} has no pair"))
}

/// The whole requests, by their file names.
pub(crate) fn captures() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder().join("captures")).expect("captures");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), read(&format!("captures/{name}")))).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/feishu")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn load<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
