//! WeCom group bots: markdown with WeCom's three colours. No signature, no keyword.
//!
//! In: `{"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…"}`; the bare key serves as URL. serde writes
//! UTF-8 and never `\uXXXX`, which WeCom refuses (40033).
//!
//! Source: developer.work.weixin.qq.com, "Group robot configuration", path 91770 (as of 2026-11).

use std::time::Duration;

use alerting::moment::Moment;
use alerting::secret::Secret;
use serde_json::json;

use crate::fit::{Render, fit};
use crate::layout::{Digest, Message, Tone, break_tags};
use crate::outcome::{Outcome, Provider, Reason, Reply, code, text_of};
use crate::settings::{Fields, SettingsError};
use crate::{Channel, Form, Limits, Post, RenderError, Request, Size, Unit, rate};

/// A group's bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    url: Secret,
}

const URL_REMEDY: &str =
    "copy the bot's webhook, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…, or only its key";
/// Of a `text` message, where markdown may have 4096.
const PLAIN: Size = Size { max: 2048, unit: Unit::Bytes };
/// WeCom counts by the minute.
const A_MINUTE: Duration = Duration::from_secs(60);

impl Channel for Bot {
    const NAME: &'static str = "wecom_bot";
    const LIMITS: Limits = Limits {
        hosts: &["qyapi.weixin.qq.com"],
        // Markdown content: at most 4096 bytes of UTF-8. https://developer.work.weixin.qq.com/document/path/91770
        text: Size { max: 4096, unit: Unit::Bytes },
        // 20 messages per minute and bot; same page.
        rates: &[rate(20, 60)],
    };
    const SETTINGS: &'static [&'static str] = &["url"];
    const SECRETS: &'static [&'static str] = &["url"];

    fn parse(fields: &Fields<'_>) -> Result<Self, SettingsError> {
        Ok(Self { url: fields.url_or_key("url", Self::LIMITS.hosts, "/cgi-bin/webhook/send", "key", URL_REMEDY)? })
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        Ok(Request::new(self.url.expose().to_owned(), fit(post, &Writer)?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let Some(body) = reply.json() else { return reply.by_status() };
        let Some(errcode) = code(&body, "errcode") else { return reply.by_status() };
        let rejected = |reason| Outcome::Rejected { reason };
        match errcode {
            0 if reply.is_success() => Outcome::Delivered { receipt: None },
            0 => reply.by_status(),
            45_009 | 45_033 => {
                Outcome::Retry { after: Some(reply.wait().unwrap_or(A_MINUTE)), reason: Reason::RateLimited }
            }
            -1 => Outcome::Retry { after: reply.wait(), reason: Reason::ProviderDown },
            93_000 | 93_004 | 93_008 => rejected(Reason::BadDestination),
            45_002 => rejected(Reason::TooLarge),
            40_008 | 40_033 | 40_058 | 40_063 | 44_004 => rejected(Reason::Refused),
            _ if reply.status == 429 || reply.status >= 500 => reply.by_status(),
            _ => rejected(Reason::Refused),
        }
    }

    fn provider(&self, reply: &Reply) -> Provider {
        let body = reply.json().unwrap_or_default();
        let message = Some(text_of(&body, "errmsg")).filter(|text| !text.is_empty());
        let code = code(&body, "errcode").map(|code| code.to_string());
        Provider::new(reply, code, &message.unwrap_or_else(|| reply.text()))
    }

    fn secrets(&self) -> Vec<&str> {
        self.url.expose().split_once("key=").map(|(_, key)| key).into_iter().collect()
    }
}

struct Writer;

impl Writer {
    fn text(text: &str) -> Option<Vec<u8>> {
        let body = || serde_json::to_vec(&json!({"msgtype": "text", "text": {"content": text}}));
        PLAIN.holds(text).then(|| body().expect("JSON values serialise"))
    }

    fn markdown(text: &str) -> Option<Vec<u8>> {
        let body = || serde_json::to_vec(&json!({"msgtype": "markdown", "markdown": {"content": text}}));
        Bot::LIMITS.text.holds(text).then(|| body().expect("JSON values serialise"))
    }
}

impl Render for Writer {
    fn message(&self, message: &Message, form: Form) -> Option<Vec<u8>> {
        if form == Form::Plain {
            return Self::text(&message.plain(break_tags));
        }
        let line = &message.line;
        let badge = coloured(line.tone, &line.badge);
        let mut text = format!("**{badge} [{}]({}) {}**", line.num, line.link, escape(&line.title));
        for fact in &message.facts {
            let value = escape(&fact.value);
            let value = if fact.coloured { coloured(line.tone, &value) } else { value };
            text += &format!("\n> {}{}{value}", fact.name, message.words.colon());
        }
        for block in [message.label_lines().join("\n"), message.description.clone()] {
            if !block.is_empty() {
                text += &format!("\n\n{}", escape(&block));
            }
        }
        Self::markdown(&format!("{text}\n\n[{}]({})", message.words.details(), line.link))
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Vec<u8>> {
        if form == Form::Plain {
            return Self::text(&digest.plain(break_tags));
        }
        let mut text = format!("**{}**", digest.heading());
        for line in digest.lines {
            let badge = coloured(line.tone, &line.badge);
            text += &format!("\n> {badge} [{}]({}) {}", line.num, line.link, escape(&line.title));
        }
        Self::markdown(&digest.footer().map_or(text.clone(), |footer| format!("{text}\n{footer}")))
    }
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

/// WeCom documents no escape, so what it would act on is broken up: tags and mentions by a wide bracket, links, bold
/// text and headings by a space of no width.
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
