//! Schedules. Their moments are RFC 3339, and a rotation's start is a local time without an offset.

use alerting::base::ids::{MemberId, ScheduleId, hash128};
use alerting::base::moment::Moment;
use alerting::people::hours::{Window, Zone};
use alerting::people::schedule::{Layer, Override, Rotation, RotationUnit, Schedule};
use alerting::text_schema;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Name, Time, field_error};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleBody {
    name: Name,
    /// The time zone of turns and restrictions.
    #[serde(default = "Zone::utc")]
    #[schema(default = Zone::utc)]
    time_zone: Zone,
    /// A later layer overrides an earlier one; when no layer has a member, nobody is on call.
    #[serde(default)]
    #[schema(max_items = 10)]
    layers: Vec<LayerBody>,
    /// They win over every layer, a later one over an earlier one. Left out in a `PUT`, they stay as they are.
    #[serde(default)]
    #[schema(max_items = 200)]
    overrides: Option<Vec<OverrideBody>>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Layer)]
pub(crate) struct LayerBody {
    #[serde(default)]
    #[schema(max_length = 128, example = "Weekdays")]
    name: String,
    /// In the order of their turns; someone may have several.
    #[schema(min_items = 1, max_items = 50)]
    members: Vec<MemberId>,
    rotation: RotationBody,
    /// When the layer is active, by the schedule's clock; without any, always. The rotation continues meanwhile.
    #[serde(default)]
    #[schema(max_items = 50)]
    restrictions: Vec<Window>,
    /// Nobody is on call before this time.
    #[serde(default)]
    from: Option<Time>,
    /// Nobody is on call from this time on.
    #[serde(default)]
    until: Option<Time>,
}

/// A turn lasts `every` units. Turns of days and weeks change at the same local time, also when daylight
/// saving time changes; turns of hours last exactly that long.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rotation)]
struct RotationBody {
    unit: RotationUnit,
    #[serde(default = "one")]
    #[schema(default = 1, minimum = 1, maximum = 366)]
    every: u16,
    /// When the first member's first turn begins, by the schedule's clock.
    starts_at: WallTime,
}

/// A local date and time without an offset. An offset is refused, because it would be ignored.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct WallTime(DateTime);

text_schema!(
    WallTime as "WallTime",
    "What a clock on the wall shows: a date and a time without an offset.",
    "^(19[7-9][0-9]|2[01][0-9][0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
    16..=19,
    "2026-11-02T09:00:00"
);

impl TryFrom<String> for WallTime {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_plain = matches!(text.len(), 16 | 19) && text.bytes().all(|b| b.is_ascii_digit() || b"-T:".contains(&b));
        let time = is_plain.then(|| text.parse().ok()).flatten();
        time.map(Self).ok_or("expected a time on the wall without an offset: `2026-11-02T09:00:00`")
    }
}

/// This member is on call instead of the scheduled member, for at most 366 days.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideBody {
    member: MemberId,
    from: Time,
    until: Time,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Override)]
pub(crate) struct OverrideView {
    id: OverrideId,
    member: MemberId,
    from: Time,
    until: Time,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleView {
    id: ScheduleId,
    name: String,
    time_zone: Zone,
    layers: Vec<LayerBody>,
    overrides: Vec<OverrideView>,
    /// When nobody is on call, in the next 14 days.
    gaps: Vec<Gap>,
    created_at: Time,
}

/// A time in which nobody is on call.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Gap {
    pub(crate) from: Time,
    pub(crate) until: Time,
}

fn one() -> u16 {
    1
}

impl ScheduleBody {
    /// `before` with the changes of the request. The caller checks that the members exist.
    pub(crate) fn apply(&self, before: Schedule) -> Result<Schedule, ApiError> {
        let name = self.name.to_string();
        let mut layers = Vec::with_capacity(self.layers.len());
        for (n, layer) in self.layers.iter().enumerate() {
            layers.push(layer.parse().map_err(|error| error.within(&format!("layers[{n}]")))?);
        }
        let overrides = match &self.overrides {
            Some(overrides) => overrides.iter().map(Override::from).collect(),
            None => before.overrides,
        };
        let schedule = Schedule { name, time_zone: self.time_zone.clone(), layers, overrides, ..before };
        schedule.check().map_err(field_error)?;
        check_each_once(&schedule.overrides)?;
        Ok(schedule)
    }

    /// Whether the request says which overrides there are.
    pub(crate) fn gives_overrides(&self) -> bool {
        self.overrides.is_some()
    }
}

fn check_each_once(overrides: &[Override]) -> Result<(), ApiError> {
    for (n, one) in overrides.iter().enumerate() {
        if overrides[..n].contains(one) {
            return Err(ApiError::invalid(format!("overrides[{n}]"), "is given twice; give it once"));
        }
    }
    Ok(())
}

