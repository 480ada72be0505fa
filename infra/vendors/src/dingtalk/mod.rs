//! DingTalk's group bot: `POST /robot/send?access_token=…`; always HTTP 200, `errcode` decides.
//!
//! Limits: 20 messages a minute per bot, beyond them nothing for ten minutes (130101); body about 20,000 bytes (460101).
//! Source: open.dingtalk.com, "custom robot", 2026-06.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::group::Rules;
use crate::platform::{Platform, Request};
use crate::reply::Reply;
use crate::rich::{self, Dialect, Run};
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

const BODY_BYTES: usize = 20_000;
/// How old a signature may be.
const SIGNATURE_AGE_MS: u64 = 3_600_000;

const MARKDOWN: Dialect = Dialect {
    bold: "**",
    bracket_links: true,
    tags: true,
    backslashes: true,
    entities: true,
    blocks: true,
    ..rich::PLAIN
};

const RATES: [Rate; 1] = [Rate { burst: 20, per: Duration::from_secs(60) }];

pub(crate) struct DingTalk;

impl Platform for DingTalk {
    fn vendor(&self) -> Vendor {
        Vendor::DingTalk
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["oapi.dingtalk.com"]
    }

    fn rates(&self) -> &'static [Rate] {
        &RATES
    }

    fn block(&self) -> Duration {
        Duration::from_secs(600)
    }

    fn has_path(&self, path: &str) -> bool {
        path == "/robot/send"
    }

    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        Ok(request.parameter("access_token").to_owned())
    }

    fn read(&self, request: &Request<'_>, rules: &Rules) -> Result<Seen, Reply> {
        if request.body.len() > BODY_BYTES {
            return Err(error(460_101, "message too long, exceed 20000 bytes"));
        }
        let json_type = request.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !json_type.is_some_and(|value| value.starts_with("application/json")) {
            return Err(error(43_004, "需要contentType头为application/json"));
        }
        let body: Value = serde_json::from_slice(request.body).map_err(|_| error(40_035, "不合法的参数"))?;
        check_signature(request, rules)?;
        let seen = match body["msgtype"].as_str() {
            Some("text") => lines(&body["text"]["content"], rich::PLAIN),
            Some("markdown") => markdown(&body["markdown"]),
            Some("actionCard") => action_card(&body["actionCard"]),
            _ => return Err(error(400_105, "不支持的消息类型")),
        };
        let mut seen = seen.ok_or_else(|| error(40_035, "缺少参数 json"))?;
        show_calls(&body["at"], &mut seen);
        let visible = format!("{}\n{}", seen.title(), seen.text());
        if !rules.keywords.is_empty() && !rules.keywords.iter().any(|keyword| visible.contains(keyword)) {
            return Err(error(310_000, "keywords not in content"));
        }
        Ok(Seen { at: request.now, ..seen })
    }

    fn accepted(&self, _group: &str, _n: u64) -> Reply {
        error(0, "ok")
    }

    fn throttled(&self, _wait: Duration) -> Reply {
        error(130_101, "send too fast, exceed 20 times per minute")
    }

    fn unknown(&self) -> Reply {
        error(300_005, "token is not exist")
    }
}

fn error(errcode: i64, errmsg: &str) -> Reply {
    Reply::json(200, &json!({"errcode": errcode, "errmsg": errmsg}))
}

/// The message is `timestamp\nsecret`, the key the secret; both stand in the query, the time in milliseconds.
fn check_signature(request: &Request<'_>, rules: &Rules) -> Result<(), Reply> {
    let Some(secret) = &rules.secret else { return Ok(()) };
    let fail = |why: &str| error(310_000, &format!("description:{why};solution:请检查加签设置"));
    let timestamp = request.query.get("timestamp").ok_or_else(|| fail("invalid timestamp"))?;
    let at: i64 = timestamp.parse().map_err(|_| fail("invalid timestamp"))?;
    if at.abs_diff(request.now.millis()) > SIGNATURE_AGE_MS {
        return Err(fail("invalid timestamp"));
    }
    let sign = request.parameter("sign");
    let sign = STANDARD.decode(sign).map_err(|_| fail("sign not match"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{timestamp}\n{}", secret.expose()).as_bytes());
    mac.verify_slice(&sign).map_err(|_| fail("sign not match"))
}

/// Calls the people of the `at` object that the text names as well; where it does not, nothing happens. DingTalk shows
/// their names in place of the numbers, which only it knows: here they are written in bold.
fn show_calls(at: &Value, seen: &mut Seen) {
    let of = |list: &'static str| at[list].as_array().into_iter().flatten().filter_map(Value::as_str);
    let called: Vec<String> = of("atMobiles").chain(of("atUserIds")).map(|known| format!("@{known}")).collect();
    for line in &mut seen.lines {
        let runs = std::mem::take(line).into_iter();
        *line = runs.flat_map(|run| with_calls(run, &called)).collect();
    }
}

fn with_calls(run: Run, called: &[String]) -> Vec<Run> {
    let found = called.iter().filter_map(|call| Some((run.text.find(call.as_str())?, call.len()))).min();
    let Some((start, length)) = found else { return vec![run] };
    let part = |text: &str| Run { text: text.to_owned(), ..run.clone() };
    let mut runs = vec![part(&run.text[..start]), Run { bold: true, ..part(&run.text[start..start + length]) }];
    runs.extend(with_calls(part(&run.text[start + length..]), called));
    runs.retain(|run| !run.text.is_empty());
    runs
}

fn lines(text: &Value, dialect: Dialect) -> Option<Seen> {
    let text = text.as_str().filter(|text| !text.is_empty())?;
    let lines = rich::parse(text, dialect);
    Some(Seen { lines, ..Seen::new(Moment::default()) })
}

/// The title shows in the notification only; a page has room for it.
fn titled(title: &Value, text: &Value) -> Option<Seen> {
    let mut seen = lines(text, MARKDOWN)?;
    seen.title = vec![Run::plain(title.as_str().filter(|title| !title.is_empty())?)];
    seen.color = seen.lines.iter().flatten().find_map(|run| run.color.clone());
    // Markdown's own line ends are blank lines; the client draws one.
    seen.lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    Some(seen)
}

fn markdown(markdown: &Value) -> Option<Seen> {
    titled(&markdown["title"], &markdown["text"])
}

fn action_card(card: &Value) -> Option<Seen> {
    let mut seen = titled(&card["title"], &card["text"])?;
    let single = [(&card["singleTitle"], &card["singleURL"])];
    let several = card["btns"].as_array().into_iter().flatten().map(|button| (&button["title"], &button["actionURL"]));
    seen.buttons = single
        .into_iter()
        .chain(several)
        .filter_map(|(text, url)| {
            Some(Button { text: text.as_str()?.to_owned(), url: rich::web_address(url.as_str()?)?, value: None })
        })
        .collect();
    Some(seen)
}

#[cfg(test)]
pub(crate) mod tests;
