//! Parses JSON as leniently as is safe, so that no message is lost because a sender's template breaks a text inside it.
//!
//! - Invalid UTF-8 becomes U+FFFD, and a byte order mark is skipped.
//! - Lone surrogates (`\ud800`) and raw control characters inside texts, which JSON forbids, are repaired in a second
//!   attempt, so that well-formed messages have no extra cost.
//! - Numbers beyond the range of `f64` become `null` in that second attempt. Numbers are not used.
//! - Of duplicate keys the last one counts. More than 127 levels are refused.
//!
//! Compressed bodies are not supported: a gzip body is not JSON.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::protocol::Malformed;

/// Parses a body that must be an object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    match parse(body) {
        Ok(Value::Object(root)) => Ok(root),
        Ok(_) => Err(Malformed("the body is not a JSON object".into())),
        Err(cause) => Err(Malformed(cause.into())),
    }
}

/// The value as a text, if it is a text and not empty.
pub(super) fn nonempty(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Parses the body, or returns why it is not JSON. The error names a position and quotes nothing.
fn parse(body: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("the body is empty".to_owned());
    }
    parse_text(text).map_err(|error| format!("the body is not JSON: {error}"))
}

/// Decodes an object or array that was sent as a JSON text. Any other value is returned unchanged.
pub(super) fn decoded(value: &Value) -> Cow<'_, Value> {
    let Value::String(text) = value else { return Cow::Borrowed(value) };
    if !text.trim_start().starts_with(['{', '[']) {
        return Cow::Borrowed(value);
    }
    parse_text(text).map_or(Cow::Borrowed(value), Cow::Owned)
}

fn parse_text(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| match repaired(text) {
        Some(repaired) => serde_json::from_str(&repaired),
        None => Err(error),
    })
}

/// The text with lone surrogate escapes, raw control characters inside texts, and numbers that are too large replaced.
/// `None`: it has none of these.
fn repaired(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut rest, mut within, mut changed) = (text, false, false);
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' if within => {
                let (taken, lone) = escape(rest);
                out.push_str(if lone { "\\ufffd" } else { &rest[..taken] });
                changed |= lone;
                taken
            }
            control if within && control < ' ' => {
                out.push_str(match control {
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ => "\\ufffd",
                });
                changed = true;
                1
            }
            '-' | '0'..='9' if !within => {
                let end =
                    rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
                let is_too_large = rest[..end].parse::<f64>().is_ok_and(f64::is_infinite);
                out.push_str(if is_too_large { "null" } else { &rest[..end] });
                changed |= is_too_large;
                end
            }
            _ => {
                within ^= next == '"';
                out.push(next);
                next.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    changed.then_some(out)
}

/// The length in bytes of the escape at the beginning of `text` (both halves of a surrogate pair), and whether it is a
/// lone surrogate.
fn escape(text: &str) -> (usize, bool) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    match unit(0) {
        Some(0xD800..=0xDBFF) => match unit(6) {
            Some(0xDC00..=0xDFFF) => (12, false),
            _ => (6, true),
        },
        Some(0xDC00..=0xDFFF) => (6, true),
        Some(_) => (6, false),
        None => (1 + text[1..].chars().next().map_or(0, char::len_utf8), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], expected: &str) {
        assert_eq!(parse(body).expect("taken")["t"], expected);
    }

    #[test]
    fn invalid_utf_8_is_replaced_and_the_message_kept() {
        check(b"{\"t\":\"a\xff\xfeb\"}", "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_kept() {
        check(br#"{"t":"a\ud800b"}"#, "a\u{fffd}b");
        check(br#"{"t":"a\udc00"}"#, "a\u{fffd}");
        check(br#"{"t":"\ud800\ud83d\ude00"}"#, "\u{fffd}😀");
        check(br#"{"t":"\\ud800 \ud800"}"#, "\\ud800 \u{fffd}");
    }

    #[test]
    fn raw_control_characters_inside_a_text_are_kept_or_replaced() {
        check(b"{\"t\":\"a\nb\tc\0d\"}", "a\nb\tc\u{fffd}d");
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        check("\u{feff}{\"t\":\"x\"}".as_bytes(), "x");
    }

    #[test]
    fn duplicate_keys_take_the_last() {
        check(br#"{"t":"a","t":"b"}"#, "b");
    }

    #[test]
    fn a_body_that_is_not_json_is_refused_without_quoting_it() {
        let deep = "[".repeat(10_000);
        let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
        for body in [&b""[..], b"  \n", b"{", b"{\"secret\":\"x", b"{}x", b"{'a':1}", deep.as_bytes(), gzip] {
            let error = parse(body).expect_err("refused");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_huge_number_is_read_in_bounded_time() {
        let body = format!("{{\"t\":\"x\",\"n\":{}}}", "9".repeat(200_000));
        check(body.as_bytes(), "x");
        let body = format!("{{\"t\":\"x\",\"n\":0.{}}}", "1".repeat(200_000));
        check(body.as_bytes(), "x");
    }

    #[test]
    fn json_in_a_string_is_decoded_once() {
        let value = Value::String(r#"{"text":"\ud800"}"#.to_owned());
        assert_eq!(decoded(&value)["text"], "\u{fffd}");
        let plain = Value::String("plain".to_owned());
        assert_eq!(*decoded(&plain), plain);
    }
}
