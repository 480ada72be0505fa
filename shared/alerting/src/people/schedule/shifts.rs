//! The shifts of a schedule over a period.
//!
//! Each layer and each override is a lane of turns. The member on call can change only where a turn of any lane begins
//! or ends. The topmost lane with a member decides.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Layer, OnCall, Override, Schedule, Source};
use crate::base::ids::MemberId;
use crate::base::moment::Moment;
use crate::people::hours;

/// The longest period of one query: a quarter of a year, and the week in which it ends.
pub const RANGE: Duration = Duration::from_secs(100 * 24 * 3600);
/// The most shifts of one answer: in [`RANGE`], one hand-over every half hour.
pub const SHIFTS: usize = 5000;

/// The shifts of a period, in order and without gaps. Two neighbours differ in who is on call or why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub shifts: Vec<Shift>,
    /// Where the answer was cut, because the requested period exceeds [`RANGE`] or [`SHIFTS`]. `None`: it is complete.
    pub cut_at: Option<Moment>,
}

/// The member who is on call during a period. `None`: a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub from: Moment,
    pub until: Moment,
    pub on_call: Option<OnCall>,
}

impl Schedule {
    /// The shifts in `from..until`, at most in its first [`RANGE`].
    pub fn shifts(&self, from: Moment, until: Moment) -> Roster {
        let last = until.min(from + RANGE);
        let stretches = self.stretches(from, last);
        let next = stretches.get(SHIFTS).map(|stretch| stretch.from);
        let cut_at = next.or_else(|| (last < until).then_some(last));
        Roster { shifts: stretches.into_iter().take(SHIFTS).map(Shift::from).collect(), cut_at }
    }

    /// The periods in `from..until` in which nobody is on call, at most in its first [`RANGE`].
    pub fn gaps(&self, from: Moment, until: Moment) -> Vec<(Moment, Moment)> {
        let stretches = self.stretches(from, until.min(from + RANGE)).into_iter();
        stretches.filter(|stretch| stretch.on.is_none()).map(|stretch| (stretch.from, stretch.until)).collect()
    }

    fn stretches(&self, from: Moment, until: Moment) -> Vec<Stretch<'_>> {
        let lanes = self.lanes(from, until);
        let mut bounds = vec![from, until];
        bounds.extend(lanes.iter().flat_map(|lane| &lane.turns).flat_map(|turn| [turn.from, turn.until]));
        bounds.retain(|at| (from..=until).contains(at)); // no bound is left if the end is before the start
        bounds.sort_unstable();
        bounds.dedup();
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        for (from, until) in bounds.iter().copied().zip(bounds.iter().copied().skip(1)) {
            let on = lanes.iter().rev().find_map(|lane| Some((lane.at(from)?, lane.source)));
            match stretches.last_mut() {
                Some(last) if last.on == on => last.until = until,
                _ => stretches.push(Stretch { from, until, on }),
            }
        }
        stretches
    }

    /// The lanes of the schedule, lowest first.
    fn lanes(&self, from: Moment, until: Moment) -> Vec<Lane<'_>> {
        let rules = self.time_zone.rules();
        let layers = self.layers.iter().enumerate();
        let layers =
            layers.map(|(n, layer)| Lane { source: Source::Layer(n), turns: layer.turns(from, until, &rules) });
        let overrides = self.overrides.iter().filter_map(|instead| instead.turn(from, until));
        let overrides = overrides.map(|turn| Lane { source: Source::Override, turns: vec![turn] });
        layers.chain(overrides).collect()
    }
}

impl Layer {
    /// The turns of the layer's members in `from..until`, as if there were no other layer.
    fn turns(&self, from: Moment, until: Moment, rules: &TimeZone) -> Vec<Turn<'_>> {
        let from = from.max(self.rotation.begins(0, rules)).max(self.from.unwrap_or(from));
        let until = until.min(self.until.unwrap_or(until));
        let mut turns = Vec::new();
        for (mut from, until) in hours::spans(&self.restrictions, rules, from, until) {
            while let Some(turn) = self.rotation.turn(from, rules)
                && let Some(member) = self.member(turn)
            {
                let handed_over = self.rotation.begins(turn + 1, rules).min(until);
                if handed_over <= from {
                    break; // the end of the span or of the calendar
                }
                turns.push(Turn { from, until: handed_over, member });
                from = handed_over;
            }
        }
        turns
    }
}

impl Override {
    fn turn(&self, from: Moment, until: Moment) -> Option<Turn<'_>> {
        let (from, until) = (from.max(self.from), until.min(self.until));
        (from < until).then_some(Turn { from, until, member: &self.member })
    }
}

/// The turns of one layer or one override.
struct Lane<'s> {
    source: Source,
    /// The turns in order. They do not overlap.
    turns: Vec<Turn<'s>>,
}

struct Turn<'s> {
    from: Moment,
    until: Moment,
    member: &'s MemberId,
}

impl<'s> Lane<'s> {
    fn at(&self, at: Moment) -> Option<&'s MemberId> {
        let turn = self.turns.get(self.turns.partition_point(|turn| turn.until <= at))?;
        (turn.from <= at).then_some(turn.member)
    }
}

/// A shift of the schedule that still borrows from it.
struct Stretch<'s> {
    from: Moment,
    until: Moment,
    on: Option<(&'s MemberId, Source)>,
}

impl From<Stretch<'_>> for Shift {
    fn from(stretch: Stretch<'_>) -> Self {
        let Stretch { from, until, on } = stretch;
        let on_call = on.map(|(member, source)| OnCall { member: member.clone(), source });
        Shift { from, until, on_call }
    }
}
