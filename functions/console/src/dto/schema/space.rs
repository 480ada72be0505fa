//! How incidents of a space come about.

use std::collections::HashSet;

use utoipa::ToSchema;

use super::hours::WindowShape;
use super::text::{GroupingFieldText, ZoneText};
use crate::dto::Time;

/// Alerts that are equal in all of `by` join one open incident, as long as the last one that joined is not older than
/// the window.
#[derive(ToSchema)]
#[schema(as = Grouping, example = json!({"by": ["labels.host"], "window_minutes": 30, "storm_thresholds": [100, 1000]}))]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupingShape {
    /// Without any, all alerts of the space are one group.
    #[schema(required = false, max_items = 20)]
    by: HashSet<GroupingFieldText>,
    #[schema(minimum = 1, maximum = 10080)]
    window_minutes: u32,
    #[schema(required = false, default = "strict")]
    empty_values: EmptyValuesShape,
    #[schema(required = false, max_items = 10)]
    storm_thresholds: HashSet<StormThresholdShape>,
}

/// A number of alerts at which an incident warns that it swallows many.
#[derive(ToSchema)]
#[schema(as = StormThreshold, minimum = 2, maximum = 5000)]
pub(crate) struct StormThresholdShape(u32);

/// `strict`: an alert that lacks one of the values is an incident of its own. `lenient`: two alerts that lack the same
/// value are equal in it.
#[derive(ToSchema)]
#[schema(as = EmptyValues, rename_all = "snake_case")]
pub(crate) enum EmptyValuesShape {
    Strict,
    Lenient,
}

/// An alert that opens and closes `changes` times within `within_minutes`.
#[derive(ToSchema)]
#[schema(as = Flapping)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlappingShape {
    #[schema(required = false, default = "remind")]
    mode: FlappingModeShape,
    #[schema(required = false, default = 4, minimum = 2, maximum = 6)]
    changes: u32,
    #[schema(required = false, default = 60, minimum = 1, maximum = 43200)]
    within_minutes: u32,
    /// Mode `mute` only.
    #[schema(required = false, default = 120, minimum = 1, maximum = 43200)]
    mute_minutes: u32,
}

/// `remind`: its incidents notify as usual, and say so. `mute`: they notify once more, then nobody for a while.
#[derive(ToSchema)]
#[schema(as = FlappingMode, rename_all = "snake_case")]
pub(crate) enum FlappingModeShape {
    Off,
    Remind,
    Mute,
}

/// An incident closes by itself.
#[derive(ToSchema)]
#[schema(as = AutoClose)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoCloseShape {
    #[schema(minimum = 1, maximum = 43200)]
    after_minutes: u32,
    /// `last_news`: the last message of any of its alerts.
    #[schema(required = false, default = "last_news")]
    since: AutoCloseSinceShape,
}

#[derive(ToSchema)]
#[schema(as = AutoCloseSince, rename_all = "snake_case")]
pub(crate) enum AutoCloseSinceShape {
    Trigger,
    LastNews,
}

/// When a silence holds: once, at most 366 days, or in hours that come back every week (no windows: always).
#[derive(ToSchema)]
#[schema(as = SilenceTime)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum SilenceTimeShape {
    Once {
        from: Time,
        until: Time,
    },
    Weekly {
        time_zone: ZoneText,
        #[schema(required = false, max_items = 50)]
        windows: Vec<WindowShape>,
    },
}

/// `keep`: an incident is made, marked, and notifies when the silence ends, if it is still open then. `drop`: no incident is
/// made for the alert's whole episode.
#[derive(ToSchema)]
#[schema(as = SilenceAction, rename_all = "snake_case")]
pub(crate) enum SilenceActionShape {
    Keep,
    Drop,
}

#[cfg(test)]
mod tests {
    use alerting::incident::silence::SilenceAction;
    use alerting::incident::space::{self, AutoClose, AutoCloseSince, EmptyValues, Flapping, FlappingMode, Grouping};

    use super::super::tests::{range_of, same_fields, same_names, schema_of};
    use super::*;

    #[test]
    fn grouping_is_described_as_it_is() {
        let empty_values = EmptyValues::Strict;
        same_fields::<GroupingShape>(&Grouping {
            by: vec![],
            window_minutes: 1,
            empty_values,
            storm_thresholds: vec![],
        });
        same_names::<EmptyValuesShape>(&[EmptyValues::Strict, EmptyValues::Lenient]);
        assert_eq!(range_of::<GroupingShape>("window_minutes"), (1, space::GROUPING_WINDOW_MINUTES));
        let lists = &schema_of::<GroupingShape>()["properties"];
        assert_eq!(lists["by"]["maxItems"], space::GROUPING_FIELDS);
        assert_eq!(lists["storm_thresholds"]["maxItems"], space::STORM_THRESHOLDS);
        let threshold = schema_of::<StormThresholdShape>();
        assert_eq!(threshold["minimum"].as_f64(), Some(f64::from(*space::STORM_THRESHOLD.start())));
        assert_eq!(threshold["maximum"].as_f64(), Some(f64::from(*space::STORM_THRESHOLD.end())));
    }

    #[test]
    fn flapping_auto_close_and_silences_are_described_as_they_are() {
        let usual = Flapping::default();
        same_fields::<FlappingShape>(&usual);
        same_names::<FlappingModeShape>(&[FlappingMode::Off, FlappingMode::Remind, FlappingMode::Mute]);
        let changes = (*space::FLAPPING_CHANGES.start(), *space::FLAPPING_CHANGES.end());
        assert_eq!(range_of::<FlappingShape>("changes"), changes);
        let described = schema_of::<FlappingShape>();
        for (field, default) in serde_json::to_value(usual).expect("serialises").as_object().expect("an object") {
            assert_eq!(described["properties"][field]["default"], *default, "{field}");
        }
        same_fields::<AutoCloseShape>(&AutoClose { after_minutes: 1, since: AutoCloseSince::Trigger });
        same_names::<AutoCloseSinceShape>(&[AutoCloseSince::Trigger, AutoCloseSince::LastNews]);
        for range in [
            range_of::<FlappingShape>("within_minutes"),
            range_of::<FlappingShape>("mute_minutes"),
            range_of::<AutoCloseShape>("after_minutes"),
        ] {
            assert_eq!(range, (1, space::MINUTES_MAX));
        }
        same_names::<SilenceActionShape>(&[SilenceAction::Keep, SilenceAction::Drop]);
    }
}
