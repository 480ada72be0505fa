//! Sends a test notice without an incident, so that an operator sees the provider's answer.

use std::collections::BTreeMap;

use alerting::base::ids::{DestinationId, IncidentId, SpaceId};
use alerting::base::moment::Moment;
use alerting::base::severity::Severity;
use alerting::incident::Progress;
use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::destination::{Language, TimeZone};
use channels::outcome::{ProviderReply, Reason};
use channels::post::{Form, Post};
use channels::registry::Destination;
use lambda_kit::links::SignedLinks;
use serde::Serialize;
use serde_json::Value;
use store::bucket_key::BucketKey;
use store::rates::Permit;
use utoipa::ToSchema;
use words::message;

use crate::app::App;
use crate::error::ApiError;
use crate::verification::directory;

/// The recipient of a test notice.
pub(crate) struct Addressed<'a> {
    /// The destination or provider whose rate limit the test counts against.
    pub(crate) destination: DestinationId,
    pub(crate) channel: &'a str,
    /// The decrypted settings.
    pub(crate) settings: &'a Value,
    pub(crate) language: Language,
    pub(crate) time_zone: &'a TimeZone,
}

/// The result of a test notice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tested {
    /// `delivered`, `retry` (it failed now, but may succeed later) or `rejected` (it will fail with these settings).
    #[schema(example = "delivered")]
    outcome: &'static str,
    #[schema(required)]
    reason: Option<&'static str>,
    provider: Words,
}

/// The provider's answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provider)]
struct Words {
    /// The HTTP status of the answer; `null` if no answer was received.
    #[schema(required)]
    status: Option<u16>,
    #[schema(required)]
    code: Option<String>,
    message: String,
}

/// Sends the notice; links in it start with `base`.
pub(crate) async fn send(app: &App, to: Addressed<'_>, actor: String, base: &str) -> Result<Tested, ApiError> {
    let provider = directory(app).provider(to.channel, to.settings).await?;
    if provider.is_none() && Destination::has_accounts(to.channel) {
        let message = "no account has this id; choose one of the accounts, or set one up".to_owned();
        return Err(ApiError::invalid("settings.account", message));
    }
    if provider.is_none() && Destination::needs_provider(to.channel) {
        let message = format!("`{}` has no provider in this deployment; configure it first", to.channel);
        return Err(ApiError::invalid("channel", message));
    }
    let channel = Destination::parse(to.channel, to.settings, provider.as_ref())?;
    let now = app.clock.now();
    // A test counts against the destination's limit like any other message.
    if let Permit::Wait(after) =
        app.store.take_permit(&BucketKey::Destination(to.destination.clone()), channel.limits().rates, now).await?
    {
        let message = "the destination has just been sent as much as its provider takes".to_owned();
        return Err(ApiError::TooMany { after, message });
    }
    let notice = sample(app, to.destination, to.language, actor, now);
    let links = SignedLinks { keys: app.sealer.link_keys().await?, base };
    let post = Post {
        notices: std::slice::from_ref(&notice),
        links: &links,
        language: to.language,
        time_zone: to.time_zone,
        form: Form::Rich,
        template: None,
        card: None,
    };
    let sent = app.deliverer.send(&channel, channel.request(&post, now)?, None).await;
    let ProviderReply { status, code, message } = sent.provider;
    Ok(Tested {
        outcome: sent.outcome.as_str(),
        reason: sent.outcome.reason().map(Reason::as_str),
        provider: Words { status, code, message },
    })
}

/// A notice about an incident that does not exist.
fn sample(app: &App, destination: DestinationId, language: Language, actor: String, now: Moment) -> Notice {
    let space = SpaceId::from_suffix("test").expect("a word makes an id");
    let incident = IncidentId::of(&space, app.stamps.next(now));
    Notice {
        destination,
        n: 1,
        kind: EntryKind::Triggered,
        at: now,
        actor,
        by: None,
        num: incident.num(),
        incident,
        space,
        space_name: message::TEST_SPACE.of(language).to_owned(),
        title: message::TEST_TITLE.of(language).to_owned(),
        description: message::TEST_DESCRIPTION.of(language).to_owned(),
        severity: Severity::Info,
        progress: Progress::Triggered,
        episode: 0,
        triggered_at: now,
        closed_at: None,
        labels: BTreeMap::new(),
        integration_name: "Larkspur".to_owned(),
        alert_count: 1,
        rule: None,
        level: None,
        flapping: false,
        person: None,
        assigned: Vec::new(),
        mentions: Vec::new(),
    }
}
