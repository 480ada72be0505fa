//! Escalation rules of a space.
//!
//! [`Notify`] is read from one flat object: serde's tagged enums lose the path to a field at fault and take unknown
//! fields beside a unit variant.

use std::collections::BTreeMap;

use alerting::base::ids::{EscalationRuleId, MemberId, ScheduleId, TeamId};
use alerting::incident::escalation::{EscalationRule, Group, Level, Next, Notify, Repeat, TemplateTexts};
use alerting::people::Contact;
use alerting::people::hours::WeeklyHours;
use alerting::rules::filter::Filter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Name;
use crate::error::ApiError;
use crate::extract::Patch;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalationRuleBody {
    name: Name,
    /// When the rule applies; without it, always.
    #[serde(default)]
    hours: Option<WeeklyHours>,
    /// Which incidents it applies to, by their alert: title, description, severity and labels.
    #[serde(default)]
    filter: Filter,
    /// Notified one after the other.
    #[schema(value_type = Vec<Level>, min_items = 1, max_items = 10)]
    levels: Vec<LevelBody>,
    /// What messages say between headline and link instead of the channel's usual content, by channel and language; see
    /// `GET /channels/{channel}/template`.
    #[serde(default)]
    templates: BTreeMap<String, TemplateTexts>,
    /// The position in the order in which rules are tried, from 0. Without it, a new rule is the last, and an existing one
    /// keeps its position.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 49)]
    position: Option<usize>,
}

/// A [`Level`] as it is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelBody {
    #[serde(default)]
    members: Vec<MemberId>,
    #[serde(default)]
    teams: Vec<TeamId>,
    #[serde(default)]
    schedules: Vec<ScheduleId>,
    #[serde(default)]
    notify: NotifyBody,
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    delay_minutes: u32,
    #[serde(default)]
    repeat: Option<Repeat>,
    #[serde(default)]
    next: Patch<Next>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotifyBody {
    by: NotifyBy,
    #[serde(default)]
    contacts: Option<Vec<Contact>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NotifyBy {
    Preferences,
    Unified,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EscalationRule)]
pub(crate) struct EscalationRuleView {
    id: EscalationRuleId,
    name: String,
    #[schema(required)]
    hours: Option<WeeklyHours>,
    filter: Filter,
    levels: Vec<Level>,
    templates: BTreeMap<String, TemplateTexts>,
    /// The position in the order in which rules are tried, from 0.
    position: usize,
}

impl Default for NotifyBody {
    fn default() -> Self {
        Self { by: NotifyBy::Preferences, contacts: None }
    }
}

impl EscalationRuleBody {
    /// The requested rule and its position. [`EscalationRule::check`] validates it.
    pub(crate) fn parse(self, id: EscalationRuleId) -> Result<(EscalationRule, Option<usize>), ApiError> {
        let Self { name, hours, filter, levels, templates, position } = self;
        let levels = levels.into_iter().enumerate();
        let levels = levels.map(|(n, level)| level.parse().map_err(|error| error.within(&format!("levels[{n}]"))));
        let levels = levels.collect::<Result<_, _>>()?;
        Ok((EscalationRule { id, name: name.into(), hours, filter, levels, templates }, position))
    }
}

impl LevelBody {
    fn parse(self) -> Result<Level, ApiError> {
        let Self { members, teams, schedules, notify, groups, delay_minutes, repeat, next } = self;
        let notify = notify.parse().map_err(|error| error.within("notify"))?;
        let next = match next {
            Patch::Keep => Next::usual(),
            Patch::Remove => None,
            Patch::Set(next) => Some(next),
        };
        Ok(Level { members, teams, schedules, notify, groups, delay_minutes, repeat, next })
    }
}

