//! Escalation rules: who is notified, when and how, and what happens if nobody acknowledges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::field_error::FieldError;
use crate::base::ids::{DestinationId, EscalationRuleId, MappingTableId, MemberId, ScheduleId, TeamId};
use crate::people::destination::Language;
use crate::people::hours::WeeklyHours;
use crate::people::medium::Medium;
use crate::people::{self, Contact};
use crate::rules::checks;
use crate::rules::filter::Filter;

/// The most rules of one space.
pub const RULES: usize = 50;
/// The most levels of one rule.
pub const LEVELS: usize = 10;
/// The most members, teams and schedules of one level together.
pub const RECIPIENTS: usize = 50;
/// The most group destinations of one level.
pub const GROUPS: usize = 20;
/// The longest delay before a level notifies anyone.
pub const DELAY_MINUTES: u32 = 60;
/// The shortest pause between two repetitions.
pub const REPEAT_SECONDS_MIN: u32 = 30;
/// The longest pause between two repetitions.
pub const REPEAT_SECONDS_MAX: u32 = 24 * 3600;
/// The most repetitions of one level.
pub const REPEATS: u32 = 1000;
/// The shortest, longest and default time until the next level, in minutes.
pub const NEXT_MINUTES_MIN: u32 = 1;
pub const NEXT_MINUTES_MAX: u32 = 7 * 24 * 60;
pub const NEXT_MINUTES: u32 = 30;

/// A rule that decides who is notified of an incident. The first rule of a space whose hours and filter match is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationRule {
    pub id: EscalationRuleId,
    pub name: String,
    /// The hours in which the rule applies. `None`: always.
    #[serde(default)]
    pub hours: Option<WeeklyHours>,
    #[serde(default)]
    pub filter: Filter,
    pub levels: Vec<Level>,
    /// Content templates that replace those of the channels, by the channel's wire name. The crate `channels` checks
    /// them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, TemplateTexts>,
}

/// The content template of one channel. A missing language uses the channel's own template.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateTexts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4096, example = "- Host: {{ labels.host }}\n{{ description }}")]
    pub en: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4096)]
    pub zh: Option<String>,
}

/// The people to notify, how they are notified, and when the next level starts. A level names at least one member,
/// team, schedule or group, and at most 50 members, teams and schedules together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    #[serde(default)]
    #[schema(value_type = HashSet<MemberId>, max_items = 50)]
    pub members: Vec<MemberId>,
    #[serde(default)]
    #[schema(value_type = HashSet<TeamId>, max_items = 50)]
    pub teams: Vec<TeamId>,
    /// Schedules whose people on call are notified. They are determined when the level is due.
    #[serde(default)]
    #[schema(value_type = HashSet<ScheduleId>, max_items = 50)]
    pub schedules: Vec<ScheduleId>,
    /// How the people are notified. The default is `{"by":"preferences"}`.
    #[serde(default)]
    pub notify: Notify,
    #[serde(default)]
    #[schema(max_items = 20)]
    pub groups: Vec<Group>,
    /// How long the level waits before it notifies anyone.
    #[serde(default)]
    #[schema(default = 0, minimum = 0, maximum = 60)]
    pub delay_minutes: u32,
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// When the next level starts. If missing: after 30 minutes unless acknowledged. `null`: never.
    #[serde(default = "Next::usual")]
    pub next: Option<Next>,
}

/// How the people of a level are reached: by each person's preferences for the incident's severity, or all by the same
/// contacts. The next contact is used if the one before it fails permanently.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Notify {
    #[default]
    Preferences,
    Unified {
        #[schema(value_type = HashSet<Contact>, min_items = 1, max_items = 8)]
        contacts: Vec<Contact>,
    },
}

/// A group that is notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub destination: DestinationId,
    /// Whether the assigned people are mentioned in the group.
    #[serde(default)]
    #[schema(default = false)]
    pub mention: bool,
    /// A table that maps a member's email to the id by which the channel mentions people, for members without such an
    /// id.
    #[serde(default)]
    pub mapping_table: Option<MappingTableId>,
}

/// Notifies the same people again until someone acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    #[schema(minimum = 1, maximum = 1000)]
    pub times: u32,
    #[schema(minimum = 30, maximum = 86400)]
    pub every_seconds: u32,
}

/// When the next level starts, and which condition prevents it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Next {
    #[serde(default = "Next::minutes")]
    #[schema(default = Next::minutes, minimum = 1, maximum = 10080)]
    pub after_minutes: u32,
    #[serde(default)]
    #[schema(default = Unless::default)]
    pub unless: Unless,
}

/// The condition that prevents the next level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unless {
    #[default]
    Acknowledged,
    Closed,
}

impl EscalationRule {
    /// The rule's template for a channel, given by its wire name, and a language.
    pub fn template(&self, channel: &str, language: Language) -> Option<&str> {
        let texts = self.templates.get(channel)?;
        match language {
            Language::English => texts.en.as_deref(),
            Language::Chinese => texts.zh.as_deref(),
        }
    }

