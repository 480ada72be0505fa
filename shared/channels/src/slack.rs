//! Slack incoming webhooks: the headline as text, and the rest in an attachment, because only attachments have a
//! colour.
//!
//! In: `{"url": "https://hooks.slack.com/services/T…/B…/…"}`. Success is HTTP 200 with a body of exactly `ok`.
//!
//! Source: docs.slack.dev, "Sending messages using incoming webhooks", "Block Kit" and the changelog of 2016-05-17 for
//! the error texts (as of 2026-11).

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::shown::links::{Piece, SafeLink, pieces};
use alerting::people::Person;
use serde_json::{Value, json};

use crate::channel::{Channel, Example, Limits};
use crate::content::Fact;
use crate::fit::{Render, RenderError, Written, fit};
use crate::layout::{Digest, Line, Message, linked};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Post};
use crate::reply::{Reply, text_of};
use crate::request::Request;
use crate::settings::{Fields, SettingsError};
use crate::size::{Size, Unit};
use crate::{mention, rate};

/// A webhook into one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Secret,
}

const URL_REMEDY: &str = "copy the webhook URL, https://hooks.slack.com/services/T…/B…/…";
/// The identity for mentions: a member id, `U012AB3CD`.
pub const MENTIONED_BY: &str = "slack_user_id";
/// Characters of a section's text: <https://docs.slack.dev/reference/block-kit/blocks/section-block>
const SECTION_CHARS: usize = 3000;
/// Blocks of one message: <https://docs.slack.dev/reference/block-kit/blocks>
const BLOCKS: usize = 50;
/// Fields of one section; same page as its text.
const FIELDS: usize = 10;

/// The ids of the buttons, in order. Slack requires different ids.
const ACTIONS: [&str; 2] = ["details", "acknowledge"];

/// For a message of text alone, as Slack recommends. Slack cuts at 40,000.
const PLAIN: Size = Size { max: 4000, unit: Unit::Chars };

