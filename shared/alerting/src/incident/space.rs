//! Collaboration spaces: the incidents of a team or service, how alerts become incidents, and who is notified.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::field_error::FieldError;
use crate::base::ids::{DestinationId, SpaceId};
use crate::base::moment::Moment;
use crate::incident::escalation::EscalationRule;
use crate::incident::silence::Silence;
use crate::people::medium::Medium;
use crate::rules::checks;
use crate::rules::mapping;
use crate::text_schema;

/// The longest window of a grouping.
pub const GROUPING_WINDOW_MINUTES: u32 = 7 * 24 * 60;
/// The most attributes that one grouping compares.
pub const GROUPING_FIELDS: usize = 20;
/// The most thresholds of one grouping.
pub const STORM_THRESHOLDS: usize = 10;
/// Allowed thresholds, in alerts: fewer than two alerts are no storm, and an incident has at most 5,000.
pub const STORM_THRESHOLD: RangeInclusive<u32> = 2..=5000;
/// The attributes that a grouping can compare, besides labels.
pub const GROUPING_ATTRIBUTES: [&str; 4] = ["title", "severity", "integration", "alert_key"];
/// Allowed numbers of changes for flapping. The state of an alert remembers six.
pub const FLAPPING_CHANGES: RangeInclusive<u32> = 2..=6;
/// The longest time of auto-close, of flapping and of its mute.
pub const MINUTES_MAX: u32 = 30 * 24 * 60;

/// A space with its rules. `destinations` act as a last escalation rule with one level that matches every incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    pub id: SpaceId,
    pub name: String,
    pub version: u64,
    pub destinations: Vec<DestinationId>,
    /// The escalation rules, in the order in which they are tried.
    #[serde(default)]
    pub escalation_rules: Vec<EscalationRule>,
    #[serde(default)]
    pub silences: Vec<Silence>,
    /// How alerts are grouped. `None`: every alert is an incident of its own.
    #[serde(default)]
    pub grouping: Option<Grouping>,
    #[serde(default)]
    pub flapping: Flapping,
    #[serde(default)]
    pub auto_close: Option<AutoClose>,
    pub created_at: Moment,
}

/// Alerts that are equal in all attributes of `by` join one open incident, if its last alert joined within the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": ["labels.host"], "window_minutes": 30, "storm_thresholds": [100, 1000]}))]
pub struct Grouping {
    /// The attributes to compare. If the list is empty, all alerts of the space form one group.
    #[serde(default)]
    #[schema(value_type = HashSet<GroupingField>, max_items = 20)]
    pub by: Vec<String>,
    #[schema(minimum = 1, maximum = 10080)]
    pub window_minutes: u32,
    #[serde(default)]
    #[schema(default = EmptyValues::default)]
    pub empty_values: EmptyValues,
    #[serde(default)]
    #[schema(value_type = HashSet<StormThreshold>, max_items = 10)]
    pub storm_thresholds: Vec<u32>,
}

/// The schema of one of [`Grouping::by`].
pub struct GroupingField;

text_schema!(
    GroupingField as "GroupingField",
    "`title`, `severity`, `integration`, `alert_key`, `labels.NAME`.",
    r"^(title|severity|integration|alert_key|labels\.[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*)$",
    5..=135,
    "labels.host"
);

/// A number of alerts at which an incident warns that it groups many alerts.
#[derive(ToSchema)]
#[schema(minimum = 2, maximum = 5000)]
pub struct StormThreshold(pub u32);

/// How alerts with missing values are grouped. `strict`: an alert that lacks a value is an incident of its own.
/// `lenient`: two alerts that lack the same value are equal in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptyValues {
    #[default]
    Strict,
    Lenient,
}

/// Settings for an alert that opens and closes `changes` times within `within_minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flapping {
    pub mode: FlappingMode,
    #[schema(minimum = 2, maximum = 6)]
    pub changes: u32,
    #[schema(minimum = 1, maximum = 43200)]
    pub within_minutes: u32,
    /// Used only in the mode `mute`.
    #[schema(minimum = 1, maximum = 43200)]
    pub mute_minutes: u32,
}

