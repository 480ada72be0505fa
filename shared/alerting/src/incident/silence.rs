//! Silences: for a time, matching alerts notify nobody.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::field_error::FieldError;
use crate::base::ids::SilenceId;
use crate::base::moment::Moment;
use crate::incident::Hold;
use crate::people::hours::WeeklyHours;
use crate::rules::checks;
use crate::rules::filter::Filter;

/// The most silences of one space.
pub const SILENCES: usize = 100;
/// The longest silence that is not weekly. The source should stop sending an alert that is to be silent for longer.
pub const ONCE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub id: SilenceId,
    pub name: String,
    #[serde(default)]
    pub filter: Filter,
    pub time: SilenceTime,
    #[serde(default)]
    pub then: SilenceAction,
    /// The name of the member or API key that created the silence.
    pub created_by: String,
    pub created_at: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SilenceTime {
    Once { from: Moment, until: Moment },
    Weekly(WeeklyHours),
}

/// The effect of a silence on new alerts. `keep`: an incident is made and marked. If it is still open when the silence
/// ends, it then notifies. `drop`: no incident is made for the alert's whole episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceAction {
    #[default]
    Keep,
    Drop,
}

impl Silence {
    /// Whether the silence is active at this moment. It is active at its start, and no longer at its end.
    pub fn is_active(&self, at: Moment) -> bool {
        match &self.time {
            SilenceTime::Once { from, until } => (*from..*until).contains(&at),
            SilenceTime::Weekly(hours) => hours.contains(at),
        }
    }

    /// When the silence ends, if it is active at this moment. `None`: it is not active, or has no end.
    pub fn ends(&self, at: Moment) -> Option<Moment> {
        match &self.time {
            _ if !self.is_active(at) => None,
            SilenceTime::Once { until, .. } => Some(*until),
            SilenceTime::Weekly(hours) => hours.ends(at),
        }
    }

    /// The hold of an incident that the silence matches at this moment.
    pub fn hold(&self, at: Moment) -> Hold {
        Hold { until: self.ends(at), by: format!("silence {} ({})", self.name, self.id) }
    }

    /// Whether the silence can never be active again.
    pub fn is_over(&self, at: Moment) -> bool {
        matches!(self.time, SilenceTime::Once { until, .. } if until <= at)
    }

    /// Checks everything except the name of a silence before it is saved. `others`: the other filters of its space.
    pub(crate) fn check<'f>(&self, others: impl Iterator<Item = &'f Filter>, now: Moment) -> Result<(), FieldError> {
        match &self.time {
            SilenceTime::Once { from, until } if until <= from => {
                return Err(FieldError::new("time.until", "a silence ends after it begins"));
            }
            SilenceTime::Once { until, .. } if *until <= now => {
                return Err(FieldError::new("time.until", "this silence would be over already"));
            }
            SilenceTime::Once { from, until } if until.since(*from) > ONCE_MAX => {
                let message = format!("a silence lasts at most {} days", ONCE_MAX.as_secs() / (24 * 3600));
                return Err(FieldError::new("time.until", message));
            }
            SilenceTime::Once { .. } => {}
            SilenceTime::Weekly(hours) => hours.check("time")?,
        }
        checks::check_filter(&self.filter, "filter", others)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::incident::space::Space;

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).expect("a moment")
    }

    fn silence(filter: Value, time: SilenceTime) -> Silence {
        Silence {
            id: "sil_1".parse().expect("valid"),
            name: "Backups".to_owned(),
            filter: serde_json::from_value(filter).expect("a filter"),
            time,
            then: SilenceAction::Keep,
            created_by: "ada".to_owned(),
            created_at: Moment::from_secs(0),
        }
    }

    fn once(from: &str, until: &str) -> Silence {
        silence(json!({}), SilenceTime::Once { from: at(from), until: at(until) })
    }

    fn weekly(hours: Value) -> Silence {
        silence(json!({}), SilenceTime::Weekly(serde_json::from_value(hours).expect("hours")))
    }

    /// Checks the end of the silence at a moment. `ends`: `None` if the silence is not active.
    #[track_caller]
    fn check_at(silence: &Silence, now: &str, ends: Option<&str>) {
        assert_eq!((silence.is_active(at(now)), silence.ends(at(now))), (ends.is_some(), ends.map(at)), "{now}");
    }

    #[test]
    fn a_silence_of_once_holds_from_its_first_moment_until_its_last() {
        let silence = once("2026-11-22T05:00:00Z", "2026-11-22T06:00:00Z");
        for (now, active, over) in [
            ("2026-11-22T04:59:59.999Z", false, false),
            ("2026-11-22T05:00:00Z", true, false),
            ("2026-11-22T05:59:59.999Z", true, false),
            ("2026-11-22T06:00:00Z", false, true),
        ] {
            check_at(&silence, now, active.then_some("2026-11-22T06:00:00Z"));
            assert_eq!(silence.is_over(at(now)), over, "{now}");
        }
    }

    #[test]
    fn a_weekly_silence_repeats_in_local_time() {
        let silence = weekly(json!({"time_zone": "Europe/Berlin", "windows": [
            {"weekdays": ["sat"], "from": "22:00", "until": "04:00"}]}));
        check_at(&silence, "2026-10-24T21:00:00Z", Some("2026-10-25T03:00:00Z")); // the clock is put back that night
        check_at(&silence, "2026-10-31T21:00:00Z", Some("2026-11-01T03:00:00Z"));
        check_at(&silence, "2026-10-31T20:59:59Z", None);
        assert!(!silence.is_over(at("2199-01-01T00:00:00Z")));
    }

    #[test]
    fn a_silence_without_windows_holds_always_and_never_ends() {
        let silence = weekly(json!({"time_zone": "UTC"}));
        assert_eq!(
            (silence.is_active(at("2026-11-22T05:00:00Z")), silence.ends(at("2026-11-22T05:00:00Z"))),
            (true, None)
        );
    }

    #[test]
    fn what_cannot_silence_anything_is_refused_by_field() {
        let now = at("2026-11-22T05:00:00Z");
        let space = Space::new("spc_1".parse().expect("valid"), "Payments".to_owned(), Vec::new(), now);
        let time = || once("2026-11-22T05:00:00Z", "2026-11-22T06:00:00Z").time;
        let of_content = json!({"any": [{"all": [{"field": "content", "op": "match", "values": ["x"]}]}]});
        let rows = [
            (once("2026-11-22T04:00:00Z", "2026-11-22T06:00:00Z"), None),
            (once("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z"), Some("time.until")),
            (once("2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z"), Some("time.until")),
            (once("2026-11-23T00:00:00Z", "2027-11-24T00:00:00Z"), None),
            (once("2026-11-23T00:00:00Z", "2027-11-24T00:00:01Z"), Some("time.until")),
            (
                weekly(json!({"time_zone": "UTC", "windows": [{"from": "24:00", "until": "01:00"}]})),
                Some("time.windows[0].from"),
            ),
            (silence(of_content, time()), Some("filter.any[0].all[0].field")),
        ];
        for (silence, field) in rows {
            let found = space.check_silence(&silence, now).err().map(|error| error.field);
            assert_eq!(found.as_deref(), field, "{silence:?}");
        }
    }
}
