//! WeCom group bots: markdown with WeCom's three colours. No signature, no keyword.
//!
//! In: `{"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…"}`; the bare key serves as URL. serde writes
//! UTF-8 and never `\uXXXX`, which WeCom refuses (40033).
//!
//! Markdown mentions people only by user id, a `text` message also by phone number. So a message to a person known only
//! by phone is a `text` message: with a second message for the mention, one could arrive without the other, or twice.
//!
//! Source: developer.work.weixin.qq.com, "Group robot configuration", path 91770 (as of 2026-11).

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::shown::links::SafeLink;
use alerting::people::Person;
use serde_json::json;

use crate::channel::{Channel, Example, Limits};
use crate::clean::break_tags;
use crate::fit::{Render, RenderError, Written, fit};
use crate::layout::tone::Tone;
use crate::layout::{Digest, Message, bare, linked};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Post};
use crate::reply::{Reply, code, text_of};
use crate::request::Request;
use crate::settings::{Fields, SettingsError};
use crate::size::{Size, Unit};
use crate::{mention, rate};

/// A group's bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    url: Secret,
}

const URL_REMEDY: &str =
    "copy the bot's webhook, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…, or only its key";
/// For a `text` message; markdown may have 4096.
const PLAIN: Size = Size { max: 2048, unit: Unit::Bytes };
/// The identity for mentions. Without it the phone number is used.
pub const MENTIONED_BY: &str = "wecom_user_id";
/// WeCom counts by the minute.
const A_MINUTE: Duration = Duration::from_secs(60);

