//! Reads the message type, title, text and labels from JSON.
//!
//! Example: `{"msg_type":"text","content":{"text":"disk full"}}` → text `disk full`, no title.
//!
//! `msg_type` decides, not the keys that are present, because many senders leave an empty `card` beside a `content` or
//! an empty `content` beside a `card`. Unknown keys are ignored. `content`, `card` and `content.post` may be JSON in a
//! string.
//!
//! The title is a card's header, a post's title, `content.title`, or the older form's `title`. The text does not repeat
//! the title.

use std::borrow::Cow;
use std::collections::BTreeMap;

use alerting::base::limits;
use alerting::rules::message::MsgType;
use serde_json::{Map, Value};

use super::markup::{self, Links};
use super::path::Version;
use super::{card, json, post};
use crate::clean;
use crate::protocol::{Malformed, SentType};
use crate::reading::Reading;

/// The characters of an unknown message type that are quoted and kept.
const TYPE_CHARS: usize = 32;

const NO_TYPE: Malformed = Malformed(Cow::Borrowed("msg_type need"));
const NO_CONTENT: Malformed = Malformed(Cow::Borrowed("unknown content value"));
const NO_CARD: Malformed = Malformed(Cow::Borrowed("unknown card value"));
const NO_TEXT: Malformed = Malformed(Cow::Borrowed("text need"));

/// The type of a message. A message of the older form has no type and is text. A message of the newer form may arrive
/// on the older path.
pub(super) fn message_type(root: &Map<String, Value>, version: Version) -> Result<SentType, Malformed> {
    let name = match root.get("msg_type") {
        Some(Value::String(name)) if !name.is_empty() => name,
        _ if version == Version::V1 => return Ok(SentType::Known(MsgType::Text)),
        _ => return Err(NO_TYPE),
    };
    Ok(match name.as_str() {
        "text" => SentType::Known(MsgType::Text),
        "post" => SentType::Known(MsgType::Post),
        "interactive" => SentType::Known(MsgType::Interactive),
        _ if version == Version::V1 && root.contains_key("text") => SentType::Known(MsgType::Text),
        other => SentType::Other(limits::cut_chars(&clean::line(other), TYPE_CHARS)),
    })
}

/// The version of a logged body: only the newer form names its type.
pub(super) fn version_of(body: &[u8]) -> Version {
    let names_type = serde_json::from_slice::<Map<String, Value>>(body).is_ok_and(|root| root.contains_key("msg_type"));
    if names_type { Version::V2 } else { Version::V1 }
}

/// Reads a message of a known type.
pub(super) fn read(
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
    // A card may be empty; even `{}` is valid. A text or a post may not be empty.
    if reading.title.is_empty() && reading.text.is_empty() && msg_type != MsgType::Interactive {
        return Err(NO_CONTENT);
    }
    Ok(reading)
}

/// Reads `content.text`, and `content.title`, which `ElastAlert` sends.
fn content_text(root: &Map<String, Value>) -> Result<Reading, Malformed> {
    let content = json::decoded(root.get("content").ok_or(NO_CONTENT)?);
    plain(content.as_object().ok_or(NO_CONTENT)?, NO_CONTENT)
}

fn plain(fields: &Map<String, Value>, missing: Malformed) -> Result<Reading, Malformed> {
    let text = fields.get("text").and_then(Value::as_str).ok_or(missing)?;
    let title = fields.get("title").and_then(Value::as_str).unwrap_or_default();
    Ok(Reading { title: markup::text(title), text: markup::text(text), labels: BTreeMap::new() })
}

/// Reads a card beside or inside `content`. Without a card, `content.text` is read as text, because `TrendRadar` sends
/// this.
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
