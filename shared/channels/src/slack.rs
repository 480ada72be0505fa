//! Slack: incoming webhooks here, the app in `app`, its callbacks in `callback`, and how both write a message in
//! `message`.
//!
//! In: `{"url": "https://hooks.slack.com/services/T…/B…/…"}`. Success is HTTP 200 with a body of exactly `ok`.
//!
//! Source: docs.slack.dev, "Sending messages using incoming webhooks" and the changelog of 2016-05-17 for the error texts
//! (as of 2026-11).

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;

use crate::channel::{Channel, Example, Limits};
use crate::fit::{RenderError, fit};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::Post;
use crate::rate;
use crate::reply::{Reply, text_of};
use crate::request::Request;
use crate::settings::{Fields, SettingsError};
use crate::slack::message::{TEXT, Writer};

pub(crate) mod app;
pub(crate) mod callback;
mod message;

pub use message::MENTIONED_BY;

/// A webhook into one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Secret,
}

const URL_REMEDY: &str = "copy the webhook URL, https://hooks.slack.com/services/T…/B…/…";
impl Channel for Webhook {
    const NAME: &'static str = "slack_webhook";
    const LIMITS: Limits = Limits {
        hosts: &["hooks.slack.com", "hooks.slack-gov.com"],
        text: TEXT,
        // One message per second and webhook. https://docs.slack.dev/apis/web-api/rate-limits
        rates: &[rate::limit(1, 1)],
        folds: true,
    };
    const SETTINGS: &'static [&'static str] = &["url"];
    const SECRETS: &'static [&'static str] = &["url"];
    const EXAMPLE: Example =
        Example { settings: r#"{"url": "https://hooks.slack.com/services/T0/B0/example"}"#, provider: None };

    fn parse(fields: &Fields<'_>, _provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let url = fields.url("url", Self::LIMITS.hosts, URL_REMEDY)?;
        let known = ["/services/", "/workflows/", "/triggers/"].iter().find(|path| url.path().starts_with(**path));
        match known {
            Some(&"/services/") => Ok(Self { url: Secret::new(url) }),
            Some(_) => {
                Err(SettingsError::new("url", format!("is a workflow's, which takes no messages; {URL_REMEDY}")))
            }
            None => Err(SettingsError::new("url", format!("has no /services/… path; {URL_REMEDY}"))),
        }
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        Ok(Request::new(self.url.expose(), fit(post, Self::CONTENT, &Writer::default())?, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        if reply.is_success() && reply.body == b"ok" {
            return Outcome::Delivered { receipt: None };
        }
        let retry = |reason| Outcome::Retry { after: rate::after(reply), reason };
        let rejected = |reason| Outcome::Rejected { reason };
        match error_name(reply).as_str() {
            "rate_limited" | "ratelimited" | "message_limit_exceeded" => retry(Reason::RateLimited),
            "rollup_error" | "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
                retry(Reason::ProviderDown)
            }
            "action_prohibited" | "invalid_token" | "posting_to_general_channel_denied" | "team_disabled" => {
                rejected(Reason::Unauthorized)
            }
            "channel_not_found"
            | "no_service"
            | "no_service_id"
            | "no_active_hooks"
            | "no_team"
            | "channel_is_archived"
            | "user_not_found" => rejected(Reason::BadDestination),
            "msg_too_long" | "msg_blocks_too_long" => rejected(Reason::TooLarge),
            "invalid_payload"
            | "no_text"
            | "invalid_blocks"
            | "invalid_blocks_format"
            | "invalid_attachments"
            | "too_many_attachments" => rejected(Reason::Refused),
            _ => reply.by_status(),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let error = Some(error_name(reply)).filter(|name| is_name(name));
        ProviderReply::new(reply, error, &reply.text())
    }

    fn secrets(&self) -> Vec<&str> {
        self.url.expose().split_once("/services/").map(|(_, secret)| secret).into_iter().collect()
    }
}

/// The error by name: the body itself, or in a JSON body its `error`.
fn error_name(reply: &Reply) -> String {
    match reply.json() {
        Some(body) if body.is_object() => text_of(&body, "error"),
        _ => reply.text().trim().to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests;
