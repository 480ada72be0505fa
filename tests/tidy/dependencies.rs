//! Which crate may depend on which, by `cargo metadata`; dependencies of tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::tree;

/// Crates that do I/O, or depend on one that does.
const OUTSIDE: [&str; 13] = [
    "aws-config",
    "aws-sdk-",
    "aws-smithy-",
    "aws_lambda_events",
    "axum",
    "dynoxide-rs",
    "hyper",
    "lambda_",
    "lettre",
    "reqwest",
    "rusqlite",
    "rustls",
    "tokio",
];

/// What each shared crate may use of the others, and of the outside.
const SHARED: [(&str, &[&str], &[&str]); 9] = [
    ("alerting", &[], &[]),
    ("intake", &["alerting"], &[]),
    ("channels", &["alerting", "words"], &[]),
    ("words", &["alerting"], &[]),
    ("post", &["alerting", "channels"], &["lettre", "reqwest", "rustls", "tokio"]),
    ("store", &["alerting"], &["aws-sdk-dynamodb", "tokio"]),
    ("dispatch", &["alerting", "channels", "lambda-kit", "store"], &[]),
    ("operations", &["alerting", "channels", "dispatch", "lambda-kit", "store"], &["tokio"]),
    (
        "lambda-kit",
        &["alerting"],
        &["aws-config", "aws-sdk-", "aws-smithy-", "aws_lambda_events", "lambda_runtime", "rustls", "tokio"],
    ),
];

#[test]
fn shared_crates_use_only_what_their_place_allows() {
    let uses = uses();
    assert_eq!(BTreeSet::from_iter(tree::folders("shared")), BTreeSet::from(SHARED.map(|(name, ..)| name.to_owned())));
    for (name, ours, outside) in SHARED {
        for used in &uses[name] {
            let allowed = if uses.contains_key(used) {
                ours.contains(&used.as_str())
            } else {
                !is_in(used, &OUTSIDE) || is_in(used, outside)
            };
            assert!(allowed, "{name} must not use {used}");
        }
    }
}

/// Actions on incidents need neither passwords nor an HTTP client, so a small function can use them.
#[test]
fn operations_link_neither_passwords_nor_an_http_client() {
    let linked = features("shared/operations");
    assert!(linked.keys().any(|package| package.starts_with("store ")), "{linked:?}");
    for foreign in ["argon2", "reqwest"] {
        assert!(!linked.keys().any(|package| package.split(' ').next() == Some(foreign)), "operations link {foreign}");
    }
}

#[test]
fn functions_use_shared_crates_and_never_one_another() {
    let uses = uses();
    let shared = SHARED.map(|(name, ..)| name);
    for function in tree::folders("functions") {
        for used in &uses[&function] {
            assert!(!uses.contains_key(used) || shared.contains(&used.as_str()), "{function} must not use {used}");
            // post is the only crate that speaks to providers; tables belong to the deployment.
            assert!(
                !is_in(used, &["reqwest", "lettre", "hyper", "rusqlite", "dynoxide-rs"]),
                "{function} must not use {used}"
            );
        }
    }
}

#[test]
fn only_the_scenarios_use_what_runs_on_one_machine() {
    for (name, used) in uses() {
        assert!(name == "scenarios" || !used.contains("local"), "{name} must not use local");
        let may_simulate = ["local", "scenarios"].contains(&name.as_str());
        assert!(may_simulate || !used.contains("vendors"), "{name} must not use vendors");
    }
}

#[test]
fn only_tests_have_the_echo_app() {
    let manifests = tree::texts().into_iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let with_echo = manifests.filter(|(_, text)| text.contains("\"echo\"")).map(|(path, _)| path);
    assert_eq!(with_echo.collect::<Vec<_>>(), ["tests/Cargo.toml"]);
}

/// A signature that the simulated platform and the sender made with the same code would prove nothing.
#[test]
fn the_simulated_platforms_use_no_crate_that_sends_signs_or_encrypts() {
    let uses = uses();
    let ours: Vec<&String> = uses["vendors"].iter().filter(|used| uses.contains_key(*used)).collect();
    assert_eq!(ours, ["alerting"]);
}

#[test]
fn versions_and_lints_are_defined_once() {
    for (path, text) in tree::texts() {
        if !path.ends_with("Cargo.toml") || path == "Cargo.toml" {
            continue;
        }
        assert!(text.contains("[lints]\nworkspace = true"), "{path} takes the workspace's lints");
        if text.contains("\n[workspace]\n") {
            // A workspace of its own, which defines its own versions.
            continue;
        }
        let dependencies = text.split("\n[").filter(|section| section.contains("dependencies]\n"));
        for line in dependencies.flat_map(|section| section.lines().skip(1)).filter(|line| line.contains('=')) {
            assert!(line.contains("workspace = true"), "{path}: {line}");
        }
    }
}

/// `sam build` builds one function after the other. If two of them need a crate with different features, it is compiled
/// twice, with all crates that depend on it, which may be the whole SDK. `tests/run.sh` builds all functions together.
#[test]
fn all_functions_want_the_same_features_of_what_they_share() {
    let wanted: Vec<_> =
        tree::folders("functions").iter().map(|function| features(&format!("functions/{function}"))).collect();
    let packages: BTreeSet<&String> = wanted.iter().flat_map(BTreeMap::keys).collect();
    let differs = |package: &&String| {
        // A function may want one crate twice: for itself, and for a macro that runs while it is compiled.
        let mut sets = wanted.iter().filter_map(|features| features.get(*package));
        let first = sets.next().expect("the package is one of theirs").clone();
        sets.fold(first, |common, set| common.intersection(set).cloned().collect()).is_empty()
    };
    let different: Vec<&String> = packages.into_iter().filter(differs).collect();
    assert!(different.is_empty(), "{different:?}: see the end of shared/lambda-kit/Cargo.toml");
}

/// Each crate that the one of this folder is built from, with the sets of features that it is built with.
fn features(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let manifest = format!("{folder}/Cargo.toml");
    let arguments = ["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p} [{f}]"];
    let tree = cargo(&[&arguments[..], &["--manifest-path", &manifest]].concat());
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in tree.lines() {
        if let Some((package, features)) = line.trim_end_matches(" (*)").rsplit_once(" [") {
            let package = package.trim_end_matches(" (proc-macro)");
            found.entry(package.to_owned()).or_default().insert(features.to_owned());
        }
    }
    found
}

/// Each crate of the workspace with the names of what it is built from.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let used = dependencies.iter().filter(|dependency| dependency["kind"].is_null()).map(name);
            (name(package), used.collect())
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let mut command = Command::new(cargo);
    // A developer's builds may unify features over the workspace. What each crate asks for is judged without that.
    command.env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION");
    let done = command.args(arguments).current_dir(tree::root()).output().expect("cargo runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("cargo writes UTF-8")
}

fn name(package: &Value) -> String {
    package["name"].as_str().expect("a package has a name").to_owned()
}

/// Whether the crate is one of these, or begins with one that ends in `-` or `_`.
fn is_in(name: &str, names: &[&str]) -> bool {
    names.iter().any(|entry| name == *entry || (entry.ends_with(['-', '_']) && name.starts_with(entry)))
}
