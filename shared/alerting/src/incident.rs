//! What people work on: an alert in one space, from its trigger until it recovers or someone closes it.
//!
//! [`apply`] decides one change. Every change that takes effect gets the incident's next number `n`, which orders its
//! notices: a destination that has been told `n` is never told anything older. A change that comes from the alert
//! carries the alert's own transition number, so carrying it out a second time (a copy, a retry, a crash) finds the
//! entry of the first time and changes nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{AlertId, DestinationId, IncidentId, SpaceId, Stamp};
use crate::moment::Moment;
use crate::severity::Severity;

/// The longest snooze.
pub const SNOOZE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Entries that a timeline keeps: about 100 KiB of the 400 KiB that an item may have. Beyond it, people's actions are
/// refused by name; an alert's own changes still count, but leave no entry.
pub const TIMELINE_ENTRIES: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Triggered,
    Processing,
    Closed,
}

impl Progress {
    pub const fn as_str(self) -> &'static str {
        match self {
            Progress::Triggered => "triggered",
            Progress::Processing => "processing",
            Progress::Closed => "closed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub space: SpaceId,
    pub num: String,
    pub title: String,
    pub severity: Severity,
    pub progress: Progress,
    pub alerts: Vec<AlertId>,
    /// Number of the newest change.
    pub n: u64,
    /// Number of the newest transition of its alert that took effect here.
    pub alert_n: u64,
    pub triggered_at: Moment,
    pub acknowledged_at: Option<Moment>,
    pub closed_at: Option<Moment>,
    pub snoozed_until: Option<Moment>,
    pub assignees: Vec<String>,
    /// Who was told of the trigger, and is told what follows.
    pub destinations: Vec<DestinationId>,
    pub timeline: Vec<Entry>,
}

/// One thing that happened. Nothing is deleted from a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub n: u64,
    pub at: Moment,
    pub kind: EntryKind,
    /// A member or API key by name, `source`, or `timer`.
    pub actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The alert's transition that this is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_n: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Triggered,
    SeverityRaised,
    Recovered,
    Acknowledged,
    Unacknowledged,
    Snoozed,
    SnoozeEnded,
    Closed,
    AutoClosed,
    Reopened,
}

impl EntryKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryKind::Triggered => "triggered",
            EntryKind::SeverityRaised => "severity_raised",
            EntryKind::Recovered => "recovered",
            EntryKind::Acknowledged => "acknowledged",
            EntryKind::Unacknowledged => "unacknowledged",
            EntryKind::Snoozed => "snoozed",
            EntryKind::SnoozeEnded => "snooze_ended",
            EntryKind::Closed => "closed",
            EntryKind::AutoClosed => "auto_closed",
            EntryKind::Reopened => "reopened",
        }
    }

    /// Told are: trigger, severity rise, reopen, acknowledge and close by a person, recovery. A snooze that ends
    /// returns the incident to triggered and assigns it again, which is told as a trigger is.
    pub const fn is_told(self) -> bool {
        match self {
            EntryKind::Triggered
            | EntryKind::SeverityRaised
            | EntryKind::Recovered
            | EntryKind::Acknowledged
            | EntryKind::SnoozeEnded
            | EntryKind::Closed
            | EntryKind::Reopened => true,
            EntryKind::Unacknowledged | EntryKind::Snoozed | EntryKind::AutoClosed => false,
        }
    }
}

/// What happens to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The alert's own: a transition that evaluate committed.
    Source(SourceChange),
    /// A person's.
    Person { actor: String, action: Action },
    /// The alert closed by itself after its integration's `auto_close_hours`.
    AutoClose,
    /// The snooze that ends at this moment ran out.
    SnoozeEnd { until: Moment },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    pub alert: AlertId,
    /// The message that opened the episode.
    pub opened_by: Stamp,
    pub space: SpaceId,
    pub destinations: Vec<DestinationId>,
    pub alert_n: u64,
    pub kind: SourceKind,
    pub title: String,
    pub severity: Severity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    Trigger,
    RaiseSeverity,
    Recover,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Acknowledge,
    Unacknowledge,
    Snooze { until: Moment },
    Close,
    Reopen,
}

