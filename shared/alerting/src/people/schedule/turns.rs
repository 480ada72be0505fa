//! Which turn of a rotation a moment is in.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Rotation, RotationUnit};
use crate::base::moment::Moment;
use crate::base::wall;

impl Rotation {
    /// The turn that this moment is in, counted from zero. `None`: before the first.
    pub(super) fn turn(&self, at: Moment, rules: &TimeZone) -> Option<i64> {
        let guess = self.guess(at, rules);
        // A clock that is put forward shows a hand-over's time too early, one that is put back shows a time before it
        // once more: by minutes, by a whole day where the date line moved, never by more than one turn.
        [guess + 1, guess, guess - 1].into_iter().find(|turn| *turn >= 0 && self.begins(*turn, rules) <= at)
    }

    /// When this turn begins, and the one before it ends.
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

    /// The turn by the time since the first, or by what the clock on the wall has moved on since then.
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

    /// By the clock that the unit follows.
    fn length_ms(&self) -> i64 {
        let hours = match self.unit {
            RotationUnit::Hour => 1,
            RotationUnit::Day => 24,
            RotationUnit::Week => 7 * 24,
        };
        hours * i64::from(self.every.max(1)) * 3_600_000
    }
}
