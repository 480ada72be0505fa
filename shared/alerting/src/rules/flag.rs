//! The flags of a decision about a message.

use serde::{Deserialize, Serialize};

/// A difference between the evaluation of a message and what the operator wrote or the sender sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// No extractor found a key, so the key was made from the title.
    KeyFallback,
    /// The rules would have taken too long. Undecided conditions were decided so that the alert is kept.
    RulesTimeExceeded,
    /// A title or description was cut, or a pattern searched only the first 8 KiB of a text, because the pattern is
    /// slow or one of many.
    TextCut,
    /// Labels were cut or left out.
    LabelsCut,
    /// A rule that is not valid was left out.
    BadRule,
    /// A template did not render, so its step was left out.
    TemplateFailed,
    /// No route matched, and there are no default spaces.
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
