//! How an integration turns messages into alerts, as it is written in a request.
//!
//! One flat object with a `type`, parsed here field by field: serde's tagged enums lose the path to a field at fault and
//! take unknown fields beside a unit variant.

use alerting::rules::filter::Filter;
use alerting::rules::integration::{KeyExtractor, PushMode, Unmatched};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PushMode)]
pub(crate) struct PushModeBody {
    #[serde(rename = "type")]
    kind: PushModeType,
    /// `by_rules` only: at least one filter; a message that one of them takes triggers.
    trigger: Option<Vec<Filter>>,
    /// `by_rules` only: tried before `trigger`; a message that one of them takes closes.
    close: Option<Vec<Filter>>,
    /// `by_rules` only: the first that matches with a non-empty result is the alert key; else the title is.
    key: Option<Vec<KeyExtractor>>,
    /// `by_rules` only.
    unmatched: Option<Unmatched>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PushModeType {
    EachMessage,
    ByTitle,
    ByRules,
}

impl PushModeBody {
    /// The requested mode; [`alerting::rules::policy`] validates its rules.
    pub(crate) fn parse(self) -> Result<PushMode, ApiError> {
        let Self { kind, trigger, close, key, unmatched } = self;
        if let PushModeType::ByRules = kind {
            return Ok(PushMode::ByRules {
                trigger: trigger.unwrap_or_default(),
                close: close.unwrap_or_default(),
                key: key.unwrap_or_default(),
                unmatched: unmatched.unwrap_or_default(),
            });
        }
        let given = [
            ("trigger", trigger.is_some()),
            ("close", close.is_some()),
            ("key", key.is_some()),
            ("unmatched", unmatched.is_some()),
        ];
        if let Some((field, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(ApiError::invalid(field, format!("`{field}` belongs to the type `by_rules`; leave it out")));
        }
        Ok(match kind {
            PushModeType::EachMessage => PushMode::EachMessage,
            PushModeType::ByTitle | PushModeType::ByRules => PushMode::ByTitle,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::parse;

    fn read(body: &str) -> Result<PushMode, ApiError> {
        parse::<PushModeBody>(body.as_bytes()).and_then(PushModeBody::parse)
    }

    fn field(body: &str) -> String {
        match read(body).expect_err("is refused") {
            ApiError::Invalid { field: Some(field), .. } => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_stored_reads_back_as_it_is_shown() {
        for body in [
            r#"{"type":"each_message"}"#,
            r#"{"type":"by_title"}"#,
            r#"{"type":"by_rules","trigger":[{}],"close":[{"any":[{"all":[{"field":"content","op":"match","values":["/RESOLVED/"]}]}]}],"key":[{"field":"title","pattern":"/(.*)/"}],"unmatched":"trigger"}"#,
        ] {
            let mode = read(body).expect("valid");
            let shown = serde_json::to_value(&mode).expect("serialises");
            assert_eq!(shown, serde_json::from_str::<serde_json::Value>(body).expect("JSON"));
        }
    }

    #[test]
    fn a_field_at_fault_is_named_inside_the_rules() {
        let rows = [
            (r#"{"type":"by_title","bogus":1}"#, "bogus"),
            (r#"{"type":"by_title","trigger":[{}]}"#, "trigger"),
            (r#"{"type":"by_magic"}"#, "type"),
            (r#"{}"#, "type"),
            (
                r#"{"type":"by_rules","trigger":[{"any":[{"all":[{"field":"title","op":"is","values":[]}]}]}]}"#,
                "trigger[0].any[0].all[0].op",
            ),
            (r#"{"type":"by_rules","key":[{"field":"body","pattern":"a"}]}"#, "key[0].field"),
            (r#"{"type":"by_rules","trigger":[{"all":[]}]}"#, "trigger[0].all"),
        ];
        for (body, wanted) in rows {
            assert_eq!(field(body), wanted, "{body}");
        }
    }
}
