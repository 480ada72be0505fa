//! Feishu's group bot: `POST /open-apis/bot/v2/hook/{token}`; the body's code decides, not the HTTP status.
//!
//! Limits: 5 requests a second and 100 a minute per bot (HTTP 200, code 11232), body at most 20 KB (code 9499).
//! Source: open.feishu.cn, "custom bot guide", 2026-11.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::color::accent;
use crate::group::Rules;
use crate::platform::{Platform, Request, is_one_below};
use crate::reply::Reply;
use crate::rich::{self, Dialect, Run};
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

const BODY_BYTES: usize = 20 * 1024;
/// How old a signature may be.
const SIGNATURE_AGE_SECS: i64 = 3600;

const MARKDOWN: Dialect =
    Dialect { bold: "**", bracket_links: true, tags: true, backslashes: true, entities: true, ..rich::PLAIN };
const TEXT: Dialect = Dialect { tags: true, ..rich::PLAIN };

const RATES: [Rate; 2] =
    [Rate { burst: 5, per: Duration::from_secs(1) }, Rate { burst: 100, per: Duration::from_secs(60) }];

pub(crate) struct Feishu;

impl Platform for Feishu {
    fn vendor(&self) -> Vendor {
        Vendor::Feishu
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["open.feishu.cn", "open.larksuite.com"]
    }

    fn rates(&self) -> &'static [Rate] {
        &RATES
    }

    fn has_path(&self, path: &str) -> bool {
        is_one_below(path, "/open-apis/bot/v2/hook/") || is_one_below(path, "/open-apis/bot/hook/")
    }

    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        Ok(request.last_part().to_owned())
    }

    fn read(&self, request: &Request<'_>, rules: &Rules) -> Result<Seen, Reply> {
        let bad = || code(400, 9499, "Bad Request");
        if request.body.len() > BODY_BYTES {
            return Err(bad());
        }
        let body: Value = serde_json::from_slice(request.body).map_err(|_| bad())?;
        check_signature(&body, rules, request.now.secs())?;
        let seen = match body["msg_type"].as_str() {
            Some("text") => text(&body["content"]),
            Some("post") => post_message(&body["content"]["post"]),
            Some("interactive") => Some(card(&body["card"])),
            _ => None,
        };
        let seen = Seen { at: request.now, ..seen.ok_or_else(bad)? };
        let visible = format!("{}\n{}", seen.title(), seen.text());
        if !rules.keywords.is_empty() && !rules.keywords.iter().any(|keyword| visible.contains(keyword)) {
            return Err(code(200, 19024, "Key Words Not Found"));
        }
        Ok(seen)
    }

    fn accepted(&self, _group: &str, _n: u64) -> Reply {
        Reply::json(200, &json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}))
    }

    fn throttled(&self, _wait: Duration) -> Reply {
        code(200, 11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
    }

    fn unknown(&self) -> Reply {
        code(200, 19001, "param invalid: incoming webhook access token invalid")
    }
}

fn code(status: u16, code: u32, msg: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "msg": msg, "data": {}}))
}

/// Feishu's scheme differs from others: the key is `timestamp\nsecret`, the message is empty, and timestamp and
/// signature are in the body.
fn check_signature(body: &Value, rules: &Rules, now_secs: i64) -> Result<(), Reply> {
    let Some(secret) = &rules.secret else { return Ok(()) };
    let fail = || code(200, 19021, "sign match fail or timestamp is not within one hour from current time");
    let timestamp = match &body["timestamp"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(fail()),
    };
    let age = timestamp.parse::<i64>().map_err(|_| fail())?.abs_diff(now_secs);
    let sign = STANDARD.decode(body["sign"].as_str().unwrap_or_default()).map_err(|_| fail())?;
    let key = format!("{timestamp}\n{}", secret.expose());
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.verify_slice(&sign).map_err(|_| fail())?;
    if age > SIGNATURE_AGE_SECS.unsigned_abs() { Err(fail()) } else { Ok(()) }
}

fn empty() -> Seen {
    Seen::new(Moment::default())
}

fn text(content: &Value) -> Option<Seen> {
    Some(Seen { lines: rich::parse(content["text"].as_str()?, TEXT), ..empty() })
}

/// The first language that is there, as a client shows its own.
fn post_message(post: &Value) -> Option<Seen> {
    let language = ["en_us", "zh_cn", "ja_jp"].iter().find_map(|name| post.get(name));
    let post = language.or_else(|| post.as_object()?.values().next())?;
    let paragraphs = post["content"].as_array()?;
    let lines = paragraphs.iter().map(|line| line.as_array().into_iter().flatten().map(post_run).collect()).collect();
    let title = post["title"].as_str().filter(|title| !title.is_empty()).map(Run::plain);
    Some(Seen { title: title.into_iter().collect(), lines, ..empty() })
}

fn post_run(tag: &Value) -> Run {
    let text = tag["text"].as_str().unwrap_or_default();
    match tag["tag"].as_str() {
        Some("a") => Run::link(text, tag["href"].as_str().unwrap_or_default()),
        Some("at") => Run::plain(format!("@{}", tag["user_name"].as_str().or(tag["user_id"].as_str()).unwrap_or("?"))),
        _ => Run { bold: has_style(tag, "bold"), ..Run::plain(text) },
    }
}

fn has_style(tag: &Value, style: &str) -> bool {
    tag["style"].as_array().is_some_and(|styles| styles.iter().any(|name| name == style))
}

/// Card JSON 1.0 (`elements`) and 2.0 (`body.elements`).
fn card(card: &Value) -> Seen {
    let mut seen = empty();
    let header = &card["header"];
    seen.title = inline(&header["title"]);
    seen.color = header["template"].as_str().and_then(accent);
    let elements = if card["schema"] == "2.0" { &card["body"]["elements"] } else { &card["elements"] };
    show_all(elements, &mut seen);
    seen
}

fn show_all(elements: &Value, seen: &mut Seen) {
    for element in elements.as_array().into_iter().flatten() {
        show(element, seen);
    }
}

fn show(element: &Value, seen: &mut Seen) {
    match element["tag"].as_str() {
        Some("markdown" | "lark_md" | "plain_text") => seen.lines.extend(content(element)),
        Some("div") => {
            seen.lines.extend(content(&element["text"]));
            for field in element["fields"].as_array().into_iter().flatten() {
                seen.lines.extend(rich::field(content(&field["text"])));
            }
        }
        Some("button") => seen.buttons.extend(button(element)),
        Some("hr") => seen.lines.push(Vec::new()),
        // Containers of both card versions.
        _ => {
            for inner in ["elements", "columns", "actions"] {
                show_all(&element[inner], seen);
            }
        }
    }
}

fn content(text: &Value) -> Vec<rich::Line> {
    let dialect = if text["tag"] == "plain_text" { rich::PLAIN } else { MARKDOWN };
    text["content"].as_str().map(|content| rich::parse(content, dialect)).unwrap_or_default()
}

fn inline(text: &Value) -> rich::Line {
    content(text).into_iter().flatten().collect()
}

fn button(element: &Value) -> Option<Button> {
    let open_url =
        element["behaviors"].as_array().into_iter().flatten().find(|behavior| behavior["type"] == "open_url");
    let url = element["url"]
        .as_str()
        .or_else(|| element["multi_url"]["url"].as_str())
        .or_else(|| open_url?["default_url"].as_str())?;
    Some(Button { text: rich::plain(&content(&element["text"])), url: rich::web_address(url)?, value: None })
}

#[cfg(test)]
pub(crate) mod tests;
