//! Destinations. Their settings are the channel's business ([`channels::Destination::parse`]); here is only which of
//! them are kept when they are left out.

use std::collections::BTreeMap;

use alerting::destination::{Destination, Language};
use alerting::ids::DestinationId;
use alerting::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Time, is_masked, masked};
use crate::error::ApiError;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationBody {
    #[schema(example = "ops group")]
    pub(crate) name: String,
    /// `feishu_bot`, `dingtalk_bot`, `wecom_bot`, `slack_webhook`, `telegram_bot`, `zoom_webhook`.
    #[schema(example = "feishu_bot")]
    pub(crate) channel: String,
    /// By channel: `feishu_bot`, `dingtalk_bot` {url, secret?}; `wecom_bot`, `slack_webhook` {url}; `telegram_bot`
    /// {token, `chat_id`}; `zoom_webhook` {url, `verification_token`, envelope?}. In a `PUT` a secret that is left out
    /// is kept, and `null` removes it.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"url": "https://open.feishu.cn/open-apis/bot/v2/hook/…"}))]
    pub(crate) settings: Map<String, Value>,
    /// Of what is sent there.
    #[serde(default)]
    #[schema(value_type = LanguageShape, required = false, default = "en")]
    pub(crate) language: Language,
    /// Of the times that are sent there, as an offset from UTC.
    #[serde(default)]
    #[schema(example = "+08:00", default = "+00:00")]
    time_zone: Option<String>,
}

#[derive(ToSchema)]
#[schema(as = Language, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes a type of `alerting`; none is ever made")]
enum LanguageShape {
    En,
    Zh,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Destination)]
pub(crate) struct DestinationView {
    #[schema(value_type = String, example = "dst_8Zp1QeRtYu")]
    id: DestinationId,
    name: String,
    #[schema(example = "feishu_bot")]
    channel: String,
    /// Secrets, a webhook's URL among them, as `…last4`.
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Value>,
    #[schema(value_type = LanguageShape)]
    language: Language,
    #[schema(example = "+08:00")]
    time_zone: String,
    created_at: Time,
}

impl DestinationBody {
    pub(crate) fn utc_offset_minutes(&self) -> Result<i16, ApiError> {
        match &self.time_zone {
            None => Ok(0),
            Some(text) => parse_offset(text)
                .ok_or_else(|| ApiError::invalid("time_zone", "expected an offset from UTC such as `+08:00`")),
        }
    }
}

impl From<Destination> for DestinationView {
    fn from(destination: Destination) -> Self {
        let Destination { id, name, version: _, channel, settings: _, shown, language, utc_offset_minutes, created_at } =
            destination;
        let time_zone = show_offset(utc_offset_minutes);
        Self { id, name, channel, settings: shown, language, time_zone, created_at: Time(created_at) }
    }
}

/// The settings to save: those of the request, and the secrets of `before` that it leaves out or sends back masked.
pub(crate) fn merge(channel: &str, given: Map<String, Value>, before: Option<&Value>) -> Result<Value, ApiError> {
    let mut merged = given;
    for name in channels::Destination::secret_fields(channel).unwrap_or_default() {
        let old = before.and_then(|before| before.get(*name));
        let hint = old.and_then(Value::as_str).map(|old| Secret::new(old).hint());
        match (merged.get(*name), old) {
            (None, Some(old)) => drop(merged.insert((*name).to_owned(), old.clone())),
            (Some(Value::String(text)), Some(old)) if Some(text) == hint.as_ref() => {
                merged.insert((*name).to_owned(), old.clone());
            }
            (Some(Value::String(text)), _) if is_masked(text) => return Err(masked(&format!("settings.{name}"))),
            (Some(_) | None, _) => {}
        }
    }
    merged.retain(|_, value| !value.is_null());
    Ok(Value::Object(merged))
}

/// `+08:00` → 480. No place on earth is further from UTC than 14 hours.
fn parse_offset(text: &str) -> Option<i16> {
    if matches!(text, "Z" | "UTC") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset = hours * 60 + minutes;
    (minutes < 60 && offset <= 14 * 60).then_some(sign * offset)
}

fn show_offset(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(given: Value, before: Option<Value>) -> Result<Value, ApiError> {
        let Value::Object(given) = given else { panic!("an object is given") };
        merge("feishu_bot", given, before.as_ref())
    }

    #[test]
    fn a_secret_left_out_keeps_its_value_and_null_removes_it() {
        let url = "https://open.feishu.cn/open-apis/bot/v2/hook/0123";
        let before = json!({"url": url, "secret": "SEC0123456789"});
        let rows = [
            (json!({}), before.clone()),
            (json!({"secret": null}), json!({"url": url})),
            (json!({"secret": "new"}), json!({"url": url, "secret": "new"})),
            (json!({"secret": "…6789", "url": "…0123"}), before.clone()),
        ];
        for (given, wanted) in rows {
            assert_eq!(merged(given.clone(), Some(before.clone())).expect("valid"), wanted, "{given}");
        }
    }

    #[test]
    fn a_masked_secret_is_never_saved_as_the_secret() {
        for (given, before) in
            [(json!({"secret": "…6789"}), None), (json!({"url": "…9"}), Some(json!({"url": "https://x"})))]
        {
            assert!(merged(given, before).is_err());
        }
    }

    #[test]
    fn a_time_zone_is_an_offset_and_reads_back() {
        for (text, minutes) in [("+08:00", 480), ("-03:30", -210), ("+00:00", 0), ("+14:00", 840)] {
            assert_eq!(parse_offset(text), Some(minutes));
            assert_eq!(show_offset(minutes), text);
        }
        for text in ["", "8", "+8:00", "+08:60", "+15:00", "Asia/Shanghai", "+0８:00", "++1:00"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }
}
