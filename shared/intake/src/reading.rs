//! The text of a message → the message with its title.
//!
//! The title is the sender's. If it sends none, the title is the default of the source, or the first line with words in it
//! if the integration wants that. The first line stays in the content as well, so that a rule on the content matches the same
//! messages under both settings.

use std::collections::BTreeMap;

use alerting::base::limits;
use alerting::rules::integration::TitleFrom;
use alerting::rules::message::{Message, MsgType};

/// Bytes of title and text together: as many as a body has. Escapes can make a text longer than its body.
const READABLE_BYTES: usize = limits::BODY_BYTES;

/// A message as a source read it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The sender's; empty if it sent none.
    pub title: String,
    pub text: String,
    pub labels: BTreeMap<String, String>,
}

impl Reading {
    /// `default`: the title if neither the sender nor the first line gives one.
    pub fn into_message(self, msg_type: MsgType, title_from: TitleFrom, default: &str) -> Message {
        let Reading { title, text, labels } = self;
        let own = title.len();
        let title = match title_from {
            _ if !title.is_empty() => limits::cut_bytes(&title, READABLE_BYTES),
            TitleFrom::FirstLine => first_line(&text).unwrap_or_else(|| default.to_owned()),
            TitleFrom::Default => default.to_owned(),
        };
        // A title of ours takes no room from the sender's text.
        let room = READABLE_BYTES.saturating_sub(own);
        let content = if text.len() > room { limits::cut_bytes(&text, room) } else { text };
        Message { msg_type, title, content, labels }
    }
}

/// The first line with a letter, a digit or a symbol in it, which a rule and a code fence do not have.
fn first_line(text: &str) -> Option<String> {
    let has_words = |line: &&str| line.chars().any(|c| c.is_alphanumeric() || is_symbol(c));
    let line = text.lines().find(has_words).or_else(|| text.lines().find(|line| !line.trim().is_empty()))?;
    Some(limits::cut_chars(line.trim(), limits::TITLE_CHARS))
}

/// Arrows, signs and emoji, which people use in place of words. Lines, blocks and punctuation are not symbols.
fn is_symbol(c: char) -> bool {
    let draws = matches!(c, '\u{2500}'..='\u{259f}' | '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe6f}' | '\u{ff00}'..='\u{ffef}');
    c >= '\u{2190}' && !draws && !c.is_control()
}
