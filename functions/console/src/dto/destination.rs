//! Destinations. Their settings are the channel's business ([`channels::registry::Destination::parse`]); here is only which of
//! them are kept when they are left out.

use std::collections::BTreeMap;

use alerting::base::ids::DestinationId;
use alerting::base::secret::Secret;
use alerting::people::destination::{Destination, Language, TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Name, Time, is_masked, masked};
use crate::error::ApiError;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationBody {
    pub(crate) name: Name,
    /// `feishu_bot`, `dingtalk_bot`, `wecom_bot`, `slack_webhook`, `slack_app`, `telegram_bot`, `zoom_webhook`,
    /// `email`.
    #[schema(example = "feishu_bot")]
    pub(crate) channel: String,
    /// By channel: `feishu_bot`, `dingtalk_bot` {url, secret?}; `wecom_bot`, `slack_webhook` {url}; `slack_app` {account,
    /// channel}; `telegram_bot` {token, `chat_id`}; `zoom_webhook` {url, `verification_token`, envelope?}; `email` {to}. In a `PUT` a secret that is left out
    /// is kept, and `null` removes it.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"url": "https://open.feishu.cn/open-apis/bot/v2/hook/…"}))]
    pub(crate) settings: Map<String, Value>,
    /// The language of messages to it.
    #[serde(default)]
    #[schema(default = Language::default)]
    pub(crate) language: Language,
    /// The time zone of times in messages to it: an offset from UTC, or an IANA name (`Asia/Shanghai`).
    #[serde(default)]
    #[schema(example = "+08:00", default = "+00:00")]
    time_zone: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Destination)]
pub(crate) struct DestinationView {
    id: DestinationId,
    name: String,
    #[schema(example = "feishu_bot")]
    channel: String,
    /// Secrets, a webhook's URL among them, as `…last4`.
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Value>,
    language: Language,
    #[schema(example = "+08:00")]
    time_zone: String,
    created_at: Time,
}

impl DestinationBody {
    pub(crate) fn time_zone(&self) -> Result<TimeZone, ApiError> {
        let zone = self.time_zone.as_deref().map(|text| {
            text.parse().map_err(|error| ApiError::invalid("time_zone", format!("`{text}` is no time zone: {error}")))
        });
        Ok(zone.transpose()?.unwrap_or_default())
    }
}

impl From<Destination> for DestinationView {
    fn from(destination: Destination) -> Self {
        let Destination { id, name, version: _, channel, settings: _, shown, language, time_zone, created_at } =
            destination;
        let time_zone = time_zone.to_string();
        Self { id, name, channel, settings: shown, language, time_zone, created_at: Time(created_at) }
    }
}

/// The settings to save: those of the request, and the secrets of `before` that it leaves out or sends back masked.
pub(crate) fn merge(secrets: &[&str], given: Map<String, Value>, before: Option<&Value>) -> Result<Value, ApiError> {
    let mut merged = given;
    for name in secrets {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(given: Value, before: Option<Value>) -> Result<Value, ApiError> {
        let Value::Object(given) = given else { panic!("an object is given") };
        merge(&["url", "secret"], given, before.as_ref())
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
}
