//! Which of the translations of a message is read.

use serde_json::Value;

/// The first of these languages that a message has is read, otherwise the first language that it has.
const LANGUAGES: [&str; 3] = ["zh_cn", "en_us", "ja_jp"];

/// The best translation for which `read` returns a value.
pub(super) fn translated<'a, T>(translations: &'a Value, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
    let translations = translations.as_object()?;
    let preferred = LANGUAGES.iter().filter_map(|language| translations.get(*language));
    preferred.chain(translations.values()).find_map(read)
}
