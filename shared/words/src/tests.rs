use std::collections::BTreeMap;

use super::*;

/// The names of the placeholders of a text, in order.
fn places(text: &str) -> Vec<&str> {
    let mut places: Vec<&str> =
        text.split('{').skip(1).map(|rest| rest.split_once('}').expect("it is closed").0).collect();
    places.sort_unstable();
    places
}

#[test]
fn a_key_is_there_once() {
    let keys = in_language(all(), Language::English);
    assert_eq!(keys.len(), all().count());
}

#[test]
fn every_text_says_the_same_in_both_languages() {
    for (key, text) in all() {
        assert_eq!(places(text.en), places(text.zh), "{key}");
        // A language has the same name in both languages.
        if key.starts_with("language_") {
            continue;
        }
        assert!(!text.en.is_empty() && !text.zh.is_empty() && text.en != text.zh, "{key}");
        assert!(!text.en.chars().any(is_chinese), "{key}");
        // A text may consist of placeholders and punctuation only.
        assert!(text.zh.chars().any(|c| is_chinese(c) || "，：；、。（".contains(c)), "{key}");
    }
}

#[test]
fn each_text_is_there_once() {
    let mut keys: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (key, text) in all() {
        // Texts for the values of an enum (`kind_closed`) may be equal to others.
        if !["dead_", "kind_", "outcome_"].iter().any(|family| key.starts_with(family)) {
            keys.entry((text.en, text.zh)).or_default().push(key);
        }
    }
    let twice: Vec<_> = keys.values().filter(|keys| keys.len() > 1).collect();
    assert!(twice.is_empty(), "the same text under several keys: {twice:?}");
}

/// An English term, its only Chinese term, and other Chinese terms that must not be used for it.
const TERMS: [(&str, &str, &[&str]); 4] = [
    ("incident", "故障", &["事件"]),
    ("dead letter", "死信", &[]),
    ("escalation rule", "升级规则", &[]),
    ("phone", "手机号", &["电话"]),
];

#[test]
fn a_thing_has_one_name_in_chinese() {
    for (key, text) in all() {
        for (english, chinese, wrong) in TERMS {
            assert!(!wrong.iter().any(|term| text.zh.contains(term)), "{key}: {english} is {chinese}");
        }
    }
}

#[test]
fn the_browser_gets_every_text() {
    for language in [Language::English, Language::Chinese] {
        let json: BTreeMap<String, String> = serde_json::from_str(&json(language)).expect("an object of texts");
        assert_eq!(json.len(), all().count());
        for (key, text) in all() {
            assert_eq!(json[&key], text.of(language), "{key}");
        }
    }
    assert_eq!(by_key(Language::Chinese)["kind_closed"], "已关闭");
}

#[test]
fn what_is_filled_in_is_taken_as_it_is() {
    let with = [("field", "title"), ("values", "/a{2}{field}/")];
    assert_eq!(trace::MATCHES.fill(Language::English, &with), "title matches /a{2}{field}/");
    assert_eq!(trace::MATCHES.fill(Language::Chinese, &with), "title 匹配 /a{2}{field}/");
    assert_eq!(sentence::FULL_STOP.fill(Language::Chinese, &[("text", "好")]), "好。");
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}
