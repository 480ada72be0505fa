//! An incident, what people do to it, and its timeline.

use serde_json::{Value, json};

use crate::World;
use crate::api::{Answer, Api};
use crate::people::Member;

pub struct Incident<'a> {
    world: &'a World,
    pub id: String,
    /// Whose actions these are.
    api: Api,
}

impl World {
    /// The newest incident.
    pub async fn incident(&self) -> Incident<'_> {
        let all = self.incidents().await;
        all.into_iter().next().expect("an incident")
    }

    /// All incidents, the newest first.
    pub async fn incidents(&self) -> Vec<Incident<'_>> {
        self.rest().await;
        let all = self.api.list("/incidents").await;
        let id = |incident: &Value| incident["id"].as_str().expect("an id").to_owned();
        all.iter().map(|one| Incident { world: self, id: id(one), api: self.api.clone() }).collect()
    }

    /// All incidents of all spaces, the oldest first.
    pub async fn incidents_in_order(&self) -> Vec<Incident<'_>> {
        let mut all = self.incidents().await;
        all.reverse();
        all
    }

    /// The only incident there is.
    pub async fn only_incident(&self) -> Incident<'_> {
        let mut all = self.incidents().await;
        assert_eq!(all.len(), 1, "one incident was expected");
        all.remove(0)
    }

    /// How many alerts each incident holds, the oldest first.
    pub async fn alert_counts(&self) -> Vec<u64> {
        self.settle().await;
        let listed = self.api.list("/incidents").await;
        listed.iter().rev().map(|one| one["alert_count"].as_u64().expect("a number")).collect()
    }

    /// Puts a silence into a space; its id.
    pub async fn silence(&self, space: &str, silence: &Value) -> String {
        let made = self.api.create(&format!("/spaces/{space}/silences"), silence).await;
        self.forget().await;
        text(&made, "id")
    }

    /// A silence of everything, or of what the filter takes, from now on.
    pub fn silence_for(&self, minutes: i64, filter: &Value) -> Value {
        let now = self.larkspur.clock.now();
        let until = alerting::base::moment::Moment::from_millis(now.millis() + minutes * 60_000);
        let time = json!({"type": "once", "from": now.rfc3339(), "until": until.rfc3339()});
        json!({"name": "Maintenance", "time": time, "filter": filter})
    }
}

impl<'a> Incident<'a> {
    /// The same incident in the hands of someone with another API key.
    pub fn with_key(&self, key: &str) -> Incident<'a> {
        Incident { world: self.world, id: self.id.clone(), api: Api::new(&self.world.larkspur.base_url, key) }
    }

    pub async fn progress(&self) -> String {
        text(&self.now().await, "progress")
    }

    /// As the API shows it now.
    pub async fn now(&self) -> Value {
        self.api.get(&format!("/incidents/{}", self.id)).await
    }

    /// The kinds of the timeline's entries, oldest first, without the attempts to notify.
    pub async fn event_kinds(&self) -> Vec<String> {
        let kinds = self.entry_kinds().await;
        kinds.into_iter().filter(|kind| kind != "notified").collect()
    }

    /// The kinds of all entries, oldest first.
    pub async fn entry_kinds(&self) -> Vec<String> {
        self.entries().await.iter().map(|entry| entry["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// The details of all entries of a kind, oldest first.
    pub async fn details(&self, kind: &str) -> Vec<String> {
        let of_kind = self.entries().await.into_iter().filter(|entry| entry["kind"] == kind);
        of_kind.map(|entry| entry["detail"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Who did everything of a kind, oldest first.
    pub async fn actors(&self, kind: &str) -> Vec<String> {
        let of_kind = self.entries().await.into_iter().filter(|entry| entry["kind"] == kind);
        of_kind.map(|entry| entry["actor"].as_str().expect("an actor").to_owned()).collect()
    }

    pub async fn entries(&self) -> Vec<Value> {
        let now = self.now().await;
        let shown = now["timeline"].as_array().expect("a timeline").clone();
        let (attempts, entries): (Vec<Value>, Vec<Value>) =
            shown.iter().cloned().partition(|entry| entry["kind"] == "notified");
        if now["timeline_count"].as_u64() == Some(entries.len() as u64) {
            return shown;
        }
        let mut all = self.api.list(&format!("/incidents/{}/timeline", self.id)).await;
        all.extend(attempts);
        all.sort_by_key(|entry| entry["at"].as_str().expect("a time").to_owned());
        all
    }

    /// Requests an action and returns the answer.
    pub async fn tries(&self, action: &str, body: &Value) -> Answer {
        let answer = self.api.call("POST", &format!("/incidents/{}/{action}", self.id), Some(body)).await;
        self.world.rest().await;
        answer
    }

    /// Performs an action, which must succeed; returns the incident afterwards.
    pub async fn does(&self, action: &str, body: &Value) -> Value {
        let answer = self.tries(action, body).await;
        assert!((200..300).contains(&answer.status), "{action}: {}", answer.text);
        answer.body
    }

    /// Does something by a request that is sent twice with one idempotency key, as by a client that lost the first answer.
    pub async fn does_twice(&self, action: &str, body: &Value) -> Value {
        let key = format!("{action} {body}").replace(' ', "");
        let path = format!("/incidents/{}/{action}", self.id);
        let first = self.api.call_as(Some(&key), "POST", &path, Some(body)).await;
        assert!((200..300).contains(&first.status), "{action}: {}", first.text);
        self.world.rest().await;
        let second = self.api.call_as(Some(&key), "POST", &path, Some(body)).await;
        assert_eq!(second.status, first.status, "{action} again: {}", second.text);
        self.world.rest().await;
        second.body
    }

    /// Performs an action without arguments.
    pub async fn press(&self, action: &str) -> Value {
        self.does(action, &json!({})).await
    }

    /// Performs an action without arguments as this member.
    pub async fn press_as(&self, action: &str, member: &Member) -> Value {
        self.does(action, &json!({"member": member.id})).await
    }

    /// Sets title or severity.
    pub async fn edit(&self, body: &Value) -> Value {
        let answer = self.api.call("PUT", &format!("/incidents/{}", self.id), Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.world.rest().await;
        answer.body
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value:#}")).to_owned()
}
