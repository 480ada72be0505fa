//! The assignments of an incident: the escalation rules that were evaluated, and every assignment.

use alerting::base::moment::Moment;
use alerting::incident::Incident;
use alerting::incident::assignment::SpacePolicy;
use alerting::incident::timeline::{Audience, Entry, EntryKind};
use alerting::rules::trace::Place;
use store::people::view;
use words::trace as texts;

use super::because::{Because, Voice};
use super::space_record::{MessageAlert, SpaceRecord};
use crate::dto::Time;
use crate::dto::trace::{AssignmentTrace, EscalationTrace, RuleTried};

/// The result of evaluating the escalation rules again.
pub(crate) struct EscalationResult {
    pub(crate) view: EscalationTrace,
    /// The name of the rule, or `Some(None)` if no rule matches. `None`: the rules were not evaluated.
    pub(crate) chosen: Option<Option<String>>,
}

/// Evaluates the current rules of the space as of the time of the first assignment.
pub(crate) fn ask(voice: Voice, record: &SpaceRecord, incident: &Incident, of: MessageAlert<'_>) -> EscalationResult {
    let escalation = incident.escalation.as_ref();
    let waiting = escalation.filter(|escalation| escalation.is_waiting);
    let mut view = EscalationTrace {
        asked_at: None,
        rules: Vec::new(),
        rule: escalation.filter(|escalation| escalation.rule.is_some()).map(|escalation| escalation.rule_name.clone()),
        level: escalation.map(|escalation| escalation.level + 1),
        waits_until: waiting.map(|escalation| Time(escalation.since)),
        told: if record.made { assignments(voice, record) } else { Vec::new() },
    };
    let asked_at = asked_at(record, incident);
    let (Some(at), Some(space), Some(then)) = (asked_at, &record.space, of.then) else {
        return EscalationResult { view, chosen: None };
    };
    let (rule, trace) = SpacePolicy::new(space).trace_rule(space, &view_of(then), at);
    let because = Because { voice, trace: &trace, problems: &[], at: Some(at) };
    let decided = rule.map_or("", |rule| &rule.name);
    let otherwise = voice.say(texts::NOT_REACHED, &[("decided", decided)]);
    let tried = space.escalation_rules.iter().enumerate().map(|(n, rule)| {
        let (result, because) = because.of(Place::EscalationRule(n), "", &rule.filter, &otherwise);
        RuleTried { rule: rule.id.clone(), name: rule.name.clone(), result, because }
    });
    view.rules = tried.collect();
    view.asked_at = Some(Time(at));
    EscalationResult { view, chosen: Some(rule.map(|rule| rule.name.clone())) }
}

fn view_of(alert: &alerting::incident::alert::Alert) -> alerting::rules::matcher::View<'_> {
    view(alert, alert.severity)
}

/// When the incident that this message created was first assigned. `None`: the incident was never assigned.
fn asked_at(record: &SpaceRecord, incident: &Incident) -> Option<Moment> {
    if !record.made || incident.round == 0 {
        return None;
    }
    let first = |kind| record.entries.iter().find(|entry| entry.kind == kind);
    let entry = match record.held_back() {
        Some(_) => first(EntryKind::SilenceEnded),
        None => first(EntryKind::Triggered),
    };
    entry.map(|entry| entry.at)
}

/// Every timeline entry that assigned the incident to someone, or that records that nobody could be reached.
fn assignments(voice: Voice, record: &SpaceRecord) -> Vec<AssignmentTrace> {
    record.entries.iter().filter(|entry| gives(entry.kind)).map(|entry| given(voice, record, entry)).collect()
}

fn given(voice: Voice, record: &SpaceRecord, entry: &Entry) -> AssignmentTrace {
    let to = record.notices.iter().filter(|notice| notice.n == entry.n).filter(|notice| match &entry.audience {
        Audience::Everyone => true,
        Audience::Only(destinations) => destinations.contains(&notice.view.destination),
    });
    let name = |notice: &super::notices::TracedNotice| {
        notice.view.name.clone().unwrap_or_else(|| notice.view.destination.to_string())
    };
    let (change, detail) = (entry.kind.as_str(), entry.detail.as_ref().map(|detail| voice.detail(detail)));
    AssignmentTrace { at: Time(entry.at), change, detail, to: to.map(name).collect() }
}

/// Whether a change of this kind assigns an incident to someone, or fails to do so.
pub(crate) const fn gives(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Triggered
        | EntryKind::SnoozeEnded
        | EntryKind::Reopened
        | EntryKind::Escalated
        | EntryKind::Repeated
        | EntryKind::Reassigned
        | EntryKind::ResponderAdded
        | EntryKind::SilenceEnded
        | EntryKind::ContactFailed
        | EntryKind::NobodyReached => true,
        EntryKind::SeverityRaised
        | EntryKind::Recovered
        | EntryKind::Acknowledged
        | EntryKind::Unacknowledged
        | EntryKind::Snoozed
        | EntryKind::Closed
        | EntryKind::AutoClosed
        | EntryKind::AlertJoined
        | EntryKind::AlertRecovered
        | EntryKind::StormWarning
        | EntryKind::Commented
        | EntryKind::Merged
        | EntryKind::MergedAway
        | EntryKind::Edited
        | EntryKind::SilenceChanged => false,
    }
}
