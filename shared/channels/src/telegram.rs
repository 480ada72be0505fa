//! Telegram bots: messages in Telegram's small subset of HTML.
//!
//! In: `{"token": "123456:AA…", "chat_id": -1001234567890}`; the chat is a number, the same as text, or `@name` of a
//! public one. The token is part of the URL's path.
//!
//! Source: core.telegram.org/bots/api, `sendMessage`, and core.telegram.org/bots/faq (as of 2026-11).

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::shown::links::SafeLink;
use alerting::people::Person;
use serde_json::{Map, Value, json};
use url::Url;

use crate::channel::{Channel, Example, Limits};
use crate::fit::{Render, RenderError, Written, fit};
use crate::layout::{Digest, Line, Message, bare, linked};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Post};
use crate::reply::{Reply, code, text_of};
use crate::request::Request;
use crate::settings::{Fields, SettingsError};
use crate::size::{Size, Unit};
use crate::{mention, rate};

/// A bot, and the chat that it writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    token: Secret,
    chat: Chat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Chat {
    /// Groups are negative; needs more than 32 bits.
    Id(i64),
    Name(String),
}

const TOKEN_REMEDY: &str = "copy the token that BotFather gave, 123456789:AA…";
const CHAT_REMEDY: &str = "give the chat's number (groups have a negative one, such as -1001234567890) or its @name";
/// The identity for mentions: a user's number, or a user name with or without `@`.
pub const MENTIONED_BY: &str = "telegram_user";
/// Telegram formats only the first hundred entities of a message. A line has two, the heading one, and every mention
/// one.
const LINES: usize = (100 - 1 - mention::PEOPLE) / 2;

