//! Decides what a change of an alert does to its incident.

use crate::base::actor::{Actor, NamedActor};
use crate::base::ids::{AlertId, IncidentId, SpaceId, Stamp};
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::assignment::Assigned;
use crate::incident::change_result::ChangeResult;
use crate::incident::detail::Detail;
use crate::incident::due::start;
use crate::incident::entry_draft::EntryDraft;
use crate::incident::timeline::EntryKind;
use crate::incident::{ALERTS, Hold, Incident, Linked, Progress, raise};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The incident of the alert: its own, or the one that it joins.
    pub incident: IncidentId,
    pub alert: AlertId,
    /// The message that opened the episode.
    pub opened_by: Stamp,
    pub space: SpaceId,
    pub alert_n: u64,
    pub kind: SourceKind,
    pub title: String,
    pub severity: Severity,
    /// The hold of an incident that the alert makes. A held incident notifies nobody.
    pub hold: Option<Hold>,
    pub flapping: bool,
    /// Numbers of alerts at which the incident sends a storm warning.
    pub storm_thresholds: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    Trigger,
    RaiseSeverity,
    Recover,
}

impl SourceKind {
    pub const fn entry(self) -> EntryKind {
        match self {
            SourceKind::Trigger => EntryKind::Triggered,
            SourceKind::RaiseSeverity => EntryKind::SeverityRaised,
            SourceKind::Recover => EntryKind::Recovered,
        }
    }
}

/// The incident that an alert makes. A recovery that comes first makes a closed incident, and its later trigger changes
/// nothing.
pub(super) fn create(source: &SourceChange, assigned: Option<&Assigned>, now: Moment) -> ChangeResult {
    let mut incident = Incident {
        num: source.incident.num(),
        id: source.incident.clone(),
        space: source.space.clone(),
        title: source.title.clone(),
        severity: source.severity,
        progress: Progress::Triggered,
        alerts: vec![linked(source)],
        n: 0,
        alert_n: None,
        triggered_at: source.opened_by.received_at(),
        acknowledged_at: None,
        closed_at: None,
        snoozed_until: None,
        assignees: Vec::new(),
        acknowledged_by: Vec::new(),
        destinations: Vec::new(),
        round: 0,
        episode: 0,
        escalation: None,
        held: source.hold.clone(),
        last_joined_at: None,
        merged_into: None,
        fixed: Default::default(),
        flapping: source.flapping,
        spilled: 0,
        timeline: Vec::new(),
    };
    let mut draft = EntryDraft::by_source(source.kind.entry());
    if source.kind == SourceKind::Recover {
        incident.close(now);
        draft = draft.detail(Detail::RecoveredBefore);
    } else if let Some(hold) = &source.hold {
        draft = draft.detail(hold.detail());
    } else if let Some(assigned) = assigned {
        draft = start(&mut incident, assigned, false, draft, now);
    }
    draft.write_of(incident, now, Some((&source.alert, source.alert_n)))
}