    /// Checks everything except the name of a rule before it is saved. `others`: the other filters of its space.
    /// `media`: the media that a channel serves.
    pub(crate) fn check<'f>(
        &self,
        others: impl Iterator<Item = &'f Filter>,
        media: &[Medium],
    ) -> Result<(), FieldError> {
        if let Some(hours) = &self.hours {
            hours.check("hours")?;
        }
        checks::check_filter(&self.filter, "filter", others)?;
        if self.levels.is_empty() {
            return Err(FieldError::new("levels", "at least one level is needed"));
        }
        if self.levels.len() > LEVELS {
            return Err(FieldError::new("levels", format!("at most {LEVELS} levels")));
        }
        self.levels.iter().enumerate().try_for_each(|(n, level)| level.check(&format!("levels[{n}]"), media))
    }
}

impl Level {
    fn check(&self, path: &str, media: &[Medium]) -> Result<(), FieldError> {
        let recipients = self.members.len() + self.teams.len() + self.schedules.len();
        if recipients == 0 && self.groups.is_empty() {
            return Err(FieldError::new(path, "names nobody; give members, teams, schedules or groups"));
        }
        if recipients > RECIPIENTS {
            return Err(FieldError::new(path, format!("more than {RECIPIENTS} members, teams and schedules")));
        }
        checks::each_once(&self.members, &format!("{path}.members"))?;
        checks::each_once(&self.teams, &format!("{path}.teams"))?;
        checks::each_once(&self.schedules, &format!("{path}.schedules"))?;
        if let Notify::Unified { contacts } = &self.notify {
            let path = format!("{path}.notify.contacts");
            if contacts.is_empty() {
                return Err(FieldError::new(path, "at least one contact is needed"));
            }
            people::check_contacts(contacts, media, &path)?;
        }
        self.check_groups(path)?;
        self.check_times(path)
    }

    fn check_groups(&self, path: &str) -> Result<(), FieldError> {
        if self.groups.len() > GROUPS {
            return Err(FieldError::new(format!("{path}.groups"), format!("at most {GROUPS} groups")));
        }
        for (n, group) in self.groups.iter().enumerate() {
            if self.groups[..n].iter().any(|other| other.destination == group.destination) {
                let message = "is named twice; name it once";
                return Err(FieldError::new(format!("{path}.groups[{n}].destination"), message));
            }
        }
        Ok(())
    }

    fn check_times(&self, path: &str) -> Result<(), FieldError> {
        let within = |field: &str, value: u32, min: u32, max: u32| {
            if (min..=max).contains(&value) {
                return Ok(());
            }
            Err(FieldError::new(format!("{path}.{field}"), format!("expected {min} to {max}")))
        };
        within("delay_minutes", self.delay_minutes, 0, DELAY_MINUTES)?;
        if let Some(Repeat { times, every_seconds }) = self.repeat {
            within("repeat.times", times, 1, REPEATS)?;
            within("repeat.every_seconds", every_seconds, REPEAT_SECONDS_MIN, REPEAT_SECONDS_MAX)?;
        }
        match self.next {
            Some(next) => within("next.after_minutes", next.after_minutes, NEXT_MINUTES_MIN, NEXT_MINUTES_MAX),
            None => Ok(()),
        }
    }
}

impl Next {
    /// The default for a level without the field.
    pub fn usual() -> Option<Self> {
        Some(Self { after_minutes: NEXT_MINUTES, unless: Unless::Acknowledged })
    }