/// What [`apply`] decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart at once; a box would cost more than it saves"
)]
pub enum Applied {
    /// Write this incident. The entry is the change, also where the timeline is too full to hold it.
    Changed(Incident, Entry),
    /// This very change took effect before; the entry it left then. Tell it again, under the same number.
    Already(Entry),
    /// It has no effect, and nothing is told.
    Nothing,
}

/// Why a person's action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    #[error("the incident is closed; reopen it first")]
    Closed,
    #[error("the incident is not closed")]
    NotClosed,
    #[error("nobody has acknowledged the incident")]
    NotAcknowledged,
    #[error("the incident's timeline is full ({TIMELINE_ENTRIES} entries); close it and work on the next one")]
    TimelineFull,
}

/// Applies a change to an incident as it stands (`None`: there is none yet).
pub fn apply(current: Option<&Incident>, change: &Change, now: Moment) -> Result<Applied, ActionError> {
    match (current, change) {
        (None, Change::Source(source)) => Ok(create(source, now)),
        (None, Change::Person { .. } | Change::AutoClose | Change::SnoozeEnd { .. }) => Ok(Applied::Nothing),
        (Some(incident), Change::Source(source)) => Ok(follow(incident, source, now)),
        (Some(incident), Change::Person { actor, action }) => act(incident, actor, *action, now),
        (Some(incident), Change::AutoClose) if incident.progress == Progress::Closed => Ok(Applied::Nothing),
        (Some(incident), Change::AutoClose) => {
            let mut next = incident.clone();
            close(&mut next, now);
            Ok(record(next, now, EntryKind::AutoClosed, "timer", None, None))
        }
        (Some(incident), Change::SnoozeEnd { until }) => Ok(end_snooze(incident, *until, now)),
    }
}

fn create(source: &SourceChange, now: Moment) -> Applied {
    let id = IncidentId::of(&source.space, source.opened_by);
    let mut incident = Incident {
        num: id.num(),
        id,
        space: source.space.clone(),
        title: source.title.clone(),
        severity: source.severity,
        progress: Progress::Triggered,
        alerts: vec![source.alert.clone()],
        n: 0,
        alert_n: source.alert_n,
        triggered_at: source.opened_by.received_at(),
        acknowledged_at: None,
        closed_at: None,
        snoozed_until: None,
        assignees: Vec::new(),
        destinations: source.destinations.clone(),
        timeline: Vec::new(),
    };
    if source.kind == SourceKind::Recover {
        close(&mut incident, now);
    }
    record(incident, now, source.kind.entry(), "source", None, Some(source.alert_n))
}

fn follow(incident: &Incident, source: &SourceChange, now: Moment) -> Applied {
    if source.alert_n <= incident.alert_n {
        let earlier = incident.timeline.iter().find(|entry| entry.alert_n == Some(source.alert_n));
        return earlier.cloned().map_or(Applied::Nothing, Applied::Already);
    }
    let mut next = incident.clone();
    next.alert_n = source.alert_n;
    match (source.kind, incident.progress) {
        // Someone closed the incident by hand; what the source says later about the same episode is only remembered.
        (SourceKind::Trigger | SourceKind::RaiseSeverity | SourceKind::Recover, Progress::Closed) => {
            return Applied::Nothing;
        }
        (SourceKind::Recover, _) => close(&mut next, now),
        (SourceKind::Trigger | SourceKind::RaiseSeverity, _) => {
            next.severity = next.severity.max(source.severity);
            next.title.clone_from(&source.title);
        }
    }
    record(next, now, source.kind.entry(), "source", None, Some(source.alert_n))
}

