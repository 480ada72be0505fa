//! Writes messages of Slack, for the webhook and for the app: the headline is the text, and the rest is in an attachment,
//! because only attachments have a colour.
//!
//! Source: docs.slack.dev, "Block Kit" (as of 2026-11).

use std::fmt;
use std::str::FromStr;

use alerting::incident::card::{Act, Card};
use alerting::incident::notice::Notice;
use alerting::incident::press::Press;
use alerting::incident::shown::links::{Piece, SafeLink, pieces};
use alerting::people::Person;
use serde_json::{Value, json};

use crate::content::Fact;
use crate::fit::{Render, Written};
use crate::layout::words::Words;
use crate::layout::{Digest, Line, Message, linked};
use crate::mention;
use crate::post::{Form, Post};
use crate::size::{Size, Unit};

/// All texts of a message together: Slack refuses with `msg_blocks_too_long` from about 13,200 characters on, which is
/// observed (slackapi/bolt-js#2509), not documented.
pub(super) const TEXT: Size = Size { max: 12_000, unit: Unit::Chars };
/// The identity for mentions: a member id, `U012AB3CD`.
pub const MENTIONED_BY: &str = "slack_user_id";
/// Characters of a section's text: <https://docs.slack.dev/reference/block-kit/blocks/section-block>
pub(super) const SECTION_CHARS: usize = 3000;
/// Blocks of one message: <https://docs.slack.dev/reference/block-kit/blocks>
const BLOCKS: usize = 50;
/// Fields of one section; same page as its text.
const FIELDS: usize = 10;
/// The ids of the buttons, in order. Slack requires different ids.
const ACTIONS: [&str; 2] = ["details", "acknowledge"];
/// For a message of text alone, as Slack recommends. Slack cuts at 40,000.
const PLAIN: Size = Size { max: 4000, unit: Unit::Chars };
/// The ids of the actions: an update must not repeat one in a message.
const ACT_IDS: [&str; 2] = ["take", "close"];
const SNOOZE_ID: &str = "snooze";

/// Writes the message of a webhook, or that of the app.
#[derive(Default)]
pub(super) struct Writer<'a> {
    /// The fields that name the conversation and the message: a webhook has none.
    pub(super) to: Vec<(&'static str, &'a str)>,
    /// The card with its buttons. `None`: links.
    pub(super) card: Option<Buttons<'a>>,
}

impl Writer<'_> {
    /// The body, if all texts together are within the limit.
    fn body(&self, body: Value) -> Option<Written> {
        let chars = text_chars(&body);
        TEXT.written(chars, || self.addressed(body))
    }

    fn plain(&self, text: &str) -> Option<Written> {
        let body = || match self.to.as_slice() {
            [] => json!({"text": text, "unfurl_links": false}),
            // An update keeps the attachments that it does not name.
            _ => json!({"text": text, "unfurl_links": false, "attachments": []}),
        };
        PLAIN.written(PLAIN.unit.count(text), || self.addressed(body()))
    }

    fn rich(&self, text: &str, colour: &str, blocks: &[Value]) -> Option<Written> {
        let attachment = json!({"color": colour, "blocks": blocks});
        let body = json!({"text": text, "unfurl_links": false, "attachments": [attachment]});
        if blocks.len() <= BLOCKS { self.body(body) } else { None }
    }

    fn addressed(&self, mut body: Value) -> Vec<u8> {
        for (name, value) in &self.to {
            body[*name] = Value::from(*value);
        }
        // An update has no such argument.
        if let (true, Some(body)) = (body.get("ts").is_some(), body.as_object_mut()) {
            body.remove("unfurl_links");
        }
        serde_json::to_vec(&body).expect("JSON values serialise")
    }

    /// The buttons below a message: those of the card and a link to the incident, or links alone.
    fn buttons(&self, message: &Message) -> Vec<Value> {
        let button = |(place, (name, link)): (usize, (&str, &str))| {
            let label = json!({"type": "plain_text", "text": name});
            json!({"type": "button", "action_id": ACTIONS[place], "text": label, "url": link})
        };
        let links = message.links().enumerate().map(button);
        let acts = self.card.as_ref().map(|card| card.elements(message.words)).unwrap_or_default();
        acts.into_iter().chain(links).collect()
    }
}

impl Render for Writer<'_> {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        if form == Form::Plain {
            return self.plain(&message.plain(&mentions(&message.line.mentions), escape, slack_link));
        }
        if message.is_line() {
            let Line { tone, badge, num, title, note, .. } = &message.line;
            let links = message.link_line(|name, link| format!("<{link}|{name}>"));
            return self.plain(&format!("{} *{badge} {num}* {}{} {links}", tone.mark(), escape(title), escape(note)));
        }
        let mut blocks = Vec::new();
        for facts in message.facts().chunks(FIELDS) {
            let field =
                |fact: &Fact| mrkdwn(&format!("*{}*\n{}", escape(&fact.name), linked(&fact.value, escape, slack_link)));
            blocks.push(json!({"type": "section", "fields": facts.iter().map(field).collect::<Vec<_>>()}));
        }
        blocks.extend(message.blocks().flat_map(sections));
        blocks.push(json!({"type": "actions", "elements": self.buttons(message)}));
        // In the text, because mentions in an attachment notify nobody.
        let text = with_mentions(headline(&message.line), &message.line.mentions);
        self.rich(&text, message.line.tone.hex(), &blocks)
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        if form == Form::Plain {
            return self.plain(&digest.plain(&mentions(&digest.mentions()), escape));
        }
        // A line is at most 120 escaped characters of title, badge and link, so a few always fit into a section.
        let mut texts: Vec<String> = Vec::new();
        let line = |line: &Line| format!("{} {}", line.tone.mark(), headline(line));
        for line in digest.lines.iter().map(line).chain(digest.footer()) {
            match texts.last_mut() {
                Some(text) if text.chars().count() + line.chars().count() < SECTION_CHARS => {
                    *text += &format!("\n{line}")
                }
                _ => texts.push(line),
            }
        }
        if texts.iter().any(|text| text.chars().count() > SECTION_CHARS) {
            return None;
        }
        let blocks: Vec<Value> = texts.iter().map(|text| section(text)).collect();
        let text = with_mentions(escape(&digest.heading()), &digest.mentions());
        self.rich(&text, digest.tone().hex(), &blocks)
    }
}