impl Channel for Webhook {
    const NAME: &'static str = "slack_webhook";
    const LIMITS: Limits = Limits {
        hosts: &["hooks.slack.com", "hooks.slack-gov.com"],
        // All texts of a message together: Slack refuses with `msg_blocks_too_long` from about 13,200 characters on,
        // which is observed (slackapi/bolt-js#2509), not documented.
        text: Size { max: 12_000, unit: Unit::Chars },
        // One message per second and webhook. https://docs.slack.dev/apis/web-api/rate-limits
        rates: &[rate::limit(1, 1)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["url"];
    const SECRETS: &'static [&'static str] = &["url"];
    const EXAMPLE: Example =
        Example { settings: r#"{"url": "https://hooks.slack.com/services/T0/B0/example"}"#, provider: None };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let url = fields.url("url", Self::LIMITS.hosts, URL_REMEDY)?;
        let known = ["/services/", "/workflows/", "/triggers/"].iter().find(|path| url.path().starts_with(**path));
        match known {
            Some(&"/services/") => Ok(Self { url: Secret::new(url) }),
            Some(_) => {
                Err(SettingsError::new("url", format!("is a workflow's, which takes no messages; {URL_REMEDY}")))
            }
            None => Err(SettingsError::new("url", format!("has no /services/… path; {URL_REMEDY}"))),
        }
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        Ok(Request::new(self.url.expose(), fit(post, Self::CONTENT, &Writer)?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        if reply.is_success() && reply.body == b"ok" {
            return Outcome::Delivered { receipt: None };
        }
        let retry = |reason| Outcome::Retry { after: rate::after(reply), reason };
        let rejected = |reason| Outcome::Rejected { reason };
        match error_name(reply).as_str() {
            "rate_limited" | "ratelimited" | "message_limit_exceeded" => retry(Reason::RateLimited),
            "rollup_error" | "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
                retry(Reason::ProviderDown)
            }
            "action_prohibited" | "invalid_token" | "posting_to_general_channel_denied" | "team_disabled" => {
                rejected(Reason::Unauthorized)
            }
            "channel_not_found"
            | "no_service"
            | "no_service_id"
            | "no_active_hooks"
            | "no_team"
            | "channel_is_archived"
            | "user_not_found" => rejected(Reason::BadDestination),
            "msg_too_long" | "msg_blocks_too_long" => rejected(Reason::TooLarge),
            "invalid_payload"
            | "no_text"
            | "invalid_blocks"
            | "invalid_blocks_format"
            | "invalid_attachments"
            | "too_many_attachments" => rejected(Reason::Refused),
            _ => reply.by_status(),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let error = Some(error_name(reply)).filter(|name| is_name(name));
        ProviderReply::new(reply, error, &reply.text())
    }

    fn secrets(&self) -> Vec<&str> {
        self.url.expose().split_once("/services/").map(|(_, secret)| secret).into_iter().collect()
    }
}

/// The error by name: the body itself, or in a JSON body its `error`.
fn error_name(reply: &Reply) -> String {
    match reply.json() {
        Some(body) if body.is_object() => text_of(&body, "error"),
        _ => reply.text().trim().to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

struct Writer;

impl Writer {
    /// The body, if all texts together are within the limit.
    fn body(body: &Value) -> Option<Written> {
        let write = || serde_json::to_vec(body).expect("JSON values serialise");
        Webhook::LIMITS.text.written(text_chars(body), write)
    }

    fn plain(text: &str) -> Option<Written> {
        let body = || serde_json::to_vec(&json!({"text": text, "unfurl_links": false})).expect("JSON values serialise");
        PLAIN.written(PLAIN.unit.count(text), body)
    }

    fn rich(text: &str, colour: &str, blocks: &[Value]) -> Option<Written> {
        let attachment = json!({"color": colour, "blocks": blocks});
        let body = json!({"text": text, "unfurl_links": false, "attachments": [attachment]});
        if blocks.len() <= BLOCKS { Self::body(&body) } else { None }
    }
}

impl Render for Writer {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        if form == Form::Plain {
            return Self::plain(&message.plain(&mentions(&message.line.mentions), escape, slack_link));
        }
        if message.is_line() {
            let Line { tone, badge, num, title, note, .. } = &message.line;
            let links = message.link_line(|name, link| format!("<{link}|{name}>"));
            return Self::plain(&format!("{} *{badge} {num}* {}{} {links}", tone.mark(), escape(title), escape(note)));
        }
        let mut blocks = Vec::new();
        for facts in message.facts().chunks(FIELDS) {
            let field =
                |fact: &Fact| mrkdwn(&format!("*{}*\n{}", escape(&fact.name), linked(&fact.value, escape, slack_link)));
            blocks.push(json!({"type": "section", "fields": facts.iter().map(field).collect::<Vec<_>>()}));
        }
        blocks.extend(message.blocks().flat_map(sections));
        let button = |(place, (name, link)): (usize, (&str, &str))| {
            let label = json!({"type": "plain_text", "text": name});
            json!({"type": "button", "action_id": ACTIONS[place], "text": label, "url": link})
        };
        let buttons: Vec<Value> = message.links().enumerate().map(button).collect();
        blocks.push(json!({"type": "actions", "elements": buttons}));
        // In the text, because mentions in an attachment notify nobody.
        let text = with_mentions(headline(&message.line), &message.line.mentions);
        Self::rich(&text, message.line.tone.hex(), &blocks)
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        if form == Form::Plain {
            return Self::plain(&digest.plain(&mentions(&digest.mentions()), escape));
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
        Self::rich(&text, digest.tone().hex(), &blocks)
    }
}

fn headline(line: &Line) -> String {
    let Line { badge, num, title, note, link, .. } = line;
    format!("*{badge} <{link}|{num}>* {}{}", escape(title), escape(note))
}

fn mentions(people: &[Person]) -> String {
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
fn sections(text: &str) -> Vec<Value> {
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
fn escape(text: &str) -> String {
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

#[cfg(test)]
mod tests;
