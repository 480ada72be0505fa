//! Callbacks of a Slack app: pressed buttons, and events.
//!
//! In: a POST with `X-Slack-Request-Timestamp` and `X-Slack-Signature: v0=…`, the hexadecimal HMAC-SHA256 of
//! `v0:{timestamp}:{body}` with the app's signing secret. A press is a form with the field `payload`; an event is JSON.
//! The workspace and the app in the body must be those of the account, because one signing secret serves all workspaces.
//!
//! Source: docs.slack.dev, "Verifying requests from Slack", "Handling user interaction" and "The Events API" (as of
//! 2026-11).

use alerting::base::moment::Moment;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::callback::{Answer, Callback, ChatUser, Incoming, Pressed, Refused, Said};
use crate::reply::text_of;
use crate::settings::Fields;
use crate::slack::message::Receipt;

const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
/// How far the clock of a request may be off, in seconds: Slack's documentation says five minutes.
const WINDOW: u64 = 300;

/// Reads a request to `/callbacks/slack/{account}/actions` or `…/events`.
pub(crate) fn open(account: &Fields<'_>, incoming: &Incoming<'_>, now: Moment) -> Result<Callback, Refused> {
    let setting = |name: &str| account.get(name).and_then(Value::as_str).ok_or(Refused("the account is not complete"));
    verify(setting("signing_secret")?, incoming, now)?;
    let body = match incoming.route {
        "actions" => payload(incoming.body)?,
        "events" => serde_json::from_slice(incoming.body).map_err(|_| Refused("the body is not JSON"))?,
        _ => return Err(Refused("no such path")),
    };
    // Slack sends it when the address is entered, before the app is installed anywhere.
    if incoming.route == "events" && text_of(&body, "type") == "url_verification" {
        return Ok(Callback::Check(Answer { content_type: "text/plain", body: text_of(&body, "challenge") }));
    }
    let team = body["team"]["id"].as_str().or(body["team_id"].as_str());
    if team != Some(setting("team_id")?) || text_of(&body, "api_app_id") != setting("app_id")? {
        return Err(Refused("it is of another workspace or app"));
    }
    Ok(match incoming.route {
        "actions" => press(&body),
        _ => event(&body),
    })
}

fn verify(secret: &str, incoming: &Incoming<'_>, now: Moment) -> Result<(), Refused> {
    let timestamp = incoming.header(TIMESTAMP).ok_or(Refused("it has no timestamp"))?;
    let signature = incoming.header(SIGNATURE).and_then(|text| text.strip_prefix("v0="));
    let signature = signature.and_then(bytes_of).ok_or(Refused("it has no signature"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(incoming.body);
    mac.verify_slice(&signature).map_err(|_| Refused("the signature is wrong"))?;
    let at: i64 = timestamp.parse().map_err(|_| Refused("the timestamp is not a number"))?;
    if at.abs_diff(now.secs()) > WINDOW { Err(Refused("it is too old, or a clock is wrong")) } else { Ok(()) }
}

/// The JSON in the form's field `payload`.
fn payload(body: &[u8]) -> Result<Value, Refused> {
    let payload = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload").map(|(_, value)| value);
    let payload = payload.ok_or(Refused("the form has no payload"))?;
    serde_json::from_str(&payload).map_err(|_| Refused("the payload is not JSON"))
}

fn press(body: &Value) -> Callback {
    let action = &body["actions"][0];
    let value = action["value"].as_str().or(action["selected_option"]["value"].as_str());
    // A link is a button too: it opens by itself, and has no value.
    let (Some(value), "block_actions") = (value, text_of(body, "type").as_str()) else { return Callback::Other };
    let container = &body["container"];
    let receipt = Receipt { channel: text_of(container, "channel_id"), ts: text_of(container, "message_ts") };
    Callback::Press(Pressed {
        value: value.to_owned(),
        user: user(&body["user"]),
        receipt: receipt.to_string(),
        replay: text_of(body, "trigger_id"),
    })
}

fn user(user: &Value) -> ChatUser {
    let name = [text_of(user, "name"), text_of(user, "username")].into_iter().find(|name| !name.is_empty());
    ChatUser { id: text_of(user, "id"), name: name.unwrap_or_default() }
}

fn event(body: &Value) -> Callback {
    let event = &body["event"];
    match text_of(event, "type").as_str() {
        "app_uninstalled" | "tokens_revoked" => Callback::Removed,
        // Messages of bots, the app's own among them, have no user or a `bot_id`.
        "message"
            if text_of(event, "channel_type") == "im" && event["bot_id"].is_null() && event["subtype"].is_null() =>
        {
            Callback::Message(Said {
                text: text_of(event, "text"),
                user: ChatUser { id: text_of(event, "user"), name: String::new() },
                chat: text_of(event, "channel"),
                replay: text_of(body, "event_id"),
            })
        }
        _ => Callback::Other,
    }
}

/// `None`: not hexadecimal.
fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests;
