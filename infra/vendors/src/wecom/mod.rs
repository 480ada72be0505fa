//! WeCom's group bot: `POST /cgi-bin/webhook/send?key=…`; always HTTP 200, `errcode` decides.
//!
//! Limits: 20 messages a minute per bot (45009); markdown at most 4,096 bytes, text 2,048.
//! Source: developer.work.weixin.qq.com, document 91770, 2026-11.

use std::time::Duration;

use alerting::base::rate::Rate;
use serde_json::{Value, json};

use crate::group::Rules;
use crate::platform::{Platform, Request};
use crate::reply::Reply;
use crate::rich::{self, Dialect, Run};
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

const MARKDOWN_BYTES: usize = 4096;
const TEXT_BYTES: usize = 2048;

const MARKDOWN: Dialect = Dialect {
    bold: "**",
    bracket_links: true,
    angle_links: true,
    tags: true,
    entities: true,
    blocks: true,
    ..rich::PLAIN
};

const RATES: [Rate; 1] = [Rate { burst: 20, per: Duration::from_secs(60) }];

pub(crate) struct WeCom;

impl Platform for WeCom {
    fn vendor(&self) -> Vendor {
        Vendor::WeCom
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["qyapi.weixin.qq.com"]
    }

    fn rates(&self) -> &'static [Rate] {
        &RATES
    }

    fn has_path(&self, path: &str) -> bool {
        path == "/cgi-bin/webhook/send"
    }

    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        Ok(request.parameter("key").to_owned())
    }

    fn read(&self, request: &Request<'_>, _rules: &Rules) -> Result<Seen, Reply> {
        let invalid = |what: &str| error(40_058, &format!("{what}. invalid Request Parameter"));
        let body: Value = serde_json::from_slice(request.body).map_err(|_| error(44_004, "empty content"))?;
        let mut seen = Seen::new(request.now);
        match body["msgtype"].as_str() {
            Some("text") => {
                let text = body["text"]["content"].as_str().unwrap_or_default();
                if text.len() > TEXT_BYTES {
                    return Err(error(45_002, "content size out of limit"));
                }
                seen.lines = rich::parse(text, rich::PLAIN);
                seen.lines.extend(mentions(&body["text"]));
            }
            Some(kind @ ("markdown" | "markdown_v2")) => {
                let text = body[kind]["content"].as_str().unwrap_or_default();
                if text.len() > MARKDOWN_BYTES {
                    return Err(invalid("markdown.content exceed max length 4096"));
                }
                seen.lines = rich::parse(text, MARKDOWN);
                seen.color = seen.lines.iter().flatten().find_map(|run| run.color.clone());
            }
            Some("template_card") => template_card(&body["template_card"], &mut seen),
            _ => return Err(error(40_008, "invalid message type")),
        }
        if seen.lines.is_empty() && seen.title.is_empty() {
            return Err(error(44_004, "empty content"));
        }
        Ok(seen)
    }

    fn accepted(&self, _group: &str, _n: u64) -> Reply {
        error(0, "ok")
    }

    fn throttled(&self, _wait: Duration) -> Reply {
        error(45_009, "api freq out of limit")
    }

    fn unknown(&self) -> Reply {
        error(93_000, "invalid webhook url")
    }
}

fn error(errcode: i64, errmsg: &str) -> Reply {
    Reply::json(200, &json!({"errcode": errcode, "errmsg": errmsg}))
}

/// WeCom shows the people of a text message below it.
fn mentions(text: &Value) -> Option<rich::Line> {
    let of =
        |list: &Value| list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut names: Vec<String> = of(&text["mentioned_list"]);
    names.extend::<Vec<String>>(of(&text["mentioned_mobile_list"]));
    let names: Vec<String> = names.iter().map(|name| format!("@{}", name.trim_start_matches('@'))).collect();
    (!names.is_empty()).then(|| vec![Run::plain(names.join(" "))])
}

fn template_card(card: &Value, seen: &mut Seen) {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    seen.title = text(&card["main_title"]["title"]).map(Run::plain).into_iter().collect();
    for part in [&card["main_title"]["desc"], &card["sub_title_text"]] {
        seen.lines.extend(text(part).map(|part| rich::parse(&part, rich::PLAIN)).into_iter().flatten());
    }
    for row in card["horizontal_content_list"].as_array().into_iter().flatten() {
        let (name, value) = (text(&row["keyname"]).unwrap_or_default(), text(&row["value"]).unwrap_or_default());
        seen.lines.push(vec![Run { bold: true, field: true, ..Run::plain(name) }, Run::plain(format!(" {value}"))]);
    }
    let jumps = card["jump_list"].as_array().into_iter().flatten();
    seen.buttons = jumps
        .filter_map(|jump| {
            Some(Button { text: text(&jump["title"])?, url: rich::web_address(jump["url"].as_str()?)?, value: None })
        })
        .collect();
}

#[cfg(test)]
pub(crate) mod tests;
