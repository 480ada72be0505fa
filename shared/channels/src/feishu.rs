//! Feishu and Lark group bots: a card, signed in the body.
//!
//! In: `{"url": "https://open.feishu.cn/open-apis/bot/v2/hook/…", "secret"?: "…"}`. Out: a card of JSON 1.0, because
//! older clients show only the title of a 2.0 card; in plain form a `text` message. Texts from outside are in
//! `plain_text` elements, which have no markup, or are written with character references.
//!
//! Source: open.feishu.cn, "Custom bot usage guide" and "Card JSON 1.0" (as of 2026-11).

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::shown::links::{Piece, SafeLink, pieces};
use alerting::people::Person;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::channel::{Channel, Example, Limits};
use crate::clean::break_tags;
use crate::fit::{Render, RenderError, Written, fit};
use crate::layout::tone::Tone;
use crate::layout::{Digest, Line, Message, bare, linked};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Post};
use crate::reply::{Reply, code, text_of};
use crate::request::Request;
use crate::settings::{Fields, SettingsError};
use crate::size::{Size, Unit};
use crate::{mention, rate};

/// A custom bot of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    url: Secret,
    secret: Option<Secret>,
}

const URL_REMEDY: &str = "copy the bot's webhook address, https://open.feishu.cn/open-apis/bot/v2/hook/…";
const SECRET_REMEDY: &str = "copy the bot's signing secret, or leave it out if signature checking is off";
const HOOK_PATH: &str = "/open-apis/bot/v2/hook/";
/// Bytes that timestamp and signature add to a body: `"timestamp":"1767607200","sign":"…44…",`.
const SIGNATURE_BYTES: usize = 96;
/// The identity for mentions: an `open_id` (`ou_…`) or a `user_id`. A bot cannot look up people.
pub const MENTIONED_BY: &str = "feishu_user_id";
/// Lines of one card: a card may have 200 components, and a line has two.
const LINES: usize = 80;