impl Channel for Bot {
    const NAME: &'static str = "telegram_bot";
    const LIMITS: Limits = Limits {
        hosts: &["api.telegram.org"],
        // "1-4096 characters after entities parsing", which Telegram counts in UTF-16 units.
        // https://core.telegram.org/bots/api#sendmessage
        text: Size { max: 4096, unit: Unit::Utf16 },
        // One message per second and chat, 20 per minute and group.
        // https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
        rates: &[rate::limit(1, 1), rate::limit(20, 60)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["token", "chat_id"];
    const SECRETS: &'static [&'static str] = &["token"];
    const EXAMPLE: Example = Example { settings: r#"{"token": "1:example", "chat_id": "@example"}"#, provider: None };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let token = fields.text("token", TOKEN_REMEDY)?;
        let of = |text: &str, also: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
        };
        match token.split_once(':') {
            Some((bot, key)) if bot.parse::<u64>().is_ok() && of(key, b"_-") => {}
            _ => return Err(SettingsError::new("token", format!("is not a bot's token; {TOKEN_REMEDY}"))),
        }
        let bad_chat = || SettingsError::new("chat_id", format!("is not a chat; {CHAT_REMEDY}"));
        let chat = match fields.get("chat_id") {
            Some(Value::Number(number)) => Chat::Id(number.as_i64().ok_or_else(bad_chat)?),
            _ => match fields.text("chat_id", CHAT_REMEDY)? {
                name if name.strip_prefix('@').is_some_and(|name| of(name, b"_")) => Chat::Name(name.to_owned()),
                number => Chat::Id(number.parse().map_err(|_| bad_chat())?),
            },
        };
        Ok(Self { token: Secret::new(token), chat })
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let url = format!("https://{}/bot{}/sendMessage", Self::LIMITS.hosts[0], self.token.expose());
        Ok(Request::new(&url, fit(post, Self::CONTENT, &Writer { chat: &self.chat })?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let Some(body) = reply.json() else { return reply.by_status() };
        let rejected = |reason| Outcome::Rejected { reason };
        match body.get("ok").and_then(Value::as_bool) {
            None => return reply.by_status(),
            Some(true) if reply.is_success() => {
                let id = body["result"]["message_id"].as_i64();
                return Outcome::Delivered { receipt: id.map(|id| id.to_string()) };
            }
            Some(_) => {}
        }
        let description = text_of(&body, "description").to_lowercase();
        let wait = body["parameters"]["retry_after"].as_u64().map(|secs| rate::clamped(Duration::from_secs(secs)));
        match code(&body, "error_code").unwrap_or(i64::from(reply.status)) {
            429 => Outcome::Retry { after: wait.or_else(|| rate::after(reply)), reason: Reason::RateLimited },
            500..=599 => Outcome::Retry { after: wait.or_else(|| rate::after(reply)), reason: Reason::ProviderDown },
            // Wrong token: 401, or 404 since it is part of the path.
            401 | 404 => rejected(Reason::Unauthorized),
            403 => rejected(Reason::BadDestination),
            413 => rejected(Reason::TooLarge),
            _ if description.contains("too long") => rejected(Reason::TooLarge),
            _ if is_chat_trouble(&description) => rejected(Reason::BadDestination),
            _ => rejected(Reason::Refused),
        }
    }

    /// A group that became a supergroup has a new id, `migrate_to_chat_id`: "The group has been migrated to a
    /// supergroup with the specified identifier" (core.telegram.org/bots/api#responseparameters).
    fn moved(&self, reply: &Reply) -> Option<Map<String, Value>> {
        let chat = reply.json()?["parameters"]["migrate_to_chat_id"].as_i64()?;
        Some(Map::from_iter([("chat_id".to_owned(), chat.into())]))
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let body = reply.json().unwrap_or_default();
        let mut message = Some(text_of(&body, "description")).filter(|text| !text.is_empty());
        if let (Some(message), Some(chat)) = (&mut message, body["parameters"]["migrate_to_chat_id"].as_i64()) {
            *message += &format!(" (set chat_id to {chat})");
        }
        let code = code(&body, "error_code").map(|code| code.to_string());
        ProviderReply::new(reply, code, &message.unwrap_or_else(|| reply.text()))
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.token.expose()]
    }
}

/// Whether the chat does not exist, excludes the bot, or became another chat.
fn is_chat_trouble(description: &str) -> bool {
    let known = [
        "chat not found",
        "not enough rights",
        "topic_closed",
        "chat_write_forbidden",
        "upgraded to a supergroup",
        "group chat was deactivated",
        "have no rights",
        "need administrator rights",
        "peer_id_invalid",
    ];
    known.iter().any(|words| description.contains(words))
}

struct Writer<'a> {
    chat: &'a Chat,
}

impl Writer<'_> {
    const LIMIT: Size = Bot::LIMITS.text;

    fn plain(&self, text: &str) -> Option<Written> {
        Self::LIMIT.written(Self::LIMIT.unit.count(text), || self.body(&json!({"text": text})))
    }

    /// `markup`: the buttons below the message; null for none.
    fn html(&self, html: &str, markup: &Value) -> Option<Written> {
        let mut body = json!({"text": html, "parse_mode": "HTML"});
        if !markup.is_null() {
            body["reply_markup"] = markup.clone();
        }
        Self::LIMIT.written(Self::LIMIT.unit.count(&visible(html)), || self.body(&body))
    }

    fn body(&self, message: &Value) -> Vec<u8> {
        let mut body = message.clone();
        body["chat_id"] = match self.chat {
            Chat::Id(id) => (*id).into(),
            Chat::Name(name) => name.as_str().into(),
        };
        body["link_preview_options"] = json!({"is_disabled": true});
        serde_json::to_vec(&body).expect("JSON values serialise")
    }
}

