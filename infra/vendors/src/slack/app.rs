//! The Web API of a Slack app: `chat.postMessage` and `chat.update` on slack.com, and the press of a button, which Slack
//! sends to the app's address with a signature.
//!
//! A message is named by its conversation and a time stamp; a message to a person goes to the private chat `D…`. Limits:
//! about one message a second in a conversation. Source: docs.slack.dev, the two methods, "rate limits", "Verifying
//! requests from Slack" and "`block_actions` payload", 2026-11.

use std::time::Duration;

use alerting::base::moment::Moment;
use alerting::base::rate::Rate;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::group::Rules;
use crate::platform::{Platform, Request};
use crate::reply::Reply;
use crate::seen::{Button, Seen};
use crate::vendor::Vendor;

const POST: &str = "/api/chat.postMessage";
const UPDATE: &str = "/api/chat.update";
/// The seconds of every time stamp; the number of the message is behind the point.
const EPOCH: &str = "1700000000";
const OPTION_CHARS: usize = 150;
const VALUE_CHARS: usize = 2000;
/// One a second on average; a burst of three is short.
const RATES: [Rate; 1] = [Rate { burst: 3, per: Duration::from_secs(3) }];

pub(crate) struct SlackApp;

impl Platform for SlackApp {
    fn vendor(&self) -> Vendor {
        Vendor::SlackApp
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["slack.com"]
    }

    fn rates(&self) -> &'static [Rate] {
        &RATES
    }

    fn has_path(&self, path: &str) -> bool {
        [POST, UPDATE].contains(&path)
    }

    /// The conversation. A person's is the private chat with the app.
    fn group(&self, request: &Request<'_>) -> Result<String, Reply> {
        let channel = body(request)?["channel"].as_str().unwrap_or_default().to_owned();
        match channel.chars().next() {
            Some('U' | 'W') => Ok(format!("D{}", &channel[1..])),
            Some('C' | 'G' | 'D') => Ok(channel),
            _ => Err(error("channel_not_found")),
        }
    }

    fn read(&self, request: &Request<'_>, rules: &Rules) -> Result<Seen, Reply> {
        let given = request.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given.and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default();
        match &rules.secret {
            Some(secret) if token != secret.expose() => return Err(error("invalid_auth")),
            None if !token.starts_with("xoxb-") => return Err(error("not_authed")),
            Some(_) | None => {}
        }
        let body = body(request)?;
        let mut seen = Seen::new(request.now);
        if let Some(text) = body["text"].as_str().filter(|text| !text.is_empty()) {
            seen.lines = super::mrkdwn(text, super::TEXT_CHARS).map_err(|_| error("msg_too_long"))?;
        }
        for attachment in body["attachments"].as_array().into_iter().flatten() {
            super::show_attachment(attachment, &mut seen).map_err(|_| error("invalid_blocks"))?;
            seen.buttons = buttons(attachment)?;
        }
        if seen.lines.is_empty() && seen.buttons.is_empty() { Err(error("no_text")) } else { Ok(seen) }
    }

    fn accepted(&self, group: &str, n: u64) -> Reply {
        Reply::json(200, &json!({"ok": true, "channel": group, "ts": time_stamp(n)}))
    }

    fn changes(&self, request: &Request<'_>) -> Option<u64> {
        if request.path != UPDATE {
            return None;
        }
        // A time stamp of another form is that of no message.
        let body = body(request).ok()?;
        let number = body["ts"].as_str().and_then(|ts| ts.strip_prefix(&format!("{EPOCH}.")));
        Some(number.and_then(|number| number.parse().ok()).unwrap_or_default())
    }

    fn gone(&self) -> Reply {
        error("message_not_found")
    }

    fn throttled(&self, wait: Duration) -> Reply {
        Reply::json(429, &json!({"ok": false, "error": "ratelimited"})).retry_after(wait.as_secs() + 1)
    }

    fn unknown(&self) -> Reply {
        error("channel_not_found")
    }
}

fn body(request: &Request<'_>) -> Result<Value, Reply> {
    serde_json::from_slice(request.body).map_err(|_| error("invalid_arguments"))
}

fn error(name: &str) -> Reply {
    Reply::json(200, &json!({"ok": false, "error": name}))
}

fn time_stamp(n: u64) -> String {
    format!("{EPOCH}.{n:06}")
}

/// The buttons of an attachment, and the options of its lists: an option is a button in the list's menu.
fn buttons(attachment: &Value) -> Result<Vec<Button>, Reply> {
    let refused = || error("invalid_blocks");
    let mut buttons = Vec::new();
    let blocks = attachment["blocks"].as_array().into_iter().flatten();
    for element in
        blocks.filter(|block| block["type"] == "actions").flat_map(|block| block["elements"].as_array()).flatten()
    {
        let (items, most): (Vec<&Value>, usize) = match element["type"].as_str() {
            Some("button") => (vec![element], VALUE_CHARS),
            Some("static_select") => (element["options"].as_array().into_iter().flatten().collect(), OPTION_CHARS),
            _ => return Err(refused()),
        };
        for item in items {
            let text = item["text"]["text"].as_str().filter(|text| (1..=75).contains(&text.chars().count()));
            let value = item["value"].as_str().map(str::to_owned);
            let url = item["url"].as_str().unwrap_or_default().to_owned();
            if value.as_ref().is_some_and(|value| value.len() > most) || (value.is_none() && url.is_empty()) {
                return Err(refused());
            }
            buttons.push(Button { text: text.ok_or_else(refused)?.to_owned(), url, value });
        }
    }
    Ok(buttons)
}

/// The app as its vendor knows it.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub team: String,
    pub app: String,
    pub signing_secret: String,
}

/// A signed request of the vendor to the app's address.
#[derive(Debug, Clone)]
pub struct Callback {
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Workspace {
    /// What Slack sends when the user presses this button of the message.
    pub fn press(&self, user: &str, channel: &str, seen: &Seen, button: &Button, now: Moment) -> Callback {
        let value = button.value.as_deref().unwrap_or_default();
        let pressed = now.millis();
        let payload = json!({
            "type": "block_actions",
            "team": {"id": self.team, "domain": "acme"},
            "api_app_id": self.app,
            "user": {"id": user, "username": user.to_lowercase(), "name": user.to_lowercase(), "team_id": self.team},
            "container": {"type": "message_attachment", "message_ts": time_stamp(seen.n), "attachment_id": 1,
                "channel_id": channel, "is_ephemeral": false, "is_app_unfurl": false},
            "channel": {"id": channel, "name": "ops"},
            "trigger_id": format!("{pressed}.{user}.{}", seen.n),
            "actions": [{"action_id": "x", "block_id": "b", "type": "button", "value": value, "action_ts": "1"}],
        });
        let body =
            form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        self.signed(body, now)
    }

    /// What Slack sends when the user writes to the app in their private chat.
    pub fn message(&self, user: &str, text: &str, now: Moment) -> Callback {
        let event = json!({
            "type": "message", "channel_type": "im", "user": user, "channel": format!("D{}", &user[1..]), "text": text,
        });
        let body = json!({
            "type": "event_callback", "team_id": self.team, "api_app_id": self.app,
            "event_id": format!("Ev{}", now.millis()), "event": event,
        });
        self.signed(body.to_string(), now)
    }

    fn signed(&self, body: String, now: Moment) -> Callback {
        let at = now.secs().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.signing_secret.as_bytes()).expect("HMAC takes any key");
        mac.update(format!("v0:{at}:{body}").as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = vec![("X-Slack-Request-Timestamp", at), ("X-Slack-Signature", format!("v0={hex}"))];
        Callback { headers, body }
    }
}
