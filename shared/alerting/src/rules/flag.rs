//! The flags of a decision.

use serde::{Deserialize, Serialize};

/// How the evaluation of a message differs from what the operator wrote or the sender sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// No extractor found a key; it was made from the title.
    KeyFallback,
    /// The rules would have taken too long. Undecided questions were decided so that the alert is kept.
    RulesTimeExceeded,
    /// A title or description was cut, or a pattern searched only the first 8 KiB of a text because it is slow or one
    /// of many.
    TextCut,
    /// Labels were cut, or left out.
    LabelsCut,
    /// A rule that is not valid was left out.
    BadRule,
    /// A template did not render; its step was left out.
    TemplateFailed,
    /// No route matched, and there is no default.
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