/// What happens when an alert flaps. `remind`: its incidents notify as usual and show that the alert flaps. `mute`: its
/// incidents notify once more, and then nobody for `mute_minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlappingMode {
    Off,
    #[default]
    Remind,
    Mute,
}

/// Settings that close an incident automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoClose {
    #[schema(minimum = 1, maximum = 43200)]
    pub after_minutes: u32,
    /// The moment from which the time counts. `last_news`: the last message of any of its alerts.
    #[serde(default)]
    #[schema(default = AutoCloseSince::default)]
    pub since: AutoCloseSince,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoCloseSince {
    Trigger,
    #[default]
    LastNews,
}

impl Space {
    /// A space that notifies its destinations of every incident.
    pub fn new(id: SpaceId, name: String, destinations: Vec<DestinationId>, created_at: Moment) -> Self {
        Self {
            id,
            name,
            version: 0,
            destinations,
            escalation_rules: Vec::new(),
            silences: Vec::new(),
            grouping: None,
            flapping: Flapping::default(),
            auto_close: None,
            created_at,
        }
    }

    /// Checks a space before it is saved, except its name, destinations, rules and silences.
    pub fn check(&self) -> Result<(), FieldError> {
        if let Some(grouping) = &self.grouping {
            grouping.check()?;
        }
        self.flapping.check()?;
        match self.auto_close {
            Some(auto_close) => within("auto_close.after_minutes", auto_close.after_minutes, 1..=MINUTES_MAX),
            None => Ok(()),
        }
    }

    /// Checks everything except the name of a rule of this space before it is saved. `media`: the media that a channel
    /// serves.
    pub fn check_rule(&self, rule: &EscalationRule, media: &[Medium]) -> Result<(), FieldError> {
        let rules = self.escalation_rules.iter().filter(|other| other.id != rule.id).map(|other| &other.filter);
        rule.check(rules.chain(self.silences.iter().map(|silence| &silence.filter)), media)
    }

    /// Checks everything except the name of a silence of this space before it is saved.
    pub fn check_silence(&self, silence: &Silence, now: Moment) -> Result<(), FieldError> {
        let silences = self.silences.iter().filter(|other| other.id != silence.id).map(|other| &other.filter);
        silence.check(self.escalation_rules.iter().map(|rule| &rule.filter).chain(silences), now)
    }
}

impl Grouping {
    fn check(&self) -> Result<(), FieldError> {
        if self.by.len() > GROUPING_FIELDS {
            return Err(FieldError::new("grouping.by", format!("at most {GROUPING_FIELDS} attributes")));
        }
        for (n, field) in self.by.iter().enumerate() {
            let path = format!("grouping.by[{n}]");
            match field.strip_prefix("labels.") {
                Some(label) => mapping::check_label_name(label, &path)?,
                None if GROUPING_ATTRIBUTES.contains(&field.as_str()) => {}
                None => {
                    let message = format!("expected {} or labels.NAME", GROUPING_ATTRIBUTES.join(", "));
                    return Err(FieldError::new(path, message));
                }
            }
        }
        checks::each_once(&self.by, "grouping.by")?;
        within("grouping.window_minutes", self.window_minutes, 1..=GROUPING_WINDOW_MINUTES)?;
        if self.storm_thresholds.len() > STORM_THRESHOLDS {
            return Err(FieldError::new("grouping.storm_thresholds", format!("at most {STORM_THRESHOLDS} thresholds")));
        }
        for (n, threshold) in self.storm_thresholds.iter().enumerate() {
            within(&format!("grouping.storm_thresholds[{n}]"), *threshold, STORM_THRESHOLD)?;
        }
        checks::each_once(&self.storm_thresholds, "grouping.storm_thresholds")
    }
}

impl Flapping {
    fn check(self) -> Result<(), FieldError> {
        within("flapping.changes", self.changes, FLAPPING_CHANGES)?;
        within("flapping.within_minutes", self.within_minutes, 1..=MINUTES_MAX)?;
        within("flapping.mute_minutes", self.mute_minutes, 1..=MINUTES_MAX)
    }
}