impl Channel for Bot {
    const NAME: &'static str = "wecom_bot";
    const LIMITS: Limits = Limits {
        hosts: &["qyapi.weixin.qq.com"],
        // Markdown content: at most 4096 bytes of UTF-8. https://developer.work.weixin.qq.com/document/path/91770
        text: Size { max: 4096, unit: Unit::Bytes },
        // 20 messages per minute and bot; same page.
        rates: &[rate::limit(20, 60)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["url"];
    const SECRETS: &'static [&'static str] = &["url"];
    const EXAMPLE: Example = Example {
        settings: r#"{"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=example"}"#,
        provider: None,
    };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        Ok(Self { url: fields.url_or_key("url", Self::LIMITS.hosts, "/cgi-bin/webhook/send", "key", URL_REMEDY)? })
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        Ok(Request::new(self.url.expose(), fit(post, Self::CONTENT, &Writer)?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let Some(body) = reply.json() else { return reply.by_status() };
        let Some(errcode) = code(&body, "errcode") else { return reply.by_status() };
        let rejected = |reason| Outcome::Rejected { reason };
        match errcode {
            0 if reply.is_success() => Outcome::Delivered { receipt: None },
            0 => reply.by_status(),
            45_009 | 45_033 => {
                Outcome::Retry { after: Some(rate::after(reply).unwrap_or(A_MINUTE)), reason: Reason::RateLimited }
            }
            -1 => Outcome::Retry { after: rate::after(reply), reason: Reason::ProviderDown },
            93_000 | 93_004 | 93_008 => rejected(Reason::BadDestination),
            45_002 => rejected(Reason::TooLarge),
            40_008 | 40_033 | 40_058 | 40_063 | 44_004 => rejected(Reason::Refused),
            _ if reply.status == 429 || reply.status >= 500 => reply.by_status(),
            _ => rejected(Reason::Refused),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let body = reply.json().unwrap_or_default();
        let message = Some(text_of(&body, "errmsg")).filter(|text| !text.is_empty());
        let code = code(&body, "errcode").map(|code| code.to_string());
        ProviderReply::new(reply, code, &message.unwrap_or_else(|| reply.text()))
    }

    fn secrets(&self) -> Vec<&str> {
        self.url.expose().split_once("key=").map(|(_, key)| key).into_iter().collect()
    }
}

struct Writer;

impl Writer {
    fn text(text: &str, people: &[Person]) -> Option<Written> {
        let mut message = json!({"content": text});
        let user_ids: Vec<&str> = people.iter().filter_map(user_id).collect();
        let mobiles: Vec<&str> = people.iter().filter_map(mobile).collect();
        for (list, members) in [("mentioned_list", user_ids), ("mentioned_mobile_list", mobiles)] {
            if !members.is_empty() {
                message[list] = members.into();
            }
        }
        let body = || serde_json::to_vec(&json!({"msgtype": "text", "text": message})).expect("JSON values serialise");
        PLAIN.written(text.len(), body)
    }

    fn markdown(text: &str) -> Option<Written> {
        let body = json!({"msgtype": "markdown", "markdown": {"content": text}});
        Bot::LIMITS.text.written(text.len(), || serde_json::to_vec(&body).expect("JSON values serialise"))
    }
}

impl Render for Writer {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        let line = &message.line;
        if form == Form::Plain || line.mentions.iter().any(|person| mobile(person).is_some()) {
            return Self::text(&message.plain(&unmentioned(&line.mentions), break_tags, bare), &line.mentions);
        }
        let badge = coloured(line.tone, &line.badge);
        let (title, note) = (escape(&line.title), escape(&line.note));
        let links = message.link_line(|name, link| format!("[{name}]({link})"));
        if message.is_line() {
            return Self::markdown(&format!("{badge} {} {title}{note} {links}", line.num));
        }
        let mut text = format!("**{badge} [{}]({}) {title}{note}**", line.num, line.link);
        text += &mention_line(&line.mentions);
        for fact in message.facts() {
            let value = linked(&fact.value, escape, markdown_link);
            let value = if fact.coloured { coloured(line.tone, &value) } else { value };
            text += &format!("\n> {}{}{value}", escape(&fact.name), message.words.colon());
        }
        for block in message.blocks() {
            text += &format!("\n\n{}", linked(block, escape, markdown_link));
        }
        Self::markdown(&format!("{text}\n\n{links}"))
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        let people = digest.mentions();
        if form == Form::Plain || people.iter().any(|person| mobile(person).is_some()) {
            return Self::text(&digest.plain(&unmentioned(&people), break_tags), &people);
        }
        let mut text = format!("**{}**{}", digest.escaped_heading(escape), mention_line(&people));
        for line in digest.lines {
            let badge = coloured(line.tone, &line.badge);
            let (title, note) = (escape(&line.title), escape(&line.note));
            text += &format!("\n> {badge} [{}]({}) {title}{note}", line.num, line.link);
        }
        Self::markdown(&digest.footer().map_or(text.clone(), |footer| format!("{text}\n{footer}")))
    }
}

fn user_id(person: &Person) -> Option<&str> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'.');
    // `@all` mentions everyone; a user id begins with a letter or a digit.
    mention::identity(person, MENTIONED_BY, is_id).filter(|id| id.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The phone number for a mention without a user id, in mainland China without +86.
fn mobile(person: &Person) -> Option<&str> {
    if user_id(person).is_some() {
        return None;
    }
    let phone = person.phone.as_deref()?;
    let mobile = phone.strip_prefix("+86").filter(|digits| digits.len() == 11).unwrap_or(phone);
    let digits = mobile.strip_prefix('+').unwrap_or(mobile);
    ((6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(mobile)
}

/// The line in markdown.
fn mention_line(people: &[Person]) -> String {
    let text = mention::line(people, |person| user_id(person).map(|id| format!("<@{id}>")), escape);
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// The people whom a `text` message cannot mention. WeCom itself writes the others below the message.
fn unmentioned(people: &[Person]) -> String {
    let names = people.iter().filter(|person| user_id(person).is_none() && mobile(person).is_none());
    mention::line(&names.cloned().collect::<Vec<_>>(), |_| None, break_tags)
}

fn markdown_link(link: &SafeLink) -> String {
    format!("[{}]({})", escape(&link.shown), link.url)
}

/// WeCom knows `warning` (orange red), `comment` (grey) and `info` (green).
fn coloured(tone: Tone, text: &str) -> String {
    let colour = match tone {
        Tone::Critical | Tone::Warning => "warning",
        Tone::Info | Tone::Acknowledged => "comment",
        Tone::Closed => "info",
    };
    format!("<font color=\"{colour}\">{text}</font>")
}

/// WeCom documents no escapes, so markup is broken: tags and mentions by a wide bracket, links, bold text and headings
/// by a zero-width space.
fn escape(text: &str) -> String {
    let broken = break_tags(text).replace("](", "]\u{200B}(").replace("**", "*\u{200B}*");
    let lines = broken.split('\n').map(|line| {
        let heading = line.trim_start().starts_with('#');
        if heading { format!("\u{200B}{line}") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
