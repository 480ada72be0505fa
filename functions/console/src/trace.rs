//! Why someone was, or was not, notified of a message.
//!
//! Recorded facts are authoritative: outcome, rule, key, alert, incidents, timelines, attempts. The reasons are
//! recomputed: the same functions make the same decisions again (`intake`'s checks, `alerting`'s policy, silences,
//! grouping and escalation rules), each for the moment of the original decision, and record what they try. If the
//! configuration has changed since, or the recomputed result differs from the recorded one, the trace says so.
//!
//! Reading order: `again` makes the decisions again → `arrival`, `rules` the checks of the intake and the integration's
//! rules → `space_record`, `spaces`, `escalation`, `notices` the alert in each space → `changed` later changes of the
//! configuration → `summary` the result in one sentence; `because` puts a reason into words.

mod again;
mod arrival;
mod because;
mod changed;
mod escalation;
mod notices;
mod rules;
mod space_record;
mod spaces;
mod summary;

use std::time::Duration;

use alerting::base::ids::{IntegrationId, Stamp};
use alerting::incident::alert::Alert;
use alerting::people::destination::Language;
use alerting::rules::integration::Integration;
use alerting::rules::policy::Decision;
use store::log::{LogEntry, MessageOutcome};
use words::{sentence, trace as texts};

use crate::app::App;
use crate::dto::message::MessageView;
use crate::dto::trace::{AlertTrace, IntakeTrace, PushModeTrace, RouteTrace, SpaceTrace, TraceView};
use crate::error::ApiError;
use again::{Rejudged, Rejudgement, again};
use because::Voice;
use changed::{Changes, OPEN_ALERT_CAP, Recorded};
use rules::Rules;
use space_record::{MessageAlert, SpaceRecord};

/// How long a message may wait for its record. If an older message has no record, it never existed.
const MAY_WAIT: Duration = Duration::from_secs(3600);

/// The trace of a message, in this language.
pub(crate) async fn trace(
    app: &App,
    id: &IntegrationId,
    stamp: Stamp,
    language: Language,
) -> Result<TraceView, ApiError> {
    let voice = Voice(language);
    let integration = app.store.integrations().get(id).await?.map(|stored| stored.integration);
    match app.store.message(id, stamp).await? {
        Some(entry) => recorded(app, voice, integration.as_ref(), entry).await,
        None if integration.is_some() && may_wait(app, stamp) => Ok(waiting(voice)),
        None => Err(ApiError::not_found(format_args!("message {stamp} of integration {id}"))),
    }
}

fn may_wait(app: &App, stamp: Stamp) -> bool {
    let (now, at) = (app.clock.now(), stamp.received_at());
    now.since(at) <= MAY_WAIT && at <= now + alerting::base::limits::STAMP_AHEAD
}

fn waiting(voice: Voice) -> TraceView {
    TraceView {
        summary: voice.say(sentence::FULL_STOP, &[("text", &voice.plain(texts::S_WAITING))]),
        message: None,
        configuration_changed: false,
        changes: Vec::new(),
        notes: Vec::new(),
        intake: IntakeTrace { result: "unknown", steps: Vec::new() },
        push_mode: None,
        pipeline: Vec::new(),
        routes: Vec::new(),
        alert: None,
        spaces: Vec::new(),
    }
}

async fn recorded(
    app: &App,
    voice: Voice,
    integration: Option<&Integration>,
    entry: LogEntry,
) -> Result<TraceView, ApiError> {
    let again = match integration {
        Some(integration) => again(app, integration, &entry).await?,
        None => Rejudgement::NotAsked,
    };
    let mut changes = Changes::new(voice);
    changes.integration(&entry, integration, &again);
    let alert = match &entry.alert {
        Some(alert) => app.store.alert(alert).await?,
        None => None,
    };
    let mut notes = notes(voice, &entry, &again, alert.as_ref());
    let then = alert.as_ref().and_then(|alert| as_it_was(alert, &entry, again.judged()));
    let of = alert.as_ref().map(|alert| of(&entry, alert, then.as_ref()));
    let records = match of {
        Some(of) => Some(records(app, of).await?),
        None => None,
    };
    if let Some(of) = of {
        changes.alert(of, again.judged());
        if of.opens && of.then.is_none() {
            notes.push(voice.plain(texts::ALERT_MOVED_ON));
        }
    }
    let summary = summary::summary(voice, &entry, &again, records.as_deref());
    let spaces = of.zip(records).map(|(of, records)| views(voice, of, records, &mut changes)).unwrap_or_default();
    let rules = integration.zip(again.judged()).map(|(integration, judged)| Rules { voice, integration, judged });
    let changes = changes.finish();
    Ok(TraceView {
        summary,
        configuration_changed: !changes.is_empty(),
        changes,
        notes,
        intake: arrival::intake(voice, &entry, integration, again.read()),
        push_mode: rules.as_ref().map(|rules| push_mode(rules, &entry)),
        pipeline: rules.as_ref().map(Rules::pipeline).unwrap_or_default(),
        routes: routes(voice, rules.as_ref(), of),
        alert: alert.as_ref().map(AlertTrace::from),
        spaces,
        message: Some(MessageView::from(entry)),
    })
}

