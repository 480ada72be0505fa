//! Email through the operator's SMTP server: text and HTML parts, one message per notice.
//!
//! In: `{"to": "ops@example.com"}`, and once per deployment `{"host": "smtp.example.com", "port": 465, "tls":
//! "implicit", "username"?: "…", "password"?: "…", "from": "Larkspur <alerts@example.com>", "reply_to"?: "…"}`. Out: a
//! message whose `Message-ID` is the same for every try of the same notice, so that a receiver can drop a copy, and
//! whose `References` are the same for all notices of an incident, so that mail programs show them as one conversation.
//!
//! The only header with text of an alert is the subject, which is one line and encoded (RFC 2047). No text of an alert
//! is markup: every field is escaped. No image is loaded.
//!
//! How it fails: the reply's code decides (RFC 5321, section 4.2; enhanced codes RFC 3463). Without TLS only servers
//! that the deployment names are used. A setting can choose neither such a server nor port 25; Lambda cannot use port
//! 25 at all.
//!
//! Source: RFC 5321, 5322, 2045 to 2047, 3834 (`Auto-Submitted`), 8314 (ports); Amazon SES, "SMTP endpoints";
//! Microsoft, [MS-OXCMAIL] for `X-Auto-Response-Suppress` (as of 2026-11).

use std::time::Duration;

use alerting::base::ids::hash128;
use alerting::base::moment::Moment;
use alerting::incident::notice::Notice;
use alerting::people::medium::Medium;

use self::address::Address;
use self::mail::{Mail, MailBody};
use self::relay::Relay;
use crate::channel::{Channel, Example, Limits};
use crate::fit::{Fitted, Render, RenderError, Written, fit};
use crate::layout::tone::Tone;
use crate::layout::{Digest, Message, bare};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Letter, Post};
use crate::rate;
use crate::reply::Reply;
use crate::request::Request;
use crate::settings::{Fields, PlainSmtpHosts, SettingsError};
use crate::size::{Measured, Size, Unit};

pub mod address;
mod html;
pub mod mail;
pub mod relay;

/// One mailbox, and the server that sends the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    to: Address,
    relay: Relay,
}

const TO_REMEDY: &str = "give one address, such as ops@example.com";
/// Characters of a subject. Mail programs show fewer; the message has the whole title.
const SUBJECT_CHARS: usize = 200;
/// Lines of one message about several incidents. Nobody reads more.
const LINES: usize = 50;
/// The wait after a server throttles: servers count by the second or by the minute.
const THROTTLED: Duration = Duration::from_secs(60);