fn headline(line: &Line) -> String {
    let Line { badge, num, title, note, link, .. } = line;
    format!("*{badge} <{link}|{num}>* {}{}", escape(title), escape(note))
}

pub(super) fn mentions(people: &[Person]) -> String {
    let is_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    // Members are U… or W…. C… is a channel, and S… a group of users.
    let id = |person: &Person| {
        let id = mention::identity(person, MENTIONED_BY, is_id)?;
        id.starts_with(['U', 'W']).then(|| format!("<@{id}>"))
    };
    mention::line(people, id, escape)
}

fn with_mentions(text: String, people: &[Person]) -> String {
    let mentions = mentions(people);
    if mentions.is_empty() { text } else { format!("{text}\n{mentions}") }
}

fn mrkdwn(text: &str) -> Value {
    // Verbatim: Slack makes no links of names and addresses that are not marked as links.
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

/// As many sections as a text needs. It is split before it is escaped, and never within a link.
pub(super) fn sections(text: &str) -> Vec<Value> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    let mut add = |written: &str, size: usize| {
        if used + size > SECTION_CHARS {
            parts.push(String::new());
            used = 0;
        }
        used += size;
        parts.last_mut().expect("there is one from the start").push_str(written);
    };
    for piece in pieces(text) {
        match piece {
            Piece::Link(link) => {
                let written = slack_link(&link);
                add(&written, written.chars().count());
            }
            Piece::Text(text) => {
                let mut before = ' ';
                for c in text.chars() {
                    let written = escaped(c, before);
                    add(&written, written.chars().count());
                    before = c;
                }
            }
        }
    }
    parts.iter().filter(|part| !part.is_empty()).map(|part| section(part)).collect()
}

/// All characters that Slack counts: every `text` in the body.
fn text_chars(body: &Value) -> usize {
    match body {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "text" => Unit::Chars.count(text),
                value => text_chars(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(text_chars).sum(),
        _ => 0,
    }
}

const FORMATTING: &str = "*_~`";

/// `&`, `<` and `>` as Slack's documentation says, which prevents links and mentions (`<!here>`). A zero-width space
/// goes before characters that could make text bold, italic, struck or code.
pub(super) fn escape(text: &str) -> String {
    let mut before = ' ';
    let escape = |c: char| escaped(c, std::mem::replace(&mut before, c));
    text.chars().map(escape).collect()
}

fn escaped(c: char, before: char) -> String {
    match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        c if FORMATTING.contains(c) && !before.is_alphanumeric() => format!("\u{200B}{c}"),
        c => c.to_string(),
    }
}

/// The address of a [`SafeLink`] has no character that would end it here.
fn slack_link(link: &SafeLink) -> String {
    format!("<{}|{}>", link.url.replace('&', "&amp;"), escape(&link.shown))
}

/// A message of the app, as its receipt names it: `C0123456789/1700000000.000100`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) channel: String,
    pub(super) ts: String,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.ts)
    }
}

impl FromStr for Receipt {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (channel, ts) = text.split_once('/').ok_or(())?;
        Ok(Self { channel: channel.to_owned(), ts: ts.to_owned() })
    }
}

/// The actions of a card as elements of Slack.
pub(super) struct Buttons<'a> {
    card: &'a Card,
    notice: &'a Notice,
}

impl<'a> Buttons<'a> {
    /// `None`: the post has no card.
    pub(super) fn of(post: &Post<'a>) -> Option<Self> {
        Some(Self { card: post.card?, notice: post.notices.first()? })
    }

    /// Buttons, and one list for all snoozes.
    fn elements(&self, words: Words) -> Vec<Value> {
        let (snoozes, others): (Vec<Act>, Vec<Act>) =
            self.card.acts.iter().copied().partition(|act| matches!(act, Act::Snooze(_)));
        let text = |text: String| json!({"type": "plain_text", "text": text});
        let option = |act: &Act| json!({"text": text(words.act(*act)), "value": self.value(*act)});
        let list = (!snoozes.is_empty()).then(|| {
            let options: Vec<Value> = snoozes.iter().map(option).collect();
            let placeholder = text(words.snooze().to_owned());
            json!({"type": "static_select", "action_id": SNOOZE_ID, "placeholder": placeholder, "options": options})
        });
        let button = |act: &Act| {
            let (id, style) = match act {
                Act::Acknowledge => (ACT_IDS[0], Some("primary")),
                Act::Unacknowledge | Act::Snooze(_) => (ACT_IDS[0], None),
                Act::Close => (ACT_IDS[1], Some("danger")),
            };
            let mut button =
                json!({"type": "button", "action_id": id, "text": text(words.act(*act)), "value": self.value(*act)});
            if let Some(style) = style {
                button["style"] = style.into();
            }
            button
        };
        let (first, rest) = others.split_at(others.len().min(1));
        first.iter().map(button).chain(list).chain(rest.iter().map(button)).collect()
    }

    fn value(&self, act: Act) -> String {
        let Notice { incident, destination, .. } = self.notice;
        let (incident, destination) = (incident.clone(), destination.clone());
        Press { incident, episode: self.card.episode, destination, act }.to_string()
    }
}
