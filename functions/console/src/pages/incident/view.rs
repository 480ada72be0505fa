//! Builds the content of an incident's page from the incident, its alerts, its deliveries and the names of the people.

use alerting::base::limits::cut_chars;
use alerting::base::severity::Severity;
use alerting::incident::alert::{Alert, Status};
use alerting::incident::detail::HeldBy;
use alerting::incident::notified::Notified;
use alerting::incident::shown::links::{Piece, SafeLink, pieces};
use alerting::incident::shown::{self, without_state};
use alerting::incident::{Incident, Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use operations::incidents::levels;
use operations::names;
use serde::Serialize;
use store::deliveries::DeliveryState;
use words::timeline::in_api;

use super::buttons::{Buttons, LENGTHS, subject};
use super::deliveries::{NamedDelivery, deliveries};
use super::timeline::{TimelineRows, reason_in_words};
use crate::app::App;
use crate::pages::error::PageError;
use crate::pages::fields::{Choice, Filled};
use crate::pages::form::new_action_key;
use crate::pages::render::{Reader, When};
use crate::session::SignedIn;

/// The most alerts that a page shows.
const ALERTS: usize = 20;
/// The most characters of an alert's text that a page shows. The message itself has the rest.
const TEXT_CHARS: usize = 1000;
/// The most members, and the most teams, that an assignment form offers.
const PEOPLE: usize = 100;
/// The number of names and alerts that are read concurrently.
const READ_AT_A_TIME: usize = 20;

/// The parameters of a request for the page.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PageRequest<'a> {
    /// The action that was just performed.
    pub(crate) done: Option<&'a str>,
    pub(crate) whole_timeline: bool,
    /// A form of the page that was refused.
    pub(crate) refusal: Option<&'a Refusal>,
}

/// A form of the page, as it was posted.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(super) action: String,
    pub(super) filled: Filled,
    /// The members and teams that were selected.
    pub(super) people: Vec<String>,
}

impl Refusal {
    /// The section of the page that must be unfolded to show the form.
    fn part(&self) -> Option<&'static str> {
        match self.action.as_str() {
            "edit" => Some("edit"),
            "responders" | "reassign" => Some("assign"),
            _ => None,
        }
    }
}

/// An incident in one line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Headline {
    pub(crate) place: String,
    num: String,
    title: String,
    pub(crate) severity: String,
    /// A class of the style sheet.
    tone: &'static str,
    state: String,
    state_tone: &'static str,
}

#[derive(Serialize)]
pub(crate) struct IncidentPage {
    headline: Headline,
    done: Option<String>,
    /// Why nobody was notified, as a key of the words.
    unnotified: Option<String>,
    facts: Vec<Fact>,
    people: Vec<Person>,
    merged_into: Option<String>,
    /// Whether all alerts are closed although the incident is open, because somebody reopened it.
    alerts_closed: bool,
    alerts: Vec<AlertRow>,
    more_alerts: usize,
    deliveries: Vec<DeliveryRow>,
    timeline: TimelineRows,
    time_zone: String,
    form: Option<Form>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
    at: Option<When>,
}

#[derive(Serialize)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) works_on_it: bool,
}

#[derive(Serialize)]
struct AlertRow {
    title: String,
    severity: String,
    tone: &'static str,
    state: &'static str,
    integration: String,
    count: u64,
    text: Vec<Run>,
    labels: Vec<(String, Vec<Run>)>,
    triggered: When,
    trace: String,
    closing: Option<ClosingRow>,
}

/// The message that closed an alert.
#[derive(Serialize)]
struct ClosingRow {
    title: String,
    text: String,
    at: When,
}

/// A part of a sender's text.
#[derive(Serialize)]
struct Run {
    text: String,
    /// The link target, if this part is an address that the sender wrote.
    href: Option<String>,
}

#[derive(Serialize)]
struct DeliveryRow {
    who: String,
    state: String,
    is_failure: bool,
    at: Option<When>,
    reason: Option<String>,
}

