//! The Slack app: messages with buttons in channels and private chats, which are updated as their incident changes.
//!
//! In: for a destination `{"account": "app_…", "channel": "C…"}`, for the account `{"team_id": "T…", "app_id": "A…",
//! "signing_secret": "…", "token": "xoxb-…"}`. A message is posted by `chat.postMessage` and changed by `chat.update`,
//! which needs the conversation and the time stamp of the reply. Success is HTTP 200 with `"ok": true`.
//!
//! Source: docs.slack.dev, the methods `chat.postMessage` and `chat.update`, "Rate limits" and "Block Kit" (as of
//! 2026-11).

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::people::medium::Medium;
use serde_json::json;

use crate::callback::{Callback, Incoming, Refused};
use crate::channel::{ACCOUNT, Channel, Counted, Example, Kind, Limits, Quota};
use crate::fit::{Fitted, RenderError, fit};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Letter, Post};
use crate::rate;
use crate::reply::{Reply, text_of};
use crate::request::Request;
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};
use crate::size::{Measured, Unit};
use crate::slack::callback;
use crate::slack::message::{Buttons, Receipt, TEXT, Writer, escape};

/// A conversation of the workspace: a channel, or a private chat with the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    account: AccountId,
    channel: String,
    token: Secret,
    signing_secret: Secret,
}

const POST: &str = "https://slack.com/api/chat.postMessage";
const UPDATE: &str = "https://slack.com/api/chat.update";

const ACCOUNT_REMEDY: &str = "name the account of the app, app_…";
const CHANNEL_REMEDY: &str = "copy the channel's id, C…, from the channel's details";
const TEAM_REMEDY: &str = "copy the workspace's id, T…";
const APP_REMEDY: &str = "copy the App ID, A…, from the app's basic information";
const SIGNING_REMEDY: &str = "copy the signing secret from the app's basic information";
const TOKEN_REMEDY: &str = "copy the bot token, xoxb-…, from the app's page OAuth & Permissions";

