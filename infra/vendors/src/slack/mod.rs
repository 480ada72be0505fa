//! Slack's incoming webhook: `POST /services/T…/B…/…`; success is HTTP 200 with the body `ok` and nothing else.
//!
//! Limits: about one message a second, short bursts above it are let through (429 with `Retry-After`); 50 blocks, 3,000
//! characters in a section, 150 in a header. Source: docs.slack.dev, "incoming webhooks" and "rate limits", 2026-11.

use std::time::Duration;

use alerting::base::rate::Rate;
use serde_json::Value;

use crate::color::accent;
use crate::group::Rules;
use crate::platform::{Platform, Request};
use crate::reply::Reply;
use crate::rich::{self, Dialect, Run};
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

pub mod app;

const BLOCKS: usize = 50;
const SECTION_CHARS: usize = 3000;
const HEADER_CHARS: usize = 150;
const TEXT_CHARS: usize = 40_000;

const MRKDWN: Dialect = Dialect { bold: "*", angle_links: true, entities: true, ..rich::PLAIN };

/// One a second on average; a burst of three is short.
const RATES: [Rate; 1] = [Rate { burst: 3, per: Duration::from_secs(3) }];

pub(crate) struct Slack;

impl Platform for Slack {
    fn vendor(&self) -> Vendor {
        Vendor::Slack
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["hooks.slack.com", "hooks.slack-gov.com"]
    }

    fn rates(&self) -> &'static [Rate] {
        &RATES
    }

    fn has_path(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(parts[..], ["", "services", _, _, token] if !token.is_empty())
    }

    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        Ok(request.last_part().to_owned())
    }

    fn read(&self, request: &Request<'_>, _rules: &Rules) -> Result<Seen, Reply> {
        let body: Value = serde_json::from_slice(request.body).map_err(|_| Reply::text(400, "invalid_payload"))?;
        let mut seen = Seen::new(request.now);
        // The text is what notifications show; in the channel it stands where there are no blocks beside it. Blocks of
        // an attachment do not replace it.
        match body["text"].as_str().filter(|text| !text.is_empty()) {
            Some(text) if body.get("blocks").is_none() => seen.lines = mrkdwn(text, TEXT_CHARS)?,
            Some(_) | None => blocks(&body["blocks"], &mut seen)?,
        }
        for attachment in body["attachments"].as_array().into_iter().flatten() {
            show_attachment(attachment, &mut seen)?;
        }
        if seen.lines.is_empty() && seen.title.is_empty() && seen.buttons.is_empty() {
            return Err(Reply::text(400, "no_text"));
        }
        Ok(seen)
    }

    fn accepted(&self, _group: &str, _n: u64) -> Reply {
        Reply::text(200, "ok")
    }

    fn throttled(&self, wait: Duration) -> Reply {
        Reply::text(429, "rate_limited").retry_after(wait.as_secs() + 1)
    }

    fn unknown(&self) -> Reply {
        Reply::text(404, "no_service")
    }
}

fn mrkdwn(text: &str, chars: usize) -> Result<Vec<rich::Line>, Reply> {
    if text.chars().count() > chars {
        return Err(Reply::text(400, "invalid_blocks"));
    }
    Ok(rich::parse(text, MRKDWN))
}

fn text_object(text: &Value, chars: usize) -> Result<Vec<rich::Line>, Reply> {
    let content = text["text"].as_str().ok_or_else(|| Reply::text(400, "invalid_blocks"))?;
    if content.is_empty() || content.chars().count() > chars {
        return Err(Reply::text(400, "invalid_blocks"));
    }
    Ok(rich::parse(content, if text["type"] == "mrkdwn" { MRKDWN } else { rich::PLAIN }))
}

fn blocks(list: &Value, seen: &mut Seen) -> Result<(), Reply> {
    let Some(list) = list.as_array() else { return Ok(()) };
    if list.len() > BLOCKS {
        return Err(Reply::text(400, "invalid_blocks"));
    }
    list.iter().try_for_each(|block| show_block(block, seen))
}

fn show_block(block: &Value, seen: &mut Seen) -> Result<(), Reply> {
    let elements = || block["elements"].as_array().into_iter().flatten();
    match block["type"].as_str() {
        Some("header") => seen.title = text_object(&block["text"], HEADER_CHARS)?.into_iter().flatten().collect(),
        Some("section") => {
            if block.get("text").is_some() {
                seen.lines.extend(text_object(&block["text"], SECTION_CHARS)?);
            }
            for field in block["fields"].as_array().into_iter().flatten() {
                seen.lines.extend(rich::field(text_object(field, 2000)?));
            }
        }
        Some("context") => {
            for element in elements().filter(|element| element["type"] != "image") {
                seen.lines.extend(text_object(element, 2000)?);
            }
        }
        Some("actions") => seen.buttons.extend(elements().filter_map(button)),
        Some("divider") => seen.lines.push(Vec::new()),
        _ => return Err(Reply::text(400, "invalid_blocks")),
    }
    Ok(())
}

fn show_attachment(attachment: &Value, seen: &mut Seen) -> Result<(), Reply> {
    if let Some(color) = attachment["color"].as_str() {
        seen.color = accent(color).or_else(|| accent(&format!("#{color}")));
    }
    if let Some(title) = attachment["title"].as_str() {
        seen.title = vec![match attachment["title_link"].as_str() {
            Some(link) => Run::link(title, link),
            None => Run::plain(title),
        }];
    }
    for part in ["pretext", "text"] {
        if let Some(text) = attachment[part].as_str() {
            seen.lines.extend(mrkdwn(text, TEXT_CHARS)?);
        }
    }
    blocks(&attachment["blocks"], seen)
}

fn button(element: &Value) -> Option<Button> {
    let text = element["text"]["text"].as_str()?.to_owned();
    Some(Button { text, url: rich::web_address(element["url"].as_str()?)?, value: None })
}

#[cfg(test)]
pub(crate) mod tests;
