//! Texts that people read stand in the catalogue, `shared/words`, and nowhere else.

use regex::Regex;

use crate::sources::{is_test, rust, without_tests};
use crate::tree;

/// Code with Chinese that people do not read: words that it recognizes in messages, or test data.
const NOT_FOR_READERS: [(&str, &str); 4] = [
    ("functions/console/src/warnings/integration.rs", "words by which senders say that an alert fires"),
    ("shared/alerting/src/incident/shown/state.rs", "the same, in a title"),
    ("shared/alerting/src/rules/sample.rs", "characters that a pattern is tried on"),
    ("shared/channels/src/samples.rs", "made-up people and alerts of the channels' tests"),
];

/// Words in a template that are names, and the same in both languages.
const NAMES: [&str; 2] = ["INC", "Larkspur"];

#[test]
fn chinese_stands_in_the_catalogue_alone() {
    let has_chinese = |line: &&str| code_of(line).chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for (path, text) in rust().filter(|(path, _)| !is_test(path) && !is_foreign(path)) {
        let found = without_tests(&text).lines().find(has_chinese);
        let excused = NOT_FOR_READERS.iter().any(|(place, _)| *place == path);
        assert!(found.is_none() || excused, "{path}: {found:?} belongs to shared/words");
        assert!(found.is_some() || !excused, "{path} needs no excuse any more");
    }
}

#[test]
fn templates_hold_no_text() {
    let placed = Regex::new(r"(?s)\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}").expect("a valid pattern");
    let read_aloud = Regex::new(r#"\b(?:alt|aria-label|placeholder|title)="([^"]*)""#).expect("a valid pattern");
    let tag = Regex::new(r"(?s)<[^>]*>").expect("a valid pattern");
    let word = Regex::new(r"\p{Alphabetic}{2,}").expect("a valid pattern");
    let pages = tree::texts().into_iter().filter(|(path, _)| path.starts_with("functions/") && path.ends_with(".html"));
    for (path, text) in pages {
        let text = placed.replace_all(&text, "");
        let attributes = read_aloud.captures_iter(&text).map(|found| found[1].to_owned());
        let shown: Vec<String> = attributes.chain([tag.replace_all(&text, " ").into_owned()]).collect();
        let found = shown.iter().flat_map(|text| word.find_iter(text)).find(|word| !NAMES.contains(&word.as_str()));
        assert!(found.is_none(), "{path}: {found:?} belongs to shared/words");
    }
}

/// A sentence in the code of a page, other than one that is logged, that ends the process, or that the API says.
#[test]
fn pages_hold_no_sentence() {
    let sentence = Regex::new(r#""[A-Z]?[a-z']+,?(?: [A-Za-z']+[,.:]?){2,}"#).expect("a valid pattern");
    let elsewhere = ["tracing::", "expect(", "ApiError::", "panic!("];
    for (path, text) in rust().filter(|(path, _)| path.starts_with("functions/console/src/pages") && !is_test(path)) {
        let lines = without_tests(&text).lines().map(code_of);
        let mut ours = lines.filter(|line| !elsewhere.iter().any(|other| line.contains(other)));
        let found = ours.find(|line| sentence.is_match(line));
        assert!(found.is_none(), "{path}: {found:?} belongs to shared/words");
    }
}

/// The catalogue itself, and simulated programs of others.
fn is_foreign(path: &str) -> bool {
    path.starts_with("shared/words/") || path.starts_with("infra/") || path.contains("/benches/")
}

/// A line without its comment.
fn code_of(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}
