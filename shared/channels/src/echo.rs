//! An app of no real vendor, for tests only: a minimal app with cards.
//!
//! In: for a destination `{"room": "…"}`, for the deployment `{"app": "app_…", "secret": "…"}`. A message is posted to a
//! room, and the reply has its id. The message is updated under that id. Both need an access token, which is granted for
//! the secret. The vendor accepts fifty requests a second from one app.

use std::time::Duration;

use alerting::base::ids::AccountId;
use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::incident::card::{Act, Card, State};
use serde_json::{Value, json};

use crate::channel::{Channel, Counted, Example, Kind, Limits, Quota};
use crate::fit::{Render, RenderError, Written, fit};
use crate::layout::tone::Tone;
use crate::layout::{Digest, Message};
use crate::outcome::{Outcome, ProviderReply, Reason};
use crate::post::{Form, Post};
use crate::rate;
use crate::reply::{Reply, code, text_of};
use crate::request::{Http, Method, Request, TokenPlace};
use crate::settings::{Fields, SettingsError};
use crate::size::{Size, Unit};
use crate::token::Grant;

/// A room of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    account: AccountId,
    secret: Secret,
    room: String,
}

const BASE: &str = "https://echo.invalid";
const ROOM_REMEDY: &str = "name a room";
const APP_REMEDY: &str = "name the app, app_…";
const SECRET_REMEDY: &str = "copy the app's secret";
/// The vendor's error for an unknown or expired token.
const INVALID_TOKEN: &str = "invalid_token";

impl Channel for App {
    const NAME: &'static str = "echo_app";
    const LIMITS: Limits = Limits {
        hosts: &["echo.invalid"],
        text: Size { max: 8000, unit: Unit::Bytes },
        rates: &[rate::limit(50, 1)],
        folds: false,
    };
    const SETTINGS: &'static [&'static str] = &["room"];
    const SECRETS: &'static [&'static str] = &[];
    const PROVIDER: &'static [&'static str] = &["app", "secret"];
    const PROVIDER_SECRETS: &'static [&'static str] = &["secret"];
    const EXAMPLE: Example =
        Example { settings: r#"{"room": "ops"}"#, provider: Some(r#"{"app": "app_echo", "secret": "example"}"#) };
    const KIND: Kind = Kind::Card;
    const QUOTAS: &'static [Quota] = &[Quota { scope: "app", of: Counted::All, rates: &[rate::limit(50, 1)] }];

    fn parse(fields: &Fields<'_>, provider: &Fields<'_>) -> Result<Self, SettingsError> {
        let account = provider.text("app", APP_REMEDY)?;
        let account = account.parse().map_err(|_| SettingsError::new("app", format!("is no app; {APP_REMEDY}")))?;
        let secret = Secret::new(provider.text("secret", SECRET_REMEDY)?);
        Ok(Self { account, secret, room: fields.text("room", ROOM_REMEDY)?.to_owned() })
    }

    fn check(fields: &Fields<'_>) -> Result<(), SettingsError> {
        fields.text("room", ROOM_REMEDY).map(drop)
    }

    fn request(&self, post: &Post<'_>, at: Moment) -> Result<Request, RenderError> {
        let body = fit(post, Self::CONTENT, &Writer { room: &self.room, card: post.card })?;
        Ok(Request::with_token(Method::Post, &format!("{BASE}/messages"), TokenPlace::Bearer, body, at))
    }

    fn update(&self, post: &Post<'_>, receipt: &str, at: Moment) -> Option<Result<Request, RenderError>> {
        let body = fit(post, Self::CONTENT, &Writer { room: &self.room, card: post.card });
        let url = format!("{BASE}/messages/{receipt}");
        Some(body.map(|body| Request::with_token(Method::Put, &url, TokenPlace::Bearer, body, at)))
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn token(&self) -> Option<Http> {
        let body = json!({"app": self.account.as_str(), "secret": self.secret.expose()});
        Some(Http::post(&format!("{BASE}/token"), body.to_string().into_bytes()))
    }

    fn grant(&self, reply: &Reply) -> Option<Grant> {
        let body = reply.json()?;
        let lasts = Duration::from_secs(u64::try_from(code(&body, "lasts")?).ok()?);
        let token = Some(text_of(&body, "token")).filter(|token| !token.is_empty())?;
        Some(Grant { token: Secret::new(token), lasts })
    }

    fn refuses_token(&self, reply: &Reply) -> bool {
        error(reply) == INVALID_TOKEN
    }

    fn outcome(&self, reply: &Reply) -> Outcome {
        let rejected = |reason| Outcome::Rejected { reason };
        let receipt = reply.json().map(|body| text_of(&body, "id")).filter(|id| !id.is_empty());
        match (error(reply).as_str(), receipt) {
            ("", Some(receipt)) => Outcome::Delivered { receipt: Some(receipt) },
            (INVALID_TOKEN, _) => rejected(Reason::Unauthorized),
            ("gone", _) => rejected(Reason::CardGone),
            _ => reply.by_status(),
        }
    }

    fn provider(&self, reply: &Reply) -> ProviderReply {
        ProviderReply::new(reply, Some(error(reply)).filter(|error| !error.is_empty()), &reply.text())
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.secret.expose()]
    }
}

fn error(reply: &Reply) -> String {
    reply.json().map(|body| text_of(&body, "error")).unwrap_or_default()
}

struct Writer<'a> {
    room: &'a str,
    card: Option<&'a Card>,
}

impl Writer<'_> {
    fn written(&self, text: &str, card: Option<Value>) -> Option<Written> {
        let body = json!({"room": self.room, "text": text, "card": card}).to_string().into_bytes();
        App::LIMITS.text.written(body.len(), || body)
    }
}

impl Render for Writer<'_> {
    fn message(&self, message: &Message, form: Form) -> Option<Written> {
        let card = self.card.filter(|_| form == Form::Rich);
        self.written(&message.line.headline(), card.map(|card| shown(card, &message.line.link)))
    }

    /// Without a card, because a button would not name its incident.
    fn digest(&self, digest: &Digest<'_>, _form: Form) -> Option<Written> {
        let lines: Vec<String> = digest.lines.iter().map(|line| line.headline()).collect();
        self.written(&lines.join("\n"), None)
    }
}

/// The card in the form of the app. `details`: the address of the incident's page.
fn shown(card: &Card, details: &str) -> Value {
    let state = match &card.state {
        State::Triggered => "triggered",
        State::Processing => "processing",
        State::Snoozed => "snoozed",
        State::Held => "held",
        State::Closed => "closed",
        State::Merged { .. } => "merged",
    };
    let act = |act: &Act| match act {
        Act::Acknowledge => "acknowledge".to_owned(),
        Act::Unacknowledge => "take back".to_owned(),
        Act::Snooze(hours) => format!("snooze {} h", hours.0),
        Act::Close => "close".to_owned(),
    };
    let acts: Vec<String> = card.acts.iter().map(act).collect();
    json!({
        "n": card.n,
        "state": state,
        "severity": card.severity.as_str(),
        "color": Tone::of_card(card).hex(),
        "acts": acts,
        "details": details,
        "by": card.by,
    })
}
