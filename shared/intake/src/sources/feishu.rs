//! The Feishu (Lark) custom bot's protocol: JSON → title, readable text, labels.
//!
//! `{"msg_type":"text","content":{"text":"disk full"}}` → text `disk full`, no title.
//!
//! What counts is `msg_type`, never which key is present: many senders leave an empty `card` beside a `content`, or the
//! other way round. Unknown keys are ignored. `content`, `card` and `content.post` may be JSON in a string.
//!
//! The title is the sender's: a card's header, a post's title, `content.title`, the older form's `title`. Where there is
//! none (also in a card without header) it is "Feishu Alert", or the first line that says something if the integration
//! wants that. The text never repeats the sender's title; a first line taken as the title stays in the text too, so that
//! a rule on the content means the same under both settings.
//!
//! Source: the vendor's "Custom bot usage guide" (page of 2025-10-30), and what recorded senders really send.

use std::collections::BTreeMap;

use alerting::base::limits;
use alerting::rules::integration::TitleFrom;
use alerting::rules::message::{DEFAULT_TITLE, Message, MsgType};
use serde_json::{Map, Value};

use crate::clean;
use crate::sources::feishu::markup::Links;
use crate::sources::feishu::path::Version;

pub mod card;
pub mod json;
pub mod markup;
pub mod path;
pub mod post;

/// Bytes of title and text together: as many as a body has. Escapes can make a text longer than its body.
const READABLE_BYTES: usize = limits::BODY_BYTES;
/// Characters of an unknown message type that are quoted and kept.
const TYPE_CHARS: usize = 32;

/// Why a well-formed JSON object is no message; the protocol's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

const NO_TYPE: Malformed = Malformed("msg_type need");
const NO_CONTENT: Malformed = Malformed("unknown content value");
const NO_CARD: Malformed = Malformed("unknown card value");
const NO_TEXT: Malformed = Malformed("text need");

/// What the sender says its message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Known(MsgType),
    /// `image`, `share_chat`, or anything else; cut to what is fit to be shown.
    Other(String),
}

/// A message as read, before it has a title of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The sender's.
    pub title: String,
    pub text: String,
    pub labels: BTreeMap<String, String>,
}

/// The type of a message. The older form has none and is text; what has the newer form's shape is read as that.
pub fn kind(root: &Map<String, Value>, version: Version) -> Result<Kind, Malformed> {
    let name = match root.get("msg_type") {
        Some(Value::String(name)) if !name.is_empty() => name,
        _ if version == Version::V1 => return Ok(Kind::Known(MsgType::Text)),
        _ => return Err(NO_TYPE),
    };
    Ok(match name.as_str() {
        "text" => Kind::Known(MsgType::Text),
        "post" => Kind::Known(MsgType::Post),
        "interactive" => Kind::Known(MsgType::Interactive),
        _ if version == Version::V1 && root.contains_key("text") => Kind::Known(MsgType::Text),
        other => Kind::Other(limits::cut_chars(&clean::line(other), TYPE_CHARS)),
    })
}

/// Reads a message of a known type.
pub fn read(
    root: &Map<String, Value>,
    version: Version,
    msg_type: MsgType,
    links: Links,
) -> Result<Reading, Malformed> {
    let mut reading = match msg_type {
        MsgType::Text if version == Version::V1 && root.contains_key("text") => plain(root, NO_TEXT)?,
        MsgType::Text if version == Version::V1 && !root.contains_key("content") => return Err(NO_TEXT),
        MsgType::Text => content_text(root)?,
        MsgType::Post => post::read(&json::decoded(root.get("content").ok_or(NO_CONTENT)?), links).ok_or(NO_CONTENT)?,
        MsgType::Interactive => interactive(root, links)?,
    };
    reading.title = clean::line(&reading.title);
    reading.text = clean::text(&reading.text);
    for value in reading.labels.values_mut() {
        *value = limits::cut_chars(&clean::line(value), limits::LABEL_VALUE_CHARS);
    }
    reading.labels.retain(|_, value| !value.is_empty());
    // A card may say nothing: even `{}` is a legal one. A text or a post may not.
    if reading.title.is_empty() && reading.text.is_empty() && msg_type != MsgType::Interactive {
        return Err(NO_CONTENT);
    }
    Ok(reading)
}

