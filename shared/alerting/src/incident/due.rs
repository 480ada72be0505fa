//! The changes of an incident that a timer makes, and the start of a level of an escalation rule.

use crate::base::actor::NamedActor;
use crate::base::ids::DestinationId;
use crate::base::moment::Moment;
use crate::incident::assignment::{Assigned, Assignment};
use crate::incident::change_result::ChangeResult;
use crate::incident::detail::{Detail, Left, Time};
use crate::incident::entry_draft::EntryDraft;
use crate::incident::escalation::Unless;
use crate::incident::timeline::{Audience, Entry, EntryKind};
use crate::incident::{Escalation, Hold, Incident, Progress, Reach};

/// Assigns the incident. Returns the draft of the entry with its audience and detail.
///
/// `at_once`: the level starts without its delay.
pub(super) fn start(
    incident: &mut Incident,
    assigned: &Assigned,
    at_once: bool,
    draft: EntryDraft,
    now: Moment,
) -> EntryDraft {
    incident.round += 1;
    match assigned {
        Assigned::Space(destinations) => {
            incident.escalation = None;
            add_all(&mut incident.destinations, destinations);
            if destinations.is_empty() {
                return draft.detail(Detail::NoRule);
            }
            draft
        }
        Assigned::Level(assignment) => start_level(incident, assignment, at_once, draft, now),
        Assigned::Nobody(reason) => {
            if let Some(escalation) = &mut incident.escalation {
                (escalation.next, escalation.repeat) = (None, None);
            }
            EntryDraft { audience: Audience::Only(Vec::new()), ..draft.detail(Detail::Unreached(reason.clone())) }
        }
    }
}

fn start_level(
    incident: &mut Incident,
    assignment: &Assignment,
    at_once: bool,
    draft: EntryDraft,
    now: Moment,
) -> EntryDraft {
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
    let detail = Detail::Level {
        rule: assignment.rule_name.clone(),
        level: assignment.level + 1,
        starts_at: is_waiting.then_some(Time(escalation.since)),
        remarks: assignment.remarks.clone(),
    };
    incident.escalation = Some(escalation);
    EntryDraft { audience: Audience::Only(audience), ..draft.detail(detail) }
}

pub(super) fn ends_snooze(incident: &Incident, until: Moment) -> bool {
    // A closed incident has no snooze to end. A newer snooze has a timer of its own.
    incident.progress != Progress::Closed && incident.snoozed_until == Some(until)
}