impl Render for Writer<'_> {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        if form == Form::Plain {
            return self.plain(&message.plain(&plain_mentions(&message.line.mentions), break_mentions, bare));
        }
        let line = &message.line;
        let Line { tone, badge, num, title, note, .. } = line;
        let mut text = format!("{} <b>{badge} {num}</b> {}{}", tone.mark(), escape(title), escape(note));
        let links = message.link_line(|name, link| format!("<a href=\"{}\">{name}</a>", escape(link)));
        if message.is_line() {
            return self.html(&format!("{text} {links}"), &Value::Null);
        }
        text.push('\n');
        text += &mention_line(&line.mentions);
        for fact in message.facts() {
            let value = linked(&fact.value, escape, html_link);
            text += &format!("\n<b>{}</b>{}{value}", escape(&fact.name), message.words.colon());
        }
        for block in message.blocks() {
            text += &format!("\n\n{}", linked(block, escape, html_link));
        }
        text += &format!("\n\n{links}");
        let button = |(name, link)| json!({"text": name, "url": link});
        let buttons = || json!({"inline_keyboard": [message.links().map(button).collect::<Vec<_>>()]});
        self.html(&text, &if is_public(&line.link) { buttons() } else { Value::Null })
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        if form == Form::Plain {
            return self.plain(&digest.plain(&plain_mentions(&digest.mentions()), break_mentions));
        }
        if digest.lines.len() > LINES {
            return None;
        }
        let mut text = format!("<b>{}</b>{}", escape(&digest.heading()), mention_line(&digest.mentions()));
        for Line { tone, badge, num, title, note, link, .. } in digest.lines {
            let (mark, title, note) = (tone.mark(), escape(title), escape(note));
            text += &format!("\n{mark} <b>{badge}</b> <a href=\"{}\">{num}</a> {title}{note}", escape(link));
        }
        if let Some(footer) = digest.footer() {
            text += &format!("\n{footer}");
        }
        self.html(&text, &Value::Null)
    }
}

/// How Telegram identifies a person.
enum Known<'a> {
    Number(&'a str),
    UserName(&'a str),
}

fn known(person: &Person) -> Option<Known<'_>> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@');
    let id = mention::identity(person, MENTIONED_BY, is_id)?;
    if id.len() <= 19 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Known::Number(id));
    }
    let name = id.strip_prefix('@').unwrap_or(id);
    // 5 to 32 letters, digits and underscores, with a letter in front; older short names are 4 long.
    let is_name = (4..=32).contains(&name.len()) && !name.contains('@') && name.as_bytes()[0].is_ascii_alphabetic();
    is_name.then_some(Known::UserName(name))
}

fn mention_line(people: &[Person]) -> String {
    let mention = |person: &Person| match known(person)? {
        Known::Number(id) => Some(format!("<a href=\"tg://user?id={id}\">{}</a>", escape(&person.name))),
        Known::UserName(name) => Some(format!("@{name}")),
    };
    let text = mention::line(people, mention, escape);
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Without markup, a user name is a mention and a number is not.
fn plain_mentions(people: &[Person]) -> String {
    let mention = |person: &Person| match known(person)? {
        Known::Number(_) => None,
        Known::UserName(name) => Some(format!("@{name}")),
    };
    mention::line(people, mention, break_mentions)
}

/// Telegram refuses a message with a button to a local host name or an IP address.
fn is_public(link: &str) -> bool {
    Url::parse(link).is_ok_and(|url| url.domain().is_some_and(|host| host.contains('.')))
}

fn html_link(link: &SafeLink) -> String {
    format!("<a href=\"{}\">{}</a>", escape(&link.url), escape(&link.shown))
}

/// Telegram's HTML needs these four as entities.
fn escape(text: &str) -> String {
    break_mentions(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `@name` would notify that person, so a zero-width space is inserted. In an email address (`ops@example.org`) it is
/// not needed.
fn break_mentions(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        if before == '@' && (c.is_ascii_alphanumeric() || c == '_') {
            let mention = !out.trim_end_matches('@').ends_with(|c: char| c.is_ascii_alphanumeric());
            out.extend(mention.then_some('\u{200B}'));
        }
        out.push(c);
        before = c;
    }
    out
}

/// The text after Telegram's parsing: without tags, and with entities as characters.
pub(crate) fn visible(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests;
