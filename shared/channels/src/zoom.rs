//! Zoom incoming webhooks: a message with a coloured side bar, and the verification token as the bare `Authorization`.
//!
//! In: `{"url": "https://integrations.zoom.us/chat/webhooks/incomingwebhook/…", "verification_token": "…", "envelope"?:
//! "content" | "top_level"}`. Sources disagree whether the message stands in `content` (as other senders do) or at the
//! top level (Zoom's own example), hence the setting. Only the part with mentions is markdown, so no text of an alert
//! is a mention or a link.
//!
//! Source: support.zoom.com KB0067640, "Using the Incoming Webhook app" (as of 2026-11); apprise and Keep for the
//! shape.

use std::borrow::Cow;

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::shown::links::{Piece, pieces};
use alerting::people::Person;
use serde_json::{Value, json};
use url::Url;

use crate::channel::{Channel, Example, Limits};
use crate::fit::{Render, RenderError, Written, fit};
use crate::layout::tone::Tone;
use crate::layout::{Digest, Message, bare};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Post};
use crate::reply::{Reply, code, text_of};
use crate::request::Request;
use crate::settings::{Fields, SettingsError};
use crate::size::{Size, Unit};
use crate::{mention, rate};

/// A connection of Zoom's incoming webhook app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Secret,
    token: Secret,
    envelope: Envelope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Envelope {
    Content,
    TopLevel,
}

const URL_REMEDY: &str = "copy the endpoint, https://integrations.zoom.us/chat/webhooks/incomingwebhook/…";
const TOKEN_REMEDY: &str = "copy the verification token that is shown beside the endpoint";
/// The identity for mentions: a JID, or the user id in its first part.
pub const MENTIONED_BY: &str = "zoom_jid";
/// Characters of the headline.
const HEAD: Size = Size { max: 250, unit: Unit::Chars };

impl Channel for Webhook {
    const NAME: &'static str = "zoom_webhook";
    const LIMITS: Limits = Limits {
        hosts: &["integrations.zoom.us", "inbots.zoom.us"],
        // About 4,000 characters; a longer message is refused. Not documented; found by other senders.
        text: Size { max: 4000, unit: Unit::Chars },
        // Zoom documents no rate for incoming webhooks. Its other chat endpoints accept at least one a second.
        rates: &[rate::limit(1, 1)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["url", "verification_token", "envelope"];
    const SECRETS: &'static [&'static str] = &["url", "verification_token"];
    const EXAMPLE: Example = Example {
        settings: r#"{"url": "https://integrations.zoom.us/chat/webhooks/incomingwebhook/example",
            "verification_token": "example"}"#,
        provider: None,
    };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let mut url = fields.url("url", Self::LIMITS.hosts, URL_REMEDY)?;
        let path = ["/chat/webhooks/incomingwebhook/", "/incoming/hook/"];
        if !path.iter().any(|path| url.path().strip_prefix(path).is_some_and(|id| !id.is_empty())) {
            return Err(SettingsError::new("url", format!("is no incoming webhook's; {URL_REMEDY}")));
        }
        ask_for_full_format(&mut url);
        let token = fields.text("verification_token", TOKEN_REMEDY)?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("must be of printable ASCII characters; {TOKEN_REMEDY}");
            return Err(SettingsError::new("verification_token", message));
        }
        let envelope = match fields.get("envelope").map(Value::as_str) {
            None | Some(Some("content")) => Envelope::Content,
            Some(Some("top_level")) => Envelope::TopLevel,
            Some(_) => {
                return Err(SettingsError::new("envelope", "must be content or top_level; leave it out for content"));
            }
        };
        Ok(Self { url: Secret::new(url), token: Secret::new(token), envelope })
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let body = fit(post, Self::CONTENT, &Writer { envelope: self.envelope })?;
        Ok(Request::new(self.url.expose(), body, at).header("authorization", &self.token))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let text = reply.text().to_lowercase();
        let rejected = |reason| Outcome::Rejected { reason };
        if text.contains("failed to send bot message") {
            return rejected(Reason::BadDestination);
        }
        if !reply.is_success() {
            return reply.by_status();
        }
        match reply.json() {
            // Success has an empty body or one that names no error.
            Some(body) if body.is_object() => match error_code(&body) {
                None | Some(0 | 200) => Outcome::Delivered { receipt: None },
                Some(_) => rejected(Reason::Refused),
            },
            _ if text.contains("missed timestamp") || text.contains("invalid") => rejected(Reason::Refused),
            // An HTML page, or a longer body than Zoom's, is not from Zoom.
            _ if reply.body.len() > 1024 || text.trim_start().starts_with('<') => reply.by_status(),
            _ => Outcome::Delivered { receipt: None },
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let body = reply.json().unwrap_or_default();
        let message = Some(text_of(&body, "message")).filter(|text| !text.is_empty());
        let code = error_code(&body).map(|code| code.to_string());
        ProviderReply::new(reply, code, &message.unwrap_or_else(|| reply.text()))
    }

    fn secrets(&self) -> Vec<&str> {
        let id = self.url.expose().split('?').next().and_then(|path| path.rsplit('/').next());
        id.into_iter().chain([self.token.expose()]).collect()
    }
}

/// `code` as in Zoom's API, or `errorCode` as in its chat gateway.
fn error_code(body: &Value) -> Option<i64> {
    code(body, "code").or_else(|| code(body, "errorCode"))
}

