//! Limits on sizes and times. A text over a limit is cut with a mark, or refused with an error that names the field.

use std::time::Duration;

/// Characters of an alert's title: a phone's notification shows three lines, which are fewer characters.
pub const TITLE_CHARS: usize = 512;
/// Bytes of an alert's description. The message log keeps the whole text.
pub const DESCRIPTION_BYTES: usize = 8 * 1024;
/// Characters of an alert key. A longer key is cut and ends in a hash of the whole key.
pub const ALERT_KEY_CHARS: usize = 255;
/// Labels of an alert.
pub const LABELS: usize = 50;
/// Characters of a label's name.
pub const LABEL_NAME_CHARS: usize = 128;
/// Characters of a label's value.
pub const LABEL_VALUE_CHARS: usize = 2048;
/// Rules of one integration: push rules, pipeline steps, routes and extractors together.
pub const RULES_PER_INTEGRATION: usize = 100;
/// Bytes of one pattern as typed.
pub const PATTERN_BYTES: usize = 512;
/// Bytes of one compiled pattern. Patterns such as `\w{500}` exceed this limit and are refused when they are saved.
pub const PATTERN_COMPILED_BYTES: usize = 256 * 1024;
/// Bytes of a text that every regex searches. A longer text is searched whole if the pattern is fast and enough of the
/// message's work for long texts is left.
pub const REGEX_TEXT_BYTES: usize = 8 * 1024;
/// Time for all rules of one message together. When it is used up, the key is made from the title, and the record has a
/// flag for this.
pub const RULES_TIME: Duration = Duration::from_millis(25);
/// Bytes of an inbound body.
pub const BODY_BYTES: usize = 256 * 1024;
/// How long the message log is kept.
pub const MESSAGE_LOG: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long an alert's items are kept after their last change. This is longer than the retention of queue and
/// dead-letter queue together (4 + 14 days), so that a redrive always finds the watermark.
pub const ALERT_AFTERLIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a notice is still retried after it was reported as failed: its incident may still be open when the vendor
/// recovers.
pub const TRIED_AFTER_FAILURE: Duration = Duration::from_secs(24 * 3600);
/// How far a stamp may be in the future. A later stamp comes from a wrong clock and is clamped.
pub const STAMP_AHEAD: Duration = Duration::from_secs(120);

/// Cuts a text to at most `max` characters. A text that was cut ends in `…`, which counts as one of them.
pub fn cut_chars(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Cuts a text to at most `max` bytes at a character boundary. A text that was cut ends in `…`, which counts.
pub fn cut_bytes(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(max.saturating_sub('…'.len_utf8()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_visible_and_counts() {
        assert_eq!(cut_chars("告警告警", 4), "告警告警");
        assert_eq!(cut_chars("告警告警告", 4), "告警告…");
        assert_eq!(cut_bytes("abcdef", 6), "abcdef");
        assert_eq!(cut_bytes("告警告", 8), "告…");
    }
}
