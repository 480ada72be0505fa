//! All texts for people, in English and Chinese: pages, messages, letters, the trace of a message.
//!
//! One term per thing in each language, and each text once: an incident is 故障, in a message and on a page. A text is a
//! constant: `words::incident::KIND_CLOSED.of(language)`. Templates and the browser use its key, which is the name in
//! small letters (`t.kind_closed`). The keys of [`pages`] and [`incident`] have no prefix. Those of the other files
//! begin with the file's name: `trace.matches`.
//!
//! To add a text, add a line to the file of its page: `DEAD_LETTERS: "Dead letters" | "死信";`. A placeholder in a text
//! is written `{name}`, with the same names in both languages.
//!
//! Not here: decisions, formats of times and numbers, markup.

/// Declares texts, one a line: `NAME: "English" | "中文";`.
macro_rules! texts {
    ($($name:ident: $en:literal | $zh:literal;)+) => {
        $(pub const $name: crate::text::Text = crate::text::Text { en: $en, zh: $zh };)+

        pub(crate) const TABLE: &[(&str, crate::text::Text)] = &[$((stringify!($name), $name)),+];
    };
}

pub mod chat;
pub mod errors;
pub mod incident;
pub mod letters;
pub mod message;
pub mod pages;
pub mod sentence;
pub mod text;
pub mod timeline;
pub mod trace;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use alerting::people::destination::Language;

use crate::text::Text;

/// The language as HTML names it.
pub const fn html_lang(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    }
}

/// Names and texts of one file.
type Table = &'static [(&'static str, Text)];

/// The texts of pages, which templates use by key.
const PAGES: &[Table] = &[
    incident::TABLE,
    pages::dead_letters::TABLE,
    pages::incidents::TABLE,
    pages::me::TABLE,
    pages::members::TABLE,
    pages::shell::TABLE,
    pages::sign_in::TABLE,
    pages::trace::TABLE,
];

/// The other files, with the prefix of their keys.
const OTHERS: &[(&str, Table)] = &[
    ("chat.", chat::TABLE),
    ("errors.", errors::TABLE),
    ("letters.", letters::TABLE),
    ("message.", message::TABLE),
    ("sentence.", sentence::TABLE),
    ("timeline.", timeline::TABLE),
    ("trace.", trace::TABLE),
];

/// The texts of pages in one language, by key.
pub fn by_key(language: Language) -> &'static BTreeMap<String, &'static str> {
    static ENGLISH: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| in_language(of_pages(), Language::English));
    static CHINESE: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| in_language(of_pages(), Language::Chinese));
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

/// The whole catalogue in one language for the browser: a JSON object of texts by key.
pub fn json(language: Language) -> String {
    serde_json::Value::from_iter(in_language(all(), language)).to_string()
}

fn in_language(texts: impl Iterator<Item = (String, Text)>, language: Language) -> BTreeMap<String, &'static str> {
    texts.map(|(key, text)| (key, text.of(language))).collect()
}

fn of_pages() -> impl Iterator<Item = (String, Text)> {
    PAGES.iter().flat_map(|table| keyed("", table))
}

fn all() -> impl Iterator<Item = (String, Text)> {
    of_pages().chain(OTHERS.iter().flat_map(|(prefix, table)| keyed(prefix, table)))
}

fn keyed(prefix: &str, table: Table) -> impl Iterator<Item = (String, Text)> {
    table.iter().map(move |(name, text)| (format!("{prefix}{}", name.to_ascii_lowercase()), *text))
}

#[cfg(test)]
mod tests;
