//! Rules about places in the code: what may stand where.

use regex::Regex;

use crate::tree;

const LONGEST: usize = 400;
/// Longer files, each with its reason.
const LONG: [(&str, &str); 0] = [];

/// Exempt from Clippy's `disallowed_methods`: the places that those methods have.
const HAS_A_DISALLOWED_METHOD: [&str; 3] =
    ["shared/post/src/deliver.rs", "shared/lambda-kit/src/clock.rs", "shared/lambda-kit/src/settings.rs"];

#[test]
fn a_file_can_be_read_in_one_sitting() {
    for (path, text) in rust().filter(|(path, _)| !is_test(path)) {
        let lines = without_tests(&text).lines().count();
        let excused = LONG.iter().any(|(long, _)| *long == path);
        assert!(lines <= LONGEST || excused, "{path} has {lines} lines without its tests");
        assert!(lines > LONGEST || !excused, "{path} needs no excuse any more");
    }
}

#[test]
fn the_decisions_read_no_clock_and_no_environment() {
    for (path, text) in rust().filter(|(path, _)| path.starts_with("shared/alerting/src/") && !is_test(path)) {
        for word in ["SystemTime", "Instant", "std::env", "std::fs", "async fn"] {
            assert!(!without_tests(&text).contains(word), "{path} has {word}");
        }
    }
}

#[test]
fn dynamodb_values_stay_in_the_store() {
    let value = Regex::new(r#"\bAttributeValue\b[^"]"#).expect("a valid pattern");
    // The other folder is the embedded DynamoDB.
    let may =
        |path: &str| path.starts_with("shared/store/") || path.starts_with("infra/local/src/aws/") || is_test(path);
    for (path, text) in rust().filter(|(path, _)| !may(path)) {
        assert!(!value.is_match(&text), "{path} handles DynamoDB's values");
    }
}

#[test]
fn a_disallowed_method_has_one_place() {
    for (path, text) in rust().filter(|(path, _)| !is_test(path)) {
        let exempt = HAS_A_DISALLOWED_METHOD.contains(&path.as_str()) || path.starts_with("infra/local/");
        assert!(exempt || !without_tests(&text).contains("disallowed_methods"), "{path} exempts itself");
    }
}

/// A route, a page and a timer are callers of the same operation, so none of them is a caller of another.
#[test]
fn no_route_calls_a_route_and_nothing_else_calls_one() {
    const ROUTES: &str = "functions/console/src/routes/";
    let handlers: Vec<String> = rust()
        .filter_map(|(path, _)| path.strip_prefix(ROUTES)?.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| !name.contains('/'))
        .collect();
    assert!(handlers.len() > 10, "{handlers:?}");
    let other = format!(r"\b(?:super|routes)::(?:\{{[^}}]*)?\b(?:{})\b", handlers.join("|"));
    let other = Regex::new(&other).expect("a valid pattern");
    let route = Regex::new(r"\bcrate::(?:\{[^}]*\b)?routes\b").expect("a valid pattern");
    for (path, text) in rust().filter(|(path, _)| path.starts_with("functions/console/src/")) {
        let text = without_tests(&text);
        if path.starts_with(ROUTES) {
            assert!(!other.is_match(text), "{path} calls another route: {:?}", other.find(text));
        } else if path != "functions/console/src/router.rs" {
            assert!(!route.is_match(text), "{path} calls a route");
        }
    }
}

#[test]
fn no_test_is_skipped() {
    let skipped = Regex::new(r"#\[ignore").expect("a valid pattern");
    for (path, text) in rust() {
        assert!(!skipped.is_match(&text), "{path} skips a test");
    }
}

#[test]
fn nothing_names_a_folder_of_one_machine() {
    let folder = Regex::new(r"(?:^|[\s\x22'=(:`])/(?:root|work|home/[a-z]+|Users/[a-z]+)/").expect("a valid pattern");
    for (path, text) in tree::texts() {
        if let Some(found) = folder.find(&text) {
            panic!("{path}: {}", found.as_str());
        }
    }
}

pub(crate) fn rust() -> impl Iterator<Item = (String, String)> {
    tree::texts().into_iter().filter(|(path, _)| path.ends_with(".rs"))
}

/// `tests/`, `src/tests.rs`, `src/turn/contract_tests.rs`.
pub(crate) fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}

/// Tests stand at the end of a file.
pub(crate) fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod tests").map_or(text, |end| &text[..end])
}
