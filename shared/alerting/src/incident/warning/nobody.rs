//! Warnings about settings that notify nobody: a space, a level of an escalation rule, a schedule.

use super::Warning;
use crate::base::moment::Moment;
use crate::base::severity::Severity;
use crate::incident::assignment::{People, reaches_anyone};
use crate::incident::escalation::EscalationRule;
use crate::incident::space::Space;
use crate::people::schedule::Schedule;

const SEVERITIES: [Severity; 3] = [Severity::Critical, Severity::Warning, Severity::Info];

/// Warns about a space without destinations in which an incident may match no rule.
pub fn of_space(space: &Space) -> Vec<Warning> {
    let takes_everything = |rule: &EscalationRule| rule.hours.is_none() && rule.filter.any.is_empty();
    if !space.destinations.is_empty() || space.escalation_rules.iter().any(takes_everything) {
        return Vec::new();
    }
    let message = if space.escalation_rules.is_empty() {
        "the space has no escalation rules and no destinations, so nobody is notified of its incidents"
    } else {
        "nobody is notified of an incident that no escalation rule matches: each rule has hours or a filter"
    };
    let remedy = "name a destination here, or add an escalation rule without hours and filter as the last one";
    vec![Warning::new("destinations", message, remedy)]
}

/// Warns about levels that reach nobody at `now`, for one severity or for all of them.
pub fn of_rule(rule: &EscalationRule, people: &People, now: Moment) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, level) in rule.levels.iter().enumerate() {
        let unreached: Vec<&str> = SEVERITIES
            .iter()
            .filter(|severity| !reaches_anyone(level, **severity, people, now))
            .map(|severity| severity.as_str())
            .collect();
        let of = match unreached.len() {
            0 => continue,
            3 => "any severity".to_owned(),
            _ => format!("severity {}", unreached.join(" and ")),
        };
        let message = format!("the level notifies nobody of an incident of {of}, as its people and schedules are now");
        let remedy = "name a group, or members who have a contact for every severity; cover the gaps of its schedules";
        warnings.push(Warning::new(format!("levels[{index}]"), message, remedy));
    }
    warnings
}

/// Warns about a schedule with gaps after `now`. `gaps`: the gaps within the checked period.
pub fn of_schedule(schedule: &Schedule, gaps: &[(Moment, Moment)], now: Moment) -> Vec<Warning> {
    let Some((from, until)) = gaps.first() else { return Vec::new() };
    let is_always =
        gaps.len() == 1 && *from <= now && schedule.on_call(now).is_none() && schedule.on_call(*until).is_none();
    let message = if is_always {
        format!("nobody is on call until {}, or longer", until.rfc3339())
    } else {
        format!("nobody is on call from {} until {}", from.rfc3339(), until.rfc3339())
    };
    let remedy = "add a layer without restrictions below the others, or an override for that time";
    vec![Warning::new("layers", message, remedy)]
}

#[cfg(test)]
mod tests;
