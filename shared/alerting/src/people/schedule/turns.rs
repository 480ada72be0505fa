//! Finds the turn of a rotation at a moment.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Rotation, RotationUnit};
use crate::base::moment::Moment;
use crate::base::wall;

impl Rotation {
    /// The turn at this moment, counted from zero. `None`: the moment is before the first turn.
    pub(super) fn turn(&self, at: Moment, rules: &TimeZone) -> Option<i64> {
        let guess = self.guess(at, rules);
        // The guess may be wrong by one turn around a clock change: a clock that is put forward shows the hand-over's
        // time too early, and one that is put back shows an earlier time again. The difference is minutes, or a whole
        // day where the date line moved, but never more than one turn.
        [guess + 1, guess, guess - 1].into_iter().find(|turn| *turn >= 0 && self.begins(*turn, rules) <= at)
    }

    /// When this turn begins and the previous one ends.
    pub(super) fn begins(&self, turn: i64, rules: &TimeZone) -> Moment {
        match self.unit {
            RotationUnit::Hour => {
                let after_first = turn.saturating_mul(self.length_ms());
                Moment::from_millis(wall::appointment(self.starts_at, rules).millis().saturating_add(after_first))
            }
            RotationUnit::Day | RotationUnit::Week => {
                let after_first = SignedDuration::from_millis(turn.saturating_mul(self.length_ms()));
                wall::appointment(self.starts_at.saturating_add(after_first), rules)
            }
        }
    }

    /// An estimate of the turn from the time since the first turn: elapsed time for hours, local time for days and
    /// weeks.
    fn guess(&self, at: Moment, rules: &TimeZone) -> i64 {
        let since_first = match self.unit {
            RotationUnit::Hour => at.millis().saturating_sub(self.begins(0, rules).millis()),
            RotationUnit::Day | RotationUnit::Week => {
                let shown = wall::shown(at, rules).duration_since(self.starts_at);
                i64::try_from(shown.as_millis()).expect("twenty thousand years in milliseconds")
            }
        };
        since_first.div_euclid(self.length_ms())
    }

    /// The length of a turn in milliseconds, by the clock that the unit follows.
    fn length_ms(&self) -> i64 {
        let hours = match self.unit {
            RotationUnit::Hour => 1,
            RotationUnit::Day => 24,
            RotationUnit::Week => 7 * 24,
        };
        hours * i64::from(self.every.max(1)) * 3_600_000
    }
}