    const fn minutes() -> u32 {
        NEXT_MINUTES
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::base::moment::Moment;
    use crate::base::schema::tests::{range_of, schema_of};
    use crate::incident::space::Space;

    #[test]
    fn levels_are_described_within_their_limits() {
        let level = &schema_of::<Level>()["properties"];
        for field in ["members", "teams", "schedules"] {
            assert_eq!(level[field]["maxItems"], RECIPIENTS, "{field}");
        }
        assert_eq!(level["groups"]["maxItems"], GROUPS);
        assert_eq!(schema_of::<Notify>()["oneOf"][1]["properties"]["contacts"]["maxItems"], people::CONTACTS);
        assert_eq!(range_of::<Level>("delay_minutes"), (0, DELAY_MINUTES));
        assert_eq!(range_of::<Repeat>("times"), (1, REPEATS));
        assert_eq!(range_of::<Repeat>("every_seconds"), (REPEAT_SECONDS_MIN, REPEAT_SECONDS_MAX));
        assert_eq!(range_of::<Next>("after_minutes"), (NEXT_MINUTES_MIN, NEXT_MINUTES_MAX));
    }

    fn space() -> Space {
        Space::new("spc_1".parse().expect("valid"), "Payments".to_owned(), Vec::new(), Moment::from_secs(0))
    }

    fn rule(filter: Value, levels: Value) -> EscalationRule {
        let rule = json!({"id": "esc_1", "name": "Night", "filter": filter, "levels": levels});
        serde_json::from_value(rule).expect("a rule")
    }

    #[track_caller]
    fn check(filter: Value, levels: Value, field: Option<&str>) {
        let rule = rule(filter, levels);
        let found = space().check_rule(&rule, &[Medium::Email]).err().map(|error| error.field);
        assert_eq!(found.as_deref(), field, "{rule:?}");
    }

    fn filter_of(field: &str, value: &str) -> Value {
        json!({"any": [{"all": [{"field": field, "op": "match", "values": [value]}]}]})
    }

    #[test]
    fn a_level_is_refused_by_the_field_that_cannot_be() {
        let many: Vec<String> = (0..51).map(|n| format!("mem_{n}")).collect();
        let groups = |n: usize| (0..n).map(|n| json!({"destination": format!("dst_{n}")})).collect::<Vec<_>>();
        let rows = [
            (json!({"members": ["mem_1"]}), None),
            (json!({"groups": groups(20), "delay_minutes": 60, "next": null}), None),
            (json!({"teams": ["team_1"], "repeat": {"times": 1000, "every_seconds": 30}}), None),
            (json!({}), Some("")),
            (json!({"members": many}), Some("")),
            (json!({"members": ["mem_1", "mem_1"]}), Some(".members[1]")),
            (json!({"schedules": ["sch_1", "sch_1"]}), Some(".schedules[1]")),
            (json!({"groups": groups(21)}), Some(".groups")),
            (
                json!({"groups": [{"destination": "dst_1"}, {"destination": "dst_1", "mention": true}]}),
                Some(".groups[1].destination"),
            ),
            (json!({"teams": ["team_1"], "notify": {"by": "unified", "contacts": []}}), Some(".notify.contacts")),
            (
                json!({"teams": ["team_1"], "notify": {"by": "unified", "contacts": ["sms"]}}),
                Some(".notify.contacts[0]"),
            ),
            (json!({"teams": ["team_1"], "delay_minutes": 61}), Some(".delay_minutes")),
            (json!({"teams": ["team_1"], "repeat": {"times": 0, "every_seconds": 60}}), Some(".repeat.times")),
            (json!({"teams": ["team_1"], "repeat": {"times": 1, "every_seconds": 29}}), Some(".repeat.every_seconds")),
            (json!({"teams": ["team_1"], "next": {"after_minutes": 0}}), Some(".next.after_minutes")),
        ];
        for (level, field) in rows {
            let field = field.map(|field| format!("levels[1]{field}"));
            check(json!({}), json!([{"teams": ["team_1"]}, level]), field.as_deref());
        }
        check(json!({}), json!([]), Some("levels"));
        check(json!({}), vec![json!({"teams": ["team_1"]}); 11].into(), Some("levels"));
    }

    #[test]
    fn a_template_is_found_by_channel_and_language() {
        let mut rule = rule(json!({}), json!([]));
        assert_eq!(rule.template("feishu_bot", Language::English), None);
        let texts = json!({"feishu_bot": {"en": "a"}, "email": {"en": "b", "zh": "c"}});
        rule.templates = serde_json::from_value(texts.clone()).expect("templates");
        let found = |channel, language| rule.template(channel, language);
        assert_eq!(found("feishu_bot", Language::English), Some("a"));
        assert_eq!(found("feishu_bot", Language::Chinese), None);
        assert_eq!(found("email", Language::Chinese), Some("c"));
        assert_eq!(found("slack_webhook", Language::English), None);
        assert_eq!(serde_json::to_value(&rule.templates).expect("JSON"), texts, "only what is set is stored");
        let unknown = serde_json::from_value::<TemplateTexts>(json!({"fr": "a"}));
        assert!(unknown.is_err_and(|error| error.to_string().contains("fr")), "a language that there is not");
    }

    #[test]
    fn the_filter_is_of_alerts_and_compiles() {
        let levels = json!([{"teams": ["team_1"]}]);
        for (filter, field) in [
            (filter_of("labels.host", "/^db-/"), None),
            (filter_of("content", "x"), Some("filter.any[0].all[0].field")),
            (filter_of("host", "x"), Some("filter.any[0].all[0].field")),
            (filter_of("title", "/host=(/"), Some("filter.any[0].all[0].values[0]")),
            (json!({"any": vec![json!({"all": []}); 101]}), Some("filter")),
        ] {
            check(filter, levels.clone(), field);
        }
        let rule = rule(filter_of("title", "/host=(/"), levels);
        let error = space().check_rule(&rule, &[]).expect_err("is refused");
        assert!(error.message.contains("at character 7"), "{}", error.message);
    }

    #[test]
    fn the_patterns_of_a_space_are_bounded_together() {
        let levels = json!([{"teams": ["team_1"]}]);
        let large = |n: usize| filter_of("title", &format!(r"/{n}\w{{4}}/"));
        let rule = |n: usize| {
            let id = EscalationRuleId::from_suffix(&n.to_string()).expect("valid");
            EscalationRule { id, ..rule(large(n), levels.clone()) }
        };
        let mut space = space();
        assert_eq!(space.check_rule(&rule(0), &[]), Ok(()));
        space.escalation_rules.extend((1..100).map(rule));
        let refused = space.check_rule(&rule(0), &[]).expect_err("is refused");
        assert_eq!(refused.field, "filter.any[0].all[0].values[0]");
        assert!(refused.message.contains("together"), "{}", refused.message);
    }
}
