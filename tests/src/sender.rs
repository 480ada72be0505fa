//! Integrations, and the platforms that push to them.

use std::collections::BTreeMap;

use alerting::base::ids::Stamp;
use alerting::base::moment::Moment;
use alerting::rules::message::{Acceptance, Message, MsgType, Origin, RawBody, Received};
use serde_json::{Value, json};

use crate::World;
use crate::api::{Answer, Api};
use crate::space::Space;

/// An integration to be made.
pub struct SenderPlan<'a> {
    world: &'a World,
    settings: Value,
    close: Vec<Value>,
    key: Vec<Value>,
}

/// A platform that was given an integration's URL.
#[derive(Clone)]
pub struct Sender {
    api: Api,
    pub url: String,
    pub integration: String,
}

impl<'a> SenderPlan<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world, settings: json!({"name": "a platform"}), close: Vec::new(), key: Vec::new() }
    }

    /// Sets a field of the integration as the API knows it.
    pub fn set(mut self, field: &str, value: Value) -> Self {
        self.settings[field] = value;
        self
    }

    /// Closes when the content matches this pattern, otherwise triggers.
    pub fn close_when(mut self, pattern: &str) -> Self {
        let value = format!("/{pattern}/");
        self.close.push(json!({"any": [{"all": [{"field": "content", "op": "match", "values": [value]}]}]}));
        self
    }

    /// Takes the alert key from the content.
    pub fn key(mut self, pattern: &str) -> Self {
        self.key.push(json!({"field": "content", "pattern": pattern}));
        self
    }

    /// Takes the alert key from the title.
    pub fn key_from_title(mut self, pattern: &str) -> Self {
        self.key.push(json!({"field": "title", "pattern": pattern}));
        self
    }

    /// For texts such as `disk full key=a host=db-1 app=shop level=critical`, with the title on a line of its own: the
    /// alert key, labels and severity are what they say, and what says RESOLVED closes.
    pub fn monitoring(self) -> Self {
        let critical =
            json!({"any": [{"all": [{"field": "description", "op": "match", "values": ["/level=critical/"]}]}]});
        let label = |name: &str| {
            let pattern = format!(r"{name}=(\S+)");
            json!({"add_label": {"name": name, "from": "description", "pattern": pattern}})
        };
        let pipeline = json!([{"when": critical, "set_severity": "Critical"}, label("host"), label("app")]);
        let limits = json!({"per_second": 10_000, "per_minute": 100_000});
        let plan = self.set("pipeline", pipeline).set("title_from", json!("first_line")).set("limits", limits);
        plan.close_when("RESOLVED").key(r"key=(\S+)")
    }

    /// Makes it, dedicated to this space.
    pub async fn into(self, space: &Space) -> Sender {
        let id = space.id.clone();
        self.set("space", id.into()).make().await
    }

    pub async fn make(mut self) -> Sender {
        if !self.key.is_empty() {
            self.settings["push_mode"] = json!({
                "type": "by_rules", "trigger": [{}], "close": self.close, "key": self.key, "unmatched": "discard",
            });
        }
        let made = self.world.api.create("/integrations", &self.settings).await;
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Sender { api: self.world.api.clone(), url: text("url"), integration: text("id") }
    }
}

impl Sender {
    /// Sends a text message, which is accepted.
    pub async fn says(&self, text: &str) {
        self.sends(&json!({"msg_type": "text", "content": {"text": text}})).await;
    }

    /// Sends a rich text with a title, which is accepted.
    pub async fn posts(&self, title: &str, text: &str) {
        let post = json!({"zh_cn": {"title": title, "content": [[{"tag": "text", "text": text}]]}});
        self.sends(&json!({"msg_type": "post", "content": {"post": post}})).await;
    }

    /// Sends any body, which is accepted.
    pub async fn sends(&self, body: &Value) {
        let answer = self.tries(body.to_string()).await;
        assert_eq!((answer.status, answer.body["code"].as_i64()), (200, Some(0)), "{}", answer.text);
    }

    /// Sends any bytes; what the intake says.
    pub async fn tries(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.api.post(&self.url, body).await
    }

    /// The text as the intake would queue it: message `number`, received at this moment.
    pub fn received(&self, number: u64, at: Moment, text: &str) -> Received {
        let title = text.lines().next().unwrap_or_default().to_owned();
        Received {
            stamp: Stamp::from_parts(at, u128::from(number)),
            integration: self.integration.parse().expect("an id"),
            origin: Origin { process: "scenario".to_owned(), count: number, queued: None },
            acceptance: Acceptance::Accepted(Message {
                msg_type: MsgType::Text,
                title,
                content: text.to_owned(),
                labels: BTreeMap::default(),
            }),
            body: RawBody::Text("{}".to_owned()),
            replay_of: None,
            times: 1,
        }
    }

    /// The log's entry of every message, newest first.
    pub async fn messages(&self) -> Vec<Value> {
        self.api.list(&format!("/integrations/{}/messages", self.integration)).await
    }

    /// Why someone was, or was not, notified of a message; `place`: counted from the newest.
    pub async fn trace(&self, place: usize) -> Value {
        let messages = self.messages().await;
        let id = messages[place]["id"].as_str().expect("an id");
        self.api.get(&format!("/integrations/{}/messages/{id}/trace", self.integration)).await
    }

    /// The outcomes, newest first.
    pub async fn outcomes(&self) -> Vec<String> {
        let messages = self.messages().await;
        messages.iter().map(|message| message["outcome"].as_str().expect("an outcome").to_owned()).collect()
    }
}