impl Channel for Email {
    const NAME: &'static str = "email";
    const LIMITS: Limits = Limits {
        hosts: &[],
        // For the HTML part and for the text part. Gmail hides the rest beyond 102 KB, with the link to the incident;
        // servers accept at least 10 MB.
        text: Size { max: 100_000, unit: Unit::Bytes },
        // Per mailbox: half of Gmail's limit (60 messages a minute), because others write to it too.
        // https://support.google.com/a/answer/1366776
        rates: &[rate::limit(30, 60)],
        folds: false,
    };
    const SETTINGS: &'static [&'static str] = &["to"];
    const SECRETS: &'static [&'static str] = &[];
    const PROVIDER: &'static [&'static str] = relay::SETTINGS;
    const PROVIDER_SECRETS: &'static [&'static str] = &["password"];
    const MEDIUM: Option<Medium> = Some(Medium::Email);
    const EXAMPLE: Example = Example {
        settings: r#"{"to": "ops@example.com"}"#,
        provider: Some(r#"{"host": "smtp.example.com", "port": 465, "tls": "implicit", "from": "alerts@example.com"}"#),
    };

    fn parse(settings: &Fields<'_>, provider: &Fields<'_>) -> Result<Self, SettingsError> {
        Ok(Self { to: to(settings)?, relay: Relay::parse(provider)? })
    }

    fn check(settings: &Fields<'_>) -> Result<(), SettingsError> {
        to(settings).map(drop)
    }

    fn check_provider(provider: &Fields<'_>, plain: &PlainSmtpHosts) -> Result<(), SettingsError> {
        match Relay::parse(provider)?.forbidden(plain) {
            None => Ok(()),
            Some((name, message)) => Err(SettingsError::new(name, message)),
        }
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let Fitted { body, size, shown, cut, template } = fit(post, Self::CONTENT, &Writer)?;
        let fitted = Fitted { body: (), size, shown, cut, template };
        let ids: Vec<String> = post.notices[..shown].iter().map(Notice::id).collect();
        let form = match post.form {
            Form::Rich => "rich",
            Form::Plain => "plain",
        };
        let id = hash128(&ids.iter().map(String::as_str).chain([form]).collect::<Vec<_>>());
        let mail = Mail {
            to: self.to.clone(),
            message_id: self.relay.named(&id),
            thread: match post.notices {
                [notice] => Some(self.relay.named(notice.incident.as_str())),
                _ => None,
            },
            content: body,
        };
        Ok(Request::mail(&self.relay, mail, fitted, at))
    }

    fn letter(&self, letter: &Letter<'_>, at: Moment) -> Option<Request> {
        let (subject, text) = (letter.subject.to_owned(), letter.text.to_owned());
        let size = Measured { used: text.len(), of: Self::LIMITS.text };
        let mail = Mail {
            to: self.to.clone(),
            message_id: self.relay.named(&hash128(&["letter", letter.id])),
            thread: None,
            content: MailBody { subject, important: false, text, html: None },
        };
        let fitted = Fitted { body: (), size, shown: 1, cut: false, template: None };
        Some(Request::mail(&self.relay, mail, fitted, at))
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let retry = |after, reason| Outcome::Retry { after, reason };
        let rejected = |reason| Outcome::Rejected { reason };
        match reply.status {
            200..=299 => Outcome::Delivered { receipt: Some(first_line(reply)).filter(|line| !line.is_empty()) },
            // Amazon SES and others use 421, 450 and 454 for throttling.
            400..=499 if is_throttle(reply) => retry(Some(THROTTLED), Reason::RateLimited),
            400..=499 => retry(None, Reason::ProviderDown),
            530 | 534 | 535 | 538 => rejected(Reason::Unauthorized),
            521 | 550 | 551 | 553 | 556 | 559 | 561 | 563 => rejected(Reason::BadDestination),
            // Too large, or the mailbox is full: plain text may still fit.
            523 | 552 => rejected(Reason::TooLarge),
            500..=599 => rejected(Reason::Refused),
            // Not an SMTP reply. Whether the message was accepted is unknown.
            _ => retry(None, Reason::Unreadable),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        let text = reply.text();
        ProviderReply::new(reply, enhanced_code(&text).map(str::to_owned), &text)
    }

    fn secrets(&self) -> Vec<&str> {
        self.relay.secrets()
    }
}

fn to(settings: &Fields<'_>) -> Result<Address, SettingsError> {
    relay::address("to", settings.text("to", TO_REMEDY)?, TO_REMEDY)
}

fn first_line(reply: &Reply) -> String {
    reply.text().lines().next().unwrap_or_default().trim().to_owned()
}

fn is_throttle(reply: &Reply) -> bool {
    let text = reply.text().to_lowercase();
    ["throttl", "rate exceeded", "rate limit", "too many messages", "too fast"].iter().any(|words| text.contains(words))
}

/// `5.1.1` of `5.1.1 no such user`.
fn enhanced_code(text: &str) -> Option<&str> {
    let code = text.split_whitespace().next()?;
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (code.split('.').count() == 3 && code.split('.').all(is_number)).then_some(code)
}

struct Writer;

impl Writer {
    /// The content, if each of its parts is within the limit.
    fn content(subject: &str, tone: Tone, text: String, html: Option<String>) -> Option<Written<MailBody>> {
        let size = Email::LIMITS.text;
        let used = html.as_deref().map_or(0, |html| size.unit.count(html)).max(size.unit.count(&text));
        let subject = alerting::base::limits::cut_chars(subject, SUBJECT_CHARS);
        size.written(used, || MailBody { subject, important: tone == Tone::Critical, text, html })
    }
}

impl Render<MailBody> for Writer {
    fn message(&self, message: &Message, form: Form) -> Option<Written<MailBody>> {
        let html = (form == Form::Rich).then(|| html::message(message));
        Self::content(&message.line.headline(), message.line.tone, message.plain("", str::to_owned, bare), html)
    }

    fn digest(&self, digest: &Digest<'_>, form: Form) -> Option<Written<MailBody>> {
        if digest.lines.len() > LINES {
            return None;
        }
        let html = (form == Form::Rich).then(|| html::digest(digest));
        Self::content(&digest.heading(), digest.tone(), digest.plain("", str::to_owned), html)
    }
}

#[cfg(test)]
mod tests;
