//! Zoom's incoming webhook: `POST /chat/webhooks/incomingwebhook/{id}?format=full`, and the older
//! `/incoming/hook/{id}`; the verification token stands bare in `Authorization`.
//!
//! Limits: head about 250 characters, a text about 4,000; over-long ones are refused. Both envelopes that Zoom's pages
//! show are taken: `{"content":{head,body}}` and `{head,body}`. Source: Zoom KB0067640, 2026-11.

use std::time::Duration;

use alerting::base::rate::Rate;
use http::header;
use serde_json::{Value, json};

use crate::color::accent;
use crate::group::Rules;
use crate::platform::{Platform, Request, is_one_below};
use crate::reply::Reply;
use crate::rich::{self, Dialect, Run};
use crate::seen::Seen;
use crate::vendor::Vendor;

const HEAD_CHARS: usize = 250;
const TEXT_CHARS: usize = 4000;

const MARKDOWN: Dialect = Dialect { bold: "*", angle_links: true, ..rich::PLAIN };

pub(crate) struct Zoom;

impl Platform for Zoom {
    fn vendor(&self) -> Vendor {
        Vendor::Zoom
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["integrations.zoom.us", "inbots.zoom.us"]
    }

    /// Zoom documents none for incoming webhooks.
    fn rates(&self) -> &'static [Rate] {
        &[]
    }

    fn has_path(&self, path: &str) -> bool {
        is_one_below(path, "/chat/webhooks/incomingwebhook/") || is_one_below(path, "/incoming/hook/")
    }

    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        Ok(request.last_part().to_owned())
    }

    fn read(&self, request: &Request<'_>, rules: &Rules) -> Result<Seen, Reply> {
        let token =
            request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = rules.secret.as_ref();
        if token.is_empty() || wanted.is_some_and(|wanted| wanted.expose() != token) {
            return Err(message(401, "Invalid authorization token"));
        }
        match request.query.get("format").map_or("full", String::as_str) {
            "full" => full(request),
            "message" => Ok(Seen { lines: rich::parse(&text_of(request)?, rich::PLAIN), ..Seen::new(request.now) }),
            "fields" => fields(request),
            _ => Err(message(400, "Invalid format")),
        }
    }

    fn accepted(&self, _group: &str, _n: u64) -> Reply {
        Reply::json(200, &json!({"status": 200}))
    }

    fn throttled(&self, _wait: Duration) -> Reply {
        message(429, "Too many requests")
    }

    fn unknown(&self) -> Reply {
        message(404, "Failed to send bot message")
    }
}

fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({"status": status, "message": text}))
}

fn text_of(request: &Request<'_>) -> Result<String, Reply> {
    String::from_utf8(request.body.to_vec()).map_err(|_| message(400, "Invalid format"))
}

fn json_of(request: &Request<'_>) -> Result<Value, Reply> {
    serde_json::from_slice(request.body).map_err(|_| message(400, "Invalid JSON"))
}

fn full(request: &Request<'_>) -> Result<Seen, Reply> {
    let body = json_of(request)?;
    let content = body.get("content").unwrap_or(&body);
    let mut seen = Seen::new(request.now);
    seen.color = content["settings"]["default_sidebar_color"].as_str().and_then(accent);
    let head = limited(&content["head"]["text"], HEAD_CHARS)?;
    seen.title = head.map(Run::plain).into_iter().collect();
    if let Some(sub) = limited(&content["head"]["sub_head"]["text"], TEXT_CHARS)? {
        seen.lines.extend(rich::parse(sub, rich::PLAIN));
    }
    for part in content["body"].as_array().into_iter().flatten() {
        show(part, &mut seen)?;
    }
    if seen.title.is_empty() && seen.lines.is_empty() {
        return Err(message(400, "Invalid content"));
    }
    Ok(seen)
}

fn show(part: &Value, seen: &mut Seen) -> Result<(), Reply> {
    match part["type"].as_str() {
        Some("message") => {
            let text = limited(&part["text"], TEXT_CHARS)?.unwrap_or_default();
            match part["link"].as_str() {
                Some(link) => seen.lines.push(vec![Run::link(text, link)]),
                None if part["is_markdown_support"] == true => seen.lines.extend(rich::parse(text, MARKDOWN)),
                None => seen.lines.extend(rich::parse(text, rich::PLAIN)),
            }
        }
        Some("section") => {
            if let Some(color) = part["sidebar_color"].as_str() {
                seen.color = accent(color);
            }
            for inner in part["sections"].as_array().into_iter().flatten() {
                show(inner, seen)?;
            }
        }
        Some("fields") => {
            for item in part["items"].as_array().into_iter().flatten() {
                let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                seen.lines.push(vec![
                    Run { bold: true, field: true, ..Run::plain(text("key")) },
                    Run::plain(format!(" {}", text("value"))),
                ]);
            }
        }
        _ => return Err(message(400, "Invalid content")),
    }
    Ok(())
}

fn fields(request: &Request<'_>) -> Result<Seen, Reply> {
    let body = json_of(request)?;
    let rows = body.as_object().ok_or_else(|| message(400, "Invalid format"))?.iter();
    let line = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        vec![Run { bold: true, field: true, ..Run::plain(name) }, Run::plain(format!(" {value}"))]
    };
    Ok(Seen { lines: rows.map(line).collect(), ..Seen::new(request.now) })
}

fn limited(text: &Value, chars: usize) -> Result<Option<&str>, Reply> {
    match text.as_str() {
        Some(text) if text.chars().count() > chars => Err(message(400, "Message is too long")),
        text => Ok(text),
    }
}

#[cfg(test)]
pub(crate) mod tests;