fn act(incident: &Incident, actor: &str, action: Action, now: Moment) -> Result<Applied, ActionError> {
    if incident.timeline.len() >= TIMELINE_ENTRIES {
        return Err(ActionError::TimelineFull);
    }
    let mut next = incident.clone();
    let (kind, detail) = match (action, incident.progress) {
        (Action::Acknowledge | Action::Unacknowledge | Action::Snooze { .. }, Progress::Closed) => {
            return Err(ActionError::Closed);
        }
        // Pressing a button twice changes nothing and is no error.
        (Action::Acknowledge, Progress::Processing) if incident.assignees.iter().any(|name| name == actor) => {
            return Ok(Applied::Nothing);
        }
        (Action::Close, Progress::Closed) => return Ok(Applied::Nothing),
        (Action::Reopen, Progress::Triggered | Progress::Processing) => return Err(ActionError::NotClosed),
        (Action::Unacknowledge, Progress::Triggered) => return Err(ActionError::NotAcknowledged),
        (Action::Acknowledge, _) => {
            next.progress = Progress::Processing;
            next.acknowledged_at.get_or_insert(now);
            if !next.assignees.iter().any(|name| name == actor) {
                next.assignees.push(actor.to_owned());
            }
            (EntryKind::Acknowledged, None)
        }
        (Action::Unacknowledge, _) => {
            next.assignees.retain(|name| name != actor);
            if next.assignees.is_empty() {
                next.progress = Progress::Triggered;
                next.acknowledged_at = None;
            }
            (EntryKind::Unacknowledged, None)
        }
        (Action::Snooze { until }, _) => {
            next.snoozed_until = Some(until);
            (EntryKind::Snoozed, Some(format!("until {until}")))
        }
        (Action::Close, _) => {
            close(&mut next, now);
            (EntryKind::Closed, None)
        }
        (Action::Reopen, _) => {
            reset(&mut next);
            (EntryKind::Reopened, None)
        }
    };
    Ok(record(next, now, kind, actor, detail, None))
}

fn end_snooze(incident: &Incident, until: Moment, now: Moment) -> Applied {
    if incident.progress == Progress::Closed || incident.snoozed_until != Some(until) {
        return Applied::Nothing; // closed, or snoozed anew: another timer ends that one
    }
    let mut next = incident.clone();
    reset(&mut next);
    record(next, now, EntryKind::SnoozeEnded, "timer", None, None)
}

fn close(incident: &mut Incident, now: Moment) {
    incident.progress = Progress::Closed;
    incident.closed_at = Some(now);
    incident.snoozed_until = None;
}

fn reset(incident: &mut Incident) {
    incident.progress = Progress::Triggered;
    incident.acknowledged_at = None;
    incident.closed_at = None;
    incident.snoozed_until = None;
    incident.assignees.clear();
}