impl Channel for App {
    const NAME: &'static str = "slack_app";
    const LIMITS: Limits = Limits {
        hosts: &["slack.com"],
        text: TEXT,
        // One message per second and channel. https://docs.slack.dev/apis/web-api/rate-limits
        rates: &[rate::limit(1, 1)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &[ACCOUNT, "channel"];
    const SECRETS: &'static [&'static str] = &[];
    const PROVIDER: &'static [&'static str] = &["team_id", "app_id", "signing_secret", "token"];
    const PROVIDER_SECRETS: &'static [&'static str] = &["signing_secret", "token"];
    const HAS_ACCOUNTS: bool = true;
    const MEDIUM: Option<Medium> = Some(Medium::Slack);
    const EXAMPLE: Example = Example {
        settings: r#"{"account": "app_example", "channel": "C0123456789"}"#,
        provider: Some(
            r#"{"team_id": "T0", "app_id": "A0", "signing_secret": "0123456789abcdef", "token": "xoxb-example"}"#,
        ),
    };
    const KIND: Kind = Kind::Card;
    // Tier 3: 50 in a minute, for the whole workspace. Same page as the rates.
    const QUOTAS: &'static [Quota] =
        &[Quota { scope: "chat.update", of: Counted::Updates, rates: &[rate::limit(50, 60)] }];

    fn parse(fields: &Fields<'_>, account: &Fields<'_>) -> Result<Self, SettingsError> {
        let (id, channel) = place(fields)?;
        Self::check_provider(account, &PlainSmtpHosts::default())?;
        Ok(Self {
            account: id,
            channel,
            token: Secret::new(account.text("token", TOKEN_REMEDY)?),
            signing_secret: Secret::new(account.text("signing_secret", SIGNING_REMEDY)?),
        })
    }

    fn check(fields: &Fields<'_>) -> Result<(), SettingsError> {
        place(fields).map(drop)
    }

    fn check_provider(account: &Fields<'_>, _plain: &PlainSmtpHosts) -> Result<(), SettingsError> {
        id_of(account, "team_id", &['T'], TEAM_REMEDY)?;
        id_of(account, "app_id", &['A'], APP_REMEDY)?;
        account.text("signing_secret", SIGNING_REMEDY)?;
        match account.text("token", TOKEN_REMEDY)?.starts_with("xoxb-") {
            true => Ok(()),
            false => Err(SettingsError::new("token", format!("is not a bot's token; {TOKEN_REMEDY}"))),
        }
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let body = fit(post, Self::CONTENT, &Writer { to: vec![("channel", &self.channel)], card: Buttons::of(post) })?;
        Ok(self.authorized(POST, body, at))
    }

    fn update(&self, post: &Post<'_>, receipt: &str, at: Moment) -> Option<Result<Request, RenderError>> {
        let Receipt { channel, ts } = receipt.parse().ok()?;
        let to = vec![("channel", channel.as_str()), ("ts", ts.as_str())];
        let body = fit(post, Self::CONTENT, &Writer { to, card: Buttons::of(post) });
        Some(body.map(|body| self.authorized(UPDATE, body, at)))
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn callback(account: &Fields<'_>, incoming: &Incoming<'_>, now: Moment) -> Result<Callback, Refused> {
        callback::open(account, incoming, now)
    }

    fn letter(&self, letter: &Letter<'_>, at: Moment) -> Option<Request> {
        let text = escape(format!("{}\n{}", letter.subject, letter.text).trim_start());
        let body = json!({"channel": self.channel, "text": text, "unfurl_links": false});
        let size = Measured { used: Unit::Chars.count(&text), of: Self::LIMITS.text };
        let body = serde_json::to_vec(&body).expect("JSON values serialise");
        Some(self.authorized(POST, Fitted { body, size, shown: 0, cut: false, template: None }, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let Some(body) = reply.json().filter(|body| body["ok"].is_boolean()) else { return reply.by_status() };
        if body["ok"] == true && !reply.is_success() {
            return reply.by_status();
        }
        if body["ok"] == true {
            let receipt = Receipt { channel: text_of(&body, "channel"), ts: text_of(&body, "ts") };
            let is_whole = !receipt.channel.is_empty() && !receipt.ts.is_empty();
            return match is_whole {
                true => Outcome::Delivered { receipt: Some(receipt.to_string()) },
                false => Outcome::Retry { after: None, reason: Reason::Unreadable },
            };
        }
        refusal(&text_of(&body, "error"), reply)
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let error = reply.json().map(|body| text_of(&body, "error")).filter(|error| !error.is_empty());
        ProviderReply::new(reply, error, &reply.text())
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.token.expose(), self.signing_secret.expose()]
    }
}

impl App {
    fn authorized(&self, url: &str, body: Fitted, at: Moment) -> Request {
        let bearer = Secret::new(format!("Bearer {}", self.token.expose()));
        Request::new(url, body, at).header("authorization", &bearer)
    }
}

/// What an error of the Web API means: <https://docs.slack.dev/reference/methods/chat.postMessage#errors> and that of
/// `chat.update`.
fn refusal(error: &str, reply: &Reply) -> Outcome {
    let retry = |reason| Outcome::Retry { after: rate::after(reply), reason };
    let rejected = |reason| Outcome::Rejected { reason };
    match error {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => retry(Reason::RateLimited),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
            retry(Reason::ProviderDown)
        }
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "no_permission"
        | "not_allowed_token_type"
        | "ekm_access_denied"
        | "access_denied"
        | "team_access_not_granted" => rejected(Reason::Unauthorized),
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "user_not_found"
        | "users_not_found"
        | "cannot_dm_bot"
        | "is_inactive"
        | "messages_tab_disabled" => rejected(Reason::BadDestination),
        "message_not_found" | "cant_update_message" | "edit_window_closed" => rejected(Reason::CardGone),
        "msg_too_long" | "msg_blocks_too_long" => rejected(Reason::TooLarge),
        _ => rejected(Reason::Refused),
    }
}

fn place(fields: &Fields<'_>) -> Result<(AccountId, String), SettingsError> {
    let account = fields.text(ACCOUNT, ACCOUNT_REMEDY)?;
    let account =
        account.parse().map_err(|_| SettingsError::new(ACCOUNT, format!("is no account; {ACCOUNT_REMEDY}")))?;
    // Channels, private channels, private chats, and people: a message to a person opens the private chat.
    Ok((account, id_of(fields, "channel", &['C', 'G', 'D', 'U', 'W'], CHANNEL_REMEDY)?))
}

/// An id of Slack: a letter for its kind, then capitals and digits.
fn id_of(fields: &Fields<'_>, name: &str, kinds: &[char], remedy: &str) -> Result<String, SettingsError> {
    let id = fields.text(name, remedy)?;
    let is_id = id.starts_with(kinds) && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_id { Ok(id.to_owned()) } else { Err(SettingsError::new(name, format!("is not such an id; {remedy}"))) }
}

#[cfg(test)]
mod tests;