/// `content.text`, with `ElastAlert`'s `content.title`.
fn content_text(root: &Map<String, Value>) -> Result<Reading, Malformed> {
    let content = json::decoded(root.get("content").ok_or(NO_CONTENT)?);
    plain(content.as_object().ok_or(NO_CONTENT)?, NO_CONTENT)
}

fn plain(fields: &Map<String, Value>, missing: Malformed) -> Result<Reading, Malformed> {
    let text = fields.get("text").and_then(Value::as_str).ok_or(missing)?;
    let title = fields.get("title").and_then(Value::as_str).unwrap_or_default();
    Ok(Reading { title: markup::text(title), text: markup::text(text), labels: BTreeMap::new() })
}

/// A card beside or inside `content`; without one, `content.text` is read as text (`TrendRadar` sends that).
fn interactive(root: &Map<String, Value>, links: Links) -> Result<Reading, Malformed> {
    let content = root.get("content").map(json::decoded);
    let cards = [root.get("card"), content.as_ref().and_then(|content| content.get("card"))];
    let mut legal = false;
    for card in cards.into_iter().flatten() {
        let card = json::decoded(card);
        if let Some(card) = card.as_object() {
            if !card.is_empty() {
                return Ok(card::read(card, links));
            }
            legal = true;
        }
    }
    let fields = content.as_ref().and_then(|content| content.as_object());
    match fields.and_then(|fields| plain(fields, NO_CARD).ok()) {
        Some(reading) if !reading.text.trim().is_empty() => Ok(reading),
        _ if legal => Ok(Reading::default()),
        _ => Err(NO_CARD),
    }
}

impl Reading {
    pub fn into_message(self, msg_type: MsgType, title_from: TitleFrom) -> Message {
        let Reading { title, text, labels } = self;
        let own = title.len();
        let title = match title_from {
            _ if !title.is_empty() => limits::cut_bytes(&title, READABLE_BYTES),
            TitleFrom::FirstLine => first_line(&text).unwrap_or_else(|| DEFAULT_TITLE.to_owned()),
            TitleFrom::Default => DEFAULT_TITLE.to_owned(),
        };
        // A title of ours takes no room from the sender's text.
        let room = READABLE_BYTES.saturating_sub(own);
        let content = if text.len() > room { limits::cut_bytes(&text, room) } else { text };
        Message { msg_type, title, content, labels }
    }
}

/// The first line that says something, which a rule or a code fence does not.
fn first_line(text: &str) -> Option<String> {
    let says = |line: &&str| line.chars().any(|c| c.is_alphanumeric() || is_symbol(c));
    let line = text.lines().find(says).or_else(|| text.lines().find(|line| !line.trim().is_empty()))?;
    Some(limits::cut_chars(line.trim(), limits::TITLE_CHARS))
}

/// Arrows, signs and emoji: what people put into a line to say something. Lines, blocks and punctuation say nothing.
fn is_symbol(c: char) -> bool {
    let draws = matches!(c, '\u{2500}'..='\u{259f}' | '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe6f}' | '\u{ff00}'..='\u{ffef}');
    c >= '\u{2190}' && !draws && !c.is_control()
}

/// The language to read where a message has several: the first of these that is there, else the first that is.
const LANGUAGES: [&str; 3] = ["zh_cn", "en_us", "ja_jp"];

/// The best translation that `read` makes something of.
pub(crate) fn translated<'a, T>(translations: &'a Value, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
    let translations = translations.as_object()?;
    let preferred = LANGUAGES.iter().filter_map(|language| translations.get(*language));
    preferred.chain(translations.values()).find_map(read)
}

/// A text that is there and not empty.
pub(crate) fn nonempty(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}
