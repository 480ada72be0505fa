//! Members, teams and schedules: the people who are notified.

use serde_json::{Value, json};

use crate::World;
use crate::space::Bot;

const SEVERITIES: [&str; 3] = ["Info", "Warning", "Critical"];

/// A member to be made.
pub struct MemberPlan<'a> {
    world: &'a World,
    name: String,
    everywhere: Vec<Bot>,
    at: Vec<(&'static str, Vec<Bot>)>,
    settings: Value,
}

/// A member who exists.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: String,
    pub name: String,
}

/// A schedule to be made.
pub struct SchedulePlan<'a> {
    world: &'a World,
    body: Value,
}

impl<'a> MemberPlan<'a> {
    pub(crate) fn new(world: &'a World, name: &str) -> Self {
        Self { world, name: name.to_owned(), everywhere: Vec::new(), at: Vec::new(), settings: json!({}) }
    }

    /// One more private chat, at every severity: notified if the ones before fail for good.
    pub fn chat(mut self, bot: Bot) -> Self {
        self.everywhere.push(bot);
        self
    }

    /// The private chats at one severity, in their order; at other severities the member is not notified.
    pub fn prefers(mut self, severity: &'static str, bots: Vec<Bot>) -> Self {
        self.at.push((severity, bots));
        self
    }

    /// Sets a field of the member as the API knows it.
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.settings[field] = value.into();
        self
    }

    /// An address that an administrator has verified.
    pub fn email(self, address: &str) -> Self {
        self.set("email", address).set("email_verified", true)
    }

    /// An address that is not verified yet.
    pub fn unconfirmed_email(self, address: &str) -> Self {
        self.set("email", address)
    }

    pub async fn make(self) -> Member {
        let mut preferences = json!({});
        let everywhere = destinations(self.world, self.everywhere).await;
        if !everywhere.is_empty() {
            SEVERITIES.into_iter().for_each(|severity| preferences[severity] = json!(everywhere));
        }
        for (severity, bots) in self.at {
            preferences[severity] = json!(destinations(self.world, bots).await);
        }
        let mut body = self.settings;
        body["name"] = json!(self.name);
        if body.get("preferences").is_none() {
            body["preferences"] = preferences;
        }
        Member { id: self.world.make("/members", &body).await, name: self.name }
    }
}

async fn destinations(world: &World, bots: Vec<Bot>) -> Vec<String> {
    let mut made = Vec::new();
    for bot in bots {
        made.push(bot.make(world).await);
    }
    made
}

impl<'a> SchedulePlan<'a> {
    pub(crate) fn new(world: &'a World, name: &str, time_zone: &str) -> Self {
        Self { world, body: json!({"name": name, "time_zone": time_zone, "layers": []}) }
    }

    /// One more layer: its members take turns of one `unit`, the first of which begins at `starts_at` on the wall.
    pub fn turns(mut self, unit: &str, starts_at: &str, members: &[&Member]) -> Self {
        let members: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        let layer = json!({"members": members, "rotation": {"unit": unit, "starts_at": starts_at}});
        self.body["layers"].as_array_mut().expect("a list").push(layer);
        self
    }

    /// The last layer has someone only in these hours of every day.
    pub fn only(mut self, from: &str, until: &str) -> Self {
        let layer = self.body["layers"].as_array_mut().and_then(|layers| layers.last_mut()).expect("a layer");
        layer["restrictions"] = json!([{"from": from, "until": until}]);
        self
    }

    /// Its id.
    pub async fn make(self) -> String {
        self.world.make("/schedules", &self.body).await
    }
}

impl World {
    /// A member to be made.
    pub fn member(&self, name: &str) -> MemberPlan<'_> {
        MemberPlan::new(self, name)
    }

    /// A schedule to be made.
    pub fn schedule(&self, name: &str, time_zone: &str) -> SchedulePlan<'_> {
        SchedulePlan::new(self, name, time_zone)
    }

    /// A team; its id.
    pub async fn team(&self, name: &str, members: &[&Member]) -> String {
        let members: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        self.make("/teams", &json!({"name": name, "members": members})).await
    }

    /// Makes an object; its id.
    pub async fn make(&self, path: &str, body: &Value) -> String {
        self.api.create(path, body).await["id"].as_str().expect("an id").to_owned()
    }
}
