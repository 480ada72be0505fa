//! Parts of escalation rules.

use std::collections::HashSet;

use utoipa::ToSchema;

use super::text::{ContactText, DestinationIdText, MappingTableIdText};

/// How the people of a level are reached: as each of them prefers for the incident's severity, or all of them in one
/// way, the first contact, and if that fails for good the next.
#[derive(ToSchema)]
#[schema(as = Notify)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(crate) enum NotifyShape {
    Preferences,
    Unified {
        #[schema(min_items = 1, max_items = 8)]
        contacts: HashSet<ContactText>,
    },
}

/// A group that is notified.
#[derive(ToSchema)]
#[schema(as = Group)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupShape {
    destination: DestinationIdText,
    /// Whether the people assigned are mentioned there.
    #[schema(required = false, default = false)]
    mention: bool,
    /// Finds, by a member's email, what the channel mentions people by, where the member has none.
    mapping_table: Option<MappingTableIdText>,
}

/// Tells the same people again until someone acknowledges.
#[derive(ToSchema)]
#[schema(as = Repeat)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepeatShape {
    #[schema(minimum = 1, maximum = 1000)]
    times: u32,
    #[schema(minimum = 30, maximum = 86400)]
    every_seconds: u32,
}

/// The content template of one channel; a language that is left out keeps the usual one.
#[derive(ToSchema)]
#[schema(as = TemplateTexts)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateTextsShape {
    #[schema(max_length = 4096, example = "- Host: {{ labels.host }}\n{{ description }}")]
    en: Option<String>,
    #[schema(max_length = 4096)]
    zh: Option<String>,
}

/// When the next level takes over, and what keeps it from notifying.
#[derive(ToSchema)]
#[schema(as = Next)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextShape {
    #[schema(required = false, default = 30, minimum = 1, maximum = 10080)]
    after_minutes: u32,
    #[schema(required = false, default = "acknowledged")]
    unless: UnlessShape,
}

#[derive(ToSchema)]
#[schema(as = Unless, rename_all = "snake_case")]
pub(crate) enum UnlessShape {
    Acknowledged,
    Closed,
}

#[cfg(test)]
mod tests {
    use alerting::incident::escalation::{self, Group, Next, Notify, Repeat, TemplateTexts, Unless};
    use alerting::people::CONTACTS;
    use serde_json::json;

    use super::super::tests::{range_of, same_fields, same_names, schema_of};
    use super::*;

    #[test]
    fn the_parts_of_a_level_are_described_as_they_are() {
        let destination = "dst_1".parse().expect("an id");
        same_fields::<GroupShape>(&Group { destination, mention: false, mapping_table: None });
        same_fields::<TemplateTextsShape>(&TemplateTexts { en: Some(String::new()), zh: Some(String::new()) });
        for language in ["en", "zh"] {
            let longest = &schema_of::<TemplateTextsShape>()["properties"][language]["maxLength"];
            assert_eq!(longest, channels::content::SOURCE_BYTES, "{language}");
        }
        same_fields::<RepeatShape>(&Repeat { times: 1, every_seconds: 60 });
        same_fields::<NextShape>(&Next { after_minutes: 1, unless: Unless::Closed });
        same_names::<UnlessShape>(&[Unless::Acknowledged, Unless::Closed]);
        assert_eq!(range_of::<RepeatShape>("times"), (1, escalation::REPEATS));
        let pause = (escalation::REPEAT_SECONDS_MIN, escalation::REPEAT_SECONDS_MAX);
        assert_eq!(range_of::<RepeatShape>("every_seconds"), pause);
        let life = (escalation::NEXT_MINUTES_MIN, escalation::NEXT_MINUTES_MAX);
        assert_eq!(range_of::<NextShape>("after_minutes"), life);
        assert_eq!(schema_of::<NextShape>()["properties"]["after_minutes"]["default"], escalation::NEXT_MINUTES);
    }

    #[test]
    fn the_ways_to_notify_are_described_as_they_are() {
        let schema = schema_of::<NotifyShape>();
        for (n, notify) in [Notify::Preferences, Notify::Unified { contacts: vec![] }].into_iter().enumerate() {
            let shown = serde_json::to_value(notify).expect("serialises");
            let described = &schema["oneOf"][n]["properties"];
            assert_eq!(described["by"]["enum"], json!([shown["by"]]), "{schema}");
            assert_eq!(described.as_object().map(serde_json::Map::len), shown.as_object().map(serde_json::Map::len));
        }
        assert_eq!(schema["oneOf"][1]["properties"]["contacts"]["maxItems"], CONTACTS);
    }
}