/// What the page's forms need.
#[derive(Serialize)]
struct Form {
    token: String,
    action_key: String,
    episode: u32,
    buttons: Buttons,
    lengths: Vec<(u32, &'static str)>,
    filled: Filled,
    /// The section that is unfolded because its form has an error.
    opened: Option<&'static str>,
    severities: Vec<Choice>,
    members: Vec<Choice>,
    teams: Vec<Choice>,
}

pub(super) async fn page_of(
    app: &App,
    incident: Incident,
    by: &SignedIn,
    reader: &Reader,
    asked: &PageRequest<'_>,
) -> Result<IncidentPage, PageError> {
    let deliveries = deliveries(app, &incident).await?;
    let entries = names::timeline(&app.store, &incident, app.clock.now()).await?;
    let alerts = alerts(app, &incident, reader).await?;
    let done = asked.done.and_then(|done| reader.known_word(&format!("done_{done}"))).map(str::to_owned);
    let notified = Notified::of(&incident, deliveries.iter().map(|one| one.delivery.sent()));
    Ok(IncidentPage {
        headline: Headline::of(&incident, reader),
        done,
        unnotified: unnotified(notified),
        facts: facts(app, &incident, reader).await?,
        people: people(app, &incident).await?,
        merged_into: incident.merged_into.as_ref().map(subject),
        alerts_closed: incident.progress != Progress::Closed && !incident.alerts.iter().any(|linked| linked.is_open),
        more_alerts: incident.alerts.len().saturating_sub(ALERTS),
        alerts,
        timeline: TimelineRows::new(&entries, &deliveries, asked.whole_timeline, reader),
        deliveries: deliveries.iter().map(|one| delivery_row(one, reader)).collect(),
        time_zone: reader.time_zone.as_str().to_owned(),
        form: form(app, &incident, by, reader, asked.refusal).await?,
    })
}

/// The banner if nobody was notified of the incident, as a key of the words.
pub(crate) fn unnotified(notified: Notified) -> Option<String> {
    notified.why_nobody().map(|why| format!("unnotified_{}", why.as_str()))
}

impl Headline {
    pub(crate) fn of(incident: &Incident, reader: &Reader) -> Self {
        let state = incident.progress.as_str();
        Self {
            place: subject(&incident.id),
            num: incident.num.clone(),
            title: without_state(&incident.title),
            severity: severity(incident.severity, reader),
            tone: tone(incident.severity),
            state: reader.word(&format!("progress_{state}")).to_owned(),
            state_tone: state,
        }
    }
}

const fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn severity(severity: Severity, reader: &Reader) -> String {
    reader.word(&format!("severity_{}", tone(severity))).to_owned()
}

async fn facts(app: &App, incident: &Incident, reader: &Reader) -> Result<Vec<Fact>, PageError> {
    let text = |name, value: String| Fact { name: reader.word(name), value, at: None };
    let time = |name, at| Fact { name: reader.word(name), value: String::new(), at: Some(reader.when(at)) };
    let space = app.store.cached_space(&incident.space, app.clock.now()).await?;
    let mut facts = vec![text("space", space.map_or_else(|| incident.space.to_string(), |space| space.name.clone()))];
    facts.push(time("triggered_at", incident.triggered_at));
    facts.extend(incident.acknowledged_at.map(|at| time("acknowledged_at", at)));
    facts.extend(incident.snoozed_until.map(|at| time("snoozed_until", at)));
    facts.extend(incident.closed_at.map(|at| time("closed_at", at)));
    if let Some(at) = incident.escalation.as_ref().filter(|at| at.rule.is_some()) {
        facts.push(text("escalation_rule", format!("{} · {} {}", at.rule_name, reader.word("level"), at.level + 1)));
        if at.is_waiting {
            facts.push(time("level_waits_until", at.since));
        }
    }
    if let Some(held) = &incident.held {
        facts.push(text("silenced_by", in_api(reader.language).held_by(&HeldBy::of(&held.by))));
        facts.extend(held.until.map(|until| time("silenced_until", until)));
    }
    if incident.flapping {
        facts.push(text("flapping", reader.word("flapping_meaning").to_owned()));
    }
    Ok(facts)
}

/// The assignees: members by name, all others as stored.
pub(super) async fn people(app: &App, incident: &Incident) -> Result<Vec<Person>, PageError> {
    let mut people = Vec::with_capacity(incident.assignees.len());
    for id in &incident.assignees {
        let member = match id.parse() {
            Ok(member) => app.store.cached_member(&member, app.clock.now()).await?,
            Err(_) => None,
        };
        people.push(Person {
            name: member.map_or_else(|| id.clone(), |member| member.name.clone()),
            works_on_it: incident.acknowledged_by.contains(id),
        });
    }
    Ok(people)
}

async fn alerts(app: &App, incident: &Incident, reader: &Reader) -> Result<Vec<AlertRow>, PageError> {
    let reads = incident.alerts.iter().take(ALERTS).map(|linked| app.store.alert(&linked.alert));
    let found: Vec<Option<Alert>> =
        stream::iter(reads.collect::<Vec<_>>()).buffered(READ_AT_A_TIME).try_collect().await?;
    let mut rows = Vec::new();
    for alert in found.into_iter().flatten() {
        let integration = app.store.cached_integration(&alert.integration, app.clock.now()).await?;
        rows.push(alert_row(alert, integration.map(|stored| stored.integration.name.clone()), reader));
    }
    Ok(rows)
}

fn alert_row(alert: Alert, integration: Option<String>, reader: &Reader) -> AlertRow {
    let state = match alert.status {
        Status::Open => "alert_open",
        Status::Closed => "alert_closed",
    };
    let text = cut_chars(&shown::text(&alert.title, &alert.description), TEXT_CHARS);
    let labels = alert.labels.into_iter().filter(|(name, _)| shown::is_shown_label(name));
    AlertRow {
        title: without_state(&alert.title),
        severity: severity(alert.severity, reader),
        tone: tone(alert.severity),
        state: reader.word(state),
        count: alert.count,
        text: runs(&text),
        labels: labels.map(|(name, value)| (name, runs(&value))).collect(),
        closing: alert.closing.map(|message| ClosingRow {
            title: message.title,
            text: alerting::base::limits::cut_chars(&message.text, TEXT_CHARS),
            at: reader.when(message.stamp.received_at()),
        }),
        triggered: reader.when(alert.opened_by.received_at()),
        trace: format!("/integrations/{}/messages/{}/trace", alert.integration, alert.opened_by),
        integration: integration.unwrap_or_else(|| alert.integration.to_string()),
    }
}

fn runs(text: &str) -> Vec<Run> {
    let run = |piece: Piece<'_>| match piece {
        Piece::Text(text) => Run { text: text.to_owned(), href: None },
        Piece::Link(SafeLink { url, shown }) => Run { text: shown, href: Some(url) },
    };
    pieces(text).into_iter().map(run).collect()
}

