//! DingTalk group bots: markdown, signed in the query.
//!
//! In: `{"url": "https://oapi.dingtalk.com/robot/send?access_token=…", "secret"?: "SEC…"}`; the bare token serves as
//! URL. `msgUuid` is the same for every try of the same post, so that DingTalk can drop a copy. A text of an alert
//! cannot mention anybody: a mention needs the person in the request's `at` object as well as `@…` in the text.
//!
//! Source: open.dingtalk.com, "Custom robots: send group messages" (as of 2026-11).

use std::time::Duration;

use alerting::base::ids::hash128;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::notice::Notice;
use alerting::incident::shown::links::SafeLink;
use alerting::people::Person;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

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

/// A custom bot of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    url: Secret,
    secret: Option<Secret>,
}

const URL_REMEDY: &str =
    "copy the bot's webhook, https://oapi.dingtalk.com/robot/send?access_token=…, or only its access token";
const SECRET_REMEDY: &str = "copy the bot's signing secret (SEC…), or leave it out if signature checking is off";
/// The identity for mentions. Without it the phone number is used, which DingTalk knows for everyone.
pub const MENTIONED_BY: &str = "dingtalk_user_id";
/// A bot that exceeds 20 messages a minute is blocked for ten minutes.
const BLOCKED: Duration = Duration::from_secs(600);
/// How long DingTalk's gateway bans an address that calls it too often. Its answer has no `errcode`.
const BANNED: Duration = Duration::from_secs(300);
const BUSY: Duration = Duration::from_secs(30);