impl Channel for Bot {
    const NAME: &'static str = "feishu_bot";
    const LIMITS: Limits = Limits {
        hosts: &["open.feishu.cn", "open.larksuite.com"],
        // "The request body must not exceed 20 KB", taken as decimal; it counts the whole body.
        text: Size { max: 20_000, unit: Unit::Bytes },
        // 5 requests per second and 100 per minute and bot.
        // https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
        rates: &[rate::limit(5, 1), rate::limit(100, 60)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["url", "secret"];
    const SECRETS: &'static [&'static str] = &["url", "secret"];
    const EXAMPLE: Example = Example {
        settings: r#"{"url": "https://open.feishu.cn/open-apis/bot/v2/hook/example", "secret": "example"}"#,
        provider: None,
    };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let url = fields.url("url", Self::LIMITS.hosts, URL_REMEDY)?;
        match url.path().strip_prefix(HOOK_PATH) {
            Some(id) if !id.is_empty() => {}
            _ => return Err(SettingsError::new("url", format!("has no {HOOK_PATH}… path; {URL_REMEDY}"))),
        }
        Ok(Self { url: Secret::new(url), secret: fields.optional_secret("secret", SECRET_REMEDY)? })
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let writer = Writer { signed: self.secret.as_ref().map(|secret| (secret, at.secs())) };
        Ok(Request::new(self.url.expose(), fit(post, Self::CONTENT, &writer)?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let Some(body) = reply.json() else { return reply.by_status() };
        // Old bots answer with `StatusCode` only. If both exist, `code` counts.
        let Some(code) = code(&body, "code").or_else(|| code(&body, "StatusCode")) else { return reply.by_status() };
        let retry = |reason| Outcome::Retry { after: rate::after(reply), reason };
        let rejected = |reason| Outcome::Rejected { reason };
        match code {
            0 if reply.is_success() => Outcome::Delivered { receipt: None },
            0 => reply.by_status(),
            11232 | 99_991_400 => retry(Reason::RateLimited),
            9499 if is_throttle(&text_of(&body, "msg")) => retry(Reason::RateLimited),
            -1 | 2200 => retry(Reason::ProviderDown),
            // Signature or clock, source address, keyword: the bot's own security settings.
            19021 | 19022 | 19024 => rejected(Reason::Unauthorized),
            19001 | 19007 => rejected(Reason::BadDestination),
            230_025 | 200_860 => rejected(Reason::TooLarge),
            _ if reply.status == 429 || reply.status >= 500 => reply.by_status(),
            _ => rejected(Reason::Refused),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let body = reply.json().unwrap_or_default();
        let code = code(&body, "code").or_else(|| code(&body, "StatusCode")).map(|code| code.to_string());
        let text = [text_of(&body, "msg"), text_of(&body, "StatusMessage"), reply.text()];
        ProviderReply::new(reply, code, text.iter().find(|text| !text.is_empty()).map_or("", String::as_str))
    }

    fn secrets(&self) -> Vec<&str> {
        let id = self.url.expose().rsplit('/').next().unwrap_or_default();
        std::iter::once(id).chain(self.secret.iter().map(Secret::expose)).collect()
    }
}

fn is_throttle(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("too many") || message.contains("frequency")
}

/// Base64 of HMAC-SHA256 of an empty text. The key is timestamp, line end and secret; no other vendor does this.
fn sign(secs: i64, secret: &str) -> String {
    let key = format!("{secs}\n{secret}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    STANDARD.encode(mac.finalize().into_bytes())
}

struct Writer<'a> {
    signed: Option<(&'a Secret, i64)>,
}

impl Writer<'_> {
    fn body(&self, mut body: Value) -> Option<Written> {
        let room = Bot::LIMITS.text.max - self.signed.map_or(0, |_| SIGNATURE_BYTES);
        if serde_json::to_vec(&body).expect("JSON values serialise").len() > room {
            return None;
        }
        if let Some((secret, secs)) = self.signed {
            body["timestamp"] = secs.to_string().into();
            body["sign"] = sign(secs, secret.expose()).into();
        }
        let body = serde_json::to_vec(&body).expect("JSON values serialise");
        Bot::LIMITS.text.written(body.len(), || body)
    }

    fn text(&self, text: &str) -> Option<Written> {
        self.body(json!({"msg_type": "text", "content": {"text": text}}))
    }

    fn card(&self, tone: Tone, title: &str, elements: Vec<Value>) -> Option<Written> {
        self.body(json!({"msg_type": "interactive", "card": {
            "config": {"wide_screen_mode": true},
            "header": {"template": template(tone), "title": plain_text(title)},
            "elements": elements,
        }}))
    }
}

impl Render for Writer<'_> {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        let people = &message.line.mentions;
        if form == Form::Plain {
            return self.text(&message.plain(&plain_mentions(people), break_tags, bare));
        }
        if message.is_line() {
            let links = message.link_line(|name, link| format!("[{name}]({link})"));
            let elements = vec![json!({"tag": "div", "text": {"tag": "lark_md", "content": links}})];
            return self.card(message.line.tone, &message.line.headline(), elements);
        }
        let fields = message.facts().iter().map(|fact| {
            let text = format!("**{}**\n{}", escape(&fact.name), linked(&fact.value, escape, markdown_link));
            json!({"is_short": true, "text": {"tag": "lark_md", "content": text}})
        });
        let fields: Vec<Value> = fields.collect();
        let mut elements: Vec<Value> = mentions(people).into_iter().collect();
        if !fields.is_empty() {
            elements.push(json!({"tag": "div", "fields": fields}));
        }
        for block in message.blocks() {
            elements.extend([json!({"tag": "hr"}), json!({"tag": "div", "text": text_with_links(block)})]);
        }
        let button = |(name, link): (&str, &str)| json!({"tag": "button", "type": "primary", "text": plain_text(name), "url": link});
        elements.push(json!({"tag": "action", "actions": message.links().map(button).collect::<Vec<_>>()}));
        self.card(message.line.tone, &message.line.headline(), elements)
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        let people = digest.mentions();
        if form == Form::Plain {
            return self.text(&digest.plain(&plain_mentions(&people), break_tags));
        }
        if digest.lines.len() > LINES {
            return None;
        }
        let mut elements: Vec<Value> =
            mentions(&people).into_iter().chain(digest.lines.iter().map(digest_line)).collect();
        if let Some(footer) = digest.footer() {
            elements.push(json!({"tag": "div", "text": plain_text(&footer)}));
        }
        self.card(digest.tone(), &digest.heading(), elements)
    }
}

fn user_id(person: &Person) -> Option<&str> {
    mention::identity(person, MENTIONED_BY, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The element of a card that mentions people.
fn mentions(people: &[Person]) -> Option<Value> {
    let at = |person: &Person| user_id(person).map(|id| format!("<at id={id}></at>"));
    let text = mention::line(people, at, escape);
    (!text.is_empty()).then(|| json!({"tag": "div", "text": {"tag": "lark_md", "content": text}}))
}

/// The same in a `text` message, which has other tags.
fn plain_mentions(people: &[Person]) -> String {
    let name = |name: &str| name.replace(['<', '>'], " ");
    let at = |person: &Person| user_id(person).map(|id| format!("<at user_id=\"{id}\">{}</at>", name(&person.name)));
    mention::line(people, at, break_tags)
}

fn digest_line(line: &Line) -> Value {
    let Line { tone, badge, num, title, note, link, .. } = line;
    let text = format!("{} **{badge}** [{num}]({link}) {}{}", tone.mark(), escape(title), escape(note));
    json!({"tag": "div", "text": {"tag": "lark_md", "content": text}})
}

/// Uses markup only if the text has a link.
fn text_with_links(text: &str) -> Value {
    if pieces(text).iter().all(|piece| matches!(piece, Piece::Text(_))) {
        return plain_text(text);
    }
    json!({"tag": "lark_md", "content": linked(text, escape, markdown_link)})
}

fn markdown_link(link: &SafeLink) -> String {
    format!("[{}]({})", escape(&link.shown), link.url)
}

fn plain_text(content: &str) -> Value {
    json!({"tag": "plain_text", "content": content})
}

const fn template(tone: Tone) -> &'static str {
    match tone {
        Tone::Critical => "red",
        Tone::Warning => "orange",
        Tone::Info => "blue",
        Tone::Acknowledged => "yellow",
        Tone::Closed => "green",
    }
}

/// Writes markdown characters as character references, as Feishu's card documentation says.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '<' | '>' | '*' | '~' | '[' | ']' | '(' | ')' | '`' | '_' | '&' | '\\' => {
                out += &format!("&#{};", u32::from(c));
            }
            _ => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests;
