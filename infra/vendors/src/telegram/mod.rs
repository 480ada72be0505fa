//! Telegram's bot API: `POST /bot{token}/sendMessage`; a group is its chat id, for all bots.
//!
//! Limits: 20 messages a minute in a group, about one a second with short bursts (429 with `retry_after`); 4,096 UTF-16
//! units after the entities are parsed. Source: core.telegram.org/bots/api and /bots/faq, 2026-11.

use std::time::Duration;

use alerting::base::rate::Rate;
use serde_json::{Value, json};

use crate::group::Rules;
use crate::platform::{Platform, Request};
use crate::reply::Reply;
use crate::rich::{self, Line, Run};
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

const TEXT_UNITS: usize = 4096;

/// The tags of parse mode HTML.
const TAGS: [&str; 14] =
    ["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "blockquote", "tg-spoiler", "span"];

const RATES: [Rate; 2] =
    [Rate { burst: 3, per: Duration::from_secs(3) }, Rate { burst: 20, per: Duration::from_secs(60) }];

pub(crate) struct Telegram;

impl Platform for Telegram {
    fn vendor(&self) -> Vendor {
        Vendor::Telegram
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["api.telegram.org"]
    }

    fn rates(&self) -> &'static [Rate] {
        &RATES
    }

    fn has_path(&self, path: &str) -> bool {
        matches!(path.split('/').collect::<Vec<_>>()[..], ["", _, "sendMessage"])
    }

    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        if token_in(request.path).is_none() {
            return Err(error(404, "Not Found"));
        }
        Ok(serde_json::from_slice(request.body).map(|body: Value| chat_name(&body["chat_id"])).unwrap_or_default())
    }

    fn read(&self, request: &Request<'_>, rules: &Rules) -> Result<Seen, Reply> {
        let token = token_in(request.path).unwrap_or_default();
        if rules.secret.as_ref().is_some_and(|secret| secret.expose() != token) {
            return Err(error(401, "Unauthorized"));
        }
        let body: Value =
            serde_json::from_slice(request.body).map_err(|_| error(400, "Bad Request: can't parse JSON"))?;
        let text = body["text"].as_str().unwrap_or_default();
        let lines = match body["parse_mode"].as_str() {
            None => rich::parse(text, rich::PLAIN),
            Some("HTML") => html(text)?,
            Some(_) => return Err(error(400, "Bad Request: unsupported parse_mode")),
        };
        let length = rich::plain(&lines).encode_utf16().count();
        match length {
            0 => Err(error(400, "Bad Request: message text is empty")),
            length if length > TEXT_UNITS => Err(error(400, "Bad Request: message is too long")),
            _ => Ok(Seen { lines, buttons: buttons(&body["reply_markup"])?, ..Seen::new(request.now) }),
        }
    }

    fn accepted(&self, group: &str, n: u64) -> Reply {
        let id = group.parse::<i64>().map_or_else(|_| json!(group), |id| json!(id));
        Reply::json(200, &json!({"ok": true, "result": {"message_id": n, "chat": {"id": id, "type": "supergroup"}}}))
    }

    fn throttled(&self, wait: Duration) -> Reply {
        let seconds = wait.as_secs() + 1;
        let description = format!("Too Many Requests: retry after {seconds}");
        let parameters = json!({"retry_after": seconds});
        let body = json!({"ok": false, "error_code": 429, "description": description, "parameters": parameters});
        Reply::json(429, &body).retry_after(seconds)
    }

    fn unknown(&self) -> Reply {
        error(400, "Bad Request: chat not found")
    }
}

/// The bot's token in `/bot{token}/sendMessage`.
fn token_in(path: &str) -> Option<&str> {
    let token = path.strip_prefix("/bot")?.strip_suffix("/sendMessage")?;
    token.contains(':').then_some(token)
}

fn chat_name(chat: &Value) -> String {
    match chat {
        Value::String(name) => name.clone(),
        Value::Number(id) => id.to_string(),
        _ => String::new(),
    }
}

fn error(status: u16, description: &str) -> Reply {
    Reply::json(status, &json!({"ok": false, "error_code": status, "description": description}))
}

fn buttons(markup: &Value) -> Result<Vec<Button>, Reply> {
    let rows = markup["inline_keyboard"].as_array().into_iter().flatten();
    let keys = rows.flat_map(|row| row.as_array().into_iter().flatten());
    let button = |key: &Value| {
        let url = key["url"].as_str().and_then(rich::web_address);
        let (text, url) = key["text"].as_str().zip(url).ok_or_else(|| error(400, "Bad Request: BUTTON_URL_INVALID"))?;
        Ok(Button { text: text.to_owned(), url, value: None })
    };
    keys.map(button).collect()
}

/// Parse mode HTML: tags of the list, properly nested, and links; anything else is refused as Telegram does.
fn html(text: &str) -> Result<Vec<Line>, Reply> {
    let mut lines: Vec<Line> = vec![Line::new()];
    let mut open: Vec<(String, Option<String>)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let next = rest.find('<').unwrap_or(rest.len());
        push(&mut lines, &rest[..next], &open);
        rest = &rest[next..];
        if rest.is_empty() {
            break;
        }
        let offset = text.len() - rest.len();
        let unclosed = || entities(&format!("Unclosed start tag at byte offset {offset}"));
        let end = rest.find('>').ok_or_else(unclosed)?;
        take_tag(&rest[1..end], offset, &mut open)?;
        rest = &rest[end + 1..];
    }
    match open.last() {
        Some((name, _)) => Err(entities(&format!("Can't find end tag corresponding to start tag \"{name}\""))),
        None => Ok(lines),
    }
}

fn take_tag(tag: &str, offset: usize, open: &mut Vec<(String, Option<String>)>) -> Result<(), Reply> {
    if let Some(name) = tag.strip_prefix('/') {
        return match open.pop() {
            Some((opened, _)) if opened == name => Ok(()),
            _ => Err(entities(&format!("Unmatched end tag at byte offset {offset}"))),
        };
    }
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    if name != "a" && !TAGS.contains(&name) {
        return Err(entities(&format!("Unsupported start tag \"{name}\" at byte offset {offset}")));
    }
    let href = attributes.strip_prefix("href=").map(|value| value.trim_matches(['"', '\'']));
    open.push((name.to_owned(), href.map(|href| html_escape::decode_html_entities(href).into_owned())));
    Ok(())
}

fn entities(what: &str) -> Reply {
    error(400, &format!("Bad Request: can't parse entities: {what}"))
}

fn push(lines: &mut Vec<Line>, text: &str, open: &[(String, Option<String>)]) {
    let bold = open.iter().any(|(name, _)| name == "b" || name == "strong");
    let href = open.iter().rev().find_map(|(_, href)| href.as_deref()).and_then(rich::web_address);
    for (index, part) in text.split('\n').enumerate() {
        if index > 0 {
            lines.push(Line::new());
        }
        if !part.is_empty() {
            let text = html_escape::decode_html_entities(part).into_owned();
            lines.last_mut().expect("there is always a line").push(Run {
                text,
                bold,
                href: href.clone(),
                ..Run::default()
            });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