impl Channel for Bot {
    const NAME: &'static str = "dingtalk_bot";
    const LIMITS: Limits = Limits {
        hosts: &["oapi.dingtalk.com"],
        // A request body of about 20,000 bytes is accepted. The documentation names no limit.
        text: Size { max: 20_000, unit: Unit::Bytes },
        // 20 messages per minute and bot. https://open.dingtalk.com/document/robots/custom-robot-access
        rates: &[rate::limit(20, 60)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["url", "secret"];
    const SECRETS: &'static [&'static str] = &["url", "secret"];
    const EXAMPLE: Example =
        Example { settings: r#"{"url": "https://oapi.dingtalk.com/robot/send?access_token=example"}"#, provider: None };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let url = fields.url_or_key("url", Self::LIMITS.hosts, "/robot/send", "access_token", URL_REMEDY)?;
        Ok(Self { url, secret: fields.optional_secret("secret", SECRET_REMEDY)? })
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let mut url = Url::parse(self.url.expose()).expect("parse() made the URL");
        if let Some(secret) = &self.secret {
            let millis = at.millis();
            let sign = sign(millis, secret.expose());
            url.query_pairs_mut().append_pair("timestamp", &millis.to_string()).append_pair("sign", &sign);
        }
        Ok(Request::new(url.as_str(), fit(post, Self::CONTENT, &Writer { uuid: uuid(post) })?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let Some(body) = reply.json() else { return reply.by_status() };
        let retry = |after, reason| Outcome::Retry { after, reason };
        let rejected = |reason| Outcome::Rejected { reason };
        let Some(errcode) = code(&body, "errcode") else {
            return match code(&body, "status") {
                Some(1111) => retry(Some(BANNED), Reason::RateLimited),
                _ => reply.by_status(),
            };
        };
        let message = text_of(&body, "errmsg").to_lowercase();
        match errcode {
            0 if reply.is_success() => Outcome::Delivered { receipt: None },
            0 => reply.by_status(),
            130_101 | 410_100 => retry(Some(rate::after(reply).unwrap_or(BLOCKED)), Reason::RateLimited),
            -1 => retry(Some(BUSY), Reason::ProviderDown),
            // Keyword, signature, clock or source address: the bot's own security settings.
            310_000 => rejected(Reason::Unauthorized),
            300_005 | 300_001 | 400_101 | 400_013 | 400_102 | 400_106 => rejected(Reason::BadDestination),
            460_101 => rejected(Reason::TooLarge),
            400_105 | 40_035 | 43_004 => rejected(Reason::Refused),
            // The codes for "too fast" have changed over the years, the texts less.
            _ if is_throttle(&message) => retry(Some(BLOCKED), Reason::RateLimited),
            _ if reply.status == 429 || reply.status >= 500 => reply.by_status(),
            _ => rejected(Reason::Refused),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let body = reply.json().unwrap_or_default();
        let message = Some(text_of(&body, "errmsg")).filter(|text| !text.is_empty());
        let code = code(&body, "errcode").or_else(|| code(&body, "status"));
        ProviderReply::new(reply, code.map(|code| code.to_string()), &message.unwrap_or_else(|| reply.text()))
    }

    fn secrets(&self) -> Vec<&str> {
        let token = self.url.expose().split_once("access_token=").map(|(_, token)| token);
        token.into_iter().chain(self.secret.iter().map(Secret::expose)).collect()
    }
}

fn is_throttle(message: &str) -> bool {
    ["too fast", "exceed", "frequency", "too many"].iter().any(|words| message.contains(words))
}

/// Base64 of HMAC-SHA256 of timestamp, line end and secret, under the secret.
fn sign(millis: i64, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{millis}\n{secret}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The id by which DingTalk may drop copies. The plain form has another id: it is sent only after the rich one was
/// refused.
fn uuid(post: &Post<'_>) -> String {
    let ids: Vec<String> = post.notices.iter().map(Notice::id).collect();
    let form = match post.form {
        Form::Rich => "rich",
        Form::Plain => "plain",
    };
    hash128(&ids.iter().map(String::as_str).chain([form]).collect::<Vec<_>>())
}

struct Writer {
    uuid: String,
}

impl Writer {
    fn body(&self, mut body: Value, people: &[Person]) -> Option<Written> {
        body["msgUuid"] = self.uuid.as_str().into();
        body["at"] = at(people);
        let body = serde_json::to_vec(&body).expect("JSON values serialise");
        Bot::LIMITS.text.written(body.len(), || body)
    }

    fn text(&self, text: &str, people: &[Person]) -> Option<Written> {
        self.body(json!({"msgtype": "text", "text": {"content": text}}), people)
    }

    fn markdown(&self, title: &str, text: &str, people: &[Person]) -> Option<Written> {
        self.body(json!({"msgtype": "markdown", "markdown": {"title": title, "text": text}}), people)
    }
}

impl Render for Writer {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        let people = &message.line.mentions;
        if form == Form::Plain {
            return self.text(&message.plain(&mentions(people, break_tags), break_tags, bare), people);
        }
        let line = &message.line;
        let badge = coloured(line.tone, &line.badge);
        let (title, note) = (escape(&line.title), escape(&line.note));
        let links = message.link_line(|name, link| format!("[{name}]({link})"));
        if message.is_line() {
            return self.markdown(&line.headline(), &format!("{badge} {} {title}{note} {links}", line.num), people);
        }
        let mut text = format!("### {badge} {} {title}{note}\n", line.num);
        text += &mention_block(people);
        for fact in message.facts() {
            let value = linked(&fact.value, escape, markdown_link);
            let value = if fact.coloured { coloured(line.tone, &value) } else { value };
            text += &format!("\n- **{}**{}{value}", escape(&fact.name), message.words.colon());
        }
        for block in message.blocks() {
            text += &format!("\n\n{}", lines(&linked(block, escape, markdown_link)));
        }
        text += &format!("\n\n{links}");
        self.markdown(&line.headline(), &text, people)
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        let people = &digest.mentions();
        if form == Form::Plain {
            return self.text(&digest.plain(&mentions(people, break_tags), break_tags), people);
        }
        let title = digest.heading();
        let mut text = format!("### {}\n{}", digest.escaped_heading(escape), mention_block(people));
        for line in digest.lines {
            let badge = coloured(line.tone, &line.badge);
            let (title, note) = (escape(&line.title), escape(&line.note));
            text += &format!("\n- {badge} [{}]({}) {title}{note}", line.num, line.link);
        }
        if let Some(footer) = digest.footer() {
            text += &format!("\n\n{footer}");
        }
        self.markdown(&title, &text, people)
    }
}

/// How DingTalk identifies a person.
enum Known<'a> {
    UserId(&'a str),
    Mobile(&'a str),
}

fn known(person: &Person) -> Option<Known<'_>> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let user_id = mention::identity(person, MENTIONED_BY, is_id).map(Known::UserId);
    user_id.or_else(|| {
        let phone = person.phone.as_deref()?;
        // For numbers in mainland China DingTalk wants only the eleven digits.
        let mobile = phone.strip_prefix("+86").filter(|digits| digits.len() == 11).unwrap_or(phone);
        let digits = mobile.strip_prefix('+').unwrap_or(mobile);
        let is_number = (6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Known::Mobile(mobile))
    })
}

/// The `at` object. It has an effect only for people who are also written in the text.
fn at(people: &[Person]) -> Value {
    let (mut mobiles, mut user_ids) = (Vec::new(), Vec::new());
    for person in people {
        match known(person) {
            Some(Known::UserId(id)) => user_ids.push(id),
            Some(Known::Mobile(mobile)) => mobiles.push(mobile),
            None => {}
        }
    }
    let mut at = json!({"isAtAll": false});
    for (list, members) in [("atMobiles", mobiles), ("atUserIds", user_ids)] {
        if !members.is_empty() {
            at[list] = members.into();
        }
    }
    at
}

/// `@13800000000`, which DingTalk shows as the person's name.
fn mentions(people: &[Person], escape: impl Fn(&str) -> String) -> String {
    let written = |person: &Person| match known(person)? {
        Known::UserId(known) | Known::Mobile(known) => Some(format!("@{known}")),
    };
    mention::line(people, written, escape)
}

fn mention_block(people: &[Person]) -> String {
    let text = mentions(people, escape);
    if text.is_empty() { text } else { format!("\n{text}\n") }
}

fn markdown_link(link: &SafeLink) -> String {
    format!("[{}]({})", escape(&link.shown), link.url)
}

fn coloured(tone: Tone, text: &str) -> String {
    format!("<font color=\"{}\">{text}</font>", tone.hex())
}

/// Two spaces end a line in DingTalk's markdown; a line end alone does not.
fn lines(text: &str) -> String {
    text.replace('\n', "  \n")
}

/// Puts backslashes before markdown characters, which DingTalk supports. For tags this is not documented, so the
/// bracket itself is replaced.
fn escape(text: &str) -> String {
    break_tags(text).chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if matches!(c, '\\' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '>') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests;
