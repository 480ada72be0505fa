//! The text of an alert key: at most [`limits::ALERT_KEY_CHARS`] characters.
//!
//! A key that is too long keeps its beginning, for people, and ends in `…` and a hash of the whole text. So two keys
//! that differ only after the cut stay different.

use crate::base::ids::hash128;
use crate::base::limits;

/// The length of the hash, in characters.
const HASH_CHARS: usize = 32;

pub fn fit(text: &str) -> String {
    match text.char_indices().nth(limits::ALERT_KEY_CHARS) {
        None => text.to_owned(),
        Some(_) => {
            format!("{}{}", limits::cut_chars(text, limits::ALERT_KEY_CHARS - HASH_CHARS), hash128(&[text]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alert_key_255_characters_longer_ones_are_shortened_with_a_hash() {
        let exact = "告".repeat(255);
        assert_eq!(fit(&exact), exact);
        let [a, b] = ["a", "b"].map(|end| fit(&format!("{}{end}", "告".repeat(10_000))));
        assert_ne!(a, b, "keys that differ behind the cut stay apart");
        assert_eq!(a.chars().count(), 255);
        assert!(a.starts_with("告告") && a.contains('…'), "{a}");
    }
}