fn within(field: &str, value: u32, range: RangeInclusive<u32>) -> Result<(), FieldError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(FieldError::new(field, format!("expected {} to {}", range.start(), range.end())))
}

impl Default for Flapping {
    fn default() -> Self {
        Self { mode: FlappingMode::Remind, changes: 4, within_minutes: 60, mute_minutes: 120 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::schema::tests::{range_of, schema_of};

    #[test]
    fn spaces_are_described_within_their_limits() {
        let grouping = &schema_of::<Grouping>()["properties"];
        assert_eq!(grouping["by"]["maxItems"], GROUPING_FIELDS);
        assert_eq!(grouping["storm_thresholds"]["maxItems"], STORM_THRESHOLDS);
        assert_eq!(range_of::<Grouping>("window_minutes"), (1, GROUPING_WINDOW_MINUTES));
        let threshold = schema_of::<StormThreshold>();
        assert_eq!(threshold["minimum"].as_f64(), Some(f64::from(*STORM_THRESHOLD.start())));
        assert_eq!(threshold["maximum"].as_f64(), Some(f64::from(*STORM_THRESHOLD.end())));
        assert_eq!(range_of::<Flapping>("changes"), (*FLAPPING_CHANGES.start(), *FLAPPING_CHANGES.end()));
        let longest = [
            range_of::<Flapping>("within_minutes"),
            range_of::<Flapping>("mute_minutes"),
            range_of::<AutoClose>("after_minutes"),
        ];
        assert_eq!(longest, [(1, MINUTES_MAX); 3]);
    }

    fn space() -> Space {
        Space::new("spc_1".parse().expect("valid"), "Payments".to_owned(), Vec::new(), Moment::from_secs(0))
    }

    #[track_caller]
    fn check(space: &Space, field: Option<&str>) {
        assert_eq!(space.check().err().map(|error| error.field).as_deref(), field, "{space:?}");
    }

    #[test]
    fn a_grouping_compares_what_alerts_have_within_its_limits() {
        type Row<'a> = (&'a [&'a str], u32, &'a [u32], Option<&'a str>);
        let rows: [Row<'_>; 10] = [
            (&[], 1, &[], None),
            (&["title", "severity", "integration", "alert_key", "labels.host"], 10_080, &[2, 5000], None),
            (&["host"], 30, &[], Some("grouping.by[0]")),
            (&["labels."], 30, &[], Some("grouping.by[0]")),
            (&["title", "title"], 30, &[], Some("grouping.by[1]")),
            (&["title"], 0, &[], Some("grouping.window_minutes")),
            (&["title"], 10_081, &[], Some("grouping.window_minutes")),
            (&["title"], 30, &[100, 1], Some("grouping.storm_thresholds[1]")),
            (&["title"], 30, &[100, 100], Some("grouping.storm_thresholds[1]")),
            (&["title"], 30, &[2; 11], Some("grouping.storm_thresholds")),
        ];
        for (by, window_minutes, storm_thresholds, field) in rows {
            let by = by.iter().map(|field| (*field).to_owned()).collect();
            let storm_thresholds = storm_thresholds.to_vec();
            let grouping = Grouping { by, window_minutes, empty_values: EmptyValues::Strict, storm_thresholds };
            check(&Space { grouping: Some(grouping), ..space() }, field);
        }
    }

    #[test]
    fn flapping_and_auto_close_stay_within_what_is_remembered() {
        let usual = Flapping::default();
        for (flapping, field) in [
            (usual, None),
            (Flapping { changes: 1, ..usual }, Some("flapping.changes")),
            (Flapping { changes: 7, ..usual }, Some("flapping.changes")),
            (Flapping { within_minutes: 0, ..usual }, Some("flapping.within_minutes")),
            (Flapping { mute_minutes: MINUTES_MAX + 1, ..usual }, Some("flapping.mute_minutes")),
        ] {
            check(&Space { flapping, ..space() }, field);
        }
        for (after_minutes, field) in [(1, None), (0, Some("auto_close.after_minutes"))] {
            let auto_close = Some(AutoClose { after_minutes, since: AutoCloseSince::Trigger });
            check(&Space { auto_close, ..space() }, field);
        }
    }
}
