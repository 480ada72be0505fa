//! What happens to an incident when its time has come, and how a level of an escalation rule starts.

use crate::actor::NamedActor;
use crate::assignment::{Assigned, Assignment};
use crate::escalation::Unless;
use crate::ids::DestinationId;
use crate::incident::apply::{Applied, Draft, close, reset};
use crate::incident::{Escalation, Hold, Incident, Progress};
use crate::moment::Moment;
use crate::timeline::{Audience, Entry, EntryKind};

/// What the timeline says of an incident that nothing takes.
pub(crate) const NO_DESTINATIONS: &str =
    "nobody is told: no escalation rule matches, and the space has no destinations";

/// Gives the incident to whom `assigned` says; the draft, with whom it tells and a word on why.
///
/// `at_once`: a level that has a delay has waited already.
pub(super) fn start(incident: &mut Incident, assigned: &Assigned, at_once: bool, draft: Draft, now: Moment) -> Draft {
    incident.round += 1;
    match assigned {
        Assigned::Space(destinations) => {
            incident.escalation = None;
            add_all(&mut incident.destinations, destinations);
            if destinations.is_empty() {
                return draft.detail(NO_DESTINATIONS);
            }
            draft
        }
        Assigned::Level(assignment) => start_level(incident, assignment, at_once, draft, now),
        Assigned::Nobody(reason) => {
            if let Some(escalation) = &mut incident.escalation {
                (escalation.next, escalation.repeat) = (None, None);
            }
            Draft { told: Audience::Only(Vec::new()), ..draft.detail(format!("nobody is told: {reason}")) }
        }
    }
}

fn start_level(incident: &mut Incident, assignment: &Assignment, at_once: bool, draft: Draft, now: Moment) -> Draft {
    let is_waiting = !at_once && !assignment.delay.is_zero();
    let escalation = Escalation {
        rule: assignment.rule.clone(),
        rule_name: assignment.rule_name.clone(),
        level: assignment.level,
        is_waiting,
        since: if is_waiting { now + assignment.delay } else { now },
        repeated: 0,
        repeat: assignment.repeat,
        next: assignment.next,
        people: assignment.people.clone(),
        groups: assignment.groups.clone(),
        failed_groups: Vec::new(),
    };
    let audience = if is_waiting { Vec::new() } else { escalation.audience() };
    add_all(&mut incident.destinations, &audience);
    if !is_waiting {
        for reach in &escalation.people {
            add(&mut incident.assignees, reach.member.as_str());
        }
    }
    let mut words = format!("{}, level {}", assignment.rule_name, assignment.level + 1);
    if is_waiting {
        words += &format!(" at {}", escalation.since);
    }
    if let Some(remark) = &assignment.remark {
        words += &format!("; {remark}");
    }
    incident.escalation = Some(escalation);
    Draft { told: Audience::Only(audience), ..draft.detail(words) }
}

pub(super) fn ends_snooze(incident: &Incident, until: Moment) -> bool {
    // Closed, or snoozed anew: another timer ends that one.
    incident.progress != Progress::Closed && incident.snoozed_until == Some(until)
}

pub(super) fn end_snooze(incident: &Incident, until: Moment, assigned: Option<&Assigned>, now: Moment) -> Applied {
    if !ends_snooze(incident, until) {
        return Applied::Nothing;
    }
    let mut next = incident.clone();
    reset(&mut next);
    assign_again(next, assigned, Draft::by_timer(EntryKind::SnoozeEnded), now)
}

pub(super) fn is_held(incident: &Incident) -> bool {
    incident.progress != Progress::Closed && incident.held.is_some()
}

