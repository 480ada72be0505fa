//! The two checks of a Feishu bot that depend on its protocol: signature and keyword. Each check is off unless
//! configured.
//!
//! The signature is `base64(HMAC-SHA256(key = timestamp + "\n" + secret, message = ""))`. The timestamp is in seconds
//! and at most one hour off, as in the vendor's guide. Some senders set it half an hour into the past on purpose, so
//! the window is not narrowed.

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::reading::Reading;

/// The greatest age of a timestamp in seconds, inclusive. Feishu itself has the same limit.
const PAST_SECS: i64 = 3600;
/// How far a timestamp may be in the future, in seconds, for differences between two clocks. A request can be replayed
/// for the sum of both limits.
const AHEAD_SECS: i64 = 300;
/// The most characters of a signature to decode. A signature has 44.
const SIGN_CHARS: usize = 64;

/// Whether the request is signed with the secret, by its top-level `timestamp` (text or integer) and `sign`.
pub(super) fn is_signed(root: &Map<String, Value>, secret: &Secret, now: Moment) -> bool {
    let timestamp = match root.get("timestamp") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_i64() => number.to_string(),
        _ => return false,
    };
    let Ok(secs) = timestamp.trim().parse::<i64>() else { return false };
    let Some(sign) = root.get("sign").and_then(Value::as_str).filter(|sign| sign.len() <= SIGN_CHARS) else {
        return false;
    };
    let Ok(sign) = STANDARD.decode(sign.trim()) else { return false };
    let key = format!("{timestamp}\n{}", secret.expose());
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    // The signature is compared in constant time. The window is not secret.
    mac.verify_slice(&sign).is_ok() && (-AHEAD_SECS..=PAST_SECS).contains(&now.secs().saturating_sub(secs))
}

/// Whether one of the keywords is in the title, the text or the header's labels. `reading` was made without addresses,
/// because a keyword in a link does not count.
pub(super) fn has_keyword(keywords: &[String], reading: &Reading) -> bool {
    keywords.is_empty()
        || keywords.iter().any(|keyword| {
            reading.title.contains(keyword.as_str())
                || reading.text.contains(keyword.as_str())
                || reading.labels.iter().any(|(name, value)| name != "card_color" && value.contains(keyword.as_str()))
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(body: Value, now: i64, expected: bool) {
        let root = body.as_object().expect("an object");
        assert_eq!(is_signed(root, &Secret::new("demo"), Moment::from_secs(now)), expected, "{body}");
    }

    const SIGN: &str = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=";

    #[test]
    fn the_published_vectors_are_accepted() {
        check(json!({"timestamp": "100", "sign": "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg="}), 100, true);
        check(json!({"timestamp": "1599360473", "sign": SIGN}), 1_599_360_473, true);
        check(json!({"timestamp": 1_599_360_473, "sign": SIGN}), 1_599_360_473, true);
    }

    // Proves: fault 73, finding D6
    #[test]
    fn a_stamp_is_an_hour_old_or_five_minutes_ahead_at_most() {
        for (off, expected) in [(3600, true), (-300, true), (3601, false), (-301, false), (1800, true)] {
            check(json!({"timestamp": "1599360473", "sign": SIGN}), 1_599_360_473 + off, expected);
        }
    }

    // Proves: fault 82
    #[test]
    fn a_missing_wrong_or_overlong_signature_is_refused() {
        let now = 1_599_360_473;
        for body in [
            json!({}),
            json!({"timestamp": "1599360473"}),
            json!({"timestamp": "1599360473", "sign": ""}),
            json!({"timestamp": "1599360474", "sign": SIGN}),
            json!({"timestamp": 1_599_360_473.0_f64, "sign": SIGN}),
            json!({"timestamp": "x", "sign": SIGN}),
            json!({"timestamp": "1599360473", "sign": "bDFOMGdBY0I="}),
            json!({"timestamp": "1599360473", "sign": "not base64"}),
            json!({"timestamp": "1599360473", "sign": "A".repeat(1 << 20)}),
            json!({"timestamp": "9999999999999999999999", "sign": SIGN}),
            json!({"timestamp": i64::MIN, "sign": SIGN}),
        ] {
            check(body, now, false);
        }
    }

    #[test]
    fn a_keyword_counts_in_title_text_and_tags() {
        let reading = Reading {
            title: "disk full".to_owned(),
            text: "on db-1 #".to_owned(),
            labels: [("card_color".to_owned(), "red".to_owned()), ("card_tag".to_owned(), "P1".to_owned())].into(),
        };
        for (keyword, expected) in [("disk", true), ("#", true), ("P1", true), ("red", false), ("Disk", false)] {
            assert_eq!(has_keyword(&[keyword.to_owned()], &reading), expected, "{keyword}");
        }
        assert!(has_keyword(&["absent".to_owned(), "full".to_owned()], &reading));
        assert!(has_keyword(&[], &reading));
    }
}