impl NotifyBody {
    fn parse(self) -> Result<Notify, ApiError> {
        match (self.by, self.contacts) {
            (NotifyBy::Preferences, None) => Ok(Notify::Preferences),
            (NotifyBy::Preferences, Some(_)) => {
                Err(ApiError::invalid("contacts", "`contacts` belongs to `unified`; leave it out"))
            }
            (NotifyBy::Unified, Some(contacts)) => Ok(Notify::Unified { contacts }),
            (NotifyBy::Unified, None) => Err(ApiError::invalid("contacts", "`contacts` is required")),
        }
    }
}

impl EscalationRuleView {
    pub(crate) fn new(position: usize, rule: EscalationRule) -> Self {
        let EscalationRule { id, name, hours, filter, levels, templates } = rule;
        Self { id, name, hours, filter, levels, templates, position }
    }
}

#[cfg(test)]
mod tests {
    use alerting::incident::escalation::{LEVELS, RULES};

    use super::super::tests::schema_of;
    use super::*;
    use crate::extract::parse;

    fn read(level: &str) -> Result<Level, ApiError> {
        let body = format!(r#"{{"name":"Night","levels":[{level}]}}"#);
        let id = EscalationRuleId::from_suffix("1").expect("an id");
        let (mut rule, _) = parse::<EscalationRuleBody>(body.as_bytes()).and_then(|body| body.parse(id))?;
        Ok(rule.levels.remove(0))
    }

    #[test]
    fn what_is_stored_reads_back_as_it_is_shown() {
        for level in [
            r#"{"members":["mem_1"],"teams":["team_1"],"schedules":["sch_1"],"notify":{"by":"preferences"},"groups":[{"destination":"dst_1","mention":true,"mapping_table":null}],"delay_minutes":5,"repeat":{"times":3,"every_seconds":60},"next":{"after_minutes":10,"unless":"closed"}}"#,
            r#"{"members":[],"teams":["team_1"],"schedules":[],"notify":{"by":"unified","contacts":["email"]},"groups":[],"delay_minutes":0,"repeat":null,"next":null}"#,
        ] {
            let shown = serde_json::to_value(read(level).expect("valid")).expect("serialises");
            assert_eq!(shown, serde_json::from_str::<serde_json::Value>(level).expect("JSON"));
        }
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let level = read(r#"{"teams":["team_1"]}"#).expect("valid");
        assert_eq!((level.notify, level.next), (Notify::Preferences, Next::usual()));
    }

    #[test]
    fn a_field_at_fault_is_named_inside_the_level() {
        let rows = [
            (r#"{"notify":{"by":"preferences","bogus":1}}"#, "levels[0].notify.bogus"),
            (r#"{"notify":{"by":"preferences","contacts":[]}}"#, "levels[0].notify.contacts"),
            (r#"{"notify":{"by":"unified"}}"#, "levels[0].notify.contacts"),
            (r#"{"notify":{"by":"unified","contacts":["email","?"]}}"#, "levels[0].notify.contacts[1]"),
            (r#"{"notify":{"by":"pigeon"}}"#, "levels[0].notify.by"),
            (r#"{"next":{"unless":"tired"}}"#, "levels[0].next.unless"),
            (r#"{"groups":[{"destination":"spc_1"}]}"#, "levels[0].groups[0].destination"),
            (r#"{"repeat":{"times":3}}"#, "levels[0].repeat.every_seconds"),
        ];
        for (level, wanted) in rows {
            match read(level).expect_err("is refused") {
                ApiError::Invalid { field: Some(field), .. } => assert_eq!(field, wanted, "{level}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn rules_are_described_within_their_limits() {
        let rule = schema_of::<EscalationRuleBody>();
        assert_eq!(rule["properties"]["levels"]["maxItems"], LEVELS);
        assert_eq!(rule["properties"]["position"]["maximum"].as_f64(), Some((RULES - 1) as f64));
        for language in ["en", "zh"] {
            let longest = &schema_of::<TemplateTexts>()["properties"][language]["maxLength"];
            assert_eq!(longest, channels::content::SOURCE_BYTES, "{language}");
        }
    }
}
