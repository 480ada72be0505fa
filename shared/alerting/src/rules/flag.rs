//! What a judgement says beside its decision.

use serde::{Deserialize, Serialize};

/// What did not go as the operator wrote it, or as the sender sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// No extractor found a key; it was made from the title.
    KeyFallback,
    /// The rules would have taken too long; what they could not decide was decided for keeping the alert.
    RulesTimeExceeded,
    /// A title or description was cut, or a pattern that is slow, or one of many, looked only at the first 8 KiB
    /// of a text.
    TextCut,
    /// Labels were cut, or left out.
    LabelsCut,
    /// A rule that cannot be used was left out.
    BadRule,
    /// A template did not render; its step was left out.
    TemplateFailed,
    /// No route, and no default route either.
    Unrouted,
}

impl Flag {
    pub const fn as_str(self) -> &'static str {
        match self {
            Flag::KeyFallback => "key_fallback",
            Flag::RulesTimeExceeded => "rules_time_exceeded",
            Flag::TextCut => "text_cut",
            Flag::LabelsCut => "labels_cut",
            Flag::BadRule => "bad_rule",
            Flag::TemplateFailed => "template_failed",
            Flag::Unrouted => "unrouted",
        }
    }
}