fn delivery_row(named: &NamedDelivery, reader: &Reader) -> DeliveryRow {
    let state = named.delivery.state();
    let last = named.delivery.attempts.last();
    DeliveryRow {
        who: named.who(),
        state: reader.word(&format!("delivery_{}", state.as_str())).to_owned(),
        is_failure: state == DeliveryState::Failed,
        at: last.map(|attempt| reader.when(attempt.at)),
        reason: last.and_then(|attempt| attempt.reason.as_deref()).map(|reason| reason_in_words(reason, reader)),
    }
}

/// The page's forms. `None`: this member may take no action.
async fn form(
    app: &App,
    incident: &Incident,
    by: &SignedIn,
    reader: &Reader,
    refusal: Option<&Refusal>,
) -> Result<Option<Form>, PageError> {
    let mut buttons = Buttons::of(incident, &by.member);
    buttons.escalate = buttons.escalate && levels::has_next(&app.store, incident).await?;
    if !buttons.any() {
        return Ok(None);
    }
    let chosen = |id: &String| refusal.is_some_and(|refusal| refusal.people.contains(id));
    let choice = |id: String, text: String| Choice { chosen: chosen(&id), value: id, text };
    let (mut members, mut teams) = (Vec::new(), Vec::new());
    if buttons.assign {
        let listed = app.store.members().list(PEOPLE, None).await?.items;
        members = listed.into_iter().map(|member| choice(member.id.to_string(), member.name)).collect();
        let listed = app.store.teams().list(PEOPLE, None).await?.items;
        teams = listed.into_iter().map(|team| choice(team.id.to_string(), team.name)).collect();
    }
    let severities = [Severity::Critical, Severity::Warning, Severity::Info];
    let filled = Filled::with(&[("title", &incident.title), ("severity", incident.severity.as_str())]);
    let filled = refusal.map_or_else(|| filled.clone(), |refusal| filled.clone().over(&refusal.filled));
    Ok(Some(Form {
        token: by.form_token(&subject(&incident.id)),
        action_key: new_action_key(),
        episode: incident.episode,
        buttons,
        lengths: LENGTHS.iter().map(|(minutes, word)| (*minutes, reader.word(word))).collect(),
        opened: refusal.and_then(Refusal::part),
        severities: severities
            .map(|one| Choice::new(one.as_str(), &severity(one, reader), filled.given("severity")))
            .into(),
        filled,
        members,
        teams,
    }))
}