/// `hold`: what holds it now, by the silences that are in force. What nothing holds any more is assigned.
pub(super) fn review_hold(
    incident: &Incident,
    hold: Option<&Hold>,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Applied {
    if !is_held(incident) || incident.held.as_ref() == hold {
        return Applied::Nothing;
    }
    let mut next = incident.clone();
    next.held = hold.cloned();
    if let Some(hold) = hold {
        return Draft::by_timer(EntryKind::SilenceChanged).detail(hold.remark()).write(next, now);
    }
    let draft = Draft::by_timer(EntryKind::SilenceEnded);
    if next.progress == Progress::Processing || next.escalation.is_some() {
        // Someone found it and took care of it meanwhile.
        return Draft { told: Audience::Only(Vec::new()), ..draft }.write(next, now);
    }
    assign_again(next, assigned, draft, now)
}

/// Assigns an incident that is triggered again, from the first level on.
pub(super) fn assign_again(mut incident: Incident, assigned: Option<&Assigned>, draft: Draft, now: Moment) -> Applied {
    incident.escalation = None;
    let draft = match assigned {
        Some(assigned) => start(&mut incident, assigned, false, draft, now),
        None => draft,
    };
    draft.write(incident, now)
}

/// The escalation in which this level is due in this round; `None` if it is not, any more or yet.
pub(super) fn escalates(incident: &Incident, round: u32, level: u32) -> Option<&Escalation> {
    let escalation = incident.escalation.as_ref()?;
    if incident.progress == Progress::Closed || incident.is_quiet() || incident.round != round {
        return None;
    }
    let is_acknowledged = incident.progress == Progress::Processing;
    let is_due = if escalation.is_waiting {
        level == escalation.level && !is_acknowledged
    } else {
        let next = escalation.next?;
        level == escalation.level + 1 && (next.unless == Unless::Closed || !is_acknowledged)
    };
    is_due.then_some(escalation)
}

pub(super) fn escalate(
    incident: &Incident,
    round: u32,
    level: u32,
    assigned: Option<&Assigned>,
    now: Moment,
) -> Applied {
    let Some(escalation) = escalates(incident, round, level) else { return Applied::Nothing };
    let Some(assigned) = assigned else { return Applied::Nothing };
    // The level that waited has waited; one that stands in for it has a delay of its own.
    let waited = |level: &Assignment| escalation.is_waiting && level.level == escalation.level;
    let at_once = matches!(assigned, Assigned::Level(level) if waited(level));
    let kind = match assigned {
        Assigned::Nobody(_) => EntryKind::NobodyReached,
        Assigned::Space(_) | Assigned::Level(_) => EntryKind::Escalated,
    };
    let mut next = incident.clone();
    let draft = start(&mut next, assigned, at_once, Draft::by_timer(kind), now);
    draft.write(next, now)
}

pub(super) fn repeat(incident: &Incident, round: u32, time: u32, now: Moment) -> Applied {
    if incident.progress != Progress::Triggered || incident.is_quiet() || incident.round != round {
        return Applied::Nothing;
    }
    let mut next = incident.clone();
    let Some(escalation) = next.escalation.as_mut().filter(|escalation| !escalation.is_waiting) else {
        return Applied::Nothing;
    };
    let times = escalation.repeat.map_or(0, |repeat| repeat.times);
    if time != escalation.repeated + 1 || time > times {
        return Applied::Nothing;
    }
    escalation.repeated = time;
    let told = Audience::Only(escalation.audience());
    let draft = Draft::by_timer(EntryKind::Repeated).detail(format!("{time} of {times}"));
    Draft { told, ..draft }.write(next, now)
}

/// The next contacts of those whom this one should have reached, if they still stand at it: a level may have one contact
/// for all of its people. A group of the level has none. The entry stays where there is none left.
pub(super) fn contact_failed(
    incident: &Incident,
    destination: &DestinationId,
    name: &str,
    reason: &str,
    now: Moment,
) -> Applied {
    if incident.is_quiet() || !is_wanted(incident, destination) {
        return Applied::Nothing;
    }
    let mut next = incident.clone();
    let Some(escalation) = next.escalation.as_mut() else { return Applied::Nothing };
    let is_group = escalation.groups.contains(destination) && !escalation.failed_groups.contains(destination);
    if is_group {
        escalation.failed_groups.push(destination.clone());
    }
    let mut failed = escalation.people.iter_mut().filter(|reach| reach.contact() == Some(destination)).peekable();
    if failed.peek().is_none() && !is_group {
        return Applied::Nothing;
    }
    let mut told: Vec<DestinationId> = Vec::new();
    for reach in failed {
        reach.at += 1;
        add_all(&mut told, reach.contact().map_or(&[], std::slice::from_ref));
    }
    let places: Vec<&str> = told.iter().map(place).collect();
    let left = match () {
        () if !places.is_empty() => format!("next: {}", places.join(", ")),
        () if is_group && !escalation.is_exhausted() => "others of the level were notified".to_owned(),
        () => "no contact is left".to_owned(),
    };
    let words = if is_group {
        format!("{name} could not be notified ({reason}); {left}")
    } else {
        format!("{name} could not be notified by {} ({reason}); {left}", place(destination))
    };
    add_all(&mut next.destinations, &told);
    let draft = Draft::by_timer(EntryKind::ContactFailed).detail(words);
    Draft { told: Audience::Only(told), ..draft }.write(next, now)
}

/// Whether a person who was told here has to be told: nobody works on the incident, or it was given to the person after
/// someone did.
fn is_wanted(incident: &Incident, destination: &DestinationId) -> bool {
    let given = |entry: &&Entry| matches!(&entry.told, Audience::Only(told) if told.contains(destination));
    match incident.progress {
        Progress::Triggered => true,
        Progress::Processing => {
            let given = incident.timeline.iter().rev().find(given).map(|entry| entry.at);
            given.is_some_and(|given| Some(given) >= incident.acknowledged_at)
        }
        Progress::Closed => false,
    }
}

/// `email` of a member, or the destination's id.
fn place(destination: &DestinationId) -> &str {
    destination.member().map_or(destination.as_str(), |(channel, _)| channel)
}

pub(super) fn auto_close(incident: &Incident, now: Moment) -> Applied {
    if incident.progress == Progress::Closed {
        return Applied::Nothing;
    }
    let mut next = incident.clone();
    close(&mut next, now);
    next.alerts.iter_mut().for_each(|linked| linked.is_open = false);
    Draft::new(EntryKind::AutoClosed, NamedActor::rule()).write(next, now)
}

pub(super) fn add(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|known| known == item) {
        list.push(item.to_owned());
    }
}

pub(super) fn add_all(list: &mut Vec<DestinationId>, items: &[DestinationId]) {
    for item in items {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}
