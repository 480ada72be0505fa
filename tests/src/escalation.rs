//! Escalation rules and their levels.

use serde_json::{Value, json};

use crate::World;
use crate::people::Member;
use crate::space::Space;

/// A rule to be made.
pub struct RulePlan<'a> {
    world: &'a World,
    space: String,
    body: Value,
}

/// One level of a rule, as the API has it; fields that are not set have the product's defaults.
#[derive(Debug, Clone)]
pub struct Level(Value);

/// A level that names nobody yet.
pub fn level() -> Level {
    Level(json!({"members": [], "teams": [], "schedules": [], "groups": []}))
}

/// A level of these members.
pub fn members(members: &[&Member]) -> Level {
    members.iter().fold(level(), |level, member| level.named("members", json!(member.id)))
}

/// A level of the person on call.
pub fn on_call(schedule: &str) -> Level {
    level().named("schedules", json!(schedule))
}

/// A level of everyone in a team.
pub fn team(team: &str) -> Level {
    level().named("teams", json!(team))
}

/// A level that notifies a group.
pub fn group(destination: &str) -> Level {
    level().named("groups", json!({"destination": destination}))
}

impl Level {
    fn named(mut self, what: &str, who: Value) -> Self {
        self.0[what].as_array_mut().expect("a list").push(who);
        self
    }

    /// Besides, this member.
    pub fn and_member(self, member: &Member) -> Self {
        self.named("members", json!(member.id))
    }

    /// Besides, the person on call.
    pub fn and_on_call(self, schedule: &str) -> Self {
        self.named("schedules", json!(schedule))
    }

    /// Besides, this group.
    pub fn and_group(self, destination: &str) -> Self {
        self.named("groups", json!({"destination": destination}))
    }

    /// Besides, this group, where the people assigned are mentioned: by the table of their
    /// email addresses, if they have not set it themselves.
    pub fn and_mentioned_in(self, destination: &str, table: Option<&str>) -> Self {
        self.named("groups", json!({"destination": destination, "mention": true, "mapping_table": table}))
    }

    /// Notifies all of its people by these contacts instead of their own preference.
    pub fn unified(mut self, contacts: &[&str]) -> Self {
        self.0["notify"] = json!({"by": "unified", "contacts": contacts});
        self
    }

    /// Waits so long before it notifies anyone.
    pub fn delayed(mut self, minutes: u32) -> Self {
        self.0["delay_minutes"] = json!(minutes);
        self
    }

    pub fn repeated(mut self, times: u32, every_seconds: u32) -> Self {
        self.0["repeat"] = json!({"times": times, "every_seconds": every_seconds});
        self
    }

    /// The next level takes over after so long, unless someone acknowledged.
    pub fn for_minutes(mut self, minutes: u32) -> Self {
        self.0["next"] = json!({"after_minutes": minutes});
        self
    }

    /// The next level takes over after so long, unless the incident is closed.
    pub fn until_closed(mut self, minutes: u32) -> Self {
        self.0["next"] = json!({"after_minutes": minutes, "unless": "closed"});
        self
    }
}

impl<'a> RulePlan<'a> {
    /// Sets a field of the rule as the API knows it.
    pub fn set(mut self, field: &str, value: Value) -> Self {
        self.body[field] = value;
        self
    }

    /// Takes only incidents whose alert matches in this field.
    pub fn when(self, field: &str, pattern: &str) -> Self {
        let condition = json!({"field": field, "op": "match", "values": [pattern]});
        self.set("filter", json!({"any": [{"all": [condition]}]}))
    }

    /// Its levels; makes it, behind the rules that the space has.
    pub async fn levels(self, levels: impl IntoIterator<Item = Level>) -> String {
        let levels: Vec<Value> = levels.into_iter().map(|level| level.0).collect();
        let rule = self.set("levels", json!(levels));
        rule.world.make(&format!("/spaces/{}/escalation-rules", rule.space), &rule.body).await
    }
}

impl World {
    /// A rule to be made.
    pub fn rule(&self, space: &Space, name: &str) -> RulePlan<'_> {
        RulePlan { world: self, space: space.id.clone(), body: json!({"name": name}) }
    }
}