pub(super) fn end_snooze(incident: &Incident, until: Moment, assigned: Option<&Assigned>, now: Moment) -> ChangeResult {
    if !ends_snooze(incident, until) {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    let held = next.held.take();
    next.reset();
    if held.is_some() {
        next.held = held; // the silence continues
        let draft = EntryDraft::by_timer(EntryKind::SnoozeEnded);
        return EntryDraft { audience: Audience::Only(Vec::new()), ..draft }.write(next, now);
    }
    assign_again(next, assigned, EntryDraft::by_timer(EntryKind::SnoozeEnded), now)
}

pub(super) fn is_held(incident: &Incident) -> bool {
    incident.progress != Progress::Closed && incident.held.is_some()
}

/// Applies the result of checking the silences. `hold`: the hold by the active silences. An incident without a hold is
/// assigned.
///
/// An open incident that becomes silenced leaves its level. After the silence it is assigned again, as after a snooze.
/// An acknowledged incident keeps its level.
pub(super) fn review_hold(
    incident: &Incident,
    hold: Option<&Hold>,
    assigned: Option<&Assigned>,
    now: Moment,
) -> ChangeResult {
    if incident.progress == Progress::Closed || incident.held.as_ref() == hold {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    next.held = hold.cloned();
    if incident.held.is_none() && incident.progress == Progress::Triggered {
        next.round += 1;
        next.escalation = None;
    }
    if let Some(hold) = hold {
        return EntryDraft::by_timer(EntryKind::SilenceChanged).detail(hold.detail()).write(next, now);
    }
    let draft = EntryDraft::by_timer(EntryKind::SilenceEnded);
    if next.progress == Progress::Processing || next.escalation.is_some() {
        // A person acknowledged or escalated the incident during the silence.
        return EntryDraft { audience: Audience::Only(Vec::new()), ..draft }.write(next, now);
    }
    assign_again(next, assigned, draft, now)
}

/// Assigns an incident that was reset to triggered, starting at the first level.
pub(super) fn assign_again(
    mut incident: Incident,
    assigned: Option<&Assigned>,
    draft: EntryDraft,
    now: Moment,
) -> ChangeResult {
    incident.escalation = None;
    let draft = match assigned {
        Some(assigned) => start(&mut incident, assigned, false, draft, now),
        None => draft,
    };
    draft.write(incident, now)
}

/// The escalation, if this level is due in this round. `None`: it is not due.
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
) -> ChangeResult {
    let Some(escalation) = escalates(incident, round, level) else { return ChangeResult::Nothing };
    let Some(assigned) = assigned else { return ChangeResult::Nothing };
    // The delay of a waiting level is over. A level that replaces it has its own delay.
    let waited =
        |level: &Assignment| escalation.is_waiting && level.level == escalation.level && level.rule == escalation.rule;
    let at_once = matches!(assigned, Assigned::Level(level) if waited(level));
    let kind = match assigned {
        Assigned::Nobody(_) => EntryKind::NobodyReached,
        Assigned::Space(destinations) if destinations.is_empty() => EntryKind::NobodyReached,
        Assigned::Space(_) | Assigned::Level(_) => EntryKind::Escalated,
    };
    let mut next = incident.clone();
    let draft = start(&mut next, assigned, at_once, EntryDraft::by_timer(kind), now);
    draft.write(next, now)
}

/// The escalation, if this repetition is due in this round. `None`: it is not due.
pub(super) fn repeats(incident: &Incident, round: u32, time: u32) -> Option<&Escalation> {
    if incident.progress != Progress::Triggered || incident.is_quiet() || incident.round != round {
        return None;
    }
    let escalation = incident.escalation.as_ref().filter(|escalation| !escalation.is_waiting)?;
    let times = escalation.repeat.map_or(0, |repeat| repeat.times);
    (time == escalation.repeated + 1 && time <= times).then_some(escalation)
}

/// Notifies the level again. Its people are determined now: after a hand-over, another person is on call.
pub(super) fn repeat(
    incident: &Incident,
    round: u32,
    time: u32,
    assigned: Option<&Assigned>,
    now: Moment,
) -> ChangeResult {
    let Some(escalation) = repeats(incident, round, time) else { return ChangeResult::Nothing };
    let times = escalation.repeat.map_or(0, |repeat| repeat.times);
    let mut next = incident.clone();
    // If the rule was deleted or changed meanwhile, the level keeps its people.
    let is_level = |level: &Assignment| level.rule == escalation.rule && level.level == escalation.level;
    if let Some(Assigned::Level(level)) = assigned
        && is_level(level)
    {
        refresh(&mut next, level);
    }
    let Some(escalation) = next.escalation.as_mut() else { return ChangeResult::Nothing };
    escalation.repeated = time;
    let audience = Audience::Only(escalation.audience());
    let draft = EntryDraft::by_timer(EntryKind::Repeated).detail(Detail::Repeated { time, times });
    EntryDraft { audience, ..draft }.write(next, now)
}

/// Updates the people and groups of the incident's current level. People who left the level are no longer assigned. A
/// person whose contacts did not change stays at the current contact.
pub(super) fn refresh(incident: &mut Incident, level: &Assignment) {
    let Some(escalation) = incident.escalation.as_mut() else { return };
    let before = std::mem::take(&mut escalation.people);
    let same = |reach: &Reach| before.iter().find(|old| old.member == reach.member && old.contacts == reach.contacts);
    escalation.people = level.people.iter().map(|reach| same(reach).unwrap_or(reach).clone()).collect();
    let stays = |escalation: &Escalation, member| escalation.people.iter().any(|reach| reach.member == member);
    for old in before {
        if stays(escalation, old.member.clone()) {
            continue;
        }
        if old.added {
            escalation.people.push(old);
        } else {
            incident.assignees.retain(|id| *id != old.member.as_str());
        }
    }
    escalation.groups.clone_from(&level.groups);
    escalation.failed_groups.retain(|group| level.groups.contains(group));
    if escalation.is_waiting {
        return;
    }
    let audience = escalation.audience();
    for reach in &escalation.people {
        add(&mut incident.assignees, reach.member.as_str());
    }
    add_all(&mut incident.destinations, &audience);
}

/// Notifies the next contacts of the people whose current contact failed. Several people of a level may share one
/// contact. A group has no next contact. The entry is written even if there is nobody left to notify.
pub(super) fn contact_failed(
    incident: &Incident,
    destination: &DestinationId,
    name: &str,
    reason: &str,
    now: Moment,
) -> ChangeResult {
    if incident.is_quiet() || !must_be_notified(incident, destination) {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    let Some(escalation) = next.escalation.as_mut() else { return ChangeResult::Nothing };
    let is_group = escalation.groups.contains(destination) && !escalation.failed_groups.contains(destination);
    if is_group {
        escalation.failed_groups.push(destination.clone());
    }
    let mut failed = escalation.people.iter_mut().filter(|reach| reach.contact() == Some(destination)).peekable();
    if failed.peek().is_none() && !is_group {
        return ChangeResult::Nothing;
    }
    let mut next_contacts: Vec<DestinationId> = Vec::new();
    for reach in failed {
        reach.at += 1;
        add_all(&mut next_contacts, reach.contact().map_or(&[], std::slice::from_ref));
    }
    let left = match () {
        () if !next_contacts.is_empty() => {
            Left::Next { contacts: next_contacts.iter().map(|next| place(next).to_owned()).collect() }
        }
        () if is_group && !escalation.is_exhausted() => Left::Others,
        () => Left::Nobody,
    };
    let detail = Detail::ContactFailed {
        name: name.to_owned(),
        by: (!is_group).then(|| place(destination).to_owned()),
        reason: reason.to_owned(),
        left,
    };
    add_all(&mut next.destinations, &next_contacts);
    let draft = EntryDraft::by_timer(EntryKind::ContactFailed).detail(detail);
    EntryDraft { audience: Audience::Only(next_contacts), ..draft }.write(next, now)
}

/// Whether the people of this destination still have to be notified: nobody acknowledged the incident, or it was
/// assigned to them after the acknowledgement.
fn must_be_notified(incident: &Incident, destination: &DestinationId) -> bool {
    let given = |entry: &&Entry| matches!(&entry.audience, Audience::Only(audience) if audience.contains(destination));
    match incident.progress {
        Progress::Triggered => true,
        Progress::Processing => {
            let given = incident.timeline.iter().rev().find(given).map(|entry| entry.at);
            given.is_some_and(|given| Some(given) >= incident.acknowledged_at)
        }
        Progress::Closed => false,
    }
}

/// The medium of a member's own destination, such as `email`, or the destination's id.
fn place(destination: &DestinationId) -> &str {
    destination.member().map_or(destination.as_str(), |(medium, _)| medium)
}

pub(super) fn auto_close(incident: &Incident, now: Moment) -> ChangeResult {
    if incident.progress == Progress::Closed {
        return ChangeResult::Nothing;
    }
    let mut next = incident.clone();
    next.close(now);
    next.alerts.iter_mut().for_each(|linked| linked.is_open = false);
    EntryDraft::new(EntryKind::AutoClosed, NamedActor::rule()).write(next, now)
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