impl LayerBody {
    fn parse(&self) -> Result<Layer, ApiError> {
        let Self { name, members, rotation, restrictions, from, until } = self.clone();
        if name.chars().any(char::is_control) {
            return Err(ApiError::invalid("name", "a name is one line without control characters"));
        }
        let RotationBody { unit, every, starts_at: WallTime(starts_at) } = rotation;
        let rotation = Rotation { unit, every, starts_at };
        let (from, until) = (from.map(|Time(at)| at), until.map(|Time(at)| at));
        Ok(Layer { name, members, rotation, restrictions, from, until })
    }
}

impl From<Layer> for LayerBody {
    fn from(layer: Layer) -> Self {
        let Layer { name, members, rotation, restrictions, from, until } = layer;
        let Rotation { unit, every, starts_at } = rotation;
        let rotation = RotationBody { unit, every, starts_at: WallTime(starts_at) };
        Self { name, members, rotation, restrictions, from: from.map(Time), until: until.map(Time) }
    }
}

impl From<&OverrideBody> for Override {
    fn from(body: &OverrideBody) -> Self {
        Self { member: body.member.clone(), from: body.from.0, until: body.until.0 }
    }
}

impl From<Override> for OverrideView {
    fn from(one: Override) -> Self {
        let id = OverrideId::of(&one);
        let Override { member, from, until } = one;
        Self { id, member, from: Time(from), until: Time(until) }
    }
}

/// An override's id, computed from its content. It is not stored: a schedule has no two equal overrides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OverrideId(String);

text_schema!(
    OverrideId as "OverrideId",
    "An override's id, computed from its content.",
    "^ovr_[0-9a-f]{32}$",
    36..=36,
    "ovr_0f343b0931126a20f133d67c2b018a3b"
);

impl OverrideId {
    pub(crate) fn of(one: &Override) -> Self {
        let [from, until] = [one.from, one.until].map(|at| at.millis().to_string());
        Self(format!("ovr_{}", hash128(&[one.member.as_str(), &from, &until])))
    }
}

impl ScheduleView {
    pub(crate) fn new(schedule: Schedule, gaps: Vec<(Moment, Moment)>) -> Self {
        let Schedule { id, version: _, name, time_zone, layers, overrides, created_at } = schedule;
        Self {
            id,
            name,
            time_zone,
            layers: layers.into_iter().map(LayerBody::from).collect(),
            overrides: overrides.into_iter().map(OverrideView::from).collect(),
            gaps: gaps.into_iter().map(|(from, until)| Gap { from: Time(from), until: Time(until) }).collect(),
            created_at: Time(created_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use alerting::people::schedule::{EVERY, LAYER_MEMBERS, LAYER_NAME_CHARS, LAYERS, OVERRIDES};

    use super::super::tests::{range_of, schema_of};
    use super::*;
    use crate::extract::parse;

    fn read(layer: &str) -> Result<Layer, ApiError> {
        parse::<LayerBody>(layer.as_bytes()).and_then(|layer| layer.parse())
    }

    #[test]
    fn what_is_stored_reads_back_as_it_is_shown() {
        let layer = r#"{"name":"Night","members":["mem_1","mem_2"],"rotation":{"unit":"week","every":2,"starts_at":"2026-11-02T09:00:00"},"restrictions":[{"weekdays":["mon"],"from":"18:00","until":"09:00"}],"from":"2026-11-22T05:00:00Z","until":null}"#;
        let shown = serde_json::to_value(LayerBody::from(read(layer).expect("valid"))).expect("serialises");
        assert_eq!(shown, serde_json::from_str::<serde_json::Value>(layer).expect("JSON"));
    }

    #[test]
    fn a_rotation_starts_at_a_time_on_the_wall() {
        let with = |time: &str| format!(r#"{{"members":["mem_1"],"rotation":{{"unit":"day","starts_at":"{time}"}}}}"#);
        for time in ["2026-11-02T09:00:00", "2026-11-02T09:00"] {
            let layer = read(&with(time)).expect("valid");
            assert_eq!(layer.rotation.starts_at.to_string(), "2026-11-02T09:00:00");
        }
        for time in
            ["2026-11-02T09:00:00Z", "2026-11-02T09:00:00+08:00", "2026-11-02", "2026-02-30T09:00", "tomorrow", ""]
        {
            match read(&with(time)).expect_err("is refused") {
                ApiError::Invalid { field: Some(field), .. } => assert_eq!(field, "rotation.starts_at", "{time}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn schedules_are_described_within_their_limits() {
        let (schedule, layer) = (schema_of::<ScheduleBody>(), schema_of::<LayerBody>());
        assert_eq!(schedule["properties"]["layers"]["maxItems"], LAYERS);
        assert_eq!(schedule["properties"]["overrides"]["maxItems"], OVERRIDES);
        assert_eq!(layer["properties"]["members"]["maxItems"], LAYER_MEMBERS);
        assert_eq!(layer["properties"]["name"]["maxLength"], LAYER_NAME_CHARS);
        assert_eq!(range_of::<RotationBody>("every"), (u32::from(*EVERY.start()), u32::from(*EVERY.end())));
    }
}
