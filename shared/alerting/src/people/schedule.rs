//! Schedules, which decide who is on call when.
//!
//! [`Schedule::on_call`] answers for one moment. [`Schedule::shifts`] answers for a period: a list of shifts without
//! gaps between them, in which neighbours differ. Both agree at every moment. The turn of a rotation is computed and
//! not counted from the first turn, so a rotation that started decades ago costs nothing extra.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::field_error::FieldError;
use crate::base::ids::{MemberId, ScheduleId};
use crate::base::moment::Moment;
use crate::people::hours::{self, Window, Zone};

pub mod shifts;
mod turns;

/// The most layers of one schedule.
pub const LAYERS: usize = 10;
/// The most members of one layer's rotation.
pub const LAYER_MEMBERS: usize = 50;
/// The most overrides that one schedule keeps.
pub const OVERRIDES: usize = 200;
/// The longest override. A longer replacement needs a layer.
pub const OVERRIDE: Duration = Duration::from_secs(366 * 24 * 3600);
/// The number of units that one turn may last.
pub const EVERY: RangeInclusive<u16> = 1..=366;
/// The years in which a rotation may start.
pub const START_YEARS: RangeInclusive<i16> = 1970..=2199;
/// The most characters of a layer's name.
pub const LAYER_NAME_CHARS: usize = 128;

/// A schedule: layers of rotations, and overrides. An override has priority over every layer, and a later layer over an
/// earlier one. If no layer has a member at a moment, nobody is on call: a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub id: ScheduleId,
    pub version: u64,
    pub name: String,
    pub time_zone: Zone,
    pub layers: Vec<Layer>,
    pub overrides: Vec<Override>,
    pub created_at: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    #[serde(default)]
    pub name: String,
    /// The members in the order of their turns.
    pub members: Vec<MemberId>,
    pub rotation: Rotation,
    /// When the layer is active, in the schedule's time zone. Empty: always.
    #[serde(default)]
    pub restrictions: Vec<Window>,
    /// The layer is active from this moment. `None`: from the start of the rotation.
    #[serde(default)]
    pub from: Option<Moment>,
    #[serde(default)]
    pub until: Option<Moment>,
}

/// The turns of a layer. A turn lasts `every` units. Turns of days and weeks change at the same local time, also across
/// daylight saving changes. Turns of hours have an exact length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    pub unit: RotationUnit,
    #[serde(default = "one")]
    pub every: u16,
    /// When the first member's first turn begins, in the schedule's local time: `2026-11-02T09:00:00`.
    pub starts_at: jiff::civil::DateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotationUnit {
    Hour,
    Day,
    Week,
}

/// A period in which this member is on call instead of the member of the layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub member: MemberId,
    pub from: Moment,
    pub until: Moment,
}

/// The member who is on call, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OnCall {
    pub member: MemberId,
    pub source: Source,
}

/// The reason why a member is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Override,
    /// The layer at this index of [`Schedule::layers`].
    Layer(usize),
}

const fn one() -> u16 {
    1
}

impl Schedule {
    /// The member on call at this moment. `None`: a gap.
    pub fn on_call(&self, at: Moment) -> Option<OnCall> {
        let instead = self.overrides.iter().rev().find(|instead| instead.from <= at && at < instead.until);
        if let Some(instead) = instead {
            return Some(OnCall { member: instead.member.clone(), source: Source::Override });
        }
        let rules = self.time_zone.rules();
        let mut layers = self.layers.iter().enumerate().rev();
        layers.find_map(|(index, layer)| {
            let member = layer.on_call(at, &rules)?.clone();
            Some(OnCall { member, source: Source::Layer(index) })
        })
    }

    /// Every member that the schedule names.
    pub fn members(&self) -> BTreeSet<&MemberId> {
        let in_layers = self.layers.iter().flat_map(|layer| &layer.members);
        in_layers.chain(self.overrides.iter().map(|instead| &instead.member)).collect()
    }

    /// Checks a schedule before it is saved. A schedule without layers is allowed; then only its overrides are on call.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.layers.len() > LAYERS {
            return Err(FieldError::new("layers", format!("more than {LAYERS} layers; join some")));
        }
        if self.overrides.len() > OVERRIDES {
            let message = format!("more than {OVERRIDES} overrides; delete those that are over");
            return Err(FieldError::new("overrides", message));
        }
        for (n, layer) in self.layers.iter().enumerate() {
            layer.check(&format!("layers[{n}]"))?;
        }
        self.overrides.iter().enumerate().try_for_each(|(n, instead)| instead.check(&format!("overrides[{n}]")))
    }
}

impl Layer {
    fn on_call(&self, at: Moment, rules: &TimeZone) -> Option<&MemberId> {
        let begun = self.from.is_none_or(|from| from <= at);
        let over = self.until.is_some_and(|until| until <= at);
        if !begun || over || !hours::contains(&self.restrictions, rules, at) {
            return None;
        }
        self.member(self.rotation.turn(at, rules)?)
    }

    /// The member whose turn this is.
    fn member(&self, turn: i64) -> Option<&MemberId> {
        let place = turn.checked_rem_euclid(i64::try_from(self.members.len()).ok()?)?;
        self.members.get(usize::try_from(place).ok()?)
    }

    fn check(&self, path: &str) -> Result<(), FieldError> {
        let refuse = |field: &str, message: String| Err(FieldError::new(format!("{path}.{field}"), message));
        if self.name.chars().count() > LAYER_NAME_CHARS {
            return refuse("name", format!("longer than {LAYER_NAME_CHARS} characters"));
        }
        if !(1..=LAYER_MEMBERS).contains(&self.members.len()) {
            return refuse("members", format!("a layer has 1 to {LAYER_MEMBERS} members"));
        }
        if !EVERY.contains(&self.rotation.every) {
            return refuse("rotation.every", format!("a turn lasts {} to {} units", EVERY.start(), EVERY.end()));
        }
        if !START_YEARS.contains(&self.rotation.starts_at.year()) {
            let message = format!("a rotation starts in the years {} to {}", START_YEARS.start(), START_YEARS.end());
            return refuse("rotation.starts_at", message);
        }
        if self.from.zip(self.until).is_some_and(|(from, until)| until <= from) {
            return refuse("until", NOT_LATER.to_owned());
        }
        hours::check_windows(&self.restrictions, &format!("{path}.restrictions"))
    }
}

impl Override {
    fn check(&self, path: &str) -> Result<(), FieldError> {
        if self.until <= self.from {
            return Err(FieldError::new(format!("{path}.until"), NOT_LATER));
        }
        if self.until.since(self.from) > OVERRIDE {
            let days = OVERRIDE.as_secs() / (24 * 3600);
            let message = format!("an override lasts at most {days} days; what is meant for good is a layer");
            return Err(FieldError::new(format!("{path}.until"), message));
        }
        Ok(())
    }
}

const NOT_LATER: &str = "the end is not after the start; choose a later one";

#[cfg(test)]
mod tests;