/// Sets `format=full` and keeps the rest of the query.
fn ask_for_full_format(url: &mut Url) {
    let kept: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(name, _)| name != "format").collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair("format", "full");
}

struct Writer {
    envelope: Envelope,
}

/// One part of a message's body.
enum Part<'a> {
    Text(String),
    Link(String, Cow<'a, str>),
    /// The only part that Zoom reads as markdown.
    Mentions(String),
}

impl Part<'_> {
    fn text(&self) -> &str {
        match self {
            Part::Text(text) | Part::Link(text, _) | Part::Mentions(text) => text,
        }
    }

    fn json(&self) -> Value {
        match self {
            Part::Text(text) => json!({"type": "message", "text": text}),
            Part::Link(text, link) => json!({"type": "message", "text": text, "link": link}),
            Part::Mentions(text) => json!({"type": "message", "is_markdown_support": true, "text": text}),
        }
    }
}

impl Writer {
    fn body(&self, tone: Option<Tone>, head: &str, parts: &[Part<'_>]) -> Option<Written> {
        let chars = Unit::Chars.count(head) + parts.iter().map(|part| Unit::Chars.count(part.text())).sum::<usize>();
        if !HEAD.holds(head) {
            return None;
        }
        let body: Vec<Value> = parts.iter().map(Part::json).collect();
        let mut content = json!({"head": {"text": head, "style": {"bold": true}}, "body": body});
        if let Some(tone) = tone {
            content["settings"] = json!({"default_sidebar_color": tone.hex()});
        }
        let whole = match self.envelope {
            Envelope::Content => json!({"content": content}),
            Envelope::TopLevel => content,
        };
        Webhook::LIMITS.text.written(chars, || serde_json::to_vec(&whole).expect("JSON values serialise"))
    }
}

impl Render for Writer {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        let line = &message.line;
        let whole = line.headline();
        let head = alerting::base::limits::cut_chars(&whole, HEAD.max);
        let mut parts: Vec<Part<'_>> = mentions(&line.mentions).into_iter().collect();
        if head != whole {
            parts.push(Part::Text(line.title.clone()));
        }
        if form == Form::Plain {
            parts.push(Part::Text(message.plain("", str::to_owned, bare)));
            return self.body(None, &head, &parts);
        }
        let facts = message.facts().iter().map(|fact| format!("{}{}{}", fact.name, message.words.colon(), fact.value));
        let facts = facts.collect::<Vec<_>>().join("\n");
        parts.extend(with_links(&facts));
        parts.extend(message.blocks().flat_map(with_links));
        parts.extend(message.links().map(|(name, link)| Part::Link(name.to_owned(), link.into())));
        self.body(Some(line.tone), &head, &parts)
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written> {
        let heading = alerting::base::limits::cut_chars(&digest.heading(), HEAD.max);
        let mut parts: Vec<Part<'_>> = mentions(&digest.mentions()).into_iter().collect();
        if form == Form::Plain {
            parts.push(Part::Text(digest.plain("", str::to_owned)));
            return self.body(None, &heading, &parts);
        }
        parts.extend(digest.lines.iter().map(|line| Part::Link(line.marked(), line.link.as_str().into())));
        parts.extend(digest.footer().map(Part::Text));
        self.body(Some(digest.tone()), &heading, &parts)
    }
}

/// A part of a body is either a whole link or no link, so every address is a part of its own. Under a text of the
/// sender, a link would not show where it leads.
fn with_links<'a>(text: &str) -> Vec<Part<'a>> {
    let pieces = pieces(text);
    let is_link = |index: Option<usize>| index.is_some_and(|index| matches!(pieces.get(index), Some(Piece::Link(_))));
    let mut parts = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Link(link) => parts.push(Part::Link(link.shown.clone(), link.url.clone().into())),
            Piece::Text(text) => {
                let mut text = text.trim_matches('\n');
                // Removes the empty brackets around an address.
                if is_link(index.checked_sub(1)) {
                    text = text.trim_start_matches([')', ' ', '\n']);
                }
                if is_link(Some(index + 1)) {
                    text = text.trim_end_matches(['(', ' ', '\n']);
                }
                parts.extend((!text.trim().is_empty()).then(|| Part::Text(text.to_owned())));
            }
        }
    }
    parts
}

/// The first part of the body, where people see it. It is markdown, so markup characters are removed from the names.
fn mentions(people: &[Person]) -> Option<Part<'static>> {
    let name = |name: &str| name.replace(['<', '>', '|', '*', '_', '~', '`', '[', ']', '(', ')'], " ");
    let mention = |person: &Person| jid(person).map(|jid| format!("<!{jid}|{}>", name(&person.name)));
    let text = mention::line(people, mention, name);
    (!text.is_empty()).then_some(Part::Mentions(text))
}

/// A JID is the user id in lower case at a domain of Zoom's. Directories have one or the other.
fn jid(person: &Person) -> Option<String> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@');
    let id = mention::identity(person, MENTIONED_BY, is_id)?;
    match id.split_once('@') {
        None => Some(format!("{}@xmpp.zoom.us", id.to_ascii_lowercase())),
        Some((user, domain)) if !user.is_empty() && domain.contains('.') && !domain.contains('@') => {
            Some(id.to_owned())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests;