/// Applies the next change of an alert of the incident, or the change of an alert that joins it.
pub(super) fn follow(
    incident: &Incident,
    source: &SourceChange,
    assigned: Option<&Assigned>,
    now: Moment,
) -> ChangeResult {
    if let Some(target) = &incident.merged_into {
        return ChangeResult::Moved(target.clone());
    }
    let Some(known) = incident.linked(&source.alert) else { return join(incident, source, assigned, now) };
    if source.alert_n <= known.n {
        return already(incident, source);
    }
    // The incident was closed by hand, so later messages of the same episode change nothing.
    if incident.progress == Progress::Closed {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    let place = next.alerts.iter().position(|linked| linked.alert == source.alert).expect("it was found above");
    next.alerts[place] = linked(source);
    match source.kind {
        SourceKind::Recover => recovered(next, source, now),
        SourceKind::Trigger | SourceKind::RaiseSeverity => {
            let mut draft = EntryDraft::by_source(source.kind.entry());
            let is_raise = source.kind == SourceKind::RaiseSeverity;
            if is_more_severe(incident, source) {
                next.severity = source.severity;
                draft = raise::assign(&mut next, assigned, draft, now);
            } else if is_raise && is_as_severe_again(incident, source) {
                draft = draft.detail(Detail::SevereAgain);
            } else if is_raise {
                return ChangeResult::Nothing;
            }
            if place == 0 && !next.fixed.title {
                next.title.clone_from(&source.title);
            }
            write(draft, next, source, now)
        }
    }
}

/// Whether a change by a known or a joining alert makes an open incident more severe.
pub(super) fn rises(incident: &Incident, source: &SourceChange) -> bool {
    let is_new = incident.linked(&source.alert).is_none_or(|known| source.alert_n > known.n);
    is_new && source.kind != SourceKind::Recover && is_more_severe(incident, source)
}

fn is_more_severe(incident: &Incident, source: &SourceChange) -> bool {
    source.severity > incident.severity && !incident.fixed.severity
}

/// Whether the only open alert returns to the severity of its incident. The incident keeps its worst severity, so the
/// alert was less severe in between.
fn is_as_severe_again(incident: &Incident, source: &SourceChange) -> bool {
    let others = incident.alerts.iter().filter(|linked| linked.alert != source.alert);
    source.severity == incident.severity && !incident.fixed.severity && others.into_iter().all(|other| !other.is_open)
}

fn join(incident: &Incident, source: &SourceChange, assigned: Option<&Assigned>, now: Moment) -> ChangeResult {
    // Only silenced alerts join a silenced incident. Any other alert must notify somebody, so it makes its own
    // incident.
    let is_silenced = incident.held.is_some() && source.hold.is_none() && source.kind != SourceKind::Recover;
    if incident.progress == Progress::Closed || incident.alerts.len() >= ALERTS || is_silenced {
        return ChangeResult::CannotJoin;
    }
    let mut next = incident.clone();
    next.alerts.push(linked(source));
    next.last_joined_at = next.last_joined_at.max(Some(source.opened_by.received_at()));
    if source.kind == SourceKind::Recover {
        return write(EntryDraft::by_source(EntryKind::AlertRecovered), next, source, now);
    }
    let count = u32::try_from(next.alerts.len()).unwrap_or(u32::MAX);
    let rises = is_more_severe(incident, source);
    let draft = if source.storm_thresholds.contains(&count) {
        EntryDraft::by_source(EntryKind::StormWarning).detail(Detail::Alerts { count })
    } else if rises {
        EntryDraft::by_source(EntryKind::SeverityRaised).detail(Detail::Alert { title: source.title.clone() })
    } else {
        EntryDraft::by_source(EntryKind::AlertJoined).detail(Detail::Alert { title: source.title.clone() })
    };
    let draft = if rises {
        next.severity = source.severity;
        raise::assign(&mut next, assigned, draft, now)
    } else {
        draft
    };
    write(draft, next, source, now)
}

fn recovered(mut next: Incident, source: &SourceChange, now: Moment) -> ChangeResult {
    let kind = if next.alerts.iter().any(|linked| linked.is_open) {
        EntryKind::AlertRecovered
    } else {
        next.close(now);
        EntryKind::Recovered
    };
    write(EntryDraft::by_source(kind), next, source, now)
}

/// Closes one of the alerts without a message of its source. The incident closes with its last open alert.
pub(super) fn close_alert(incident: &Incident, alert: &AlertId, by: &NamedActor, now: Moment) -> ChangeResult {
    if let Some(target) = &incident.merged_into {
        return ChangeResult::Moved(target.clone());
    }
    if incident.progress == Progress::Closed {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    let Some(linked) = next.alerts.iter_mut().find(|linked| linked.alert == *alert && linked.is_open) else {
        return ChangeResult::Nothing;
    };
    linked.is_open = false;
    let kind = match &by.actor {
        _ if next.alerts.iter().any(|linked| linked.is_open) => EntryKind::AlertRecovered,
        Actor::Member { .. } | Actor::ApiKey { .. } => EntryKind::Closed,
        Actor::Timer | Actor::Rule | Actor::Source => EntryKind::AutoClosed,
    };
    if kind != EntryKind::AlertRecovered {
        next.close(now);
    }
    EntryDraft::new(kind, by.clone()).write(next, now)
}

fn already(incident: &Incident, source: &SourceChange) -> ChangeResult {
    let is_first = incident.first_alert() == Some(&source.alert);
    let same = |alert: Option<&AlertId>| if is_first { alert.is_none() } else { alert == Some(&source.alert) };
    let mut entries = incident.timeline.iter();
    let earlier = entries.find(|entry| entry.alert_n == Some(source.alert_n) && same(entry.alert.as_ref()));
    earlier.cloned().map_or(ChangeResult::Nothing, ChangeResult::Already)
}

fn linked(source: &SourceChange) -> Linked {
    Linked { alert: source.alert.clone(), n: source.alert_n, is_open: source.kind != SourceKind::Recover }
}

fn write(draft: EntryDraft, incident: Incident, source: &SourceChange, now: Moment) -> ChangeResult {
    draft.write_of(incident, now, Some((&source.alert, source.alert_n)))
}