fn of<'a>(entry: &'a LogEntry, alert: &'a Alert, then: Option<&'a Alert>) -> MessageAlert<'a> {
    let opens = entry.outcome == MessageOutcome::Triggered && alert.opened_by == entry.stamp;
    MessageAlert { entry, alert, opens, then }
}

/// The alert as the message opened it: the stored one, unless a newer message has changed its texts; otherwise the
/// alert that the repeated judgement yields.
fn as_it_was(alert: &Alert, entry: &LogEntry, judged: Option<&Rejudged>) -> Option<Alert> {
    if alert.opened_by != entry.stamp {
        return None;
    }
    if alert.texts() == entry.stamp {
        return Some(alert.clone());
    }
    match judged.map(|judged| &judged.judgement.decision) {
        Some(Decision::Event(event)) if entry.reason.as_deref() != Some(OPEN_ALERT_CAP) => Some(Alert {
            title: event.title.clone(),
            description: event.description.clone(),
            severity: event.severity,
            labels: event.labels.clone(),
            ..alert.clone()
        }),
        Some(_) | None => None,
    }
}

async fn records(app: &App, of: MessageAlert<'_>) -> Result<Vec<SpaceRecord>, ApiError> {
    let mut records = Vec::with_capacity(of.alert.spaces.len());
    for space in &of.alert.spaces {
        records.push(Box::pin(SpaceRecord::read(app, space, of)).await?);
    }
    Ok(records)
}

fn views(voice: Voice, of: MessageAlert<'_>, records: Vec<SpaceRecord>, changes: &mut Changes) -> Vec<SpaceTrace> {
    let view = |record: SpaceRecord| {
        let recorded = Recorded::of(&record);
        let (view, chosen) = record.view(voice, of);
        changes.space(&recorded, &chosen, of.entry);
        view
    };
    records.into_iter().map(view).collect()
}

/// Notes about parts that cannot be explained any more.
fn notes(voice: Voice, entry: &LogEntry, again: &Rejudgement, alert: Option<&Alert>) -> Vec<String> {
    let mut notes = Vec::new();
    if matches!(again, Rejudgement::BodyGone) {
        notes.push(voice.plain(texts::BODY_GONE));
    }
    let has_alert =
        matches!(entry.outcome, MessageOutcome::Triggered | MessageOutcome::Updated | MessageOutcome::Recovered);
    if has_alert && alert.is_none() {
        notes.push(voice.plain(texts::ALERT_GONE));
    }
    notes
}

fn push_mode(rules: &Rules<'_>, entry: &LogEntry) -> PushModeTrace {
    PushModeTrace {
        kind: rules.kind(),
        steps: rules.push_mode(),
        alert_key: entry.alert_key.clone(),
        key_from: entry.key_from.map(|from| from.as_str()),
    }
}

/// The routes with their results. For an alert that was open already, the result is that it stays in its first spaces.
fn routes(voice: Voice, rules: Option<&Rules<'_>>, of: Option<MessageAlert<'_>>) -> Vec<RouteTrace> {
    let mut routes = rules.map(Rules::routes).unwrap_or_default();
    if let Some(of) = of.filter(|of| !of.opens) {
        let opened_by = of.alert.opened_by.to_string();
        let because = voice.say(texts::FOLLOWS, &[("opened_by", &opened_by)]);
        let (step, spaces) = ("alert".to_owned(), of.alert.spaces.clone());
        routes.push(RouteTrace { step, result: "match", because, spaces });
    }
    routes
}

impl From<&Alert> for AlertTrace {
    fn from(alert: &Alert) -> Self {
        Self {
            id: alert.id.clone(),
            opened_by: alert.opened_by,
            title: alert.title.clone(),
            status: alert.status.as_str(),
        }
    }
}
