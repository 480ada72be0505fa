//! Selects one of the translations of a message.

use serde_json::Value;

/// The preferred languages, in this order. If a message has none of them, its first language is read.
const LANGUAGES: [&str; 3] = ["zh_cn", "en_us", "ja_jp"];

/// The best translation for which `read` returns a value.
pub(super) fn translated<'a, T>(translations: &'a Value, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
    let translations = translations.as_object()?;
    let preferred = LANGUAGES.iter().filter_map(|language| translations.get(*language));
    preferred.chain(translations.values()).find_map(read)
}
