//! Turns the text of a message into the message with its title.
//!
//! The title is the sender's. If the sender sends none, the title is the default of the source, or, if the integration
//! is set so, the first line with words in it. The first line also stays in the content, so that a rule on the content
//! matches the same messages under both settings.

use std::collections::BTreeMap;

use alerting::base::limits;
use alerting::rules::integration::TitleFrom;
use alerting::rules::message::{Message, MsgType};

/// The most bytes of title and text together: the limit of a body. Escapes can make a text longer than its body.
const READABLE_BYTES: usize = limits::BODY_BYTES;

/// A message as read by a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The sender's title. Empty: the sender sent none.
    pub title: String,
    pub text: String,
    pub labels: BTreeMap<String, String>,
}

impl Reading {
    /// Makes the message. `default`: the title if neither the sender nor the first line provides one.
    pub fn into_message(self, msg_type: MsgType, title_from: TitleFrom, default: &str) -> Message {
        let Reading { title, text, labels } = self;
        let own = title.len();
        let title = match title_from {
            _ if !title.is_empty() => limits::cut_bytes(&title, READABLE_BYTES),
            TitleFrom::FirstLine => first_line(&text).unwrap_or_else(|| default.to_owned()),
            TitleFrom::Default => default.to_owned(),
        };
        // A title that is not the sender's does not reduce the room for the sender's text.
        let room = READABLE_BYTES.saturating_sub(own);
        let content = if text.len() > room { limits::cut_bytes(&text, room) } else { text };
        Message { msg_type, title, content, labels }
    }
}

/// The first line with a letter, a digit or a symbol. Horizontal rules and code fences have none of these.
fn first_line(text: &str) -> Option<String> {
    let has_words = |line: &&str| line.chars().any(|c| c.is_alphanumeric() || is_symbol(c));
    let line = text.lines().find(has_words).or_else(|| text.lines().find(|line| !line.trim().is_empty()))?;
    Some(limits::cut_chars(line.trim(), limits::TITLE_CHARS))
}

/// Whether people use the character in place of a word: arrows, signs and emoji. Lines, blocks and punctuation are not
/// symbols.
fn is_symbol(c: char) -> bool {
    let draws = matches!(c, '\u{2500}'..='\u{259f}' | '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe6f}' | '\u{ff00}'..='\u{ffef}');
    c >= '\u{2190}' && !draws && !c.is_control()
}