fn record(
    mut incident: Incident,
    at: Moment,
    kind: EntryKind,
    actor: &str,
    detail: Option<String>,
    alert_n: Option<u64>,
) -> Applied {
    incident.n += 1;
    let entry = Entry { n: incident.n, at, kind, actor: actor.to_owned(), detail, alert_n };
    if incident.timeline.len() < TIMELINE_ENTRIES {
        incident.timeline.push(entry.clone());
    }
    Applied::Changed(incident, entry)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Moment {
        Moment::from_secs(secs)
    }

    fn source(alert_n: u64, kind: SourceKind) -> Change {
        let opened_by = Stamp::from_parts(at(1), 0);
        Change::Source(SourceChange {
            alert: AlertId::of(&"int_a".parse().expect("valid"), opened_by),
            opened_by,
            space: "spc_a".parse().expect("valid"),
            destinations: vec!["dst_a".parse().expect("valid")],
            alert_n,
            kind,
            title: format!("title {alert_n}"),
            severity: if kind == SourceKind::RaiseSeverity { Severity::Critical } else { Severity::Warning },
        })
    }

    fn person(action: Action) -> Change {
        Change::Person { actor: "li".to_owned(), action }
    }

    /// Applies the changes one after another; the incident and what each was recorded as.
    fn run(changes: &[Change]) -> (Incident, Vec<Result<Option<EntryKind>, ActionError>>) {
        let mut incident = None;
        let mut kinds = Vec::new();
        for (secs, change) in (10..).zip(changes) {
            kinds.push(apply(incident.as_ref(), change, at(secs)).map(|applied| match applied {
                Applied::Changed(next, entry) => {
                    incident = Some(next);
                    Some(entry.kind)
                }
                Applied::Already(_) | Applied::Nothing => None,
            }));
        }
        (incident.expect("some change made it"), kinds)
    }

    #[test]
    fn without_grouping_one_alert_routed_to_a_space_is_one_incident_there() {
        let (incident, kinds) = run(&[source(1, SourceKind::Trigger)]);
        assert_eq!(kinds, [Ok(Some(EntryKind::Triggered))]);
        assert_eq!((incident.progress, incident.alerts.len(), incident.n), (Progress::Triggered, 1, 1));
    }

    #[test]
    fn a_transition_that_is_carried_out_twice_takes_effect_once_and_is_told_under_the_same_number() {
        let (incident, _) = run(&[source(1, SourceKind::Trigger), source(2, SourceKind::Recover)]);
        let again = apply(Some(&incident), &source(1, SourceKind::Trigger), at(99)).expect("no action");
        assert_eq!(again, Applied::Already(incident.timeline[0].clone()));
    }

    #[test]
    fn a_trigger_that_is_carried_out_after_its_recovery_opens_nothing() {
        let (incident, kinds) = run(&[source(2, SourceKind::Recover), source(1, SourceKind::Trigger)]);
        assert_eq!(kinds, [Ok(Some(EntryKind::Recovered)), Ok(None)]);
        assert_eq!(incident.progress, Progress::Closed);
    }

    #[test]
    fn acknowledged_twice_is_acknowledged_once_and_the_last_unacknowledge_returns_it_to_triggered() {
        let (incident, kinds) = run(&[
            source(1, SourceKind::Trigger),
            person(Action::Acknowledge),
            person(Action::Acknowledge),
            person(Action::Unacknowledge),
        ]);
        assert_eq!(kinds[1..], [Ok(Some(EntryKind::Acknowledged)), Ok(None), Ok(Some(EntryKind::Unacknowledged))]);
        assert_eq!((incident.progress, incident.acknowledged_at), (Progress::Triggered, None));
    }

    #[test]
    fn what_a_closed_incident_cannot_do_is_refused_by_name() {
        let closed = [source(1, SourceKind::Trigger), person(Action::Close)];
        for (action, expected) in [
            (Action::Acknowledge, Err(ActionError::Closed)),
            (Action::Snooze { until: at(99) }, Err(ActionError::Closed)),
            (Action::Close, Ok(None)),
            (Action::Reopen, Ok(Some(EntryKind::Reopened))),
        ] {
            let (_, kinds) = run(&[closed[0].clone(), closed[1].clone(), person(action)]);
            assert_eq!(kinds[2], expected, "{action:?}");
        }
    }

    #[test]
    fn only_the_snooze_that_ran_out_ends() {
        let snoozed = [source(1, SourceKind::Trigger), person(Action::Snooze { until: at(99) })];
        for (until, expected) in [(at(99), Ok(Some(EntryKind::SnoozeEnded))), (at(50), Ok(None))] {
            let (_, kinds) = run(&[snoozed[0].clone(), snoozed[1].clone(), Change::SnoozeEnd { until }]);
            assert_eq!(kinds[2], expected);
        }
    }

    #[test]
    fn a_full_timeline_refuses_people_by_name_and_still_tells_of_the_recovery() {
        let (mut incident, _) = run(&[source(1, SourceKind::Trigger)]);
        let entry = incident.timeline[0].clone();
        incident.timeline.resize(TIMELINE_ENTRIES, entry);
        assert_eq!(apply(Some(&incident), &person(Action::Close), at(9)), Err(ActionError::TimelineFull));
        let recovered = apply(Some(&incident), &source(2, SourceKind::Recover), at(9)).expect("not a person's");
        assert!(matches!(recovered, Applied::Changed(_, entry) if entry.kind == EntryKind::Recovered));
    }
}
