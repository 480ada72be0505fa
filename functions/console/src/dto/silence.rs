//! Silences of a space.

use alerting::base::ids::SilenceId;
use alerting::base::moment::Moment;
use alerting::incident::silence::{Silence, SilenceAction, SilenceTime};
use alerting::people::hours::{WeeklyHours, Window, Zone};
use alerting::rules::filter::Filter;
use operations::silences::SilenceDraft;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Name, Time, given};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SilenceBody {
    name: Name,
    /// Which alerts are silent: title, description, severity and labels.
    #[serde(default)]
    filter: Filter,
    #[schema(value_type = SilenceTimeForm)]
    time: SilenceTimeBody,
    #[serde(default)]
    #[schema(default = SilenceAction::default)]
    then: SilenceAction,
}

/// When a silence holds: once, at most 366 days, or in hours that come back every week (no windows: always).
#[derive(ToSchema)]
#[schema(as = SilenceTime)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(dead_code, reason = "describes `SilenceTimeBody`, which is read field by field")]
enum SilenceTimeForm {
    Once {
        from: Time,
        until: Time,
    },
    Weekly {
        time_zone: Zone,
        #[schema(required = false, max_items = 50)]
        windows: Vec<Window>,
    },
}

/// One flat object with a `type`, parsed here field by field: serde's tagged enums lose the path to a field at fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SilenceTimeBody {
    #[serde(rename = "type")]
    kind: SilenceTimeType,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    from: Option<Time>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    time_zone: Option<Zone>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    windows: Option<Vec<Window>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SilenceTimeType {
    Once,
    Weekly,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Silence)]
pub(crate) struct SilenceView {
    id: SilenceId,
    name: String,
    filter: Filter,
    #[schema(value_type = SilenceTimeForm)]
    time: SilenceTimeBody,
    then: SilenceAction,
    /// Whether the silence is active now.
    active: bool,
    /// Who made it.
    created_by: String,
    created_at: Time,
}

impl SilenceBody {
    /// The requested silence. [`Silence::check`] validates it.
    pub(crate) fn draft(self) -> Result<SilenceDraft, ApiError> {
        let Self { name, filter, time, then } = self;
        let time = time.parse().map_err(|error| error.within("time"))?;
        Ok(SilenceDraft { name: name.into(), filter, time, then })
    }
}

impl SilenceTimeBody {
    fn parse(self) -> Result<SilenceTime, ApiError> {
        let Self { kind, from, until, time_zone, windows } = self;
        let required = |field: &str| ApiError::invalid(field, format!("`{field}` is required"));
        let foreign = |field: &str, kind: &str| {
            ApiError::invalid(field, format!("`{field}` belongs to the type `{kind}`; leave it out"))
        };
        match kind {
            SilenceTimeType::Once if time_zone.is_some() => Err(foreign("time_zone", "weekly")),
            SilenceTimeType::Once if windows.is_some() => Err(foreign("windows", "weekly")),
            SilenceTimeType::Once => {
                let Time(from) = from.ok_or_else(|| required("from"))?;
                let Time(until) = until.ok_or_else(|| required("until"))?;
                Ok(SilenceTime::Once { from, until })
            }
            SilenceTimeType::Weekly if from.is_some() => Err(foreign("from", "once")),
            SilenceTimeType::Weekly if until.is_some() => Err(foreign("until", "once")),
            SilenceTimeType::Weekly => {
                let time_zone = time_zone.ok_or_else(|| required("time_zone"))?;
                Ok(SilenceTime::Weekly(WeeklyHours { time_zone, windows: windows.unwrap_or_default() }))
            }
        }
    }
}

impl From<SilenceTime> for SilenceTimeBody {
    fn from(time: SilenceTime) -> Self {
        let (kind, from, until, time_zone, windows) = match time {
            SilenceTime::Once { from, until } => {
                (SilenceTimeType::Once, Some(Time(from)), Some(Time(until)), None, None)
            }
            SilenceTime::Weekly(WeeklyHours { time_zone, windows }) => {
                (SilenceTimeType::Weekly, None, None, Some(time_zone), Some(windows))
            }
        };
        Self { kind, from, until, time_zone, windows }
    }
}

impl SilenceView {
    pub(crate) fn new(silence: Silence, now: Moment) -> Self {
        let active = silence.is_active(now);
        let Silence { id, name, filter, time, then, created_by, created_at } = silence;
        Self { id, name, filter, time: time.into(), then, active, created_by, created_at: Time(created_at) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::schema_of;
    use super::*;
    use crate::extract::parse;

    fn read(time: &str) -> Result<SilenceTime, ApiError> {
        parse::<SilenceTimeBody>(time.as_bytes()).and_then(SilenceTimeBody::parse)
    }

    const ONCE: &str = r#"{"type":"once","from":"2026-11-22T05:00:00Z","until":"2026-11-22T06:00:00Z"}"#;
    const WEEKLY: &str = r#"{"type":"weekly","time_zone":"Europe/Berlin","windows":[{"weekdays":["sat"],"from":"22:00","until":"04:00"}]}"#;

    #[test]
    fn what_is_stored_reads_back_as_it_is_shown_and_described() {
        let schema = schema_of::<SilenceTimeForm>();
        for (n, time) in [ONCE, WEEKLY].into_iter().enumerate() {
            let shown = serde_json::to_value(SilenceTimeBody::from(read(time).expect("valid"))).expect("serialises");
            assert_eq!(shown, serde_json::from_str::<serde_json::Value>(time).expect("JSON"));
            let described = schema["oneOf"][n]["properties"].as_object().expect("an object");
            assert!(described.keys().eq(shown.as_object().expect("an object").keys()), "{schema}");
            assert_eq!(described["type"]["enum"][0], shown["type"]);
        }
    }

    #[test]
    fn a_field_at_fault_is_named() {
        let rows = [
            (r#"{"type":"once","from":"2026-11-22T05:00:00Z"}"#, "until"),
            (r#"{"type":"once","until":"2026-11-22T05:00:00Z"}"#, "from"),
            (r#"{"type":"once","from":"22 November","until":"2026-11-22T06:00:00Z"}"#, "from"),
            (r#"{"type":"once","from":"0000-11-22T05:00:00Z","until":"2026-11-22T06:00:00Z"}"#, "from"),
            (r#"{"type":"once","from":"2026-11-22T05:00:00Z","until":"9999-12-31T23:59:59Z"}"#, "until"),
            (r#"{"type":"once","windows":[]}"#, "windows"),
            (r#"{"type":"weekly","windows":[]}"#, "time_zone"),
            (r#"{"type":"weekly","time_zone":"Mars/Olympus"}"#, "time_zone"),
            (r#"{"type":"weekly","time_zone":"UTC","windows":[{"from":"25:00","until":"01:00"}]}"#, "windows[0].from"),
            (r#"{"type":"weekly","time_zone":"UTC","until":"2026-11-22T06:00:00Z"}"#, "until"),
            (r#"{"type":"monthly"}"#, "type"),
            (r#"{}"#, "type"),
        ];
        for (time, wanted) in rows {
            match read(time).expect_err("is refused") {
                ApiError::Invalid { field: Some(field), .. } => assert_eq!(field, wanted, "{time}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
